//! Everything that a worker has for itself, together.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::model::{HOME_VARIABLES, TEMPORARY_VARIABLES, TemplateError, fill};

use super::directory::{Directory, DirectoryError};
use super::environment::Environment;
use super::lease::{LEASES_VARIABLE, Lease, LeaseError, Pool, WAIT, absolute, place};
use super::port::lease_ports;
use super::worker::Worker;

/// Why a worker cannot be alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsolationError {
    /// A resource is not to be had.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// There is no place for its files.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A variable cannot be filled in.
    #[error("{variable} = {why}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong.
        why: TemplateError,
    },
}

/// A resource to lend.
#[derive(Debug, Clone)]
struct Wanted {
    pool: Pool,
    is_ports: bool,
}

/// What a worker is to have for itself.
#[derive(Debug, Clone)]
pub struct Isolation {
    worker: Worker,
    own_home: bool,
    keep: bool,
    wait: Duration,
    within: Option<PathBuf>,
    leases_at: Option<PathBuf>,
    wanted: BTreeMap<String, Wanted>,
    values: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

impl Default for Isolation {
    fn default() -> Self {
        Self::new()
    }
}

impl Isolation {
    /// A directory for temporary files, for the worker that this process is.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Worker::current())
    }

    /// The same for another worker.
    #[must_use]
    pub fn of(worker: Worker) -> Self {
        Self {
            worker,
            own_home: false,
            keep: false,
            wait: WAIT,
            within: None,
            leases_at: None,
            wanted: BTreeMap::new(),
            values: BTreeMap::new(),
            variables: BTreeMap::new(),
        }
    }

    /// A number of `range` that nobody else on this machine has, in this variable.
    #[must_use]
    pub fn lease(self, variable: &str, range: Range<u32>) -> Self {
        let pool = Pool::new(variable, range);
        self.want(variable, pool, false)
    }

    /// The first of `step` ports that nobody else on this machine has, in this variable.
    #[must_use]
    pub fn ports(self, variable: &str, range: Range<u32>, step: u32) -> Self {
        let pool = Pool::new(variable, range).step(step);
        self.want(variable, pool, true)
    }

    /// The first of `step` numbers that nobody else on this machine has, in this variable.
    #[must_use]
    pub fn blocks(self, variable: &str, range: Range<u32>, step: u32) -> Self {
        let pool = Pool::new(variable, range).step(step);
        self.want(variable, pool, false)
    }

    fn want(mut self, variable: &str, pool: Pool, is_ports: bool) -> Self {
        self.wanted.insert(variable.to_owned(), Wanted { pool, is_ports });
        self
    }

    /// A variable. In braces: `{worker}` (its number), `{id}`, `{tmp}`, `{home}`, any lease, and what
    /// [`Isolation::value`] names.
    #[must_use]
    pub fn variable(mut self, name: &str, text: &str) -> Self {
        self.variables.insert(name.to_owned(), text.to_owned());
        self
    }

