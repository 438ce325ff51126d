//! Homes of a flakedb that was built without the testkit: a directory and variables, no leases.

use std::ffi::OsString;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::model::{HOME_VARIABLES, TEMPORARY_VARIABLES, fill};
use crate::ops::parallel::home::Home;

use super::{House, merged};

/// A worker's home.
struct OwnHome {
    variables: Vec<(OsString, OsString)>,
    directory: TempDir,
    keep: bool,
}

/// Makes the directory and fills in the variables.
///
/// # Errors
/// In words: a lease that is configured, a directory that cannot be made.
pub(super) fn furnish(house: &House, worker: u32, workers: u32) -> Result<Box<dyn Home>, String> {
    let section = &house.section;
    if let Some(name) = section.leases().keys().find(|name| section.lease.contains_key(**name)) {
        return Err(format!(
            "{name} cannot be lent: this flakedb was built without the testkit; take one that has it, or `{name} = false` in [workers.lease] of flakedb.toml"
        ));
    }
    let directory = tempfile::Builder::new()
        .prefix("flakedb-worker-")
        .tempdir()
        .map_err(|error| format!("no directory for worker {worker}: {error}; set TMPDIR"))?;
    let (temporary, home) = (directory.path().join("tmp"), directory.path().join("home"));
    for inner in [&temporary, &home] {
        std::fs::create_dir(inner).map_err(|error| format!("{}: {error}", inner.display()))?;
    }
    let known = |name: &str| match name {
        "worker" => Some(worker.to_string()),
        "workers" => Some(workers.to_string()),
        "run" => Some(house.run.clone()),
        "tmp" => Some(temporary.to_string_lossy().into_owned()),
        "home" if section.home => Some(home.to_string_lossy().into_owned()),
        _ => None,
    };
    let mut own: Vec<(OsString, OsString)> =
        TEMPORARY_VARIABLES.iter().map(|name| ((*name).into(), temporary.clone().into())).collect();
    for (name, below) in HOME_VARIABLES.iter().filter(|_| section.home) {
        let path = if below.is_empty() { home.clone() } else { home.join(below) };
        own.push(((*name).into(), path.into()));
    }
    for (name, text) in &section.env {
        let text = fill(text, &known).map_err(|error| format!("[workers.env] {name} = {error}"))?;
        own.push((name.into(), text.into()));
    }
    let variables = merged(house.told(worker, workers), &own);
    Ok(Box::new(OwnHome { variables, directory, keep: section.keep }))
}

impl Home for OwnHome {
    fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    fn shared(&self) -> &[String] {
        &[]
    }

    fn leave(self: Box<Self>, failed: bool) -> Option<PathBuf> {
        if failed && self.keep {
            return Some(self.directory.keep());
        }
        let path = self.directory.path().to_path_buf();
        self.directory.close().err().map(|_| path)
    }
}
