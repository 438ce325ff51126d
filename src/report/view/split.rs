//! How a suite was divided into shards, and how long they really took.

use serde::Serialize;

use crate::analysis::split::{Balance, Load};
use crate::model::Shard;

/// How even some shards are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BalanceView {
    /// What the slowest takes.
    pub makespan_seconds: f64,
    /// What they take on average.
    pub mean_seconds: f64,
    /// The slowest over the mean: 1 where all take as long.
    pub imbalance: f64,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        Self {
            makespan_seconds: balance.makespan.as_seconds(),
            mean_seconds: balance.mean.as_seconds(),
            imbalance: super::rounded(balance.imbalance),
        }
    }
}

/// One shard.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShardView {
    /// Which one, as `2/4`.
    pub shard: String,
    /// Its tests, or files where those are all that is listed.
    pub tests: u64,
    /// Its units: what stays together counts once.
    pub units: u64,
    /// How long its tests are likely to take; absent where no time is known.
    pub seconds: Option<f64>,
}

impl ShardView {
    /// A shard with its load.
    #[must_use]
    pub fn new(shard: Option<Shard>, load: &Load, timed: bool) -> Self {
        Self {
            shard: shard.map(|shard| shard.to_string()).unwrap_or_default(),
            tests: load.tests,
            units: load.units,
            seconds: timed.then(|| load.time.as_seconds()),
        }
    }
}

/// How many tests have their time from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourcesView {
    /// From their own passes.
    pub history: u64,
    /// They were skipped whenever they were met.
    pub skipped: u64,
    /// The median of their file.
    pub file: u64,
    /// The median of their class.
    pub class: u64,
    /// The median of their suite.
    pub suite: u64,
    /// The median of all tests.
    pub all: u64,
    /// Nothing is known: they are taken to be alike.
    pub nothing: u64,
}

/// One test, and the shard that runs it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DealtView {
    /// The runner's own word for it.
    pub word: String,
    /// The test as it is printed and typed.
    pub test: String,
    /// Its shard, as `2/4`.
    pub shard: String,
    /// How long it is likely to take; absent where no time is known.
    pub seconds: Option<f64>,
    /// Where that comes from: a key of `times`.
    pub source: &'static str,
}

/// The unit that takes longest, which no shard can be shorter than.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LongestView {
    /// Its name: a test, a file, a class or a group.
    pub unit: String,
    /// How long it is likely to take.
    pub seconds: f64,
}

/// How a suite is divided: `flakedb split`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SplitView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project whose history gave the times; absent where there is none.
    pub project: Option<String>,
    /// How the listing was read: a runner, `lines` or `junit`.
    pub listing: String,
    /// What stays together: `test`, `file`, `class` or `group`.
    pub by: &'static str,
    /// The shard that was asked for, as `2/4`; absent for a plan of all.
    pub shard: Option<String>,
    /// All tests, or files where those are all that is listed.
    pub tests: u64,
    /// Runs that gave the times.
    pub runs: u32,
    /// Where the times come from.
    pub times: SourcesView,
    /// Shards, the first one first.
    pub shards: Vec<ShardView>,
    /// How even they are; absent where no time is known.
    pub balance: Option<BalanceView>,
    /// How even shards of equal numbers of tests would be.
    pub by_count: Option<BalanceView>,
    /// The unit that takes longest; absent where no time is known.
    pub longest: Option<LongestView>,
    /// What all nodes must agree on: a hash of every test and its shard.
    pub plan: String,
    /// The tests of the shard, or of all in a plan, in the order of the listing.
    pub dealt: Vec<DealtView>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl SplitView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.split.v1";
}

/// One shard after it ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RanView {
    /// Which one, as `2/4`; else the report or the job that holds it.
    pub shard: String,
    /// Tests that it ran.
    pub tests: u64,
    /// How long they took.
    pub seconds: f64,
    /// How long they were likely to take, by the runs before.
    pub predicted_seconds: Option<f64>,
    /// The test that took longer than predicted by most; empty where none did.
    pub most_off: String,
    /// By how many seconds.
    pub most_off_seconds: f64,
}

/// What shards really took: `flakedb split --review`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SplitReviewView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// The CI build, where there is one.
    pub build: Option<String>,
    /// The revision under test.
    pub revision: Option<String>,
    /// When it started.
    pub started: String,
    /// Its shards, the slowest first.
    pub shards: Vec<RanView>,
    /// How even they were.
    pub real: Option<BalanceView>,
    /// How even they were likely to be, by the runs before.
    pub predicted: Option<BalanceView>,
    /// What dealing the same tests anew to as many shards would have come to, by the times that they
    /// really took.
    pub possible: Option<BalanceView>,
    /// What people should know.
    pub notes: Vec<String>,
}

impl SplitReviewView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.split-review.v1";
}
