//! The window as the judgement sees it: runs in order of time, and what each test did in them.
//!
//! Most tests never fail. For them a handful of counters is enough; only tests that were bad at
//! least once keep every result. Folding costs O(results) with one visit to one small record each.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::bit_set::BitSet;
use super::kept::Kept;
use super::main_line::MainLine;
use super::origin::{Origins, OriginsBuilder};
use super::settings::OutageSettings;
pub use super::tally::Tally;
use super::verdict::Cell;
use crate::model::{Lane, Micros, Outcome, Repeat, SignatureId, Timestamp};
use crate::store::query::{ResultRow, RunNo, RunRow, RunRows, SignatureRow, TestNo};

/// One run of the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number in the history.
    pub no: RunNo,
    /// When it started.
    pub started: Timestamp,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// Default branch, change, or other.
    pub lane: Lane,
    /// It belongs to the main line: the default branch, or what
    /// `MainLine` takes for it.
    pub on_main: bool,
    /// The matrix cell, as a place in [`History::variants`].
    pub variant: u32,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// Where a person finds its log.
    pub url: Option<String>,
    /// The CI job.
    pub job: Option<String>,
    /// Errors of whole suites.
    pub suite_failures: u32,
    /// Tests that ran, skipped ones left out.
    pub executed: u32,
    /// Tests that failed or errored in the end.
    pub bad: u32,
    /// The time of the last attempt of every test, summed: longer than by the clock where tests ran
    /// at the same time.
    pub time: Micros,
}

impl Run {
    /// The share of its tests that ended badly.
    #[must_use]
    pub fn bad_share(&self) -> f64 {
        if self.executed == 0 { 0.0 } else { f64::from(self.bad) / f64::from(self.executed) }
    }

    /// True where enough tests failed to think of an outage at all.
    #[must_use]
    pub fn failed_in_mass(&self, settings: &OutageSettings) -> bool {
        self.bad >= settings.min_tests && self.bad_share() > settings.share
    }
}

/// One result of a test that keeps its results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The run, as a place in [`History::runs`].
    pub run: u32,
    /// Its place among the rows of the run, which [`Origins::of`] takes.
    pub position: u32,
    duration: f32,
    /// Failed attempts, saturating.
    pub bad_attempts: u16,
    /// The outcome after all attempts.
    pub outcome: Outcome,
    /// How repeated records were understood.
    pub repeat: Repeat,
}

impl Seen {
    fn new(run: u32, position: usize, row: &ResultRow) -> Self {
        Self {
            run,
            position: position as u32,
            duration: row.duration.map_or(f32::NAN, |duration| duration.0 as f32),
            bad_attempts: u16::try_from(row.bad_attempts).unwrap_or(u16::MAX),
            outcome: row.outcome,
            repeat: row.repeat,
        }
    }

    /// The time of the last attempt, to 24 significant bits.
    #[must_use]
    pub fn duration(&self) -> Option<Micros> {
        (!self.duration.is_nan()).then_some(Micros(self.duration as u64))
    }

    /// Passed only after a failed attempt of the same test.
    #[must_use]
    pub fn retried(&self) -> bool {
        self.repeat.is_pass_on_retry(self.outcome, self.bad_attempts.into())
    }

    /// It passed or failed.
    #[must_use]
    pub fn executed(&self) -> bool {
        self.outcome != Outcome::Skipped
    }

    /// It has a failed attempt.
    #[must_use]
    pub fn troubled(&self) -> bool {
        self.outcome.is_bad() || self.retried()
    }

    /// It failed under a name that different tests share, so nobody knows which of them did.
    #[must_use]
    pub fn unclear(&self) -> bool {
        self.outcome.is_bad() && self.repeat == Repeat::Ambiguous
    }

