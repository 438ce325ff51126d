//! The tests of today from a text: the answer of a runner, or an older report.

use crate::junit::{self, ReadOptions};
use crate::listing::{ListedTest, Lister, Listing, ListingError};
use crate::model::TestName;

/// The name of a report that is read as a list of its tests.
const JUNIT: &str = "junit";

/// A listing and what it was read as.
#[derive(Debug)]
pub struct Listed {
    /// The tests.
    pub listing: Listing,
    /// How they were read; `lines` for a report.
    pub lister: &'static Lister,
    /// The format in words: the lister's name, or `junit`.
    pub format: &'static str,
}

/// Why a text gives no tests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListedError {
    /// It is no listing of that runner.
    #[error("this is no listing of {lister} ({summary}): {error}")]
    Listing {
        /// The lister.
        lister: &'static str,
        /// What it reads.
        summary: &'static str,
        /// Why not.
        error: ListingError,
    },
    /// It looks like a report and cannot be read.
    #[error("this report cannot be read; `flakedb validate` says why")]
    Report,
    /// No lister has that name.
    #[error("there is no lister `{name}`; there are {known}")]
    NoSuch {
        /// What was typed.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Reads a listing: as that of `runner`, else as what it looks like. Paths below `directory` become
/// relative to it, as reports have them.
///
/// # Errors
/// [`ListedError`].
pub fn read(text: &str, runner: Option<&str>, directory: &str) -> Result<Listed, ListedError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lister = match runner {
        Some(JUNIT) | None => None,
        Some(name) => Some(Lister::find(name).ok_or_else(|| no_such(name))?),
    };
    let is_report = runner == Some(JUNIT) || text.trim_start().starts_with('<');
    let mut listed = match (lister, is_report) {
        (Some(lister), true) => Listed { lister, ..of_report(text)? },
        (None, true) => of_report(text)?,
        (lister, false) => {
            let lister = lister.unwrap_or_else(|| Lister::detect(text));
            let wrong = |error| ListedError::Listing {
                lister: lister.name,
                summary: lister.summary,
                error,
            };
            Listed { listing: (lister.read)(text).map_err(wrong)?, lister, format: lister.name }
        }
    };
    relate(&mut listed.listing, directory);
    Ok(listed)
}

/// Makes the paths of a listing relative to `directory`, as reports have them.
pub fn relate(listing: &mut Listing, directory: &str) {
    let root = format!("{}/", directory.trim_end_matches('/'));
    let inside = |text: &mut String| {
        if let Some(rest) = text.strip_prefix(&root).or_else(|| text.strip_prefix("./")) {
            *text = rest.to_owned();
        }
    };
    for listed in &mut listing.tests {
        let test = &mut listed.test;
        for part in [&mut test.file, &mut test.classname, &mut test.suite, &mut test.label] {
            inside(part);
        }
    }
}

fn no_such(name: &str) -> ListedError {
    let known = crate::listing::LISTERS.iter().map(|lister| lister.name).chain([JUNIT]);
    let known = known.collect::<Vec<_>>().join(", ");
    ListedError::NoSuch { name: name.to_owned(), known }
}

/// The tests of an older report, by what flakedb calls them.
fn of_report(text: &str) -> Result<Listed, ListedError> {
    let reading = junit::read(text.as_bytes(), &ReadOptions::default());
    if reading.report.tests.iter().len() == 0 {
        return Err(ListedError::Report);
    }
    let tests = reading.report.tests.iter().map(|test| {
        let test = TestName::of(&test);
        ListedTest { word: test.label.clone(), test, group: None }
    });
    let mut listing = Listing { tests: tests.collect(), notes: Vec::new() };
    if !reading.report.complete {
        listing.notes.push("the report is cut off: it may lack tests".to_owned());
    }
    let lister = Lister::detect("");
    Ok(Listed { listing, lister, format: JUNIT })
}
