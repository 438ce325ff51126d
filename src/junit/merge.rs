//! Several documents of one runner as one: their elements as they are, each told whose they were.
//!
//! What is copied is the text itself, so that nothing that a runner wrote is lost or understood on
//! the way. A document that was cut off gives its whole cases, as the reader keeps them; of one whose
//! tags are broken the reader may save more than can be copied.

use std::fmt::Write as _;

use crate::model::limits;
use crate::model::tests::SUITE_SEPARATOR;

use super::encoding;
use super::producer::{MERGED, UNKNOWN};
use super::token::{Attributes, Tag, TextEnd, Token, Tokens};
use super::{ReadOptions, read};

/// Attributes of a root that are added up.
const COUNTS: [&str; 5] = ["tests", "failures", "errors", "skipped", "disabled"];
/// Elements that hold text and nothing else.
const TEXTS: [&str; 11] = [
    "failure",
    "error",
    "skipped",
    "flakyFailure",
    "flakyError",
    "rerunFailure",
    "rerunError",
    "system-out",
    "system-err",
    "stackTrace",
    "property",
];
/// The elements that have a part in how cases nest.
const CONTAINERS: [&str; 3] = ["testsuites", "testsuite", "testcase"];

/// One document that is to be merged.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The document.
    pub bytes: Vec<u8>,
    /// Properties that its suites are to have besides their own.
    pub properties: Vec<(String, String)>,
}

/// Writes all documents as one, in this order; the attributes of the first root stay, its counts
/// and its time are those of all.
#[must_use]
pub fn merge(parts: &[Part]) -> Vec<u8> {
    let mut roots = Roots::default();
    let mut body = String::new();
    for part in parts {
        // What is no text has no cases that anybody could read.
        let Ok(decoded) = encoding::decode(&part.bytes) else { continue };
        Copying::new(&decoded.text, &part.properties).copy(&mut body, &mut roots);
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    roots.write(&mut out);
    out.push_str(">\n");
    if let Some(producer) = producer_of(parts) {
        let _ = writeln!(out, "<!-- {MERGED}{producer} -->");
    }
    out.push_str(&body);
    out.push_str("</testsuites>\n");
    out.into_bytes()
}

/// Who wrote the first of them that can be told.
fn producer_of(parts: &[Part]) -> Option<&'static str> {
    let options = ReadOptions::default();
    let mut producers = parts.iter().map(|part| read(&part.bytes, &options).report.producer);
    producers.find(|producer| !matches!(*producer, "" | UNKNOWN))
}

/// What the roots said.
#[derive(Default)]
struct Roots {
    /// Name and raw value, of the first root.
    first: Option<Vec<(String, String)>>,
    /// Sums, and whether every root had this count.
    counts: [Option<u64>; COUNTS.len()],
    seconds: Option<f64>,
    has_counts: bool,
}

impl Roots {
    /// Adds the counts of a root; its other attributes stay where it is the first that wraps suites.
    fn see(&mut self, attributes: &str, wraps: bool) {
        let all: Vec<(String, String)> = Attributes::new(attributes)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let find =
            |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let is_first = !std::mem::replace(&mut self.has_counts, true);
        for (name, sum) in COUNTS.iter().zip(&mut self.counts) {
            let count = find(name).and_then(|text| text.trim().parse::<u64>().ok());
            *sum = if is_first { count } else { sum.zip(count).map(|(a, b)| a.saturating_add(b)) };
        }
        let seconds = find("time").and_then(|text| text.trim().parse::<f64>().ok());
        self.seconds =
            if is_first { seconds } else { self.seconds.zip(seconds).map(|(a, b)| a + b) };
        if wraps {
            self.first.get_or_insert(all);
        }
    }

    fn write(&self, out: &mut String) {
        for (name, value) in self.first.iter().flatten() {
            let is_sum = name == "time" || COUNTS.contains(&name.as_str());
            if !is_sum && !name.is_empty() {
                let quote = if value.contains('"') { '\'' } else { '"' };
                // Writing to a string does not fail.
                let _ = write!(out, " {name}={quote}{value}{quote}");
            }
        }
        for (name, sum) in COUNTS.iter().zip(self.counts) {
            if let Some(sum) = sum {
                let _ = write!(out, " {name}=\"{sum}\"");
            }
        }
        if let Some(seconds) = self.seconds {
            let _ = write!(out, " time=\"{seconds:.3}\"");
        }
    }
}

