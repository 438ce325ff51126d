//! Flags that every command has, and what they and `flakedb.toml` decide together.

use std::path::{Path, PathBuf};

use crate::config::{self, File};
use crate::store::Store as _;
use crate::store::sqlite::{OpenMode, SqliteStore};
use crate::{analysis, quarantine};

use super::console::{Color, Console, Verbosity};
use super::failure::Failure;

/// Where the history is where nothing says otherwise, relative to the configuration file or the
/// working directory.
pub const DEFAULT_DB: &str = ".flakedb/history.db";

/// `flakedb.toml` with the sections of the layers that judge.
pub type Config =
    File<analysis::Settings, quarantine::policy::PolicySettings, quarantine::gate::GateSettings>;

/// Flags that every command has.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The history, one SQLite file [default: .flakedb/history.db here or in a directory above]
    #[arg(long, global = true, value_name = "FILE", env = "FLAKEDB_DB")]
    db: Option<PathBuf>,
    /// The project, owner/name [default: from CI, git or the directory]
    #[arg(long, global = true, value_name = "NAME", env = "FLAKEDB_PROJECT")]
    pub project: Option<String>,
    /// The configuration [default: flakedb.toml here or in a directory above]
    #[arg(long, global = true, value_name = "FILE", env = "FLAKEDB_CONFIG")]
    config: Option<PathBuf>,
    /// Set one key of the configuration, such as judging.evidence.recoveries=3 (may be repeated)
    #[arg(
        long,
        global = true,
        value_name = "KEY=VALUE",
        env = "FLAKEDB_SET",
        value_delimiter = ';'
    )]
    set: Vec<String>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", env = "FLAKEDB_COLOR", default_value = "auto")]
    color: Color,
    /// Say on standard error where the time went
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true)]
    quiet: bool,
}

/// The configuration and the directory that its paths are relative to.
pub struct Settled {
    /// What the file says; all defaults where there is none.
    pub file: Config,
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// The history.
    pub db: PathBuf,
    /// The directory of the configuration file, else the working directory.
    pub directory: PathBuf,
}

impl Global {
    /// The console that these flags ask for.
    #[must_use]
    pub fn console(&self) -> Console {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        Console::new(self.color, verbosity)
    }

    /// Finds and reads the configuration, and settles where the history is.
    ///
    /// # Errors
    /// Where the file is named but missing, or holds what it must not.
    pub fn settle(&self) -> Result<Settled, Failure> {
        let here = std::env::current_dir().map_err(Failure::usage)?;
        let path = self.config.clone().or_else(|| config::find(&here));
        let file = config::load_and_set(path.as_deref(), &self.set).map_err(|error| {
            Failure::usage(error).hint("`flakedb init --print` shows every key")
        })?;
        let directory = path
            .as_deref()
            .and_then(Path::parent)
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(here.clone(), Path::to_path_buf);
        // Messages name the history as the user would type it from here.
        let near = |path: PathBuf| path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path);
        let db = match (&self.db, &file.db) {
            (Some(flag), _) => flag.clone(),
            (None, Some(configured)) => near(directory.join(configured)),
            (None, None) => near(nearest_history(&directory).join(DEFAULT_DB)),
        };
        Ok(Settled { file, path, db, directory })
    }
}

/// The nearest directory upward that has a history already, else `directory` itself.
fn nearest_history(directory: &Path) -> &Path {
    directory.ancestors().find(|above| above.join(DEFAULT_DB).is_file()).unwrap_or(directory)
}

impl Settled {
    /// What holds where the configuration cannot be used: the defaults, and what lies here.
    #[must_use]
    pub fn bare() -> Self {
        let directory = std::env::current_dir().unwrap_or_default();
        Self { file: Config::default(), path: None, db: DEFAULT_DB.into(), directory }
    }

    /// Where the quarantine list stands, whether it is there or not: what was named, else beside
    /// the configuration, else where one lies in a directory above.
    #[must_use]
    pub fn list_path(&self, named: Option<&Path>) -> PathBuf {
        let above = || config::find_named(&self.directory, quarantine::list::FILE_NAME);
        let found = match (named, &self.path) {
            (Some(named), _) => return named.to_path_buf(),
            (None, Some(_)) => None,
            (None, None) => above(),
        };
        let here = std::env::current_dir().unwrap_or_default();
        match found {
            None => self.near(quarantine::list::FILE_NAME),
            Some(found) => found.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(found),
        }
    }

