//! Which tests should have run: those that ran in nearly all of the last runs.

use std::collections::BTreeMap;

use crate::model::Lane;
use crate::quarantine::list::Pattern;

use super::settings::GateSettings;

/// A run with less than this share of the median number of tests was no whole run: one that was
/// filtered, or died early. It says nothing about what a run should hold.
const WHOLE_SHARE: f64 = 0.5;

/// What the history says about the tests that should have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It was not asked, or cannot say.
    Unknown {
        /// Whole runs of this lane and variant, or of the default branch where that has more.
        runs: u32,
        /// So many are needed.
        needed: u32,
    },
    /// It knows.
    Known {
        /// The lane whose runs tell.
        lane: Lane,
        /// How many runs tell.
        runs: u32,
        /// How many tests they expect.
        tests: u32,
        /// Those that did not run, by name.
        missing: Vec<Missing>,
    },
}

/// An expected test that did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The test with its variant, as it is printed.
    pub name: String,
    /// Whether it is there and was skipped, where it always ran before.
    pub skipped: bool,
    /// Whether somebody said that it was removed on purpose.
    pub removed: bool,
}

impl Missing {
    /// A test that did not run; `removed` are the patterns of those removed on purpose.
    #[must_use]
    pub fn new(name: String, label: &str, skipped: bool, removed: &[Pattern]) -> Self {
        let removed =
            removed.iter().any(|pattern| pattern.matches(label) || pattern.matches(&name));
        Self { name, skipped, removed }
    }
}

/// The tests that runs usually execute, and how many runs say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usual<K> {
    /// The tests.
    pub tests: Vec<K>,
    /// Whole runs behind them.
    pub runs: u32,
}

/// What the last runs usually execute: the tests of at least [`GateSettings::expected_share`] of the
/// last [`GateSettings::expected_runs`] whole runs; without tests where there are fewer than
/// [`GateSettings::expected_min_runs`].
///
/// `runs` hold the tests that each run executed, once each, oldest first.
#[must_use]
pub fn usual<K: Ord + Clone>(runs: &[Vec<K>], settings: &GateSettings) -> Usual<K> {
    let wanted = settings.expected_runs as usize;
    let last = runs.get(runs.len().saturating_sub(wanted)..).unwrap_or_default();
    let mut sizes: Vec<usize> = last.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or(0) as f64;
    let whole: Vec<&Vec<K>> = last
        .iter()
        .filter(|run| !run.is_empty() && run.len() as f64 >= WHOLE_SHARE * median)
        .collect();
    let counted = whole.len();
    if counted < settings.expected_min_runs as usize {
        return Usual { tests: Vec::new(), runs: counted as u32 };
    }
    let mut times: BTreeMap<&K, usize> = BTreeMap::new();
    for test in whole.iter().flat_map(|run| run.iter()) {
        *times.entry(test).or_default() += 1;
    }
    // Rounding must not ask for more than the share says: 0.9 × 10 is 9, not a hair above it.
    let least = (settings.expected_share * counted as f64 - 1e-9).ceil() as usize;
    let tests = times.into_iter().filter(|(_, times)| *times >= least);
    Usual { tests: tests.map(|(test, _)| test.clone()).collect(), runs: counted as u32 }
}

/// Of the runs of a lane and those of the default branch, which tell: the lane's own where they
/// can, else the default branch's.
///
/// # Errors
/// How many whole runs there are at most, where neither can tell.
pub fn choose<K: Ord + Clone>(
    lane: (Lane, &[Vec<K>]),
    default: &[Vec<K>],
    settings: &GateSettings,
) -> Result<(Lane, Usual<K>), u32> {
    let own = usual(lane.1, settings);
    if !own.tests.is_empty() {
        return Ok((lane.0, own));
    }
    let other = usual(default, settings);
    match other.tests.is_empty() {
        false => Ok((Lane::Default, other)),
        true => Err(own.runs.max(other.runs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> GateSettings {
        GateSettings::default()
    }

    /// Runs in which test `n` of 10 ran in the last `times[n]` of `runs` runs; nine others always.
    fn runs(runs: usize, times: &[usize]) -> Vec<Vec<usize>> {
        (0..runs)
            .map(|run| {
                let ran = |test: &usize| run >= runs - times[*test];
                (0..times.len()).filter(ran).chain(100..109).collect()
            })
            .collect()
    }

    fn expects(history: &[Vec<usize>], test: usize) -> bool {
        usual(history, &settings()).tests.contains(&test)
    }

    #[test]
    fn nine_of_ten_runs_make_a_test_expected_and_fewer_do_not() {
        let history = runs(20, &[20, 18, 17]);
        assert!(expects(&history, 0) && expects(&history, 1) && !expects(&history, 2));
        let history = runs(10, &[10, 9, 8]);
        assert!(expects(&history, 0) && expects(&history, 1) && !expects(&history, 2));
        assert_eq!(usual(&history, &settings()).runs, 10);
    }

    #[test]
    fn only_the_last_twenty_runs_count() {
        // The first 30 runs lacked it, the last 18 had it: enough, as nothing older counts.
        assert!(expects(&runs(48, &[18]), 0));
        assert!(!expects(&runs(48, &[17]), 0));
        assert_eq!(usual(&runs(48, &[18]), &settings()).runs, 20);
    }

    #[test]
    fn too_few_runs_say_nothing() {
        let usual_of = |n| usual(&runs(n, &[n]), &settings());
        assert_eq!(usual_of(4), Usual { tests: Vec::new(), runs: 4 });
        assert_eq!((usual_of(5).tests.len(), usual_of(5).runs), (10, 5));
        assert_eq!(usual::<u32>(&[], &settings()).runs, 0);
    }

    #[test]
    fn partial_and_empty_runs_say_nothing() {
        let mut history = runs(10, &[10]);
        // Ten tests are usual: five are half, four are less.
        history.extend([(0..5).collect(), (0..4).collect(), Vec::new()]);
        let usual = usual(&history, &settings());
        assert_eq!(usual.runs, 11);
        assert!(usual.tests.contains(&0));
    }

    #[test]
    fn the_default_branch_tells_where_the_lane_cannot() {
        let (few, many) = (runs(4, &[4]), runs(9, &[9]));
        let of = |lane: &[Vec<usize>], default: &[Vec<usize>]| {
            choose((Lane::Change, lane), default, &settings())
                .map(|(lane, usual)| (lane, usual.runs))
        };
        assert_eq!(of(&many, &few), Ok((Lane::Change, 9)));
        assert_eq!(of(&few, &many), Ok((Lane::Default, 9)));
        assert_eq!(of(&few, &[]), Err(4));
        assert_eq!(of(&[], &few), Err(4));
        // Runs that share no test expect nothing, which is no knowledge.
        let strange: Vec<Vec<usize>> = (0..10).map(|run| vec![run]).collect();
        assert_eq!(of(&strange, &[]), Err(10));
    }

    #[test]
    fn removed_tests_are_told_by_label_or_by_name() {
        let removed = [Pattern::new("old.*"), Pattern::new("a::b [os=mac]")];
        let of =
            |name: &str, label: &str| Missing::new(name.into(), label, false, &removed).removed;
        assert!(
            of("old.x", "old.x") && of("old.x [os=mac]", "old.x") && of("a::b [os=mac]", "a::b")
        );
        assert!(!of("a::b [os=linux]", "a::b") && !of("new.x", "new.x"));
    }
}