/// One document on its way.
struct Copying<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    properties: String,
    /// Up to here the text is copied.
    copied: usize,
    /// The open elements below the root that may hold cases.
    open: Vec<&'a str>,
    /// Open elements of other names, and those within a case.
    depth: usize,
    /// A start tag that ends here has no properties of ours yet.
    owed: Option<usize>,
    /// The last place where everything before is whole: in the output, and what was open there.
    whole: (usize, Vec<&'a str>),
}

impl<'a> Copying<'a> {
    fn new(text: &'a str, properties: &[(String, String)]) -> Self {
        let mut written = String::new();
        for (name, value) in properties {
            let (name, value) = (escaped(name), escaped(value));
            let _ = write!(written, "<property name=\"{name}\" value=\"{value}\"/>");
        }
        Self {
            text,
            tokens: Tokens::new(text),
            properties: written,
            copied: 0,
            open: Vec::new(),
            depth: 0,
            owed: None,
            whole: (0, Vec::new()),
        }
    }

    /// Copies every root of the document.
    fn copy(&mut self, out: &mut String, roots: &mut Roots) {
        loop {
            match self.tokens.next() {
                Token::Start(tag) if tag.name == "testsuites" => {
                    roots.see(tag.attributes, true);
                    self.copied = self.tokens.offset();
                    if !tag.is_empty && !self.root(true, out) {
                        return;
                    }
                }
                Token::Start(tag) if tag.name == "testsuite" => {
                    roots.see(tag.attributes, false);
                    self.copied = tag.at;
                    self.whole = (out.len(), Vec::new());
                    if tag.is_empty {
                        self.flush(self.tokens.offset(), out);
                    } else {
                        self.open.push("testsuite");
                        self.owed = Some(self.tokens.offset());
                        if !self.root(false, out) {
                            return;
                        }
                    }
                    out.push('\n');
                }
                Token::Broken(at) => self.tokens.restart(at + 1),
                Token::Eof => return,
                _ => {}
            }
        }
    }

    /// Copies what stands in a root; false where the document breaks off in it.
    fn root(&mut self, is_stripped: bool, out: &mut String) -> bool {
        if is_stripped {
            self.whole = (out.len(), Vec::new());
        }
        loop {
            let token = self.tokens.next();
            if let Some(at) = self.owed.take() {
                self.pay(at, &token, out);
            }
            let is_fine = match token {
                Token::Start(tag) => self.start(&tag, out),
                Token::End { name: "testsuites", at } if !self.open.contains(&"testsuites") => {
                    self.flush(at, out);
                    if is_stripped && !self.open.contains(&"testcase") {
                        close(out, &std::mem::take(&mut self.open));
                        return true;
                    }
                    // It would end the root of the merged document.
                    self.copied = self.tokens.offset();
                    !is_stripped
                }
                Token::End { name, .. } => {
                    let is_fine = self.end(name, out);
                    if !is_stripped && self.open.is_empty() {
                        self.flush(self.tokens.offset(), out);
                        return true;
                    }
                    is_fine
                }
                Token::Comment(_) | Token::Doctype { .. } => true,
                Token::Broken(at) => self.tokens.skip_stray(at),
                Token::Eof => false,
            };
            if !is_fine {
                self.cut(out);
                return false;
            }
        }
    }

    fn start(&mut self, tag: &Tag<'a>, out: &mut String) -> bool {
        if TEXTS.contains(&tag.name) {
            return tag.is_empty
                || matches!(self.tokens.text_until_end(tag.name), TextEnd::Whole { .. });
        }
        let is_container = CONTAINERS.contains(&tag.name);
        let at_top = self.open.is_empty() && is_container;
        if tag.is_empty {
            if at_top && tag.name == "testcase" {
                self.flush(tag.at, out);
                let _ = write!(
                    out,
                    "<testcase{}><properties>{}</properties></testcase>",
                    tag.attributes, self.properties
                );
                self.copied = self.tokens.offset();
            }
            if is_container {
                self.mark_whole(out);
            }
            return true;
        }
        if self.open.len() + self.depth >= limits::DEPTH_MAX {
            return false;
        }
        match is_container {
            true => self.open.push(tag.name),
            false => self.depth += 1,
        }
        if at_top {
            self.owed = Some(self.tokens.offset());
        }
        true
    }