    /// A file of the configuration's directory, as the user would type it from here.
    #[must_use]
    pub fn near(&self, name: &str) -> PathBuf {
        let path = self.directory.join(name);
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path)
    }

    /// Opens the history for reading.
    ///
    /// # Errors
    /// Where there is none yet, or it cannot be used.
    pub fn open_to_read(&self) -> Result<SqliteStore, Failure> {
        if !self.db.exists() {
            let missing = anyhow::anyhow!("there is no history at {}", self.db.display());
            return Err(Failure::history(missing).hint(
                "read reports first: flakedb ingest PATH… (or name another file with --db)",
            ));
        }
        SqliteStore::open(&self.db, OpenMode::ReadOnly).map_err(Failure::history)
    }

    /// Opens the history for writing; creates it, its directory, and keeps both out of git.
    ///
    /// # Errors
    /// Where it cannot be created or used.
    pub fn open_to_write(&self) -> Result<SqliteStore, Failure> {
        self.make_room()?;
        SqliteStore::open(&self.db, OpenMode::Create).map_err(Failure::history)
    }

    /// The same, waiting at most so many milliseconds for others who write.
    ///
    /// # Errors
    /// Where it cannot be created or used.
    pub fn open_to_write_within(&self, wait_ms: u64) -> Result<SqliteStore, Failure> {
        self.make_room()?;
        SqliteStore::open_within(&self.db, OpenMode::Create, wait_ms).map_err(Failure::history)
    }

    fn make_room(&self) -> Result<(), Failure> {
        if let Some(parent) = self.db.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let is_ours = parent.ends_with(".flakedb") && !parent.exists();
            std::fs::create_dir_all(parent).map_err(|error| {
                let error = anyhow::Error::new(error);
                Failure::history(error.context(format!("cannot create {}", parent.display())))
            })?;
            if is_ours {
                // A history that git would pick up by accident helps nobody; no error if it fails.
                let _ = std::fs::write(parent.join(".gitignore"), "*\n");
            }
        }
        Ok(())
    }

    /// The project that a reading command means: the flag's, the file's, else the only one there.
    ///
    /// # Errors
    /// Where the history has several projects and none is named, or the named one is not there.
    pub fn project(&self, global: &Global, store: &SqliteStore) -> Result<String, Failure> {
        let known = store.projects().map_err(Failure::history)?;
        let names: Vec<&str> = known.iter().map(|project| project.name.as_str()).collect();
        let wanted = global.project.as_ref().or(self.file.project.as_ref());
        match (wanted, names.as_slice()) {
            (Some(name), _) if names.contains(&name.as_str()) => Ok(name.clone()),
            (_, []) => Err(Failure::history(anyhow::anyhow!(
                "the history at {} has no runs yet",
                self.db.display()
            ))
            .hint("read reports first: flakedb ingest PATH…")),
            (None, [only]) => Ok((*only).to_owned()),
            (Some(name), _) => Err(Failure::usage(anyhow::anyhow!(
                "the history has no project `{name}`; it has {}",
                names.join(", ")
            ))),
            (None, _) => Err(Failure::usage(anyhow::anyhow!(
                "the history has several projects: {}",
                names.join(", ")
            ))
            .hint("name one with --project, FLAKEDB_PROJECT or `project` in flakedb.toml")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template with every key in force.
    fn template() -> String {
        let key = |line: &str| {
            line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).map(str::to_owned)
        };
        let lines = config::TEMPLATE.lines();
        lines.map(|line| key(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
    }

    #[test]
    fn the_template_has_every_key_with_its_default() {
        let file: Config = config::parse(&template()).unwrap();
        let judging = file.judging.unwrap();
        assert_eq!(judging, analysis::Settings::default());
        assert_eq!(file.quarantine.unwrap(), quarantine::policy::PolicySettings::default());
        let gate = file.gate.unwrap();
        assert_eq!(
            gate,
            quarantine::gate::GateSettings { runners: gate.runners.clone(), ..Default::default() }
        );
        assert_eq!(gate.check(), Ok(()));
        let workers = file.workers;
        assert_eq!(workers.check(), Ok(()));
        // What is lent and set by variable has no default; ports have.
        assert_eq!(workers.lease.len(), 2);
        let leases = workers.leases();
        let ports = config::WorkersSection::default().leases()[config::PORT_BASE];
        assert_eq!(leases[config::PORT_BASE], ports);
        let plain = config::WorkersSection {
            lease: Default::default(),
            env: Default::default(),
            ..workers.clone()
        };
        assert_eq!(plain, config::WorkersSection::default());
        assert_eq!(file.db.as_deref(), Some(Path::new(DEFAULT_DB)));
        assert_eq!(file.window.runs, Some(crate::ops::judge::DEFAULT_RUNS));
        let known = toml::Value::try_from(analysis::Settings::default()).unwrap();
        let gated = toml::Value::try_from(quarantine::gate::GateSettings::default()).unwrap();
        for key in keys(&known).into_iter().chain(keys(&gated)) {
            assert!(
                config::TEMPLATE.contains(&format!("#{key} = ")),
                "{key} is not in the template"
            );
        }
    }

    fn keys(value: &toml::Value) -> Vec<String> {
        let Some(table) = value.as_table() else { return Vec::new() };
        let own = table.iter().filter(|(_, inner)| !inner.is_table()).map(|(key, _)| key.clone());
        own.chain(table.values().flat_map(keys)).collect()
    }

    #[test]
    fn the_template_as_written_changes_nothing() {
        let file: Config = config::parse(config::TEMPLATE).unwrap();
        assert!(
            file.db.is_none()
                && file.judging.is_none()
                && file.quarantine.is_none()
                && file.gate.is_none()
        );
    }
}
