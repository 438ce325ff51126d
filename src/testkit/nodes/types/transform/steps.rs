//! The steps that change a text, and their parameters.

use std::io;

use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};

use super::replacement::{self, Part};
use crate::testkit::nodes::field::{Extra, Field, Kind as FieldKind, Literal, Shape};
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::shown::{as_text, at_path};

/// Bytes that one step may make of a text, at most.
const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// A kind of step.
pub(super) struct Kind {
    pub(super) name: &'static str,
    shape: &'static Shape,
    make: fn(&Value) -> Result<Step, Violation>,
}

macro_rules! kinds {
    ($($name:literal [$($field:expr),*] $make:expr;)+) => {
        pub(super) static KINDS: [Kind; [$($name),+].len()] = [$(
            Kind {
                name: $name,
                shape: &Shape {
                    name: concat!("transform ", $name),
                    extra: Extra::Refused,
                    fields: &[$($field),*],
                },
                make: $make,
            },
        )+];

        /// The names of the kinds.
        pub(super) const NAMES: &[&str] = &[$($name),+];
    };
}

const TEXT: FieldKind = FieldKind::Text;
const SEPARATOR: Field = Field::required("separator", FieldKind::Length(1, usize::MAX));
const PATTERN: Field = Field::required("pattern", TEXT);

kinds! {
    "uppercase" [] |_| Ok(Step::Uppercase);
    "lowercase" [] |_| Ok(Step::Lowercase);
    "strip" [] |_| Ok(Step::Strip);
    "truncate" [
        Field::required("max_length", FieldKind::Integer(0, i64::MAX)),
        Field::default("suffix", TEXT, Literal::Text("..."))
    ] |params| Ok(Step::Truncate { most: count(params, "max_length"), suffix: text(params, "suffix") });
    "json_extract" [Field::required("path", FieldKind::Length(1, usize::MAX))]
        |params| Ok(Step::JsonExtract(text(params, "path")));
    "json_wrap" [
        Field::default("key", FieldKind::Length(1, usize::MAX), Literal::Text("content"))
    ] |params| Ok(Step::JsonWrap(text(params, "key")));
    "json_parse" [] |_| Ok(Step::JsonParse);
    "json_stringify" [] |_| Ok(Step::JsonStringify);
    "regex_extract" [
        PATTERN,
        Field::default("group", FieldKind::Integer(0, 1_000), Literal::Integer(0))
    ] |params| regex_extract(params);
    "regex_replace" [PATTERN, Field::required("replacement", TEXT)] |params| regex_replace(params);
    "template" [Field::required("template", TEXT)] |params| Ok(Step::Template(text(params, "template")));
    "split" [SEPARATOR, Field::optional("index", FieldKind::Integer(-1_000_000, 1_000_000))]
        |params| Ok(Step::Split {
            separator: text(params, "separator"),
            index: params.get("index").and_then(Value::as_i64),
        });
    "join" [Field::required("separator", TEXT)] |params| Ok(Step::Join(text(params, "separator")));
}

/// The parameters of a kind of step: `parameters("truncate")`.
#[must_use]
pub fn parameters(kind: &str) -> Option<&'static Shape> {
    KINDS.iter().find(|known| known.name == kind).map(|known| known.shape)
}

impl Kind {
    /// Makes a step of its parameters.
    pub(super) fn read(&self, params: &Value) -> Result<Step, Vec<Violation>> {
        let mut found = self.shape.violations(params);
        for violation in found.iter_mut().filter(|violation| violation.rule == Rule::Missing) {
            violation.rule = Rule::MissingParameter;
            violation.message =
                format!("Transform {} requires param '{}'", self.name, violation.at);
        }
        if !found.is_empty() {
            return Err(found);
        }
        (self.make)(&self.shape.complete(params)).map_err(|violation| vec![violation])
    }
}

