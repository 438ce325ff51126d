//! What each worker has for itself: `[workers]` of `flakedb.toml`, made true by the testkit.

#[cfg(feature = "testkit")]
mod leased;
#[cfg(not(feature = "testkit"))]
mod plain;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::config::{LeaseSpec, WorkersSection};
use crate::model::{Shard, TEMPORARY_VARIABLES, fill};
use crate::ops::parallel::home::{Home, Housing};

#[cfg(feature = "testkit")]
use leased::furnish;
#[cfg(not(feature = "testkit"))]
use plain::furnish;

/// Gives workers what the configuration promises them.
#[derive(Debug, Clone)]
pub struct House {
    section: WorkersSection,
    run: String,
    shard: Option<Shard>,
}

impl House {
    /// A house for the workers of one run, whose name no other run on this machine has.
    ///
    /// # Errors
    /// What the section asks for that nobody can give, in words.
    pub fn new(section: &WorkersSection, run: &str, shard: Option<Shard>) -> Result<Self, String> {
        section.check()?;
        Ok(Self { section: section.clone(), run: run.to_owned(), shard })
    }

    /// A name for a run that no other run on this machine has, or had.
    #[must_use]
    pub fn run_name() -> String {
        let now = chrono::Utc::now();
        format!("{}-{}", now.format("%Y%m%dT%H%M%S%6f"), std::process::id())
    }

    /// Refuses workers beyond those for whom there is something, before one waits for ever.
    fn check_room(&self, worker: u32, workers: u32) -> Result<(), String> {
        for (name, spec) in self.section.leases() {
            let room = spec.count();
            if room < workers && room <= worker {
                return Err(format!(
                    "{name}: {workers} workers need one each, and {spec} has {room}; run with --workers {room}, or widen {name} in [workers.lease] of flakedb.toml"
                ));
            }
        }
        Ok(())
    }

    /// What every worker finds, isolated or not.
    fn told(&self, worker: u32, workers: u32) -> Vec<(OsString, OsString)> {
        let mut told = vec![
            ("FLAKEDB_WORKER".into(), worker.to_string().into()),
            ("FLAKEDB_WORKERS".into(), workers.to_string().into()),
            ("FLAKEDB_RUN_ID".into(), self.run.clone().into()),
        ];
        told.extend(self.shard.map(|shard| ("FLAKEDB_SHARD".into(), shard.to_string().into())));
        told
    }

    /// The number that all workers have where none has its own.
    fn common(name: &str, spec: LeaseSpec) -> String {
        let inherited = std::env::var(name).ok().filter(|text| !text.is_empty());
        inherited.unwrap_or_else(|| spec.range().start.to_string())
    }

    fn shared_home(&self, worker: u32, workers: u32) -> Result<SharedHome, String> {
        let leases = self.section.leases();
        let mut variables = self.told(worker, workers);
        let mut shared = Vec::new();
        for (name, spec) in &leases {
            let number = Self::common(name, *spec);
            shared.push(format!("{name}={number}"));
            variables.push(((*name).into(), number.into()));
        }
        let temporary = std::env::temp_dir();
        let known = |name: &str| match name {
            "worker" => Some(worker.to_string()),
            "workers" => Some(workers.to_string()),
            "run" => Some(self.run.clone()),
            "tmp" => Some(temporary.to_string_lossy().into_owned()),
            "home" => std::env::var("HOME").ok(),
            lease => leases.get(lease).map(|spec| Self::common(lease, *spec)),
        };
        for (name, text) in &self.section.env {
            let filled =
                fill(text, &known).map_err(|error| format!("[workers.env] {name} = {error}"))?;
            // A number of the worker's own in it keeps workers apart all the same.
            if !text.contains("{worker}") {
                shared.push(format!("{name}={filled}"));
            }
            variables.push((name.into(), filled.into()));
        }
        shared.push(format!("{}={}", TEMPORARY_VARIABLES[0], temporary.display()));
        Ok(SharedHome { variables, shared })
    }
}

impl Housing for House {
    fn enter(&self, worker: u32, workers: u32) -> Result<Box<dyn Home>, String> {
        if !self.section.isolate {
            return Ok(Box::new(self.shared_home(worker, workers)?));
        }
        self.check_room(worker, workers)?;
        furnish(self, worker, workers)
    }
}

/// What a worker has where it has nothing of its own.
#[derive(Debug)]
struct SharedHome {
    variables: Vec<(OsString, OsString)>,
    shared: Vec<String>,
}

impl Home for SharedHome {
    fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    fn shared(&self) -> &[String] {
        &self.shared
    }

    fn leave(self: Box<Self>, _failed: bool) -> Option<PathBuf> {
        None
    }
}

/// Variables that stand in two lists count as the later one has them.
fn merged(
    first: Vec<(OsString, OsString)>,
    then: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let is_in = |name: &OsStr| then.iter().any(|(known, _)| known == name);
    let mut all: Vec<_> = first.into_iter().filter(|(name, _)| !is_in(name)).collect();
    all.extend(then.iter().cloned());
    all
}

#[cfg(test)]
mod tests;
