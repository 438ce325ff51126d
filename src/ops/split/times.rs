//! How long tests take, by the history; and by their neighbours where it does not know them.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::analysis::duration::RecentDurations;
use crate::junit::identity::{RawIdentity, identify};
use crate::listing::ListedTest;
use crate::model::tests::SUITE_SEPARATOR;
use crate::model::{Micros, Outcome, Shard, TestId, TestName};
use crate::ops::Watcher;
use crate::ops::judge::JudgeRequest;
use crate::report::view::WindowText;
use crate::store::query::{RunNo, RunRow, TestNo, TestRow};
use crate::store::{Store, StoreError};

/// How many runs are read where nothing says otherwise: old times say little of today.
pub const DEFAULT_RUNS: u32 = 100;
/// A test that so many runs of the window did not have any more is no longer part of its file.
const GONE_AFTER: u32 = 20;

/// Which runs the times are taken from.
#[derive(Debug, Clone, Default)]
pub struct TimesRequest {
    /// The project.
    pub project: String,
    /// Which runs.
    pub window: WindowText,
    /// A build whose runs are left out: its first shards may have been stored before its last one
    /// is dealt, and all must see the same.
    pub without_build: Option<String>,
    /// Runs that are left out where no build is known.
    pub without_shards: Option<ShardsOf>,
}

/// Runs without a build that may be the first shards of the run that is dealt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardsOf {
    /// The commit under test.
    pub revision: String,
    /// The number of shards.
    pub all: u32,
}

/// What the history knows of the times of tests.
#[derive(Debug, Default)]
pub struct Times {
    tests: Vec<Known>,
    by_id: HashMap<TestId, usize>,
    by_name: HashMap<(String, String), Vec<usize>>,
    by_label: HashMap<String, usize>,
    by_number: HashMap<TestNo, usize>,
    /// The runs that were read.
    pub runs: u32,
    /// The runs that were left out as shards of this run.
    pub left_out: u32,
}

/// One test of the history.
#[derive(Debug)]
struct Known {
    row: TestRow,
    /// `None` where it never passed; zero where it only was skipped.
    time: Option<Micros>,
    skipped: bool,
    /// The last run that had it, as a place among the runs.
    last: u32,
}

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The test's own passes.
    History,
    /// It was skipped whenever it was met.
    Skipped,
    /// The median of its file.
    File,
    /// The median of its class.
    Class,
    /// The median of its suite.
    Suite,
    /// The median of all tests.
    All,
    /// Nothing: all tests are taken to be alike.
    Nothing,
}

impl Source {
    /// The word that JSON has for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Skipped => "skipped",
            Self::File => "file",
            Self::Class => "class",
            Self::Suite => "suite",
            Self::All => "all",
            Self::Nothing => "nothing",
        }
    }
}

/// How long one listed test is likely to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The time; the same for all where nothing is known.
    pub time: Micros,
    /// Where it comes from.
    pub source: Source,
}

/// What one test of the window was seen to take.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    recent: RecentDurations,
    met: bool,
    skipped_only: bool,
    last: u32,
}

