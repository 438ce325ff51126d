//! `quarantine.toml` on disk: read strictly, named as the history names tests, written whole.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::config;
use crate::context::draft::Draft;
use crate::model::{TestId, Variant};
use crate::quarantine::list::{List, ListError, Target, parse};
use crate::report::escape;
use crate::store::query::{TestNo, TestRow};

/// A list with the file that it stands in.
#[derive(Debug, Clone)]
pub struct ListFile {
    /// The file.
    pub path: PathBuf,
    /// Its text as it was read.
    pub text: String,
    /// What it says.
    pub list: List,
}

/// Why the file of the list cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListFileError {
    /// It is there but cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says something that it cannot mean.
    #[error("{}:{error}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What, where, and what would be right.
        error: ListError,
    },
    /// It changed since it was read.
    #[error("{} changed while this command looked at it; nothing was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written; it is as it was.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Reads the list at `path`; `None` where there is no such file.
///
/// # Errors
/// [`ListFileError`], which names file, line and column.
pub fn load(path: &Path) -> Result<Option<ListFile>, ListFileError> {
    let Some(text) = read(path)? else { return Ok(None) };
    let list =
        parse(&text).map_err(|error| ListFileError::Invalid { path: path.to_path_buf(), error })?;
    Ok(Some(ListFile { path: path.to_path_buf(), text, list }))
}

fn read(path: &Path) -> Result<Option<String>, ListFileError> {
    match config::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ListFileError::Read { path: path.to_path_buf(), source }),
    }
}

/// Writes the text of a list, whole or not at all; `before` is the text that was read, `None` where
/// there was no file.
///
/// # Errors
/// [`ListFileError::Changed`] where somebody else wrote meanwhile, [`ListFileError::Write`] where
/// the system refuses. The file is as it was in either case.
pub fn save(path: &Path, before: Option<&str>, text: &str) -> Result<(), ListFileError> {
    let failed = |source| ListFileError::Write { path: path.to_path_buf(), source };
    let mut draft = Draft::of(path).map_err(failed)?;
    draft.write_all(text.as_bytes()).map_err(failed)?;
    if read(path)?.as_deref() != before {
        return Err(ListFileError::Changed { path: path.to_path_buf() });
    }
    draft.keep().map_err(failed)
}

/// Gives entries and rules the names that the history knows, for whatever else a screen prints:
/// an identity, a name with its invisible characters spelt out, or one with its cell behind it.
///
/// What no test is called stays as it is.
pub fn resolve(list: &mut List, tests: &[TestRow]) {
    resolve_names(list, tests.iter().map(|test| (test.id, test.label())));
}

/// The same for tests by identity and name, wherever they come from.
pub fn resolve_names(list: &mut List, tests: impl IntoIterator<Item = (TestId, String)>) {
    let mut printed: HashMap<String, String> = HashMap::new();
    let mut labels: Vec<String> = Vec::new();
    for (id, label) in tests {
        printed.insert(id.to_string(), label.clone());
        printed.insert(escape::line(&label).into_owned(), label.clone());
        labels.push(label);
    }
    // A name wins over all that only looks like it.
    printed.extend(labels.into_iter().map(|label| (label.clone(), label)));
    for entry in &mut list.entries {
        let Target::Test(typed) = &entry.target else { continue };
        let found = printed.get(typed).map(|label| (label.clone(), Variant::default()));
        let found = found.or_else(|| {
            let (name, cell) = typed.strip_suffix(']')?.rsplit_once(" [")?;
            Some((printed.get(name)?.clone(), cell.parse().ok()?))
        });
        if let Some((label, cell)) = found {
            entry.target = Target::Test(label);
            entry.variant = std::mem::take(&mut entry.variant).with_all(&cell);
        }
    }
    for rule in list.always.iter_mut().chain(&mut list.never) {
        if let Target::Test(typed) = &rule.target
            && let Some(label) = printed.get(typed)
        {
            rule.target = Target::Test(label.clone());
        }
    }
}

/// The tests that entries of a list mean.
#[must_use]
pub fn tests_on(list: &List, tests: &[TestRow]) -> Vec<TestNo> {
    let on_list = |test: &&TestRow| {
        let label = test.label();
        list.entries.iter().any(|entry| entry.target.means(&label))
    };
    tests.iter().filter(on_list).map(|test| test.no).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(no: u32, name: &str) -> TestRow {
        TestRow {
            no: TestNo(no),
            id: TestId([no as u8; 16]),
            suite: String::new(),
            classname: "a".into(),
            name: name.into(),
            file: String::new(),
            qualified: true,
            first_seen: crate::model::Timestamp(0),
        }
    }

    #[test]
    fn whatever_a_screen_prints_is_understood() {
        let tests = [row(1, "x"), row(2, "y\u{202e}"), row(3, "z [os=mac]")];
        let typed = [
            ("a::x", "a::x", ""),
            ("01010101010101010101010101010101", "a::x", ""),
            (r"a::y\u{202e}", "a::y\u{202e}", ""),
            ("a::x [os=linux]", "a::x", "os=linux"),
            ("a::z [os=mac]", "a::z [os=mac]", ""),
            ("a::new", "a::new", ""),
        ];
        let entry = |(text, ..): &(&str, &str, &str)| {
            crate::quarantine::list::Entry::new(Target::Test((*text).to_owned()))
        };
        let mut list = List { entries: typed.iter().map(entry).collect(), ..List::default() };
        resolve(&mut list, &tests);
        for (entry, (typed, label, variant)) in list.entries.iter().zip(typed) {
            assert_eq!(entry.target.as_str(), label, "{typed}");
            assert_eq!(entry.variant.to_string(), variant, "{typed}");
        }
        assert_eq!(tests_on(&list, &tests), [TestNo(1), TestNo(2), TestNo(3)]);
    }

    #[test]
    fn a_file_is_written_whole_and_only_over_what_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quarantine.toml");
        save(&path, None, "# one\n").unwrap();
        assert!(matches!(save(&path, None, "x"), Err(ListFileError::Changed { .. })));
        assert!(matches!(save(&path, Some("# two\n"), "x"), Err(ListFileError::Changed { .. })));
        save(&path, Some("# one\n"), "# two\n").unwrap();
        assert_eq!(load(&path).unwrap().unwrap().text, "# two\n");
        let names = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(names.count(), 1, "no partial file is left");
        assert!(load(&folder.path().join("none")).unwrap().is_none());
    }
}
