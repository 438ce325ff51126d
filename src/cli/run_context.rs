//! The flags that say which run reports belong to, and what they, the configuration and the
//! surroundings say together.

use std::path::Path;

use crate::context::Overrides;
use crate::context::resolve::Surroundings;
use crate::model::{Lane, Shard, Timestamp, Variant};

use super::failure::Failure;
use super::global::{Global, Settled};
use super::window::{parse_lane, parse_start};

/// Which run the reports belong to.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// The commit under test
    #[arg(long, value_name = "SHA", env = "FLAKEDB_REVISION")]
    pub revision: Option<String>,
    /// The branch under test
    #[arg(long, value_name = "NAME", env = "FLAKEDB_BRANCH")]
    pub branch: Option<String>,
    /// The branch that everything merges into
    #[arg(long, value_name = "NAME", env = "FLAKEDB_DEFAULT_BRANCH")]
    pub default_branch: Option<String>,
    /// default, change (pull request or merge queue) or other
    #[arg(long, value_name = "LANE", env = "FLAKEDB_LANE", value_parser = parse_lane)]
    pub lane: Option<Lane>,
    /// The matrix cell, such as os=linux,python=3.12
    #[arg(long, value_name = "KEY=VALUE,…", env = "FLAKEDB_VARIANT")]
    pub variant: Option<Variant>,
    /// The CI build; all its reports are one run
    #[arg(long, value_name = "ID", env = "FLAKEDB_BUILD")]
    pub build: Option<String>,
    /// The attempt of that build
    #[arg(long, value_name = "N", env = "FLAKEDB_ATTEMPT", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: Option<u32>,
    /// The CI job
    #[arg(long, value_name = "NAME", env = "FLAKEDB_JOB")]
    pub job: Option<String>,
    /// Where a person finds the job's log
    #[arg(long, value_name = "URL", env = "FLAKEDB_URL")]
    pub url: Option<String>,
    /// When the run started: a time, seconds since 1970, or a file that was touched just before
    #[arg(long, value_name = "TIME|FILE", env = "FLAKEDB_STARTED", value_parser = parse_start)]
    pub started: Option<Timestamp>,
    /// Which part of the suite the reports are, such as 2/4; CI and the reports may say it too
    #[arg(long, value_name = "I/N", env = "FLAKEDB_SHARD")]
    pub shard: Option<Shard>,
}

/// All that is known of the run before its reports are read.
pub struct Around {
    /// What flags and the configuration say.
    pub overrides: Overrides,
    /// What CI and git say.
    pub surroundings: Surroundings,
}

impl RunArgs {
    /// Looks around, and puts what was typed over what the configuration says.
    ///
    /// # Errors
    /// Where the configured variant makes no sense.
    pub fn around(&self, global: &Global, settled: &Settled) -> Result<Around, Failure> {
        let variant = match (&self.variant, &settled.file.variant) {
            (Some(flag), _) => Some(flag.clone()),
            (None, Some(text)) => Some(text.parse().map_err(Failure::usage)?),
            (None, None) => None,
        };
        let mut surroundings = Surroundings::gather(Path::new("."));
        surroundings.default_branch =
            self.default_branch.clone().or_else(|| settled.file.default_branch.clone());
        let overrides = Overrides {
            project: global.project.clone().or_else(|| settled.file.project.clone()),
            revision: self.revision.clone(),
            branch: self.branch.clone(),
            lane: self.lane,
            variant,
            build: self.build.clone(),
            attempt: self.attempt,
            job: self.job.clone(),
            url: self.url.clone(),
            started: self.started,
            shard: self.shard.map(|shard| shard.to_string()),
            seed: None,
        };
        Ok(Around { overrides, surroundings })
    }
}

impl Around {
    /// The root of the repository, which makes source files relative.
    #[must_use]
    pub fn repository_root(&self) -> Option<String> {
        self.surroundings.git.root.as_ref().map(|root| root.to_string_lossy().into_owned())
    }
}
