//! Reports with one flaw each, and what a reader should say of them.

use serde::Serialize;

use super::reports::{File, Reports};
use crate::testkit::generators::{Generate, Stream};

/// One way in which reports are damaged.
#[derive(Debug)]
pub struct Flaw {
    /// The name, such as `truncated`.
    pub name: &'static str,
    /// What is wrong, and where it comes from.
    pub about: &'static str,
    /// What flakedb makes of it: `accept`, `warn`, `salvage` or `reject`.
    pub verdict: &'static str,
    /// The code of flakedb's finding; none where it reads the report without one.
    pub code: Option<&'static str>,
    damage: fn(&str, &mut Stream) -> Vec<u8>,
}

/// All flaws, the worst first.
pub const FLAWS: &[Flaw] = &[
    Flaw {
        name: "empty",
        about: "no bytes: the runner died before it wrote",
        verdict: "reject",
        code: Some("EMPTY"),
        damage: |_, _| Vec::new(),
    },
    Flaw {
        name: "web-page",
        about: "the error page of a proxy, saved as the report",
        verdict: "reject",
        code: Some("HTML"),
        damage: |_, _| {
            b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body></body></html>\n"
                .to_vec()
        },
    },
    Flaw {
        name: "not-xml",
        about: "the runner's output on the screen",
        verdict: "reject",
        code: Some("NOT_XML"),
        damage: |_, _| b"3 passed, 1 failed in 0.12 s\n".to_vec(),
    },
    Flaw {
        name: "other-root",
        about: "XML of another tool: a report of coverage",
        verdict: "reject",
        code: Some("NOT_JUNIT"),
        damage: |_, _| {
            b"<?xml version=\"1.0\"?>\n<coverage line-rate=\"0.9\"><packages/></coverage>\n"
                .to_vec()
        },
    },
    Flaw {
        name: "entity",
        about: "a document type with an entity, which is never expanded",
        verdict: "reject",
        code: Some("ENTITY"),
        damage: |text, _| {
            let root = root_at(text);
            let head = "<!DOCTYPE x [<!ENTITY a \"b\">]>";
            [&text[..root], head, &text[root..]].concat().into_bytes()
        },
    },
    Flaw {
        name: "truncated",
        about: "cut off inside the last case: a full disk, a job that was killed",
        verdict: "salvage",
        code: Some("TRUNCATED"),
        damage: |text, stream| {
            let last = text.rfind("<testcase").unwrap_or(0);
            let cut = last + 10 + stream.below(6) as usize;
            text.get(..cut).unwrap_or(text).as_bytes().to_vec()
        },
    },
    Flaw {
        name: "two-documents",
        about: "a second report behind the first: two programs wrote to one file",
        verdict: "warn",
        code: Some("MULTI_ROOT"),
        damage: |text, _| {
            let second = "<testsuite name=\"second\" tests=\"1\">\
                <testcase classname=\"second.Program\" name=\"starts\" time=\"0.1\"/></testsuite>\n";
            [text, second].concat().into_bytes()
        },
    },
    Flaw {
        name: "output-before",
        about: "other output in front of the report, on the same stream",
        verdict: "warn",
        code: Some("JUNK_BEFORE"),
        damage: |text, _| ["warming up 3 workers\n", text].concat().into_bytes(),
    },
    Flaw {
        name: "duplicate-attribute",
        about: "a case with two names, which strict parsers refuse; flakedb takes the last one",
        verdict: "accept",
        code: None,
        damage: |text, _| in_first_case(text, " name=\"a second name\""),
    },
    Flaw {
        name: "bad-time",
        about: "a duration that is no number",
        verdict: "warn",
        code: Some("BAD_TIME"),
        damage: |text, stream| {
            const NO_NUMBERS: [&str; 4] = ["soon", "NaN", "-3", "12:30"];
            let time = stream.pick(&NO_NUMBERS).copied().unwrap_or_default();
            with_attribute(text, "<testcase", "time", time)
        },
    },
    Flaw {
        name: "bad-count",
        about: "a count of tests that is no number",
        verdict: "warn",
        code: Some("COUNT_MISMATCH"),
        damage: |text, _| with_attribute(text, "<testsuite", "failures", "many"),
    },
    Flaw {
        name: "nameless",
        about: "a case without a name: it is counted and has no history",
        verdict: "warn",
        code: Some("NO_NAME"),
        damage: |text, _| with_attribute(text, "<testcase", "name", ""),
    },
    Flaw {
        name: "control-character",
        about: "an escape of a terminal's colours, which XML forbids",
        verdict: "warn",
        code: Some("CONTROL_CHARS"),
        damage: |text, _| with_attribute(text, "<testcase", "owner", "\u{1b}[31mred"),
    },
    Flaw {
        name: "bad-utf8",
        about: "a byte that is not UTF-8",
        verdict: "warn",
        code: Some("INVALID_UTF8"),
        damage: |text, _| {
            let marked = with_attribute(text, "<testcase", "owner", "\u{1}");
            marked.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect()
        },
    },
];