    /// Failed attempts in a row at its end, at least 1 for a bad result.
    ///
    /// Several tests that share a name prove nothing by their number.
    #[must_use]
    pub fn failed_in_a_row(&self) -> u32 {
        match (self.outcome.is_bad(), self.repeat) {
            (false, _) => 0,
            (true, Repeat::Single | Repeat::Retried) => u32::from(self.bad_attempts).max(1),
            (true, Repeat::Repeated | Repeat::Ambiguous) => 1,
        }
    }
}

/// One test in one variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The test.
    pub test: TestNo,
    /// The matrix cell, as a place in [`History::variants`].
    pub variant: u32,
    /// The module that the test stands in; see [`HistoryBuilder::with_modules`].
    pub module: u32,
    /// Its bit in [`History::executed`].
    pub place: u32,
    /// What is counted for every test.
    pub tally: Tally,
    /// All its results, oldest first; only where they were asked for or one was bad.
    pub seen: Vec<Seen>,
}

impl Unit {
    /// Its results as a verdict shows them.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let cell = |seen: &Seen| Cell {
            run: seen.run,
            outcome: seen.outcome,
            retried: seen.retried(),
            duration: seen.duration(),
        };
        self.seen.iter().map(cell).collect()
    }
}

/// The window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Its runs, oldest first.
    pub runs: Vec<Run>,
    /// Its variants as printed, sorted.
    pub variants: Vec<String>,
    /// What was tested, by variant and then by test.
    pub units: Vec<Unit>,
    /// For each run: which tests it executed, by [`Unit::place`].
    pub executed: Vec<BitSet>,
    /// What failures look alike: for runs with several, each failed test with a number of its
    /// failure's signature, sorted by test.
    pub signatures: BTreeMap<u32, Vec<(TestNo, u32)>>,
    /// For each run that failed in mass: the results of tests that keep none, sorted.
    pub quiet_in_mass: BTreeMap<u32, Vec<(TestNo, Outcome)>>,
    /// Which reports the results come from.
    pub origins: Origins,
    /// Tests whose verdict comes with its trail, sorted; empty for none.
    pub asked: Vec<TestNo>,
}

impl History {
    /// True where the trail of a test is wanted.
    #[must_use]
    pub fn asks_for(&self, test: TestNo) -> bool {
        self.asked.binary_search(&test).is_ok()
    }

    /// The run at a place.
    #[must_use]
    pub fn run(&self, place: u32) -> Option<&Run> {
        self.runs.get(place as usize)
    }

    /// The signature of a test's failure in a run, as a number, where it is known.
    #[must_use]
    pub fn signature(&self, run: u32, test: TestNo) -> Option<u32> {
        let of_run = self.signatures.get(&run)?;
        let place = of_run.binary_search_by_key(&test, |(test, _)| *test).ok()?;
        of_run.get(place).map(|(_, signature)| *signature)
    }

    /// A test in a variant as printed.
    #[must_use]
    pub fn unit(&self, test: TestNo, variant: &str) -> Option<&Unit> {
        let variant = self.variants.iter().position(|name| name == variant)? as u32;
        let key = |unit: &Unit| (unit.variant, unit.test);
        let place = self.units.binary_search_by_key(&(variant, test), key).ok()?;
        self.units.get(place)
    }

    /// True where the window has runs of the main line; false for changes alone.
    #[must_use]
    pub fn has_main(&self) -> bool {
        self.runs.iter().any(|run| run.on_main)
    }

    /// True where the run at `place` belongs to the main line.
    #[must_use]
    pub fn is_on_main(&self, place: u32) -> bool {
        self.run(place).is_some_and(|run| run.on_main)
    }
}

/// Builds a [`History`] run by run.
#[derive(Debug)]
pub struct HistoryBuilder {
    runs: Vec<Run>,
    variants: Vec<String>,
    keep: HashSet<TestNo>,
    outage: OutageSettings,
    // One indirection keeps tables small where a file holds other projects' tests too.
    dense: Vec<u32>,
    tests: Vec<TestNo>,
    tallies: Vec<Vec<Tally>>,
    /// Runs of each variant that are still to be added.
    runs_left: Vec<usize>,
    kept: Kept,
    modules: HashMap<TestNo, u32>,
    executed: Vec<BitSet>,
    signatures: BTreeMap<u32, Vec<(TestNo, u32)>>,
    quiet_in_mass: BTreeMap<u32, Vec<(TestNo, Outcome)>>,
    origins: OriginsBuilder,
    /// Where the results that are kept of the last run stand among its rows.
    kept_places: Vec<u32>,
}

