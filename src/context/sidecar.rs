//! `flakedb-run.toml`: the context of all reports at and below its directory.
//!
//! It is how histories are back-filled: whoever collects old reports writes down beside them which
//! run they come from. The nearest file wins, key by key.
//!
//! ```toml
//! project  = "owner/name"
//! revision = "0123456789abcdef0123456789abcdef01234567"
//! branch   = "main"
//! lane     = "default"                      # default, change or other
//! variant  = { os = "linux", python = "3.12" }   # or "os=linux,python=3.12"
//! build    = "4711"
//! attempt  = 1
//! job      = "unit"
//! url      = "https://ci.example/4711"
//! started  = 2026-11-01T08:22:18Z
//! shard    = "2/4"                          # the part of the suite that these reports are
//! seed     = "4711"                         # of their random order
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::model::limits::CONTEXT_FILE_BYTES_MAX;
use crate::model::run::VariantError;
use crate::model::{Facts, Lane, Shard, Timestamp, Variant};

/// The name of the file.
pub const FILE_NAME: &str = "flakedb-run.toml";

/// What the nearest sidecars say about the reports of one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    /// The nearest file.
    pub path: PathBuf,
    /// What it and those above it say.
    pub facts: Facts,
}

/// A sidecar that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// The file is there and cannot be read.
    #[error("{path}: cannot be read: {reason}")]
    Io {
        /// The file.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// The file is no TOML, has an unknown key, or a value of the wrong kind.
    #[error("{path}:{line}:{column}: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong and what is expected.
        reason: String,
    },
}

/// Finds sidecars; remembers what it read, so that many reports of one directory cost one look.
#[derive(Debug, Default)]
pub struct Sidecars {
    /// By directory, as it was given and absolute.
    by_directory: HashMap<PathBuf, Result<Option<Sidecar>, SidecarError>>,
}

impl Sidecars {
    /// The sidecar of a report; `None` where there is none at or above its directory.
    ///
    /// # Errors
    /// [`SidecarError`] if one of the sidecars above the report is broken: a context that was given
    /// and is not understood must not be replaced by a guess.
    pub fn of(&mut self, report: &Path) -> Result<Option<Sidecar>, SidecarError> {
        let near = report.parent().unwrap_or(report);
        if let Some(found) = self.by_directory.get(near) {
            return found.clone();
        }
        let absolute = std::path::absolute(report).unwrap_or_else(|_| report.to_owned());
        let mut unseen = Vec::new();
        let mut known = Ok(None);
        for directory in absolute.ancestors().skip(1) {
            if let Some(found) = self.by_directory.get(directory) {
                known = found.clone();
                break;
            }
            unseen.push(directory.to_owned());
        }
        for directory in unseen.into_iter().rev() {
            known = known.and_then(|above| below(&directory, above));
            self.by_directory.insert(directory, known.clone());
        }
        // By the name that was given, too: finding out the absolute one asks the system.
        self.by_directory.insert(near.to_owned(), known.clone());
        known
    }
}

