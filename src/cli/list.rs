//! The flags that say which list is meant, and on which day its terms are looked at.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::ops::quarantine_edit::EditError;
use crate::ops::quarantine_file::{ListFile, ListFileError, load};
use crate::ops::quarantine_update::UpdateError;

use super::failure::Failure;
use super::global::Settled;
use super::window::parse_date;

/// Which list, on which day.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "List")]
pub struct ListArgs {
    /// The list [default: quarantine.toml beside flakedb.toml, else here or in a directory above]
    #[arg(long, value_name = "FILE", env = "FLAKEDB_QUARANTINE")]
    pub list: Option<PathBuf>,
    /// Look at terms as on this day, in UTC [default: today]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    pub today: Option<NaiveDate>,
}

impl ListArgs {
    /// Where the list stands, whether it is there or not.
    #[must_use]
    pub fn path(&self, settled: &Settled) -> PathBuf {
        settled.list_path(self.list.as_deref())
    }

    /// The list; `None` where there is none and none was named.
    ///
    /// # Errors
    /// Where it was named but is missing, cannot be read, or says what it cannot mean.
    pub fn load(&self, settled: &Settled) -> Result<Option<ListFile>, Failure> {
        let path = self.path(settled);
        match (load(&path)?, &self.list) {
            (None, Some(named)) => Err(no_list(named)),
            (found, _) => Ok(found),
        }
    }

    /// The list, where there must be one.
    ///
    /// # Errors
    /// Where it is missing, cannot be read, or says what it cannot mean.
    pub fn require(&self, settled: &Settled) -> Result<ListFile, Failure> {
        let path = self.path(settled);
        load(&path)?.ok_or_else(|| no_list(&path))
    }

    /// The day, in UTC.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.today.unwrap_or_else(|| chrono::Utc::now().date_naive())
    }
}

fn no_list(path: &Path) -> Failure {
    let missing = anyhow::anyhow!("there is no list at {}", path.display());
    Failure::usage(missing).hint("make one: flakedb quarantine update --apply")
}

impl From<ListFileError> for Failure {
    fn from(error: ListFileError) -> Self {
        match error {
            ListFileError::Invalid { .. } => Self::usage(error),
            _ => Self::input(error),
        }
    }
}

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Judging(error) => error.into(),
            UpdateError::File(error) => error.into(),
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Test(error) => error.into(),
            EditError::File(error) => error.into(),
            EditError::Refused(_) => {
                Self { code: super::exit::FINDINGS, error: Some(error.into()), hint: None }
            }
            EditError::Unclear { .. } | EditError::NotListed { .. } => Self::usage(error),
        }
    }
}
