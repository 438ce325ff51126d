//! `flakedb.toml`: found upward from the working directory; unknown keys are errors.
//!
//! This module knows the file and its keys. Environment variables and flags override it in `cli`
//! (file < environment < flags). The sections that set up judging, quarantine and gate are typed by
//! their own layers, which this one must not know: they are parameters here.

mod workers;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::model::limits::CONTEXT_FILE_BYTES_MAX;

pub use workers::{
    Dist, LeaseSpec, Leasing, PORT_BASE, WAIT_SECONDS, Workers, WorkersError, WorkersSection,
};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// The name of the configuration file.
pub const FILE_NAME: &str = "flakedb.toml";

/// What stands in `flakedb.toml`; a key that is left out is `None` or its section's default.
///
/// ```
/// let file: flakedb::config::File<serde::de::IgnoredAny, serde::de::IgnoredAny> =
///     flakedb::config::parse("project = \"acme/shop\"").unwrap();
/// assert_eq!(file.project.as_deref(), Some("acme/shop"));
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[serde(bound(deserialize = "J: Deserialize<'de>, Q: Deserialize<'de>, G: Deserialize<'de>"))]
pub struct File<J, Q, G = IgnoredAny> {
    /// The history, relative to the file's directory.
    pub db: Option<PathBuf>,
    /// The project's name, `owner/name`.
    pub project: Option<String>,
    /// The branch that everything merges into.
    pub default_branch: Option<String>,
    /// The matrix cell of runs ingested here, `key=value` pairs.
    pub variant: Option<String>,
    /// What `ingest` reads where no path is given: files, directories, globs.
    #[serde(default)]
    pub reports: Vec<String>,
    /// The window of `report`, `show` and `quarantine`.
    #[serde(default)]
    pub window: WindowSection,
    /// How to judge.
    pub judging: Option<J>,
    /// What may be quarantined.
    pub quarantine: Option<Q>,
    /// How a failed run is judged.
    pub gate: Option<G>,
    /// The workers of one machine, and what each has for itself.
    #[serde(default)]
    pub workers: WorkersSection,
}

/// The window that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WindowSection {
    /// The last so many runs.
    pub runs: Option<u32>,
    /// The last so many days.
    pub days: Option<u32>,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key that was set on the command line does not exist, or has a value of the wrong kind.
    #[error("--set {setting}: {message}")]
    Setting {
        /// What was typed.
        setting: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The file is not TOML, or has an unknown key or a value of the wrong kind.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What is wrong and what would be right.
        message: String,
    },
}

/// Reads the text of a configuration file.
///
/// # Errors
/// The TOML reader's own error, with its span.
pub fn parse<J: DeserializeOwned, Q: DeserializeOwned, G: DeserializeOwned>(
    text: &str,
) -> Result<File<J, Q, G>, toml::de::Error> {
    toml::from_str(text)
}

