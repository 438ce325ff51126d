//! An order of generated data, as `flakedb generate` and other languages give it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::str::FromStr;

use serde::Serialize;

use super::junit::{File, UnknownDialect};
use super::kinds::{KINDS, Kind};
use super::{Generate, Source};
use crate::testkit::nearest;

/// How generated data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON array, an item on each line.
    Json,
    /// JSON Lines: an item on each line.
    Jsonl,
    /// JUnit XML in a dialect.
    Junit,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Json, Self::Jsonl, Self::Junit];

    /// The word used in flags.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
        }
    }
}

impl FromStr for Format {
    type Err = OrderError;

    fn from_str(word: &str) -> Result<Self, OrderError> {
        let known = Self::ALL.into_iter();
        known.clone().find(|format| format.word() == word).ok_or_else(|| OrderError::Unknown {
            what: "format",
            name: word.to_owned(),
            hint: nearest::hint(word, known.clone().map(Self::word)),
            known: listed(known.map(Self::word)),
        })
    }
}

/// An order that cannot be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A kind, format or setting that there is not.
    #[error("there is no {what} {name}{hint}; write one of {known}")]
    Unknown {
        /// What is named: `kind`, `format`, or `setting of KIND`.
        what: &'static str,
        /// The name as given.
        name: String,
        /// What was meant, where that can be told.
        hint: String,
        /// Those that there are.
        known: String,
    },
    /// A kind that is not written in a format.
    #[error("{kind} is not written as {format}; write one of {known}")]
    Format {
        /// The kind.
        kind: &'static str,
        /// The format that was asked for.
        format: &'static str,
        /// Those that there are.
        known: String,
    },
    /// A setting with a value that it cannot have.
    #[error("{name}={value} does not do for {kind}: write {wanted}")]
    Value {
        /// The kind.
        kind: &'static str,
        /// The setting.
        name: &'static str,
        /// The value as given.
        value: String,
        /// What is expected.
        wanted: String,
    },
    /// A kind of which there are no invalid variants.
    #[error("there are no invalid variants of {0}; leave invalid out")]
    NoInvalid(&'static str),
    /// Several files for one stream.
    #[error("the order makes {0} files, and a stream holds one; give a directory for them")]
    ManyFiles(usize),
    /// A dialect that there is not.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// The output refused the bytes.
    #[error("generated data could not be written; look at the space and rights of its target")]
    Io(#[from] io::Error),
    /// An item that JSON cannot hold.
    #[error("an item could not be written as JSON")]
    Json(#[source] serde_json::Error),
}

impl From<serde_json::Error> for OrderError {
    fn from(error: serde_json::Error) -> Self {
        // What the output refuses is no fault of the item: a closed pipe, a full disk.
        if error.is_io() { Self::Io(error.into()) } else { Self::Json(error) }
    }
}

/// What to generate, how much of it, and how it is written.
///
/// ```
/// use flakedb::testkit::generators::{Format, Order, write};
///
/// let order = Order::of("report")?.seed(7).format(Format::Junit)?.set("dialect", "jest")?;
/// let mut bytes = Vec::new();
/// write(&order, &mut bytes)?;
/// assert!(String::from_utf8_lossy(&bytes).contains("<testsuites name=\"jest tests\""));
/// # Ok::<(), flakedb::testkit::generators::OrderError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Order {
    kind: &'static Kind,
    seed: u64,
    count: usize,
    format: Format,
    invalid: bool,
    settings: BTreeMap<&'static str, String>,
}

impl Order {
    /// One item of a kind, of seed 0, as JSON.
    ///
    /// # Errors
    /// [`OrderError::Unknown`], which names the kinds.
    pub fn of(kind: &str) -> Result<Self, OrderError> {
        let known = || KINDS.iter().map(|kind| kind.name);
        let found = KINDS.iter().find(|known| known.name == kind);
        let kind = found.ok_or_else(|| OrderError::Unknown {
            what: "kind",
            name: kind.to_owned(),
            hint: nearest::hint(kind, known()),
            known: listed(known()),
        })?;
        let format = kind.formats.first().copied().unwrap_or(Format::Json);
        let settings = BTreeMap::new();
        Ok(Self { kind, seed: 0, count: 1, format, invalid: false, settings })
    }

    /// The seed: the same one gives the same bytes.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many items.
    #[must_use]
    pub const fn count(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// How they are written.
    ///
    /// # Errors
    /// [`OrderError::Format`] where the kind is not written like that.
    pub fn format(mut self, format: Format) -> Result<Self, OrderError> {
        if !self.kind.formats.contains(&format) {
            return Err(OrderError::Format {
                kind: self.kind.name,
                format: format.word(),
                known: listed(self.kind.formats.iter().map(|format| format.word())),
            });
        }
        self.format = format;
        Ok(self)
    }

    /// Invalid variants instead of sound items: each breaks one rule, which is named beside it.
    ///
    /// # Errors
    /// [`OrderError::NoInvalid`] where the kind has none.
    pub fn invalid(mut self) -> Result<Self, OrderError> {
        if !self.kind.has_invalid {
            return Err(OrderError::NoInvalid(self.kind.name));
        }
        self.invalid = true;
        Ok(self)
    }

    /// Sets what else the kind can be told, such as `dialect` of a report.
    ///
    /// # Errors
    /// [`OrderError::Unknown`] where the kind has no such setting, [`OrderError::Value`] where it
    /// cannot have the value; [`OrderError::Dialect`].
    pub fn set(mut self, name: &str, value: &str) -> Result<Self, OrderError> {
        let known = || self.kind.settings.iter().map(|setting| setting.name);
        let Some(setting) = self.kind.settings.iter().find(|known| known.name == name) else {
            let known = listed(known());
            return Err(OrderError::Unknown {
                what: "setting",
                name: name.to_owned(),
                hint: nearest::hint(name, self.kind.settings.iter().map(|setting| setting.name)),
                known: if known.is_empty() {
                    "none: the kind has no settings".into()
                } else {
                    known
                },
            });
        };
        self.settings.insert(setting.name, value.to_owned());
        // A setting is tried out at once, so that the error names it and comes before any output.
        (self.kind.check)(&self)?;
        Ok(self)
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The items asked for.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.count
    }

    pub(super) const fn wants_invalid(&self) -> bool {
        self.invalid
    }

    /// The source of the order's seed.
    pub(super) fn source(&self) -> Source {
        Source::seeded(self.seed)
    }

    /// The text of a setting, where it was given.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// A setting's value, where it was given, if `wanted` says yes to it.
    pub(super) fn value<T: FromStr>(
        &self,
        name: &'static str,
        wanted: impl Display,
        is_fit: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, OrderError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value = text.trim().parse::<T>().ok().filter(is_fit);
        value.map(Some).ok_or_else(|| OrderError::Value {
            kind: self.kind.name,
            name,
            value: text.to_owned(),
            wanted: wanted.to_string(),
        })
    }

    /// A count between two bounds.
    pub(super) fn number(
        &self,
        name: &'static str,
        least: usize,
        greatest: usize,
    ) -> Result<Option<usize>, OrderError> {
        let wanted = format!("a whole number from {least} to {greatest}");
        self.value(name, wanted, |count: &usize| (least..=greatest).contains(count))
    }

    /// A truth; false where it was not given.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, OrderError> {
        Ok(self.value(name, "true or false", |_: &bool| true)?.unwrap_or(false))
    }

    /// One of several words.
    pub(super) fn choice<T: Clone>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, OrderError> {
        Ok(self.choices(name, words)?.and_then(|chosen| chosen.into_iter().next()))
    }

    /// Some of several words, with commas between.
    pub(super) fn choices<T: Clone>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<Vec<T>>, OrderError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let meant = |word: &str| words.iter().find(|(known, _)| *known == word.trim());
        let chosen: Option<Vec<T>> =
            text.split(',').map(|word| meant(word).map(|(_, value)| value.clone())).collect();
        chosen.map(Some).ok_or_else(|| OrderError::Value {
            kind: self.kind.name,
            name,
            value: text.to_owned(),
            wanted: format!("one of {}", listed(words.iter().map(|(known, _)| *known))),
        })
    }

    /// A probability.
    pub(super) fn probability(&self, name: &'static str) -> Result<Option<f64>, OrderError> {
        self.value(name, "a number from 0 to 1", |rate: &f64| (0.0..=1.0).contains(rate))
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Where items go, one after another.
pub(super) struct Sink<'a> {
    out: BufWriter<&'a mut dyn Write>,
    format: Format,
    is_first: bool,
}

impl Sink<'_> {
    /// Writes an item.
    pub(super) fn item(&mut self, item: &impl Serialize) -> Result<(), OrderError> {
        match (self.format, self.is_first) {
            (Format::Json, true) => self.out.write_all(b"[\n")?,
            (Format::Json, false) => self.out.write_all(b",\n")?,
            (Format::Jsonl | Format::Junit, _) => {}
        }
        self.is_first = false;
        serde_json::to_writer(&mut self.out, item)?;
        if self.format != Format::Json {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), OrderError> {
        match (self.format, self.is_first) {
            (Format::Json, true) => self.out.write_all(b"[]\n")?,
            (Format::Json, false) => self.out.write_all(b"\n]\n")?,
            (Format::Jsonl | Format::Junit, _) => {}
        }
        Ok(self.out.flush()?)
    }

    /// True where a line may stand for itself, and not only as part of an array.
    pub(super) const fn is_lines(&self) -> bool {
        matches!(self.format, Format::Jsonl)
    }
}

/// Writes the items that a generator makes for an order.
pub(super) fn items<G: Generate>(
    generator: &G,
    order: &Order,
    sink: &mut Sink<'_>,
) -> Result<(), OrderError>
where
    G::Output: Serialize,
{
    for mut stream in order.source().take(G::KIND, order.count as u64) {
        sink.item(&generator.generate(&mut stream))?;
    }
    Ok(())
}

/// Fills an order into a stream.
///
/// # Errors
/// [`OrderError::ManyFiles`] where the order makes several files, see [`files`]; [`OrderError::Io`].
pub fn write(order: &Order, out: &mut dyn Write) -> Result<(), OrderError> {
    if order.format == Format::Junit {
        let files = files(order)?;
        return match files.as_slice() {
            [file] => Ok(out.write_all(&file.bytes)?),
            files => Err(OrderError::ManyFiles(files.len())),
        };
    }
    let mut sink = Sink { out: BufWriter::new(out), format: order.format, is_first: true };
    (order.kind.items)(order, &mut sink)?;
    sink.end()
}

/// A file that an order makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// The path below the directory of the order, its parts separated by `/`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl From<File> for GeneratedFile {
    fn from(file: File) -> Self {
        Self { path: file.path, bytes: file.content.into_bytes() }
    }
}

/// Fills an order as files: reports, and of a history a directory for each run with its
/// `flakedb-run.toml`, which `flakedb ingest` reads, beside `truth.json`.
///
/// # Errors
/// [`OrderError`]; the items of a kind that is no JUnit XML are one file of their own.
pub fn files(order: &Order) -> Result<Vec<GeneratedFile>, OrderError> {
    match (order.format, order.kind.files) {
        (Format::Junit, Some(files)) => files(order),
        _ => {
            let mut bytes = Vec::new();
            write(order, &mut bytes)?;
            let path = format!("{}.{}", order.kind.name, order.format.word());
            Ok(vec![GeneratedFile { path, bytes }])
        }
    }
}

#[cfg(test)]
mod tests;