fn text(params: &Value, name: &str) -> String {
    params.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn count(params: &Value, name: &str) -> usize {
    let number = params.get(name).and_then(Value::as_u64).unwrap_or(0);
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn regex(params: &Value) -> Result<Regex, Violation> {
    Regex::new(&text(params, "pattern"))
        .map_err(|error| Violation::new(Rule::BadPattern, "pattern", error.to_string()))
}

fn regex_extract(params: &Value) -> Result<Step, Violation> {
    let (pattern, group) = (regex(params)?, count(params, "group"));
    let last = pattern.captures_len() - 1;
    if group > last {
        let message = format!("the pattern has no group {group}; its last one is {last}");
        return Err(Violation::new(Rule::AboveMaximum, "group", message));
    }
    Ok(Step::RegexExtract { pattern, group })
}

fn regex_replace(params: &Value) -> Result<Step, Violation> {
    let pattern = regex(params)?;
    let replacement = replacement::parts(&text(params, "replacement"), &pattern);
    Ok(Step::RegexReplace { pattern, replacement })
}

/// A step, ready to be taken.
#[derive(Debug)]
pub(super) enum Step {
    Uppercase,
    Lowercase,
    Strip,
    Truncate { most: usize, suffix: String },
    JsonExtract(String),
    JsonWrap(String),
    JsonParse,
    JsonStringify,
    RegexExtract { pattern: Regex, group: usize },
    RegexReplace { pattern: Regex, replacement: Vec<Part> },
    Template(String),
    Split { separator: String, index: Option<i64> },
    Join(String),
}

impl Step {
    /// What becomes of a text, or why nothing does.
    pub(super) fn apply(&self, text: &str) -> Result<String, String> {
        let changed = match self {
            Self::Uppercase => text.to_uppercase(),
            Self::Lowercase => text.to_lowercase(),
            Self::Strip => text.trim().to_owned(),
            Self::Truncate { most, suffix } => truncated(text, *most, suffix),
            Self::JsonExtract(path) => as_text(at_path(&json(text)?, path)?),
            Self::JsonWrap(key) => {
                let wrapped = Map::from_iter([(key.clone(), Value::from(text))]);
                let mut made = Made::default();
                made.json(&wrapped)?;
                made.text
            }
            Self::JsonParse => {
                json(text)?;
                text.to_owned()
            }
            Self::JsonStringify => {
                let value = json(text).unwrap_or_else(|_| text.into());
                let mut made = Made::default();
                serde_json::to_writer_pretty(&mut made, &value).map_err(|_| too_long())?;
                made.text
            }
            Self::RegexExtract { pattern, group } => {
                let captures = pattern.captures(text).ok_or_else(|| no_match(pattern))?;
                let part = captures.get(*group);
                part.ok_or_else(|| format!("group {group} took no part"))?.as_str().to_owned()
            }
            Self::RegexReplace { pattern, replacement } => replaced(text, pattern, replacement)?,
            Self::Template(template) => filled(template, text)?,
            Self::Split { separator, index } => split(text, separator, *index)?,
            Self::Join(separator) => joined(&json(text)?, separator)?,
        };
        match changed.len() > OUTPUT_BYTES_MAX {
            true => Err(too_long()),
            false => Ok(changed),
        }
    }
}

fn too_long() -> String {
    format!("more bytes than there may be: {OUTPUT_BYTES_MAX} at most")
}

/// A text that is being made, and takes no more than it may have.
#[derive(Default)]
struct Made {
    text: String,
}

impl Made {
    fn push(&mut self, part: &str) -> Result<(), String> {
        if part.len() > OUTPUT_BYTES_MAX - self.text.len() {
            return Err(too_long());
        }
        self.text.push_str(part);
        Ok(())
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), String> {
        serde_json::to_writer(self, value).map_err(|_| too_long())
    }
}

impl io::Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // JSON is written in whole characters.
        let part = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.push(part).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn no_match(pattern: &Regex) -> String {
    format!("nothing matches `{pattern}`")
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

/// At most `most` characters, the suffix counted; of a suffix that is longer, its begin.
fn truncated(text: &str, most: usize, suffix: &str) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(suffix.chars().count());
    text.chars().take(kept).chain(suffix.chars()).take(most).collect()
}

fn filled(template: &str, text: &str) -> Result<String, String> {
    let mut made = Made::default();
    for (at, between) in template.split("{content}").enumerate() {
        if at > 0 {
            made.push(text)?;
        }
        made.push(between)?;
    }
    Ok(made.text)
}

/// All parts as a JSON list, or the one at `index`, counted from the end where it is negative.
fn split(text: &str, separator: &str, index: Option<i64>) -> Result<String, String> {
    let mut parts = text.split(separator);
    let Some(index) = index else {
        let mut made = Made::default();
        for (at, part) in parts.enumerate() {
            made.push(if at == 0 { "[" } else { "," })?;
            made.json(&part)?;
        }
        made.push("]")?;
        return Ok(made.text);
    };
    let count = text.split(separator).count();
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let at = if index < 0 { count.checked_sub(distance) } else { Some(distance) };
    let part = at.and_then(|at| parts.nth(at));
    part.map(str::to_owned).ok_or_else(|| format!("no part {index}; there are {count}"))
}

fn replaced(text: &str, pattern: &Regex, replacement: &[Part]) -> Result<String, String> {
    let mut made = Made::default();
    let mut done = 0;
    for captures in pattern.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        made.push(text.get(done..whole.start()).unwrap_or_default())?;
        for part in replacement {
            made.push(part.of(&captures))?;
        }
        done = whole.end();
    }
    made.push(text.get(done..).unwrap_or_default())?;
    Ok(made.text)
}

fn joined(value: &Value, separator: &str) -> Result<String, String> {
    let items = value.as_array().ok_or("not a JSON list")?;
    let mut made = Made::default();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            made.push(separator)?;
        }
        match item {
            Value::String(text) => made.push(text)?,
            other => made.json(other)?,
        }
    }
    Ok(made.text)
}