    /// False where a case is open in what ends: nothing tells its outcome.
    fn end(&mut self, name: &str, out: &str) -> bool {
        if !CONTAINERS.contains(&name) {
            self.depth = self.depth.saturating_sub(1);
            return true;
        }
        if let Some(place) = self.open.iter().rposition(|open| *open == name) {
            if self.open.iter().skip(place + 1).any(|open| *open == "testcase") {
                return false;
            }
            self.open.truncate(place);
        }
        self.mark_whole(out);
        true
    }

    /// All that was read so far may stand by itself.
    fn mark_whole(&mut self, out: &str) {
        if self.open.contains(&"testcase") {
            return;
        }
        let ahead = self.tokens.offset().saturating_sub(self.copied);
        self.whole.0 = out.len() + ahead;
        self.whole.1.clear();
        self.whole.1.extend(&self.open);
    }

    /// Writes the properties into an element whose start tag ends at a place, before this token.
    fn pay(&mut self, at: usize, token: &Token<'a>, out: &mut String) {
        if self.properties.is_empty() {
            return;
        }
        let properties = &self.properties;
        let (until, text, then) = match token {
            Token::Start(tag) if tag.name == "properties" && !tag.is_empty => {
                let end = self.tokens.offset();
                (end, properties.clone(), end)
            }
            Token::Start(tag) if tag.name == "properties" => {
                let text = format!("<properties>{properties}</properties>");
                (tag.at, text, self.tokens.offset())
            }
            _ => (at, format!("<properties>{properties}</properties>"), at),
        };
        self.flush(until, out);
        out.push_str(&text);
        self.copied = then;
    }

    fn flush(&mut self, to: usize, out: &mut String) {
        out.push_str(self.text.get(self.copied..to).unwrap_or_default());
        self.copied = self.copied.max(to);
    }

    /// Ends the document behind its last whole case.
    fn cut(&mut self, out: &mut String) {
        let ahead = self.whole.0.saturating_sub(out.len());
        self.flush(self.copied.saturating_add(ahead), out);
        out.truncate(self.whole.0);
        close(out, &self.whole.1);
        out.push('\n');
    }
}

/// Writes the end tags of what is open, the innermost first.
fn close(out: &mut String, open: &[&str]) {
    for name in open.iter().rev() {
        let _ = write!(out, "</{name}>");
    }
}

/// A case that no runner wrote: of a test whose process died, or whose report did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MadeCase {
    /// Names of the enclosing suites, joined by U+001F.
    pub suite: String,
    /// The class name, or empty.
    pub classname: String,
    /// The name.
    pub name: String,
    /// The source file, where the class name alone does not tell the test.
    pub file: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Why it has an error: in one line, and in full.
    pub error: Option<(String, String)>,
}

/// A document of such cases.
#[must_use]
pub fn made(cases: &[MadeCase]) -> Vec<u8> {
    let mut out = String::from("<testsuites>");
    for case in cases {
        let suites: Vec<&str> = case.suite.split(SUITE_SEPARATOR).collect();
        for suite in &suites {
            let _ = write!(out, "<testsuite name=\"{}\">", escaped(suite));
        }
        let _ = write!(out, "<testcase name=\"{}\"", escaped(&case.name));
        for (name, value) in [("classname", &case.classname), ("file", &case.file)] {
            if !value.is_empty() {
                let _ = write!(out, " {name}=\"{}\"", escaped(value));
            }
        }
        if let Some(seconds) = case.seconds {
            let _ = write!(out, " time=\"{seconds:.6}\"");
        }
        out.push('>');
        if let Some((message, text)) = &case.error {
            let (message, text) = (escaped(message), escaped(text));
            let _ = write!(out, "<error type=\"Crash\" message=\"{message}\">{text}</error>");
        }
        out.push_str("</testcase>");
        out.push_str(&"</testsuite>".repeat(suites.len()));
    }
    out.push_str("</testsuites>\n");
    out.into_bytes()
}