const ABSENT: u32 = u32::MAX;

impl HistoryBuilder {
    /// Starts the history of `runs`, oldest first.
    ///
    /// `keep` names the tests whose every result is needed: all that have a bad attempt in the
    /// window, and any others to look at closely. A test that turns out bad without being named
    /// keeps its results from there on only.
    #[must_use]
    pub fn new(runs: &[RunRow], keep: HashSet<TestNo>, outage: &OutageSettings) -> Self {
        let mut variants: Vec<String> = runs.iter().map(|run| run.variant.clone()).collect();
        variants.sort_unstable();
        variants.dedup();
        let place = |variant: &String| variants.binary_search(variant).unwrap_or(0) as u32;
        let main = MainLine::of(runs);
        let runs: Vec<Run> =
            runs.iter().map(|row| run_of(row, place(&row.variant), main.has(row))).collect();
        let mut runs_left = vec![0; variants.len()];
        for run in &runs {
            if let Some(left) = runs_left.get_mut(run.variant as usize) {
                *left += 1;
            }
        }
        Self {
            executed: vec![BitSet::default(); runs.len()],
            runs_left,
            runs,
            modules: HashMap::new(),
            signatures: BTreeMap::new(),
            tallies: vec![Vec::new(); variants.len()],
            variants,
            keep,
            outage: outage.clone(),
            dense: Vec::new(),
            tests: Vec::new(),
            kept: Kept::default(),
            quiet_in_mass: BTreeMap::new(),
            origins: OriginsBuilder::default(),
            kept_places: Vec::new(),
        }
    }

    /// Says which module each test stands in: tests of one module break, and lose their machine,
    /// together. Without it all tests stand in one.
    #[must_use]
    pub fn with_modules(self, modules: HashMap<TestNo, u32>) -> Self {
        Self { modules, ..self }
    }

    /// Adds a run as [`add`](Self::add) does, with the reports that its results come from.
    pub fn add_reports(&mut self, run: usize, rows: &RunRows<'_>) {
        self.add(run, rows);
        self.origins.add(run as u32, rows, &self.kept_places);
    }

    /// Says which failures look alike; of several of one test in one run, the last counts.
    #[must_use]
    pub fn with_signatures(self, rows: &[SignatureRow]) -> Self {
        let places: HashMap<RunNo, u32> =
            (0..).zip(&self.runs).map(|(place, run)| (run.no, place)).collect();
        let mut numbers: HashMap<SignatureId, u32> = HashMap::new();
        let mut signatures: BTreeMap<u32, BTreeMap<TestNo, u32>> = BTreeMap::new();
        for row in rows {
            let next = numbers.len() as u32;
            let number = *numbers.entry(row.signature).or_insert(next);
            if let Some(place) = places.get(&row.run) {
                signatures.entry(*place).or_default().insert(row.test, number);
            }
        }
        let sorted =
            |(place, tests): (u32, BTreeMap<TestNo, u32>)| (place, tests.into_iter().collect());
        Self { signatures: signatures.into_iter().map(sorted).collect(), ..self }
    }

