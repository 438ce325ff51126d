//! What the history knows of the tests of a run, from the runs before it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{Lane, Outcome, ReportHash, RunContext, TestId, Timestamp, Variant, in_variant};
use crate::quarantine::gate::expected::{Missing, choose};
use crate::quarantine::gate::news::{PastResult, tell};
use crate::quarantine::gate::{Expected, GateSettings, News, Record};
use crate::quarantine::list::Pattern;
use crate::store::query::{RunRow, RunRows, TestNo, Window};
use crate::store::{Store, StoreError};

use super::results::Cell;

/// Runs that are looked at at most: a matrix of 50 cells in its last 100 builds.
const RUNS_LOOKED_AT: u32 = 5_000;
/// A report's own start may lie so far before the given one: seconds that were cut off.
const START_SLACK_MS: i64 = 2_000;

/// What the history knows.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The tests that should have run; `None` where nothing was asked.
    pub(super) expected: Option<Expected>,
    tests: HashMap<(TestId, String), Vec<Earlier>>,
    asked: bool,
}

/// One earlier result of a test.
#[derive(Debug, Clone, Copy)]
struct Earlier {
    result: PastResult,
    this_branch: bool,
}

/// What the history knows of one test.
pub(super) struct PastTest {
    /// What it did, this run included.
    pub(super) record: Record,
    /// What is new about it.
    pub(super) news: News,
}

impl Past {
    /// What is known of a test that ended like this.
    pub(super) fn of(&mut self, id: TestId, variant: &str, outcome: Outcome) -> Option<PastTest> {
        if !self.asked {
            return None;
        }
        let earlier = self.tests.remove(&(id, variant.to_owned())).unwrap_or_default();
        let bad = outcome.is_bad();
        let of = |kept: &mut dyn Iterator<Item = &Earlier>| -> Vec<bool> {
            kept.map(|earlier| earlier.result.bad).chain([bad]).collect()
        };
        let everywhere = of(&mut earlier.iter());
        let branch = of(&mut earlier.iter().filter(|earlier| earlier.this_branch));
        // All of them, or none but this one: nothing that the whole does not say.
        let own = branch.len() > 1 && branch.len() < everywhere.len();
        let branch = if own { branch } else { Vec::new() };
        let results: Vec<PastResult> = earlier.iter().map(|earlier| earlier.result).collect();
        Some(PastTest { record: Record { everywhere, branch }, news: tell(&results, bad) })
    }
}

/// The run at hand.
pub(super) struct ThisRun<'a> {
    /// Where it stands.
    pub(super) context: &'a RunContext,
    /// When it started.
    pub(super) started: Timestamp,
    /// The runs of the history that have its reports.
    pub(super) with: &'a [(ReportHash, RunRow)],
}

impl ThisRun<'_> {
    /// True for the run at hand, ingested already.
    pub(super) fn is(&self, run: &RunRow) -> bool {
        let same_build = self.context.build.is_some()
            && self.context.build == run.build
            && self.context.attempt == run.attempt;
        same_build || run.started.0 >= self.started.0.saturating_sub(START_SLACK_MS)
    }

    /// True for a run that cannot judge this one: it is this one, or has reports of it.
    fn is_no_judge(&self, run: &RunRow) -> bool {
        self.is(run) || self.with.iter().any(|(_, with)| with.no == run.no)
    }

    /// True where a run tested the change at hand, so that its failures may be that change's.
    fn is_this_change(&self, run: &RunRow) -> bool {
        let same_branch = self.context.branch.is_some() && self.context.branch == run.branch;
        let on_branch = same_branch && self.context.lane != Lane::Default;
        on_branch || self.is_this_revision(run)
    }

    fn is_this_revision(&self, run: &RunRow) -> bool {
        self.context.revision.is_some() && self.context.revision == run.revision
    }
}

