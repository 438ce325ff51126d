//! The flags of `gate` and `run` that say what may be excused.

use std::path::PathBuf;

use crate::ops::gate::ListInput;
use crate::quarantine::gate::GateSettings;

use super::global::Settled;

/// What may be excused.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GateRules {
    /// So many expected tests may be missing [default: 0]
    #[arg(long, value_name = "N", env = "FLAKEDB_TOLERANCE")]
    tolerance: Option<u32>,
    /// Tests that were removed on purpose, * for anything (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    removed: Vec<String>,
    /// The list [default: quarantine.toml beside flakedb.toml, else here or in a directory above]
    #[arg(long, value_name = "FILE", env = "FLAKEDB_QUARANTINE")]
    list: Option<PathBuf>,
}

impl GateRules {
    /// The settings of the file with these flags over them.
    #[must_use]
    pub fn settings(&self, settled: &Settled) -> GateSettings {
        let mut settings = settled.file.gate.clone().unwrap_or_default();
        settings.tolerance = self.tolerance.unwrap_or(settings.tolerance);
        settings.removed.extend(self.removed.iter().cloned());
        settings
    }

    /// The list; one that was named must be there.
    #[must_use]
    pub fn list(&self, settled: &Settled) -> ListInput {
        let path = settled.list_path(self.list.as_deref());
        let shown = path.display().to_string();
        match (ListInput::read(&path, &shown), &self.list) {
            (ListInput::Absent, Some(_)) => {
                ListInput::Unreadable { message: format!("there is no list at {shown}") }
            }
            (found, _) => found,
        }
    }
}