/// Text as it stands in an attribute or an element; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod unit {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::junit::Verdict;
    use crate::model::Report;

    type Shown = (String, String, String, String, String, Option<u64>, Vec<String>, String);

    /// All that a report says of its cases, in order.
    fn told(report: &Report) -> Vec<Shown> {
        let failure = |place: Option<u32>| {
            let failure = place.and_then(|place| report.failures.get(place as usize));
            failure.map_or_else(String::new, |one| format!("{one:?}"))
        };
        let one = |result: &crate::model::TestResult| {
            let test = report.tests.get(result.test).unwrap();
            let attempts = result.attempts.iter();
            (
                test.suite.to_owned(),
                test.classname.to_owned(),
                test.name.to_owned(),
                test.file.to_owned(),
                format!("{:?} {:?} {:?}", test.id, result.outcome, result.repeat),
                result.duration.map(|time| time.0),
                attempts.map(|one| format!("{:?} {}", one.outcome, failure(one.failure))).collect(),
                failure(result.failure),
            )
        };
        report.results.iter().map(one).collect()
    }

    fn part(bytes: &[u8], worker: u32) -> Part {
        let properties = vec![("flakedb.worker".to_owned(), worker.to_string())];
        Part { bytes: bytes.to_vec(), properties }
    }

    fn read_back(parts: &[Part]) -> crate::junit::Reading {
        read(&merge(parts), &ReadOptions::default())
    }

    fn fixtures(below: &Path) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(fixtures(&path));
            } else if path.extension().is_some_and(|end| end == "xml") {
                found.push(path);
            }
        }
        found.sort();
        found
    }

    #[test]
    fn documents_of_every_runner_say_the_same_once_merged() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/junit");
        let mut tried = 0;
        for path in fixtures(&root) {
            let bytes = std::fs::read(&path).unwrap();
            let reading = read(&bytes, &ReadOptions::default());
            if reading.verdict == Verdict::Reject || path.starts_with(root.join("hostile")) {
                continue;
            }
            tried += 1;
            let merged = read_back(&[part(&bytes, 3)]);
            assert_eq!(told(&merged.report), told(&reading.report), "{}", path.display());
            assert_eq!(merged.report.producer, reading.report.producer, "{}", path.display());
            assert_eq!(merged.report.counts, reading.report.counts, "{}", path.display());
            let suites = merged.report.suite_failures.len();
            assert_eq!(suites, reading.report.suite_failures.len(), "{}", path.display());
        }
        assert!(tried > 60, "{tried} fixtures");
    }

    #[test]
    fn stray_markup_in_a_text_ends_no_document() {
        let text = br#"<testsuite name="s"><testcase classname="c" name="a"/><!unit tests><testcase classname="c" name="b"/></testsuite>"#;
        let merged = read_back(&[part(text, 0)]);
        assert_eq!(merged.report.counts.cases, 2, "{:?}", merged.warnings);
        assert_eq!(told(&merged.report), told(&read(text, &ReadOptions::default()).report));
    }

    #[test]
    fn what_stands_between_suites_and_what_closes_nothing_ends_no_root() {
        let text = br#"<testsuites><!-- a note --></x><testsuite name="s"><testcase classname="c" name="a"/></testsuite></testsuites>"#;
        let merged = String::from_utf8(merge(&[part(text, 0)])).unwrap();
        assert!(merged.contains("<!-- a note -->"), "{merged}");
        assert_eq!(read_back(&[part(text, 0)]).report.counts.cases, 1);
    }

    #[test]
    fn an_empty_list_of_properties_is_filled() {
        let text =
            br#"<testsuite name="s"><properties/><testcase classname="c" name="a"/></testsuite>"#;
        let merged = String::from_utf8(merge(&[part(text, 5)])).unwrap();
        assert!(!merged.contains("<properties/>") && merged.contains("\"5\""), "{merged}");
    }

    #[test]
    fn what_is_too_deep_ends_a_document_where_the_reader_ends_it() {
        for (open, close) in [("<testsuite name=\"s\">", "</testsuite>"), ("<x>", "</x>")] {
            let nested = |depth: usize| {
                let [open, close] = [open, close].map(|tag| tag.repeat(depth));
                let case = "<testcase classname=\"c\" name=\"deep\"/>";
                let text = format!("<testsuite name=\"r\">{open}{case}{close}</testsuite>");
                String::from_utf8(merge(&[part(text.as_bytes(), 0)])).unwrap().contains("deep")
            };
            assert!(nested(limits::DEPTH_MAX - 1) && !nested(limits::DEPTH_MAX + 1), "{open}");
        }
    }

    #[test]
    fn properties_stand_in_every_suite_beside_its_own() {
        let own = br#"<testsuite name="a" tests="1" failures="0" time="0.25"><properties><property name="x" value="y"/></properties><testcase name="t" classname="c.D"/></testsuite>"#;
        let bare = br#"<testsuites tests="2" failures="1" time="1.5" name="all"><testsuite name="b"><testcase name="u" classname="c.D"><failure message="a &lt; b"/></testcase></testsuite><testsuite name="e"/><testcase name="v" classname="c.D"/></testsuites>"#;
        let merged = merge(&[part(own, 0), part(bare, 1), part(bare, 2)]);
        insta::assert_snapshot!(String::from_utf8(merged).unwrap());
    }

    #[test]
    fn cases_that_no_runner_wrote_are_read_as_any_other() {
        let case = MadeCase {
            suite: "pytest".into(),
            classname: "tests.test_a".into(),
            name: "test_x[\"<&]".into(),
            error: Some((
                "the test process died: signal 11".into(),
                "line 1\n\u{1b}[31mline 2".into(),
            )),
            ..MadeCase::default()
        };
        let passed =
            MadeCase { name: "test_y".into(), seconds: Some(0.25), error: None, ..case.clone() };
        let reading = read(&made(&[case, passed]), &ReadOptions::default());
        assert_eq!(reading.verdict, Verdict::Accept, "{:?}", reading.warnings);
        assert_eq!((reading.report.counts.errored, reading.report.counts.passed), (1, 1));
        let test = reading.report.tests.get(reading.report.results[0].test).unwrap();
        assert_eq!((test.suite, test.name), ("pytest", "test_x[\"<&]"));
        assert_eq!(reading.report.failures[0].kind, "Crash");
    }

    /// The whole of a document that says the same alone and in front of another one.
    fn stays_whole(text: &str) -> String {
        let case = r#"<testsuites><testcase classname="d" name="last"/></testsuites>"#;
        let parts = [text, case].map(|text| part(text.as_bytes(), 0));
        let merged = read_back(&parts);
        let alone =
            parts.iter().flat_map(|part| told(&read(&part.bytes, &ReadOptions::default()).report));
        assert_eq!(
            told(&merged.report),
            alone.collect::<Vec<_>>(),
            "{text}: {:?}",
            merged.warnings
        );
        String::from_utf8(merge(&parts)).unwrap()
    }

    #[test]
    fn every_root_of_a_document_is_copied_and_what_stands_around_them_is_not() {
        let root = |name: &str| {
            format!(r#"<testsuites><testcase classname="c" name="{name}"/></testsuites>"#)
        };
        let suite = r#"<testsuite name="s"><testcase classname="c" name="c"/></testsuite>"#;
        let text = format!("log <output> <! of it\n{}\nmore <b>\n{}{suite}", root("a"), root("b"));
        let merged = stays_whole(&text);
        assert!(!["<output>", "<b>", "of it"].iter().any(|one| merged.contains(one)), "{merged}");
    }

    #[test]
    fn what_ends_in_a_root_does_not_end_it() {
        let case = r#"<testcase classname="c" name="a"/>"#;
        let properties = r#"<properties><property name="k" value="v"/></properties>"#;
        for inside in [
            format!("{properties}{case}"),
            format!("</x>{case}"),
            format!("<testsuites></testsuites>{case}"),
        ] {
            stays_whole(&format!("<testsuites>{inside}</testsuites>"));
        }
    }

    #[test]
    fn an_end_tag_that_fits_nothing_open_does_no_harm_to_the_documents_behind() {
        let [a, b] = ["a", "b"].map(|name| format!(r#"<testcase classname="c" name="{name}"/>"#));
        let open = r#"<testcase classname="c" name="o"><x>"#;
        for text in [
            // The root ends with what is open in it.
            format!("<testsuites><testsuite name='s'>{a}</testsuites>"),
            format!("<testsuites><testsuite name='s'><testsuite name='t'>{a}</testsuites>{b}"),
            // A suite that stands alone is ended by its own tag.
            format!("<testsuite name='s'>{a}</testsuites>{b}</testsuite>"),
            // A case that is open takes all behind it along.
            format!("<testsuites><testsuite name='s'>{a}{open}</testsuite>{b}</testsuites>"),
            format!("<testsuites><testsuite name='s'>{a}{open}</testsuites></testcase>{b}"),
            format!("<testsuite name='s'>{a}{open}</testsuite>{b}"),
        ] {
            stays_whole(&text);
        }
    }

    #[test]
    fn class_and_file_of_a_made_case_are_written_where_it_has_them() {
        let case = |classname: &str, file: &str| MadeCase {
            suite: "s".into(),
            classname: classname.into(),
            name: "n".into(),
            file: file.into(),
            ..MadeCase::default()
        };
        let text = String::from_utf8(made(&[case("c", "f.py"), case("", "")])).unwrap();
        assert!(text.contains(r#"<testcase name="n" classname="c" file="f.py">"#), "{text}");
        assert!(text.contains(r#"<testcase name="n">"#), "{text}");
    }

    /// A document as runners write them, with tests of its own.
    fn document(number: usize, cases: &[(u8, String)], is_suite: bool) -> String {
        let mut text = String::new();
        for (place, (kind, words)) in cases.iter().enumerate() {
            let words = escaped(words);
            let body = match kind % 5 {
                0 => String::new(),
                1 => format!("<failure message=\"{words}\">{words}</failure>"),
                2 => "<skipped/>".to_owned(),
                3 => format!("<system-out><![CDATA[</testcase> {place}]]></system-out>"),
                _ => format!("<properties><property name=\"k\" value=\"{words}\"/></properties>"),
            };
            let _ = writeln!(
                text,
                "<testcase classname=\"m{number}.C\" name=\"t{place}\" time=\"0.5\">{body}</testcase>"
            );
        }
        let suite = format!("<testsuite name=\"s\" tests=\"{}\">{text}</testsuite>", cases.len());
        if is_suite { suite } else { format!("<testsuites>{suite}</testsuites>") }
    }

    proptest! {
        #[test]
        fn the_merged_document_reads_as_the_union_of_its_parts(
            all in prop::collection::vec((prop::collection::vec((any::<u8>(), "\\PC{0,12}"), 0..6), any::<bool>(), 0_usize..3_000), 1..5),
        ) {
            let mut documents = Vec::new();
            for (number, (cases, is_suite, cut)) in all.iter().enumerate() {
                let text = document(number, cases, *is_suite);
                // Some are cut off, as by a process that died while it wrote.
                let end = (0..=text.len().min(*cut)).rev().find(|end| text.is_char_boundary(*end));
                documents.push(text[..end.unwrap()].to_owned());
            }
            let parts: Vec<Part> = documents.iter().zip(0..).map(|(text, n)| part(text.as_bytes(), n)).collect();
            let merged = read_back(&parts);
            let union: Vec<Shown> = documents
                .iter()
                .flat_map(|text| told(&read(text.as_bytes(), &ReadOptions::default()).report))
                .collect();
            prop_assert_eq!(told(&merged.report), union);
            prop_assert!(merged.report.complete || union_is_empty(&merged.report));
        }
    }

    fn union_is_empty(report: &Report) -> bool {
        report.results.is_empty()
    }
}
