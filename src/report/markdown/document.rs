//! A Markdown document that knows how much room is left, and how to keep foreign text inert.
//!
//! Room is counted in bytes, of which no text has fewer than characters, so that one limit keeps
//! both: 65,536 characters of a comment and 1 MiB of a job summary. Whatever does not fit is
//! counted where it would have stood, or in the last line.

use super::super::limits::{MARKDOWN_BYTES_MAX, MARKDOWN_NAME_CHARS_MAX, MARKDOWN_TEXT_CHARS_MAX};
use super::super::sentence;
use super::super::{escape, link as web_link};

/// Room kept for what stands below a table or list that was cut short.
const RESERVE: usize = 2_000;
/// Room kept for the last line, which counts what else did not fit.
const CLOSING: usize = 100;

/// A Markdown document under construction.
#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
    /// Paragraphs, headings and excerpts for which there was no room.
    left: u64,
}

impl Document {
    /// A paragraph of our own words; foreign parts have gone through [`text`] or [`code`].
    pub(super) fn paragraph(&mut self, markdown: &str) {
        self.block(markdown, CLOSING);
    }

    /// A heading of our own words.
    pub(super) fn heading(&mut self, level: usize, markdown: &str) {
        self.block(&format!("{} {markdown}", "#".repeat(level)), CLOSING);
    }

    /// A list of items; those for which there is no room are counted below it.
    pub(super) fn list(&mut self, items: &[String]) {
        let lines: Vec<String> = items.iter().map(|item| format!("- {item}\n")).collect();
        let shown = self.fitting(0, &lines);
        self.lines("", lines.get(..shown).unwrap_or(&lines));
        self.more(lines.len() - shown, "item");
    }

    /// A table; rows for which there is no room are counted below it.
    pub(super) fn table(&mut self, titles: &[&str], rows: &[Vec<String>], noun: &str) {
        let head = format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
        let lines: Vec<String> =
            rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
        let shown = self.fitting(head.len(), &lines);
        self.lines(&head, lines.get(..shown).unwrap_or(&lines));
        self.more(lines.len() - shown, noun);
    }

    /// A fenced block of foreign lines that were escaped already.
    pub(super) fn fenced(&mut self, lines: &[String]) {
        let body = lines.join("\n");
        let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block(&format!("{fence}text\n{body}\n{fence}"), RESERVE);
    }

    /// How many lines fit behind a head of so many bytes.
    fn fitting(&self, head: usize, lines: &[String]) -> usize {
        let mut room = MARKDOWN_BYTES_MAX.saturating_sub(self.text.len() + 2 + head + RESERVE);
        let fits = |line: &&String| {
            let left = room.checked_sub(line.len());
            room = left.unwrap_or(0);
            left.is_some()
        };
        lines.iter().take_while(fits).count()
    }

    /// Lines for which there is room, with what belongs above them.
    fn lines(&mut self, head: &str, lines: &[String]) {
        if !lines.is_empty() {
            self.part();
            self.text.push_str(head);
            lines.iter().for_each(|line| self.text.push_str(line));
        }
    }

    fn more(&mut self, left: usize, noun: &str) {
        if left > 0 {
            let more = sentence::count(left as u64, noun);
            self.paragraph(&format!(
                "{more} more did not fit here; the JSON format has all of them."
            ));
        }
    }

    fn block(&mut self, markdown: &str, kept: usize) {
        // What does not fit is dropped whole: a half fence or link would change what follows.
        if self.text.len() + markdown.len() + 3 + kept > MARKDOWN_BYTES_MAX {
            self.left += 1;
            return;
        }
        self.part();
        self.text.push_str(markdown);
        self.text.push('\n');
    }

    /// An empty line between two parts; every part ends its own last line.
    fn part(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// The finished document.
    pub(super) fn finish(mut self) -> String {
        if self.left > 0 {
            let more = sentence::count(self.left, "part");
            self.block(&format!("{more} more did not fit here; the JSON format has all."), 0);
        }
        self.text
    }
}

/// Text of ours with foreign parts, as Markdown that renders as that text.
pub(super) fn text(foreign: &str) -> String {
    let shown = escape::line(foreign);
    let shown = escape::shortened(&shown, MARKDOWN_TEXT_CHARS_MAX);
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '[' | ']' | '\\' | '~' | '_' | '#' => {
                entity(c, &mut out);
            }
            // An empty comment keeps a mention from notifying people.
            '@' => out.push_str("@<!-- -->"),
            c => out.push(c),
        }
    }
    // GitHub makes links of bare addresses, and of numbers behind a hash, however they are spelt.
    out.replace("://", ":<!-- -->//")
        .replace("www.", "www<!-- -->.")
        .replace("&#35;", "&#35;<!-- -->")
}