/// What holds in a directory below one for which `above` holds.
fn below(directory: &Path, above: Option<Sidecar>) -> Result<Option<Sidecar>, SidecarError> {
    let path = directory.join(FILE_NAME);
    let text = match read(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(above);
        }
        Err(error) => {
            let path = path.display().to_string();
            return Err(SidecarError::Io { path, reason: error.to_string() });
        }
    };
    let own = parse(&text, &path.display().to_string())?;
    let inherited = above.map(|sidecar| sidecar.facts).unwrap_or_default();
    Ok(Some(Sidecar { path, facts: own.or(inherited) }))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(CONTEXT_FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CONTEXT_FILE_BYTES_MAX {
        // Cut off it might say something else.
        let message = format!("it is larger than {} MiB, the limit", CONTEXT_FILE_BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    project: Option<Spanned<String>>,
    revision: Option<Spanned<String>>,
    branch: Option<Spanned<String>>,
    lane: Option<Lane>,
    variant: Option<Spanned<Value>>,
    build: Option<Spanned<Value>>,
    attempt: Option<Spanned<i64>>,
    job: Option<String>,
    url: Option<String>,
    started: Option<Spanned<Value>>,
    shard: Option<Spanned<String>>,
    seed: Option<Spanned<Value>>,
}

/// Reads the text of a sidecar; `name` is what errors call it.
///
/// # Errors
/// [`SidecarError::Invalid`] with line and column.
///
/// ```
/// use flakedb::context::sidecar::parse;
/// let facts = parse("branch = 'main'\nattempt = 2", "flakedb-run.toml").unwrap();
/// assert_eq!((facts.branch.as_deref(), facts.attempt), (Some("main"), Some(2)));
/// let error = parse("branch = 'main'\nbrnach = 'x'", "flakedb-run.toml").unwrap_err();
/// assert!(error.to_string().starts_with("flakedb-run.toml:2:1: unknown field `brnach`"));
/// ```
pub fn parse(text: &str, name: &str) -> Result<Facts, SidecarError> {
    let invalid = |span: Range<usize>, reason: String| {
        let (line, column) = place(text, span.start);
        SidecarError::Invalid { path: name.to_owned(), line, column, reason }
    };
    let keys: Keys = toml::from_str(text)
        .map_err(|error| invalid(error.span().unwrap_or_default(), error.message().to_owned()))?;
    let filled = |value: Option<Spanned<String>>, key: &str| match value {
        Some(value) if value.get_ref().trim().is_empty() => {
            Err(invalid(value.span(), format!("`{key}` is empty; leave the key out or fill it")))
        }
        value => Ok(value.map(|value| value.into_inner().trim().to_owned())),
    };
    let converted = |error: (Range<usize>, String)| invalid(error.0, error.1);
    Ok(Facts {
        project: filled(keys.project, "project")?,
        revision: filled(keys.revision, "revision")?,
        branch: filled(keys.branch, "branch")?,
        lane: keys.lane,
        variant: keys.variant.map(variant).transpose().map_err(converted)?,
        build: keys.build.map(|value| plain(value, "build")).transpose().map_err(converted)?,
        attempt: keys.attempt.map(attempt).transpose().map_err(converted)?,
        job: keys.job,
        url: keys.url,
        started: keys.started.map(started).transpose().map_err(converted)?,
        shard: filled(keys.shard, "shard")?.map(|name| shard(&name)),
        seed: keys.seed.map(|value| plain(value, "seed")).transpose().map_err(converted)?,
    })
}

type Converted<T> = Result<T, (Range<usize>, String)>;

fn variant(value: Spanned<Value>) -> Converted<Variant> {
    let span = value.span();
    match value.into_inner() {
        Value::String(text) => {
            text.parse().map_err(|error: VariantError| (span, error.to_string()))
        }
        Value::Table(table) => {
            let pairs: BTreeMap<String, Value> = table.into_iter().collect();
            pairs.into_iter().try_fold(Variant::default(), |variant, (key, value)| {
                let text = match value {
                    Value::String(text) => text,
                    Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => value.to_string(),
                    _ => {
                        let wrong = format!("variant key `{key}` must be a plain value");
                        return Err((span.clone(), wrong));
                    }
                };
                variant.try_with(&key, &text).map_err(|error| (span.clone(), error.to_string()))
            })
        }
        _ => Err((span, "write the variant as \"os=linux\" or { os = \"linux\" }".to_owned())),
    }
}

/// A shard as it is printed; what is none of so many keeps its name.
fn shard(name: &str) -> String {
    name.parse::<Shard>().map_or_else(|_| name.to_owned(), |shard| shard.to_string())
}

/// A text, which may be written as a number.
fn plain(value: Spanned<Value>, key: &str) -> Converted<String> {
    let span = value.span();
    match value.into_inner() {
        Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => Err((span, format!("write the {key} as \"4711\" or 4711"))),
    }
}

fn attempt(value: Spanned<i64>) -> Converted<u32> {
    let span = value.span();
    match u32::try_from(value.into_inner()) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err((span, "`attempt` counts from 1".to_owned())),
    }
}

fn started(value: Spanned<Value>) -> Converted<Timestamp> {
    let span = value.span();
    let text = match value.into_inner() {
        Value::String(text) => text,
        Value::Datetime(time) => time.to_string(),
        _ => String::new(),
    };
    DateTime::parse_from_rfc3339(text.trim())
        .map(|time| Timestamp(time.timestamp_millis()))
        .map_err(|_| {
            (span, "write `started` with its zone, such as 2026-11-01T08:22:18Z".to_owned())
        })
}

/// Line and column, from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

#[cfg(test)]
mod tests;