impl Times {
    /// Reads the times of a window.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub fn read(
        store: &dyn Store,
        request: &TimesRequest,
        watcher: &dyn Watcher,
    ) -> Result<Self, StoreError> {
        let (runs, left_out) = request.runs_and_left_out(store)?;
        Ok(Self { left_out, ..Self::of_runs(store, &runs, watcher)? })
    }

    /// Reads the times of these runs, oldest first.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub(super) fn of_runs(
        store: &dyn Store,
        runs: &[RunRow],
        watcher: &dyn Watcher,
    ) -> Result<Self, StoreError> {
        watcher.phase("reading durations");
        watcher.steps(runs.len() as u64);
        let mut seen: Vec<Seen> = Vec::new();
        store.fold(runs, &mut |place, rows| {
            for row in rows {
                let at = row.test.0 as usize;
                if at >= seen.len() {
                    seen.resize(at + 1, Seen::default());
                }
                let Some(one) = seen.get_mut(at) else { continue };
                let skipped = row.outcome == Outcome::Skipped;
                one.skipped_only = skipped && (!one.met || one.skipped_only);
                one.met = true;
                one.last = place as u32;
                if let (Outcome::Passed, Some(duration)) = (row.outcome, row.duration) {
                    one.recent.add(duration);
                }
            }
            watcher.step();
        })?;
        let met = seen.iter().enumerate().filter(|(_, one)| one.met);
        let numbers: Vec<TestNo> = met.map(|(no, _)| TestNo(no as u32)).collect();
        let known = store.tests(&numbers)?.into_iter().map(|row| {
            let one = seen.get(row.no.0 as usize).copied().unwrap_or_default();
            let skipped = one.skipped_only;
            let time = one.recent.middle_mean().or(skipped.then_some(Micros(0)));
            Known { row, time, skipped, last: one.last }
        });
        Ok(Self::of(known.collect(), runs.len() as u32))
    }

    fn of(tests: Vec<Known>, runs: u32) -> Self {
        let mut times = Self { runs, ..Self::default() };
        for (place, known) in tests.iter().enumerate() {
            let row = &known.row;
            times.by_id.insert(row.id, place);
            times.by_number.insert(row.no, place);
            let name = (row.classname.clone(), row.name.clone());
            times.by_name.entry(name).or_default().push(place);
            times.by_label.insert(row.label(), place);
        }
        times.tests = tests;
        times
    }

    /// The time of a test; `None` where the history never saw it pass.
    #[must_use]
    pub fn of_test(&self, test: &TestName, producer: &str) -> Option<Micros> {
        self.find(test, None, producer)?.time
    }

    /// The time of a test of the history.
    pub(super) fn of_number(&self, test: TestNo) -> Option<Micros> {
        self.tests.get(*self.by_number.get(&test)?)?.time
    }

    /// How long each of these tests is likely to take. `producer` names their runner as the reader
    /// of reports does.
    #[must_use]
    pub fn estimate(&self, listed: &[ListedTest], producer: &str) -> Vec<Estimate> {
        let files = self.files(listed);
        let found: Vec<Option<Estimate>> = listed
            .iter()
            .map(|one| match one.test.name.is_empty() {
                true => {
                    let time = files.get(one.test.file.as_str()).copied()?;
                    Some(Estimate { time, source: Source::History })
                }
                false => {
                    let known = self.find(&one.test, one.group.as_deref(), producer)?;
                    let source = if known.skipped { Source::Skipped } else { Source::History };
                    known.time.map(|time| Estimate { time, source })
                }
            })
            .collect();
        let all = self.tests.iter().filter(|known| !known.skipped).filter_map(|known| known.time);
        let all = || median(all.collect());
        fill(listed, &found, all)
    }

    fn find(&self, test: &TestName, group: Option<&str>, producer: &str) -> Option<&Known> {
        let suites: Vec<&str> = test.suite.split(SUITE_SEPARATOR).collect();
        let raw = RawIdentity {
            producer,
            suites: &suites,
            classname: &test.classname,
            name: &test.name,
            file: &test.file,
            ..RawIdentity::default()
        };
        let explained = identify(&raw);
        let class = explained.classname.clone();
        let named = |name: String| self.named(class.clone(), name, test);
        let place = self
            .by_id
            .get(&explained.id)
            .copied()
            .or_else(|| named(explained.name.clone()))
            // pytest-xdist puts the group behind the name in reports as well.
            .or_else(|| named(format!("{}@{}", explained.name, group?)))
            .or_else(|| self.by_label.get(&test.label).copied());
        self.tests.get(place?)
    }

    /// The test of that class and name; of several the one of the same file or suite.
    fn named(&self, classname: String, name: String, test: &TestName) -> Option<usize> {
        let places = self.by_name.get(&(classname, name))?;
        let row = |place: &usize| self.tests.get(*place).map(|known| &known.row);
        match places.as_slice() {
            [only] => Some(*only),
            several => several
                .iter()
                .find(|place| {
                    row(place).is_some_and(|row| {
                        (!row.file.is_empty() && row.file == test.file)
                            || (!row.suite.is_empty() && row.suite == test.suite)
                    })
                })
                .copied(),
        }
    }

    /// What the tests of each listed file take together.
    fn files<'a>(&self, listed: &'a [ListedTest]) -> HashMap<&'a str, Micros> {
        let whole = listed.iter().filter(|one| one.test.name.is_empty());
        let wanted: HashSet<&'a str> = whole.map(|one| one.test.file.as_str()).collect();
        let mut tests: HashMap<&'a str, Vec<&Known>> = HashMap::new();
        if !wanted.is_empty() {
            for known in &self.tests {
                let places = file_names(&known.row);
                if let Some(file) = places.iter().find_map(|name| wanted.get(name.as_str())) {
                    tests.entry(*file).or_default().push(known);
                }
            }
        }
        let sum = |tests: Vec<&Known>| {
            let newest = tests.iter().map(|known| known.last).max().unwrap_or(0);
            let live = tests.into_iter().filter(|known| known.last + GONE_AFTER > newest);
            let times = live.map(|known| known.time.unwrap_or(Micros(0)).0);
            Micros(times.fold(0, u64::saturating_add))
        };
        tests.into_iter().map(|(file, tests)| (file, sum(tests))).collect()
    }
}

impl TimesRequest {
    /// The runs, oldest first.
    pub(super) fn runs(&self, store: &dyn Store) -> Result<Vec<RunRow>, StoreError> {
        Ok(self.runs_and_left_out(store)?.0)
    }