/// A foreign name in a code span, where nothing is a mention, a link, a tag or emphasis.
pub(super) fn code(foreign: &str) -> String {
    let shown = escape::line(foreign);
    let shown = escape::shortened(&shown, MARKDOWN_NAME_CHARS_MAX);
    let plain =
        !shown.contains(['`', '|', '\\']) && !shown.starts_with(' ') && !shown.ends_with(' ');
    match (shown.is_empty(), plain) {
        (true, _) => String::new(),
        (false, true) => format!("`{shown}`"),
        (false, false) => {
            // A code span cannot hold these inside a table; HTML with entities can.
            let mut out = String::from("<code>");
            for c in shown.chars() {
                if c.is_ascii_punctuation() { entity(c, &mut out) } else { out.push(c) }
            }
            out.push_str("</code>");
            out
        }
    }
}

/// Markdown that leads to a web address, where it is one and there is something to click.
pub(super) fn link(markdown: &str, url: Option<&str>) -> String {
    match url.and_then(web_link::web).filter(|_| !markdown.is_empty()) {
        Some(url) => format!("[{markdown}]({url})"),
        None => markdown.to_owned(),
    }
}

fn entity(c: char, out: &mut String) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        for (foreign, wanted) in [
            ("tests.a::b[1-2]", "`tests.a::b[1-2]`"),
            ("<script>alert(1)</script>", "`<script>alert(1)</script>`"),
            ("a|b", "<code>a&#124;b</code>"),
            ("a`b", "<code>a&#96;b</code>"),
            ("a\nb", "<code>a&#92;nb</code>"),
            ("@team/core", "`@team/core`"),
            ("", ""),
        ] {
            assert_eq!(code(foreign), wanted);
        }
        assert_eq!(text("a*b <b>"), "a&#42;b &#60;b&#62;");
        let link = "get (https://a.example) www.b.example #12";
        let inert = "get (https:<!-- -->//a.example) www<!-- -->.b.example &#35;<!-- -->12";
        assert_eq!(text(link), inert);
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        let mut document = Document::default();
        document.fenced(&["a".to_owned(), "````".to_owned(), "b".to_owned()]);
        assert_eq!(document.finish(), "`````text\na\n````\nb\n`````\n");
    }

    /// The numbers in front of "more did not fit here".
    fn counted(text: &str, noun: &str) -> usize {
        text.lines()
            .filter_map(|line| line.split_once(" more did not fit here"))
            .filter_map(|(before, _)| before.strip_suffix('s').unwrap_or(before).strip_suffix(noun))
            .map(|number| number.trim().replace(',', "").parse::<usize>().unwrap())
            .sum()
    }

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let mut document = Document::default();
        let rows: Vec<Vec<String>> = (0..5_000).map(|n| vec![format!("{n:>30}")]).collect();
        document.table(&["n"], &rows, "test");
        document.paragraph("below");
        let text = document.finish();
        assert!(text.len() <= MARKDOWN_BYTES_MAX);
        let shown = text.lines().filter(|line| line.starts_with("|  ")).count();
        assert_eq!(shown + counted(&text, "test"), 5_000);
        assert!(text.ends_with("below\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_is_left_out_uncounted(
            parts in proptest::collection::vec((0_u8..5, 0_usize..400, 0_usize..2_000), 1..40),
        ) {
            let mut document = Document::default();
            let (mut rows, mut items, mut blocks) = (0, 0, 0);
            for (kind, count, width) in parts {
                let filling = "é".repeat(width);
                let lines = |mark: &str| (0..count).map(|_| format!("{mark}{filling}")).collect();
                match kind {
                    0 => {
                        let lines: Vec<String> = lines("R");
                        rows += lines.len();
                        let lines: Vec<Vec<String>> = lines.into_iter().map(|l| vec![l]).collect();
                        document.table(&["t"], &lines, "row");
                    }
                    1 => {
                        items += count;
                        let lines: Vec<String> = lines("I");
                        document.list(&lines);
                    }
                    2 => {
                        blocks += 1;
                        document.paragraph(&format!("B{filling}"));
                    }
                    3 => {
                        blocks += 1;
                        document.heading(3, &format!("B{filling}"));
                    }
                    _ => {
                        blocks += 1;
                        document.fenced(&[format!("B{filling}")]);
                    }
                }
            }
            let text = document.finish();
            prop_assert!(text.len() <= MARKDOWN_BYTES_MAX && text.chars().count() < 65_536);
            let shown = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
            let left = counted(&text, "part");
            // A line that counts rows or items is a part itself where it did not fit.
            prop_assert!(shown("B") + shown("### B") <= blocks);
            prop_assert!(shown("B") + shown("### B") + left >= blocks);
            if shown("B") + shown("### B") + left == blocks {
                prop_assert_eq!(shown("| R") + counted(&text, "row"), rows);
                prop_assert_eq!(shown("- I") + counted(&text, "item"), items);
            }
        }
    }
}