/// A report with one flaw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flawed {
    /// The dialect of the sound report.
    pub dialect: &'static str,
    /// The name of the flaw, one of [`FLAWS`].
    pub flaw: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// What flakedb makes of it: `accept`, `warn`, `salvage` or `reject`.
    pub verdict: &'static str,
    /// The code of flakedb's finding; none where it reads the report without one.
    pub code: Option<&'static str>,
    /// The name of the file.
    pub path: String,
    /// The bytes of the file.
    #[serde(serialize_with = "lossy")]
    pub bytes: Vec<u8>,
}

fn lossy<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

impl Reports {
    /// One report for each of the [`FLAWS`], otherwise sound, with at least two tests: what is cut
    /// off, or has a wrong count, must have something left.
    #[must_use]
    pub fn invalid(&self, stream: &mut Stream) -> Vec<Flawed> {
        let sound = self.filled().skipped(0.0).retried(0.0).generate(stream);
        let Some(File { path, content }) = sound.files.into_iter().next() else {
            return Vec::new();
        };
        FLAWS
            .iter()
            .map(|flaw| Flawed {
                dialect: self.dialect().name,
                flaw: flaw.name,
                about: flaw.about,
                verdict: flaw.verdict,
                code: flaw.code,
                path: path.clone(),
                bytes: (flaw.damage)(&content, stream),
            })
            .collect()
    }
}

/// Where the root element begins.
fn root_at(text: &str) -> usize {
    text.find("<testsuite").unwrap_or(0)
}

/// Adds to the first case's attributes.
fn in_first_case(text: &str, addition: &str) -> Vec<u8> {
    let at = text.find("<testcase").map_or(0, |at| at + "<testcase".len());
    [&text[..at], addition, &text[at..]].concat().into_bytes()
}

/// Sets an attribute of the first element of a name, whether it is there or not.
fn with_attribute(text: &str, element: &str, name: &str, value: &str) -> Vec<u8> {
    // A root `<testsuites>` begins like a suite; it has counts as well.
    let start = text.find(element).map_or(0, |at| at + element.len());
    let end = text[start..].find('>').map_or(text.len(), |at| start + at);
    let tag = &text[start..end];
    let key = format!(" {name}=");
    let Some(at) = tag.find(&key) else {
        let start = start + tag.find(char::is_whitespace).unwrap_or(tag.len());
        let addition = format!("{key}\"{value}\"");
        return [&text[..start], &addition, &text[start..]].concat().into_bytes();
    };
    let open = start + at + key.len();
    let quote = &text[open..=open];
    let close = text[open + 1..].find(quote).map_or(text.len(), |at| open + 1 + at);
    [&text[..=open], value, &text[close..]].concat().into_bytes()
}