/// Reads a file that people write, the configuration or the list beside it, within
/// [`CONTEXT_FILE_BYTES_MAX`].
///
/// # Errors
/// What the system says, or that the file is larger.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(CONTEXT_FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CONTEXT_FILE_BYTES_MAX {
        let message = format!("it is larger than {} MiB, the limit", CONTEXT_FILE_BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Reads the configuration file at `path`.
///
/// # Errors
/// [`ConfigError`], which names file, line and column.
pub fn load<J: DeserializeOwned, Q: DeserializeOwned, G: DeserializeOwned>(
    path: &Path,
) -> Result<File<J, Q, G>, ConfigError> {
    let text =
        read_text(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
    parse(&text).map_err(|error| {
        let (line, column) = error.span().map_or((1, 1), |span| position(&text, span.start));
        let message = error.message().replace('\n', " ");
        ConfigError::Invalid { path: path.to_path_buf(), line, column, message }
    })
}

/// Reads the configuration file, where there is one, and sets single keys over it.
///
/// A setting is `key=value` with a dotted key, such as `judging.evidence.recoveries=3`; a value
/// that is no TOML is taken as text.
///
/// # Errors
/// [`ConfigError`]: of the file first, then of the first setting that makes no sense.
///
/// ```
/// use flakedb::config::{File, load_and_set};
/// let settings = ["window.runs=50".to_owned()];
/// let file: File<serde::de::IgnoredAny, serde::de::IgnoredAny> =
///     load_and_set(None, &settings).unwrap();
/// assert_eq!(file.window.runs, Some(50));
/// ```
pub fn load_and_set<J: DeserializeOwned, Q: DeserializeOwned, G: DeserializeOwned>(
    path: Option<&Path>,
    settings: &[String],
) -> Result<File<J, Q, G>, ConfigError> {
    let mut text = String::new();
    if let Some(path) = path {
        let file = load(path)?;
        if settings.is_empty() {
            return Ok(file);
        }
        text = read_text(path)
            .map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
    }
    let mut table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let mut file = table.clone().try_into();
    for setting in settings {
        let refuse = |message: String| ConfigError::Setting {
            setting: setting.clone(),
            message: message.trim_end().replace('\n', " "),
        };
        set(&mut table, setting).map_err(|message| refuse(message.to_owned()))?;
        file = table.clone().try_into();
        if let Err(error) = &file {
            return Err(refuse(error.message().to_owned()));
        }
    }
    file.map_err(|error| ConfigError::Setting {
        setting: String::new(),
        message: error.message().to_owned(),
    })
}

/// Puts the value of `key=value` at its dotted place.
fn set(table: &mut toml::Table, setting: &str) -> Result<(), &'static str> {
    let (key, value) = setting.split_once('=').ok_or("write it as key=value")?;
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.trim().split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut place = table;
    for part in parts {
        let inner = place.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = inner.as_table_mut().ok_or("a part of the key is a value, not a section")?;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

/// The nearest configuration file at or above `directory`.
#[must_use]
pub fn find(directory: &Path) -> Option<PathBuf> {
    find_named(directory, FILE_NAME)
}

/// The nearest file of this name at or above `directory`.
#[must_use]
pub fn find_named(directory: &Path, name: &str) -> Option<PathBuf> {
    directory.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Line and column of a byte offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The file that `flakedb init` writes: every key with its default and what it does.
pub const TEMPLATE: &str = include_str!("template.toml");

#[cfg(test)]
mod tests {
    use super::*;

    type Plain = File<IgnoredAny, IgnoredAny>;

    #[test]
    fn the_nearest_file_upward_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find(&deep), Some(folder.path().join(FILE_NAME)));
        std::fs::write(folder.path().join("a").join(FILE_NAME), "").unwrap();
        assert_eq!(find(&deep), Some(folder.path().join("a").join(FILE_NAME)));
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for (text, place) in [
            ("project = 3\n", "1:11"),
            ("\n\nprojct = \"x\"\n", "3:1"),
            ("[window]\nruns = -1\n", "2:8"),
            ("db = \n", "1:"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message =
                load::<IgnoredAny, IgnoredAny, IgnoredAny>(&path).unwrap_err().to_string();
            let expected = format!("{}:{place}", path.display());
            assert!(message.starts_with(&expected), "{text:?}: {message}");
        }
        let missing =
            load::<IgnoredAny, IgnoredAny, IgnoredAny>(&folder.path().join("none")).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read"), "{missing}");
    }

    #[test]
    fn single_keys_are_set_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, "project = \"a\"\n[window]\nruns = 3\n").unwrap();
        let set = |settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
            load_and_set::<IgnoredAny, IgnoredAny, IgnoredAny>(Some(&path), &settings)
        };
        let file = set(&["project=b/c", "window.days=7"]).unwrap();
        assert_eq!(file.project.as_deref(), Some("b/c"));
        assert_eq!(file.window, WindowSection { runs: Some(3), days: Some(7) });
        for (wrong, words) in [
            ("window.runs=many", "--set window.runs=many: invalid type"),
            ("widow.runs=1", "--set widow.runs=1: unknown field `widow`"),
            ("project.x=1", "a part of the key is a value"),
            ("project", "write it as key=value"),
        ] {
            let message = set(&[wrong]).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let length = CONTEXT_FILE_BYTES_MAX as usize;
        std::fs::write(&path, "#".repeat(length)).unwrap();
        assert_eq!(read_text(&path).unwrap().len(), length);
        std::fs::write(&path, "#".repeat(length + 1)).unwrap();
        let error = load::<IgnoredAny, IgnoredAny, IgnoredAny>(&path).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "it is larger than 16 MiB, the limit");
    }

    #[test]
    fn an_empty_file_leaves_everything_to_the_defaults() {
        let file: Plain = parse("").unwrap();
        assert!(file.project.is_none() && file.reports.is_empty());
        assert_eq!(file.window, WindowSection::default());
    }
}