    /// The runs, oldest first, and the number of those that may be shards of this run.
    fn runs_and_left_out(&self, store: &dyn Store) -> Result<(Vec<RunRow>, u32), StoreError> {
        let read = |window: WindowText| {
            let project = self.project.clone();
            JudgeRequest { project, window, ..JudgeRequest::default() }.runs(store)
        };
        let days = self.window.last_days;
        let timed = days.is_some() || self.window.since.is_some();
        let wanted = self.window.last_runs.or((!timed).then_some(DEFAULT_RUNS));
        if self.without_build.is_none() && self.without_shards.is_none() {
            return Ok((read(WindowText { last_runs: wanted, ..self.window.clone() })?, 0));
        }
        // What is left out must push nothing out of the window, so the window is applied last.
        let all = WindowText { last_runs: Some(u32::MAX), last_days: None, ..self.window.clone() };
        let mut runs = read(all)?;
        if self.without_build.is_some() {
            runs.retain(|run| run.build != self.without_build);
        }
        let own = self.own_shards(store, &runs)?;
        runs.retain(|run| !own.contains(&run.no));
        if let (Some(days), Some(newest)) = (days, runs.last()) {
            let from = newest.started.minus_days(days);
            runs.retain(|run| run.started >= from);
        }
        if let Some(wanted) = wanted {
            runs.drain(..runs.len().saturating_sub(wanted as usize));
        }
        Ok((runs, own.len() as u32))
    }

    /// The runs that may be shards of the run that is dealt.
    fn own_shards(&self, store: &dyn Store, runs: &[RunRow]) -> Result<HashSet<RunNo>, StoreError> {
        let Some(of) = &self.without_shards else { return Ok(HashSet::new()) };
        let maybe = |run: &&RunRow| {
            run.build.is_none() && run.revision.as_deref() == Some(of.revision.as_str())
        };
        let maybe: Vec<RunRow> = runs.iter().filter(maybe).cloned().collect();
        let mut own = HashSet::new();
        store.fold(&maybe, &mut |place, rows| {
            let shards = rows.reports.iter().filter_map(|report| report.shard.parse().ok());
            let alike = shards.into_iter().any(|shard: Shard| shard.all() == of.all);
            own.extend(maybe.get(place).filter(|_| alike).map(|run| run.no));
        })?;
        Ok(own)
    }
}

/// The files that a test may stand in, by what its report says: its file, a class or suite that is
/// a path, or the modules of a dotted class.
fn file_names(row: &TestRow) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let suite = row.suite.rsplit(SUITE_SEPARATOR).next().unwrap_or("");
    for text in [row.file.as_str(), row.classname.as_str(), suite] {
        if !text.is_empty() {
            names.push(text.strip_prefix("./").unwrap_or(text).to_owned());
        }
    }
    if !row.classname.contains(['/', ' ']) {
        let mut module = row.classname.as_str();
        loop {
            names.push(format!("{}.py", module.replace('.', "/")));
            let Some((above, _)) = module.rsplit_once('.') else { break };
            module = above;
        }
    }
    names
}

/// A part of a test's name, which its neighbours share.
type Part = fn(&TestName) -> &str;

/// Tests without a time of their own get the median of their neighbours.
fn fill(
    listed: &[ListedTest],
    found: &[Option<Estimate>],
    all: impl FnOnce() -> Option<Micros>,
) -> Vec<Estimate> {
    let parts: [(Source, Part); 3] = [
        (Source::File, |test| &test.file),
        (Source::Class, |test| &test.classname),
        (Source::Suite, |test| &test.suite),
    ];
    let own = || {
        let both = listed.iter().zip(found);
        both.filter_map(|(listed, found)| found.map(|found| (&listed.test, found)))
            .filter(|(_, found)| found.source == Source::History)
    };
    let medians = parts.map(|(_, part)| {
        let mut times: BTreeMap<&str, Vec<Micros>> = BTreeMap::new();
        for (test, found) in own().filter(|(test, _)| !part(test).is_empty()) {
            times.entry(part(test)).or_default().push(found.time);
        }
        let median = |(key, times)| Some((key, median(times)?));
        times.into_iter().filter_map(median).collect::<HashMap<&str, Micros>>()
    });
    let every = median(own().map(|(_, found)| found.time).collect()).or_else(all);
    let guess = |test: &TestName| {
        let mut neighbours = parts.iter().zip(&medians);
        let near = neighbours.find_map(|((source, part), medians)| {
            let time = medians.get(part(test)).copied()?;
            Some(Estimate { time, source: *source })
        });
        near.unwrap_or(match every {
            Some(time) => Estimate { time, source: Source::All },
            None => Estimate { time: Micros(1), source: Source::Nothing },
        })
    };
    listed.iter().zip(found).map(|(one, found)| found.unwrap_or_else(|| guess(&one.test))).collect()
}

/// The lower of the two in the middle.
fn median(mut times: Vec<Micros>) -> Option<Micros> {
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}
