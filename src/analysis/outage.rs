//! Outages: runs in which far more tests failed than their own rates explain.
//!
//! A dead database fails half of a suite at once. Such a run says nothing about any one test, so
//! all of it is set aside. A bad commit that keeps failing looks the same at first; what tells an
//! outage is that the same tests passed right before and right after it, or on the same revision.
//!
//! The rule, for a run with more than `share` (20 %) and at least `min_tests` (3) of its tests bad:
//! 1. its share is also more than `times_median` (5) times the median of its lane and variant;
//! 2. it stands in a row of at most `max_runs` (2) such runs of its line (one lane, variant and,
//!    beside the main line, branch);
//! 3. against every neighbour of that row, enough tests failed here and passed there to meet the
//!    limits again, and there is a later neighbour, or one of the same revision.
//!
//! A bad commit that is mended by the next one is set aside too: it is no sign of flakiness either.

use std::collections::{BTreeMap, HashMap};

use super::history::{History, Run};
use super::settings::OutageSettings;
use crate::model::Lane;

/// Which runs are outages, one flag for each run of the history.
#[must_use]
pub fn find(history: &History, settings: &OutageSettings) -> Vec<bool> {
    let mut outages = vec![false; history.runs.len()];
    let suspects: Vec<bool> = suspects(history, settings);
    if !suspects.contains(&true) {
        return outages;
    }
    let differences = Differences::new(history, &suspects);
    for line in lines(history).values() {
        let mut at = 0;
        while at < line.len() {
            let row = line.iter().skip(at).take_while(|&&run| flag(&suspects, run)).count();
            if row > 0 && row <= settings.max_runs as usize {
                let before = at.checked_sub(1).and_then(|place| line.get(place)).copied();
                let after = line.get(at + row).copied();
                for &run in line.iter().skip(at).take(row) {
                    let over = |other: u32| differences.mass(history, run, other, settings);
                    let outage = match (before.map(over), after.map(over)) {
                        (Some(false), _) | (_, Some(false)) => false,
                        (_, Some(true)) => true,
                        (_, None) => retried_clean(history, run).any(over),
                    };
                    if let Some(place) = outages.get_mut(run as usize) {
                        *place = outage;
                    }
                }
            }
            at += row.max(1);
        }
    }
    outages
}

fn flag(flags: &[bool], run: u32) -> bool {
    flags.get(run as usize).copied().unwrap_or(false)
}

/// Runs that meet the limits on their own numbers.
fn suspects(history: &History, settings: &OutageSettings) -> Vec<bool> {
    let mut shares: HashMap<(Lane, u32), Vec<f64>> = HashMap::new();
    for run in history.runs.iter().filter(|run| run.executed > 0) {
        shares.entry((run.lane, run.variant)).or_default().push(run.bad_share());
    }
    let medians: HashMap<(Lane, u32), f64> =
        shares.into_iter().map(|(line, shares)| (line, lower_median(shares))).collect();
    let is_suspect = |run: &Run| {
        let median = medians.get(&(run.lane, run.variant)).copied().unwrap_or(0.0);
        run.failed_in_mass(settings) && run.bad_share() > settings.times_median * median
    };
    history.runs.iter().map(is_suspect).collect()
}

fn lower_median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(0.0)
}

/// The runs of each line, oldest first; runs without results belong to none.
fn lines(history: &History) -> BTreeMap<(Lane, u32, &str), Vec<u32>> {
    let mut lines: BTreeMap<(Lane, u32, &str), Vec<u32>> = BTreeMap::new();
    for (place, run) in history.runs.iter().enumerate().filter(|(_, run)| run.executed > 0) {
        let branch = if run.on_main { "" } else { run.branch.as_deref().unwrap_or("") };
        lines.entry((run.lane, run.variant, branch)).or_default().push(place as u32);
    }
    lines
}

/// Other runs of the revision and variant of `run`.
fn retried_clean(history: &History, run: u32) -> impl Iterator<Item = u32> {
    let about = history.run(run);
    let same = move |other: &Run| {
        about.is_some_and(|about| {
            about.revision.is_some()
                && about.revision == other.revision
                && about.variant == other.variant
        })
    };
    (0_u32..)
        .zip(&history.runs)
        .filter(move |(place, other)| *place != run && same(other))
        .map(|(place, _)| place)
}

/// For suspect runs: which kept units were bad there, to compare with other runs.
struct Differences {
    bad_units: HashMap<u32, Vec<u32>>,
}

impl Differences {
    fn new(history: &History, suspects: &[bool]) -> Self {
        let mut bad_units: HashMap<u32, Vec<u32>> = HashMap::new();
        for (place, unit) in (0_u32..).zip(&history.units) {
            for seen in unit.seen.iter().filter(|seen| seen.outcome.is_bad()) {
                if flag(suspects, seen.run) {
                    bad_units.entry(seen.run).or_default().push(place);
                }
            }
        }
        Self { bad_units }
    }

    /// True where the tests that failed in `run` and passed in `other` are a mass by themselves.
    fn mass(&self, history: &History, run: u32, other: u32, settings: &OutageSettings) -> bool {
        let passed_there = |unit: &&u32| {
            let Some(unit) = history.units.get(**unit as usize) else { return false };
            let place = unit.seen.binary_search_by_key(&other, |seen| seen.run);
            let seen = place.ok().and_then(|place| unit.seen.get(place));
            seen.is_some_and(|seen| seen.executed() && !seen.outcome.is_bad())
        };
        let bad = self.bad_units.get(&run).map_or(&[][..], Vec::as_slice);
        let differ = bad.iter().filter(passed_there).count() as u32;
        history
            .run(run)
            .is_some_and(|about| Run { bad: differ, ..about.clone() }.failed_in_mass(settings))
    }
}