/// Asks the history.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn ask(
    store: &dyn Store,
    this: &ThisRun<'_>,
    mut bases: Vec<Variant>,
    dialect_keys: &BTreeSet<String>,
    cells: &BTreeMap<(TestId, String), Cell>,
    settings: &GateSettings,
) -> Result<Past, StoreError> {
    let project = &this.context.project;
    if bases.is_empty() {
        bases.push(this.context.variant.clone());
    }
    let window =
        Window { last_runs: Some(RUNS_LOOKED_AT), until: Some(this.started), ..Window::default() };
    let mut runs = store.runs(project, &window)?;
    let matrix = Matrix::new(bases, dialect_keys);
    runs.retain(|run| !this.is_no_judge(run) && matrix.has(&run.variant));
    let groups = groups(&runs, &matrix);
    let own = last_of(&groups, this.context.lane, settings);
    let default = last_of(&groups, Lane::Default, settings);
    let interesting: Vec<(&(TestId, String), &Cell)> =
        cells.iter().filter(|(_, cell)| cell.detail.is_some()).collect();
    let ids: Vec<TestId> = interesting.iter().map(|((id, _), _)| *id).collect();
    let numbers = store.find_tests(project, &ids)?;
    let wanted: HashMap<TestNo, TestId> =
        numbers.iter().zip(&ids).filter_map(|(no, id)| Some(((*no)?, *id))).collect();
    let variants: BTreeSet<&str> = interesting.iter().map(|((_, v), _)| v.as_str()).collect();
    let record =
        if wanted.is_empty() { BTreeSet::new() } else { of_record(&runs, &variants, settings) };
    let mut folding = Folding {
        this,
        wanted: &wanted,
        record: &record,
        executed: own
            .iter()
            .chain(&default)
            .flat_map(|group| &group.runs)
            .map(|run| (*run, Vec::new()))
            .collect(),
        tests: HashMap::new(),
    };
    folding.fold(store, &runs)?;
    let Folding { executed, tests, .. } = folding;
    let sets = |groups: &[&Group]| -> Vec<Vec<Key>> {
        groups.iter().map(|group| group.executed(&executed, &runs)).collect()
    };
    let chosen = choose((this.context.lane, &sets(&own)), &sets(&default), settings);
    let expected = match chosen {
        Err(runs) => Expected::Unknown { runs, needed: settings.expected_min_runs },
        Ok((lane, usual)) => Expected::Known {
            lane,
            runs: usual.runs,
            tests: usual.tests.len() as u32,
            missing: missing(store, &usual.tests, cells, settings)?,
        },
    };
    Ok(Past { expected: Some(expected), tests, asked: true })
}

/// A test in a matrix cell.
type Key = (TestNo, String);

/// Which matrix cells belong to the run at hand.
struct Matrix<'a> {
    bases: Vec<Variant>,
    dialect_keys: &'a BTreeSet<String>,
}

impl<'a> Matrix<'a> {
    fn new(mut bases: Vec<Variant>, dialect_keys: &'a BTreeSet<String>) -> Self {
        bases.sort();
        bases.dedup();
        Self { bases, dialect_keys }
    }

    /// True for one of the bases, with or without what reports add to it themselves.
    fn has(&self, variant: &str) -> bool {
        let Ok(variant) = variant.parse::<Variant>() else { return false };
        let bare = variant
            .pairs()
            .filter(|(key, _)| !self.dialect_keys.contains(*key))
            .fold(Variant::default(), |kept, (key, value)| kept.with(key, value));
        self.bases.iter().any(|base| *base == variant || *base == bare)
    }

    /// True where one run of the suite may be several runs of the history.
    fn is_several(&self) -> bool {
        self.bases.len() > 1 || !self.dialect_keys.is_empty()
    }
}

/// Runs of the history that were one run of the suite.
struct Group {
    lane: Lane,
    complete: bool,
    /// Places among all runs.
    runs: Vec<usize>,
}

impl Group {
    fn executed(&self, executed: &HashMap<usize, Vec<TestNo>>, runs: &[RunRow]) -> Vec<Key> {
        let of = |place: &usize| {
            let variant = runs.get(*place).map_or("", |run| run.variant.as_str());
            let tests = executed.get(place).map(Vec::as_slice).unwrap_or_default();
            tests.iter().map(move |test| (*test, variant.to_owned()))
        };
        self.runs.iter().flat_map(of).collect()
    }
}

/// One group for each run of the suite, oldest first.
fn groups(runs: &[RunRow], matrix: &Matrix<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, run) in runs.iter().enumerate() {
        let revision = run.revision.as_deref().unwrap_or("");
        let key = match (&run.build, matrix.is_several()) {
            (_, false) => format!("run {place}"),
            (Some(build), true) => format!("build {build}/{}/{revision}", run.attempt),
            (None, true) => format!("start {}/{revision}", run.started.0),
        };
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => {
                group.complete &= run.complete;
                group.runs.push(place);
            }
            None => {
                groups.push(Group { lane: run.lane, complete: run.complete, runs: vec![place] });
            }
        }
    }
    groups
}

