//! A Markdown document that knows how much room is left, and how to keep foreign text inert.

use super::super::limits::{MARKDOWN_CHARS_MAX, MARKDOWN_NAME_CHARS_MAX};
use super::super::sentence;
use super::super::{escape, link as web_link};

/// Room kept for what stands below a table that was cut short.
const RESERVE: usize = 2_000;

/// A Markdown document under construction.
#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
}

impl Document {
    /// A paragraph of our own words; foreign parts have gone through [`text`] or [`code`].
    pub(super) fn paragraph(&mut self, markdown: &str) {
        self.block(markdown);
    }

    /// A heading of our own words.
    pub(super) fn heading(&mut self, level: usize, markdown: &str) {
        self.block(&format!("{} {markdown}", "#".repeat(level)));
    }

    /// A list of items.
    pub(super) fn list(&mut self, items: &[String]) {
        let lines: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
        self.block(&lines.join("\n"));
    }

    /// A table; rows for which there is no room are counted below it.
    pub(super) fn table(&mut self, titles: &[&str], rows: &[Vec<String>], noun: &str) {
        if rows.is_empty() {
            return;
        }
        let head = format!("| {} |\n|{}", titles.join(" | "), " --- |".repeat(titles.len()));
        self.block(&head);
        let mut shown = 0;
        for row in rows {
            let line = format!("| {} |\n", row.join(" | "));
            if self.text.len() + line.len() + RESERVE > MARKDOWN_CHARS_MAX {
                break;
            }
            self.text.push_str(&line);
            shown += 1;
        }
        let left = rows.len() - shown;
        if left > 0 {
            let more = sentence::count(left as u64, noun);
            self.block(&format!("{more} more did not fit here; the JSON format has all of them."));
        }
    }

    /// A fenced block of foreign lines that were escaped already.
    pub(super) fn fenced(&mut self, lines: &[String]) {
        let body = lines.join("\n");
        let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block(&format!("{fence}text\n{body}\n{fence}"));
    }

    fn block(&mut self, markdown: &str) {
        // What does not fit is dropped whole: a half fence or link would change what follows.
        if self.text.len() + markdown.len() + 2 > MARKDOWN_CHARS_MAX {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(if self.text.ends_with('\n') { "\n" } else { "\n\n" });
        }
        self.text.push_str(markdown);
        self.text.push('\n');
    }

    /// The finished document.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Text of ours with foreign parts, as Markdown that renders as that text.
pub(super) fn text(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    for c in escape::line(foreign).chars() {
        match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '[' | ']' | '\\' | '~' | '_' | '#' => {
                entity(c, &mut out);
            }
            // An empty comment keeps a mention from notifying people.
            '@' => out.push_str("@<!-- -->"),
            c => out.push(c),
        }
    }
    out
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
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        let mut document = Document::default();
        document.fenced(&["a".to_owned(), "````".to_owned(), "b".to_owned()]);
        assert_eq!(document.finish(), "`````text\na\n````\nb\n`````\n");
    }

    #[test]
    fn rows_beyond_the_limit_are_counted() {
        let mut document = Document::default();
        let rows: Vec<Vec<String>> = (0..5_000).map(|n| vec![format!("{n:>30}")]).collect();
        document.table(&["n"], &rows, "test");
        document.paragraph("below");
        let text = document.finish();
        assert!(text.len() <= MARKDOWN_CHARS_MAX);
        assert!(text.contains("tests more did not fit here"), "{text}");
        assert!(text.ends_with("below\n"));
    }
}
