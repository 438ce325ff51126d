//! A test command, replayed in parts and in other orders, until it is known which test depends on
//! which.
//!
//! What to run next is decided by [`order_search`](crate::analysis::order_search); here the runner
//! is told, and its reports are read. Where the history has seen the test fail, the order of that
//! run is the first to be tried.

mod describe;
mod remembered;
mod replay;
mod suspects;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::analysis::match_name;
use crate::analysis::order_search::{Case, Found, Plan, Suspect, Verdict, search};
use crate::context::child::StartError;
use crate::listing::{ListedTest, Listing};
use crate::model::TestName;
use crate::quarantine::emit::Format;
use crate::report::view::OrderView;
use crate::store::Store;

use super::Watcher;
use super::ingest::IngestRequest;
use super::judge::JudgeRequest;
use super::parallel::today::{TodayError, runner, tests_of};
use super::part::{PartError, Whole};
use super::split::relate;
use describe::Described;
use replay::Replays;

/// Names listed where what was typed is ambiguous.
const CANDIDATES_SHOWN: usize = 10;

/// What to search.
pub struct OrderRequest<'a> {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// The runner, where somebody named it.
    pub runner: Option<String>,
    /// Runners of the configuration, with their codes.
    pub configured: BTreeMap<String, Vec<i32>>,
    /// The test in question, as it was typed; `None` for whichever shows itself.
    pub test: Option<String>,
    /// Replays at most.
    pub replays: u32,
    /// The working directory, from which reports name files.
    pub directory: String,
    /// For orders by chance.
    pub seed: u64,
    /// After this time a replay is ended.
    pub timeout: Option<Duration>,
    /// An empty directory with an absolute path, for the directories of the replays.
    pub workplace: PathBuf,
    /// The tests, where somebody listed them; else the runner is asked.
    pub listing: Option<Listing>,
    /// The project whose history may know failing orders, and how to judge it.
    pub judging: Option<JudgeRequest>,
    /// What is known of the replays, where they are to be stored.
    pub ingest: Option<IngestRequest>,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
}

impl From<TodayError> for OrderError {
    fn from(error: TodayError) -> Self {
        match error {
            TodayError::NoLister { runner } => Self::NoLister { runner },
            error => Self::Today(error),
        }
    }
}

impl OrderRequest<'_> {
    /// The command, as it can be typed.
    fn shown(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

/// What a search came to.
pub struct OrderOutcome {
    /// The screen.
    pub view: OrderView,
    /// True where something depends on order, or fails.
    pub found: bool,
    /// True where its replays are in the history, all of them.
    pub stored: bool,
}

/// Why nothing was searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The tests of the command are not known.
    #[error(transparent)]
    Today(TodayError),
    /// The runner has no way to list its tests that flakedb knows.
    #[error(
        "flakedb knows no way to list the tests of {runner}, which a search for order needs; list them with --tests FILE"
    )]
    NoLister {
        /// The runner.
        runner: String,
    },
    /// The command cannot run some of its tests.
    #[error(transparent)]
    Part(#[from] PartError),
    /// The command cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The first replay has no result of any test, so that none would.
    #[error(
        "`{command}` ended with {how} and reported none of the {count} tests that it was to run{output}"
    )]
    NoResult {
        /// The command.
        command: String,
        /// How it ended.
        how: String,
        /// How many tests were to run.
        count: usize,
        /// The end of what it wrote, on lines of its own.
        output: String,
    },
    /// Only whole files are listed.
    #[error(
        "{runner} lists files and no tests; name them with --tests FILE, such as an older report"
    )]
    Files {
        /// The runner.
        runner: &'static str,
    },
    /// One test or none is listed.
    #[error("`{command}` lists {count} tests, which leaves no order to search; it needs two")]
    Few {
        /// The command.
        command: String,
        /// How many it lists.
        count: usize,
    },
    /// What was typed is no test of today.
    #[error("no test of today is called `{typed}` or anything like it")]
    Unknown {
        /// What was typed.
        typed: String,
    },
    /// What was typed could be several tests.
    #[error("`{typed}` could be {count} tests:{list}")]
    Several {
        /// What was typed.
        typed: String,
        /// How many.
        count: usize,
        /// The best of them, a line each.
        list: String,
    },
}