    /// What else the texts of variables may have in braces.
    #[must_use]
    pub fn value(mut self, name: &str, value: &str) -> Self {
        self.values.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A home directory of its own as well.
    #[must_use]
    pub const fn home(mut self, own: bool) -> Self {
        self.own_home = own;
        self
    }

    /// Keeps the directory where the worker had a failure.
    #[must_use]
    pub const fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Waits so long for each resource that others hold.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Makes the directory in this one.
    #[must_use]
    pub fn within(mut self, place: &Path) -> Self {
        self.within = Some(place.to_path_buf());
        self
    }

    /// Keeps the lock files of leases here, and tells children so.
    #[must_use]
    pub fn leases_at(mut self, place: &Path) -> Self {
        self.leases_at = Some(place.to_path_buf());
        self
    }

    /// Makes the directory, lends the resources, and fills in the variables.
    ///
    /// Resources are lent in the order of their names, so that two workers never wait for each
    /// other.
    ///
    /// # Errors
    /// [`IsolationError`]; what was lent until then is given back.
    pub fn enter(&self) -> Result<Isolated, IsolationError> {
        let leases_at = self.leases_at.as_deref().map_or_else(place, absolute);
        let mut leases = Vec::with_capacity(self.wanted.len());
        let mut values = self.values.clone();
        for (variable, Wanted { pool, is_ports }) in &self.wanted {
            let pool = pool.clone().wait(self.wait).at(&leases_at).prefer(self.worker.number());
            let pool = pool.holder(&self.holder());
            let lease = if *is_ports { lease_ports(&pool) } else { pool.lease() }?;
            values.insert(variable.clone(), lease.number().to_string());
            leases.push(lease);
        }
        let directory = match &self.within {
            Some(place) => Directory::within(place),
            None => Directory::new(),
        }?;
        let mut variables = BTreeMap::new();
        let at = |path: &Path| path.as_os_str().to_owned();
        for name in TEMPORARY_VARIABLES {
            variables.insert(OsString::from(name), at(directory.temporary()));
        }
        for (name, below) in HOME_VARIABLES.iter().filter(|_| self.own_home) {
            let path = if below.is_empty() {
                at(directory.home())
            } else {
                at(&directory.home().join(below))
            };
            variables.insert(OsString::from(name), path);
        }
        variables.insert(LEASES_VARIABLE.into(), at(&leases_at));
        for variable in self.wanted.keys() {
            let number = values.get(variable).cloned().unwrap_or_default();
            variables.insert(variable.into(), number.into());
        }
        let known = |name: &str| match name {
            "worker" => Some(self.worker.number().to_string()),
            "id" => Some(self.worker.id().to_owned()),
            "tmp" => Some(directory.temporary().to_string_lossy().into_owned()),
            "home" if self.own_home => Some(directory.home().to_string_lossy().into_owned()),
            other => values.get(other).cloned(),
        };
        for (name, text) in &self.variables {
            let text = fill(text, &known)
                .map_err(|why| IsolationError::Variable { variable: name.clone(), why })?;
            variables.insert(name.into(), text.into());
        }
        Ok(Isolated {
            worker: self.worker.clone(),
            keep: self.keep,
            variables: variables.into_iter().collect(),
            leases,
            directory: Some(directory),
        })
    }

    fn holder(&self) -> String {
        match self.values.get("run") {
            Some(run) => format!("worker {} of {run}", self.worker.id()),
            None => format!("worker {}", self.worker.id()),
        }
    }
}

/// A worker that is alone with its resources. When it is dropped they are given back and the
/// directory is removed; after a panic of the thread it is kept if it was to be.
#[derive(Debug)]
pub struct Isolated {
    worker: Worker,
    keep: bool,
    variables: Vec<(OsString, OsString)>,
    // Given back after the directory is gone: fields are dropped in this order.
    directory: Option<Directory>,
    leases: Vec<Lease>,
}

impl Isolated {
    /// Who it is.
    #[must_use]
    pub const fn worker(&self) -> &Worker {
        &self.worker
    }

    /// What its processes find in their environment, over what this one has.
    #[must_use]
    pub fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// One of them.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_os_str())
    }

    /// What was lent.
    #[must_use]
    pub fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// Where its temporary files go.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.directory.as_ref().map(Directory::temporary)
    }

    /// A command that finds its variables.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A piece of code that finds its variables: see [`Environment::within`].
    pub fn within<R>(&self, code: impl FnOnce() -> R) -> R {
        let set = |all: Environment, (name, value): &(OsString, OsString)| all.set(name, value);
        self.variables.iter().fold(Environment::new(), set).within(code)
    }

    /// Ends it. Gives the directory where it is still there: kept because something failed, or
    /// because something in it cannot be removed.
    #[must_use]
    pub fn leave(mut self, failed: bool) -> Option<PathBuf> {
        let directory = self.directory.take()?;
        if failed && self.keep {
            return Some(directory.keep());
        }
        directory.remove().err().map(|error| error.path)
    }
}

impl Drop for Isolated {
    fn drop(&mut self) {
        if let Some(directory) =
            self.directory.take().filter(|_| self.keep && std::thread::panicking())
        {
            let _ = directory.keep();
        }
    }
}