    /// Adds all results of the run at `run`; runs come oldest first, each once, rows in any order.
    ///
    /// A run that was not announced to [`new`](Self::new) is left out.
    pub fn add(&mut self, run: usize, rows: &[ResultRow]) {
        self.kept_places.clear();
        let Some(about) = self.runs.get_mut(run) else { return };
        let (place, variant) = (run as u32, about.variant as usize);
        let lines = Tally::lines_of(about.lane, about.on_main);
        for row in rows {
            about.executed += u32::from(row.outcome != Outcome::Skipped);
            about.bad += u32::from(row.outcome.is_bad());
            about.time.0 += row.duration.map_or(0, |took| took.0);
        }
        let in_mass = about.failed_in_mass(&self.outage);
        if let Some(left) = self.runs_left.get_mut(variant) {
            *left = left.saturating_sub(1);
        }
        let mut quiet = Vec::new();
        let mut executed = BitSet::default();
        for (position, row) in rows.iter().enumerate() {
            let test = self.dense_place(row.test);
            let Some(table) = self.tallies.get_mut(variant) else { return };
            if test as usize >= table.len() {
                table.resize(test as usize + 1, Tally::default());
            }
            let Some(tally) = table.get_mut(test as usize) else { return };
            // Asked once for each unit: hashing every row would cost more than all the rest.
            let asked_for = tally.is_new() && self.keep.contains(&row.test);
            let troubled = row.bad_attempts > 0 || row.outcome.is_bad();
            tally.count(place, lines, row);
            if row.outcome != Outcome::Skipped {
                executed.insert(test);
            }
            if tally.kept == 0 && (troubled || asked_for) {
                tally.kept = self.kept.open() + 1;
            }
            match tally.kept.checked_sub(1) {
                Some(list) => {
                    self.kept_places.push(position as u32);
                    self.kept.push(list, Seen::new(place, position, row));
                }
                None if in_mass => quiet.push((row.test, row.outcome)),
                None => {}
            }
        }
        self.kept.end_run(self.runs_left.iter().copied().max().unwrap_or(0));
        if let Some(slot) = self.executed.get_mut(run) {
            *slot = executed;
        }
        if in_mass {
            quiet.sort_unstable();
            self.quiet_in_mass.insert(place, quiet);
        }
    }

    /// The finished history.
    #[must_use]
    pub fn finish(mut self) -> History {
        let mut order: Vec<u32> = (0..self.tests.len() as u32).collect();
        order.sort_unstable_by_key(|&dense| self.tests.get(dense as usize).copied());
        let mut lists = self.kept.finish();
        let mut units = Vec::new();
        for (variant, table) in self.tallies.iter_mut().enumerate() {
            for &dense in &order {
                let Some(tally) = table.get(dense as usize) else { continue };
                let Some(&test) = self.tests.get(dense as usize) else { continue };
                if tally.is_new() {
                    continue;
                }
                let place = (tally.kept as usize).wrapping_sub(1);
                let mut seen = lists.get_mut(place).map(std::mem::take).unwrap_or_default();
                seen.sort_by_key(|seen| seen.run);
                units.push(Unit {
                    test,
                    variant: variant as u32,
                    module: self.modules.get(&test).copied().unwrap_or(0),
                    place: dense,
                    tally: *tally,
                    seen,
                });
            }
            *table = Vec::new();
        }
        History {
            runs: self.runs,
            variants: self.variants,
            units,
            executed: self.executed,
            signatures: self.signatures,
            quiet_in_mass: self.quiet_in_mass,
            origins: self.origins.finish(),
            asked: Vec::new(),
        }
    }

    fn dense_place(&mut self, test: TestNo) -> u32 {
        let at = test.0 as usize;
        if at >= self.dense.len() {
            self.dense.resize(at + 1, ABSENT);
        }
        match self.dense.get_mut(at) {
            Some(place) if *place == ABSENT => {
                *place = self.tests.len() as u32;
                self.tests.push(test);
                *place
            }
            Some(place) => *place,
            None => 0,
        }
    }
}

fn run_of(row: &RunRow, variant: u32, on_main: bool) -> Run {
    Run {
        no: row.no,
        started: row.started,
        revision: row.revision.clone(),
        branch: row.branch.clone(),
        lane: row.lane,
        on_main,
        variant,
        build: row.build.clone(),
        attempt: row.attempt,
        url: row.url.clone(),
        job: row.job.clone(),
        suite_failures: row.suite_failures,
        executed: 0,
        bad: 0,
        time: Micros(0),
    }
}