/// Searches until what shows itself is decided, the replays are spent or `stopped` is set.
///
/// # Errors
/// [`OrderError`]: nothing could be searched.
pub fn order(
    request: &OrderRequest<'_>,
    store: Option<&mut dyn Store>,
    stopped: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<OrderOutcome, OrderError> {
    watcher.phase("listing the tests");
    let (runner, Listing { tests, mut notes }) = today(request)?;
    if !tests.is_empty() && tests.iter().all(|one| one.test.name.is_empty()) {
        return Err(OrderError::Files { runner });
    }
    let tests: Vec<ListedTest> =
        tests.into_iter().filter(|one| !one.test.name.is_empty()).collect();
    if tests.len() < 2 {
        return Err(OrderError::Few { command: request.shown(), count: tests.len() });
    }
    let victim = request.test.as_deref().map(|typed| find(&tests, typed)).transpose()?;
    let test = victim.and_then(|at| tests.get(at));
    let remembered = remember(store.as_deref(), request, test, &tests, &mut notes);
    let suspects = match &request.judging {
        Some(judging) => suspect(store.as_deref(), judging, &tests, victim, watcher, &mut notes),
        None => Vec::new(),
    };
    let known: Vec<TestName> = tests.iter().map(|one| one.test.clone()).collect();
    let whole =
        Whole { command: &request.command, runner, known: &known, variable: request.variable };
    let mut plan = Plan {
        tests: tests.len(),
        victim,
        remembered,
        suspects,
        free: is_free(&whole, &known, request)?,
        budget: request.replays,
        seed: request.seed,
    };
    if victim.is_some() {
        // What the hints say of it is shorter than what ran before it.
        let told = plan.suspects.drain(..).flat_map(|suspect| suspect.orders);
        plan.remembered = told.chain(std::mem::take(&mut plan.remembered)).collect();
        dedup(&mut plan.remembered);
    }
    watcher.phase("replaying");
    watcher.steps(request.replays.into());
    let store = store.map(|store| store as &mut dyn Store);
    let mut replays = Replays::new(request, &whole, store, stopped, watcher);
    let found = search(&plan, &mut replays);
    if let Some(error) = replays.refused.take() {
        return Err(error);
    }
    notes.append(&mut replays.notes);
    let stored = replays.has_stored_all();
    let view = Described {
        request,
        runner,
        tests: &tests,
        plan: &plan,
        found: &found,
        replays: &replays,
        interrupted: stopped.load(Ordering::Relaxed),
    }
    .view(notes);
    Ok(OrderOutcome { view, found: is_found(&found), stored })
}

/// True where something depends on order, or fails.
fn is_found(found: &Found) -> bool {
    let shows = |case: &Case| match case.verdict {
        Verdict::Proven | Verdict::Flaky | Verdict::AlwaysFails => true,
        Verdict::NotDecided => case.role.is_some(),
        Verdict::Cleared | Verdict::DidNotRun => false,
    };
    found.cases.iter().any(shows) || !found.open.is_empty() || !found.failing.is_empty()
}

/// The orders in which the history saw the test fail; without one it is not asked.
fn remember(
    store: Option<&dyn Store>,
    request: &OrderRequest<'_>,
    test: Option<&ListedTest>,
    tests: &[ListedTest],
    notes: &mut Vec<String>,
) -> Vec<Vec<usize>> {
    let (Some(store), Some(judging), Some(test)) = (store, &request.judging, test) else {
        return Vec::new();
    };
    remembered::orders(store, &judging.project, test, tests).unwrap_or_else(|error| {
        notes.push(format!("the history was not asked for failing orders: {error}"));
        Vec::new()
    })
}

/// The tests that the history suspects, with a remark on them.
fn suspect(
    store: Option<&dyn Store>,
    judging: &JudgeRequest,
    tests: &[ListedTest],
    victim: Option<usize>,
    watcher: &dyn Watcher,
    notes: &mut Vec<String>,
) -> Vec<Suspect> {
    let Some(store) = store else { return Vec::new() };
    let found = suspects::of(store, judging, tests, victim, watcher).unwrap_or_else(|error| {
        notes.push(format!("the history was not asked for suspects: {error}"));
        Vec::new()
    });
    let label = |suspect: &Suspect| Some(tests.get(suspect.test)?.test.label.clone());
    let names: Vec<String> = found.iter().filter_map(label).collect();
    if victim.is_none() && !names.is_empty() {
        notes.push(format!(
            "looked at first, since failures in the history went with what ran before: {}",
            names.join(", ")
        ));
    }
    found
}

/// The runner and its tests: those that somebody listed, or what it says itself.
fn today(request: &OrderRequest<'_>) -> Result<(&'static str, Listing), OrderError> {
    let Some(listing) = request.listing.clone() else {
        let (lister, mut listing) =
            tests_of(&request.command, request.runner.as_deref(), &request.configured)?;
        relate(&mut listing, &request.directory);
        return Ok((lister.name, listing));
    };
    let name = runner(&request.command, request.runner.as_deref(), &request.configured)
        .ok_or_else(|| TodayError::NoRunner { command: request.shown() })?;
    let cannot = || PartError::Selection(format!("flakedb cannot select tests for {name}"));
    Ok((Format::find(&name).ok_or_else(cannot)?.name, listing))
}

/// Leaves each order once, where it stands first.
fn dedup(orders: &mut Vec<Vec<usize>>) {
    let mut met = HashSet::new();
    orders.retain(|order| met.insert(order.clone()));
}

/// True where the runner runs tests in the order that it is given.
fn is_free(
    whole: &Whole<'_>,
    known: &[TestName],
    request: &OrderRequest<'_>,
) -> Result<bool, OrderError> {
    let directory = request.workplace.join("0");
    let lost = |why| PartError::File { path: directory.clone(), why };
    std::fs::create_dir_all(&directory).map_err(lost)?;
    let part = whole.part(known, &directory)?;
    // It was only to be asked.
    let _ = std::fs::remove_dir_all(&directory);
    Ok(part.keeps_order)
}

/// The place of the test that was typed: as flakedb prints it, or as its runner does.
fn find(tests: &[ListedTest], typed: &str) -> Result<usize, OrderError> {
    if let Some(place) = tests.iter().position(|one| one.word == typed) {
        return Ok(place);
    }
    let labels: Vec<&str> = tests.iter().map(|one| one.test.label.as_str()).collect();
    let found = match_name::find(typed, &labels);
    match found.as_slice() {
        [] => Err(OrderError::Unknown { typed: typed.to_owned() }),
        [only] => Ok(only.place),
        several => {
            let shown = several.iter().take(CANDIDATES_SHOWN);
            let mut list: String = shown
                .filter_map(|one| labels.get(one.place))
                .map(|label| format!("\n  {label}"))
                .collect();
            let more = several.len().saturating_sub(CANDIDATES_SHOWN);
            if more > 0 {
                list += &format!("\n  and {more} more");
            }
            Err(OrderError::Several { typed: typed.to_owned(), count: several.len(), list })
        }
    }
}

#[cfg(test)]
mod tests;