/// The last groups of a lane that were read whole.
fn last_of<'a>(groups: &'a [Group], lane: Lane, settings: &GateSettings) -> Vec<&'a Group> {
    let of_lane = groups.iter().rev().filter(|group| group.lane == lane && group.complete);
    let mut last: Vec<&Group> = of_lane.take(settings.expected_runs as usize).collect();
    last.reverse();
    last
}

/// The last runs of each of these variants.
fn of_record(
    runs: &[RunRow],
    variants: &BTreeSet<&str>,
    settings: &GateSettings,
) -> BTreeSet<usize> {
    let mut left: HashMap<&str, u32> =
        variants.iter().map(|variant| (*variant, settings.record_runs)).collect();
    let mut places = BTreeSet::new();
    for (place, run) in runs.iter().enumerate().rev() {
        if let Some(left) = left.get_mut(run.variant.as_str()).filter(|left| **left > 0) {
            *left -= 1;
            places.insert(place);
        }
    }
    places
}

/// What is picked up while runs are read.
struct Folding<'a> {
    this: &'a ThisRun<'a>,
    wanted: &'a HashMap<TestNo, TestId>,
    record: &'a BTreeSet<usize>,
    /// The tests that each of these runs executed.
    executed: HashMap<usize, Vec<TestNo>>,
    tests: HashMap<(TestId, String), Vec<Earlier>>,
}

impl Folding<'_> {
    fn fold(&mut self, store: &dyn Store, runs: &[RunRow]) -> Result<(), StoreError> {
        let mut places: BTreeSet<usize> = self.executed.keys().copied().collect();
        places.extend(self.record);
        let places: Vec<usize> = places.into_iter().collect();
        let chosen: Vec<RunRow> =
            places.iter().filter_map(|place| runs.get(*place).cloned()).collect();
        store.fold(&chosen, &mut |at, rows| {
            if let (Some(place), Some(run)) = (places.get(at), chosen.get(at)) {
                self.add(*place, run, rows);
            }
        })
    }

    fn add(&mut self, place: usize, run: &RunRow, rows: &RunRows<'_>) {
        if let Some(executed) = self.executed.get_mut(&place) {
            let ran = rows.into_iter().filter(|row| row.outcome != Outcome::Skipped);
            let tests: HashSet<TestNo> = ran.map(|row| row.test).collect();
            executed.extend(tests);
        }
        if !self.record.contains(&place) {
            return;
        }
        for row in rows {
            let Some(id) = self.wanted.get(&row.test) else { continue };
            if row.outcome == Outcome::Skipped {
                continue;
            }
            let branch = &self.this.context.branch;
            self.tests.entry((*id, run.variant.clone())).or_default().push(Earlier {
                result: PastResult {
                    lane: run.lane,
                    this_change: self.this.is_this_change(run),
                    this_revision: self.this.is_this_revision(run),
                    bad: row.outcome.is_bad(),
                    flaky: row.is_flaky(),
                },
                this_branch: branch.is_some() && *branch == run.branch,
            });
        }
    }
}

/// The expected tests that did not run.
fn missing(
    store: &dyn Store,
    expected: &[Key],
    cells: &BTreeMap<(TestId, String), Cell>,
    settings: &GateSettings,
) -> Result<Vec<Missing>, StoreError> {
    let removed: Vec<Pattern> = settings.removed.iter().map(Pattern::new).collect();
    let numbers: Vec<TestNo> = expected.iter().map(|(test, _)| *test).collect();
    let rows = store.tests(&numbers)?;
    let mut missing: Vec<Missing> = Vec::new();
    for (row, (_, variant)) in rows.iter().zip(expected) {
        let outcome = cells.get(&(row.id, variant.clone())).map(|cell| cell.outcome);
        if outcome.is_some_and(|outcome| outcome != Outcome::Skipped) {
            continue;
        }
        let label = row.label();
        let name = in_variant(&label, variant);
        missing.push(Missing::new(name, &label, outcome.is_some(), &removed));
    }
    missing.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(missing)
}

#[cfg(test)]
mod tests;
