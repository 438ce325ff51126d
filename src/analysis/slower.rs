//! Pace: which tests take longer than they did, and since when.
//!
//! Of each test and variant the times of its passes on the main line are a series; where its level
//! changes is found by Pettitt's test. Over all tests that are asked the rate of false discoveries is
//! held (Benjamini and Hochberg), and a change is only told where it is large enough to matter.
//!
//! In bounded memory: of a test with more than [`PASSES_KEPT`] passes every second, fourth, …, is
//! kept, evenly over the window: at most 0.6 kB for each test and variant.

use std::collections::BTreeMap;

use super::statistics::change::pettitt;
use super::statistics::discovery::Family;
use super::verdict::JudgedRun;
use crate::model::{Micros, Outcome};
use crate::store::query::{ResultRow, TestNo};

/// Passes kept for each test and variant: even, so that halving keeps them evenly apart.
pub const PASSES_KEPT: usize = 64;

/// When a change of pace is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaceSettings {
    /// Tests with fewer passes are not asked.
    pub passes_min: usize,
    /// Fewest passes on either side of a change.
    pub side_min: usize,
    /// From this ratio of the medians on.
    pub ratio: f64,
    /// And from this difference of the medians on. Tests whose times all lie closer together are
    /// not asked: that does not depend on their order, so it costs the others nothing.
    pub difference: Micros,
    /// Share of the changes that may be chance, over all tests that are asked.
    pub false_discovery_rate: f64,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self {
            passes_min: 12,
            side_min: 5,
            ratio: 1.25,
            difference: Micros(100_000),
            false_discovery_rate: 0.05,
        }
    }
}

/// One test in one variant that takes another time than before.
#[derive(Debug, Clone, PartialEq)]
pub struct PaceChange {
    /// The test.
    pub test: TestNo,
    /// The matrix cell as printed.
    pub variant: String,
    /// The median before the change.
    pub before: Micros,
    /// The median since.
    pub after: Micros,
    /// Passes that were compared, before and since.
    pub passes: (u32, u32),
    /// The last run before the change that was compared, as a place among the runs.
    pub last_before: u32,
    /// The first run since, as a place among the runs.
    pub first_after: u32,
    /// The chance of a change this large where there is none.
    pub p: f64,
    /// The same, adjusted for all tests that were asked.
    pub q: f64,
}

impl PaceChange {
    /// It takes longer than before.
    #[must_use]
    pub fn is_slower(&self) -> bool {
        self.after > self.before
    }

    /// How much longer a run takes for it; shorter where it is negative. In seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.after.as_seconds() - self.before.as_seconds()
    }
}

/// What changed its pace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pace {
    /// Tests and variants that are slower, the largest difference first.
    pub slower: Vec<PaceChange>,
    /// Those that are faster, the largest difference first.
    pub faster: Vec<PaceChange>,
    /// Tests and variants that were asked.
    pub asked: u32,
    /// Those with too few passes to ask.
    pub too_few: u32,
    /// Those whose times all lie too close together to matter.
    pub too_quick: u32,
}

/// The times of one test in one variant, thinned evenly.
#[derive(Debug, Clone, Default)]
struct Passes {
    /// The run, as a place among the runs, and the microseconds to 24 significant bits.
    kept: Vec<(u32, f32)>,
    seen: u32,
    /// Every so many passes one is kept, as a power of two.
    thinned: u32,
}

impl Passes {
    fn add(&mut self, run: u32, duration: Micros) {
        if self.seen.is_multiple_of(1 << self.thinned.min(31)) {
            if self.kept.len() == PASSES_KEPT {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.thinned += 1;
            }
            // The 65th of each halving is a multiple of the new distance as well.
            self.kept.push((run, duration.0 as f32));
        }
        self.seen = self.seen.saturating_add(1);
    }
}

const ABSENT: u32 = u32::MAX;

/// Gathers the times of passes, run by run.
#[derive(Debug)]
pub struct PaceBuilder {
    /// Each run's variant, as a place in `variants`; `None` for one that is left out.
    counted: Vec<Option<usize>>,
    variants: Vec<String>,
    /// For each variant and test number: the place of its times.
    places: Vec<Vec<u32>>,
    passes: Vec<(usize, TestNo, Passes)>,
}

impl PaceBuilder {
    /// Starts with the runs of a judgement, oldest first. Outages are left out, and where there is
    /// a main line everything else as well.
    #[must_use]
    pub fn new(runs: &[JudgedRun]) -> Self {
        let main_line = runs.iter().any(|run| run.on_main);
        let mut variants: BTreeMap<&str, usize> = BTreeMap::new();
        let mut counted = Vec::with_capacity(runs.len());
        for run in runs {
            let counts = !run.outage && (run.on_main || !main_line);
            let next = variants.len();
            counted.push(counts.then(|| *variants.entry(run.variant.as_str()).or_insert(next)));
        }
        let mut names = vec![String::new(); variants.len()];
        for (name, place) in variants {
            if let Some(slot) = names.get_mut(place) {
                name.clone_into(slot);
            }
        }
        Self { counted, places: vec![Vec::new(); names.len()], variants: names, passes: Vec::new() }
    }

    /// Adds the results of the run at this place; runs come oldest first, each once.
    pub fn add(&mut self, run: usize, rows: &[ResultRow]) {
        let Some(Some(variant)) = self.counted.get(run).copied() else { return };
        let Some(places) = self.places.get_mut(variant) else { return };
        for row in rows {
            // The time of a pass on retry is that of the last attempt: a pass like any other.
            let (Outcome::Passed, Some(duration)) = (row.outcome, row.duration) else { continue };
            let at = row.test.0 as usize;
            if at >= places.len() {
                places.resize(at + 1, ABSENT);
            }
            let Some(place) = places.get_mut(at) else { continue };
            if *place == ABSENT {
                *place = self.passes.len() as u32;
                self.passes.push((variant, row.test, Passes::default()));
            }
            if let Some((_, _, passes)) = self.passes.get_mut(*place as usize) {
                passes.add(run as u32, duration);
            }
        }
    }

    /// Which tests changed their pace.
    #[must_use]
    pub fn finish(self, settings: &PaceSettings) -> Pace {
        let mut pace = Pace::default();
        let mut found: Vec<PaceChange> = Vec::new();
        let mut asked: Vec<f64> = Vec::new();
        for (variant, test, passes) in &self.passes {
            let values: Vec<f64> =
                passes.kept.iter().map(|(_, micros)| f64::from(*micros)).collect();
            if values.len() < settings.passes_min.max(2 * settings.side_min) {
                pace.too_few += 1;
                continue;
            }
            let spread = values.iter().copied().fold(0.0, f64::max)
                - values.iter().copied().fold(f64::INFINITY, f64::min);
            if spread < settings.difference.0 as f64 {
                pace.too_quick += 1;
                continue;
            }
            let Some(change) = pettitt(&values, settings.side_min) else { continue };
            asked.push(change.p);
            let variant = self.variants.get(*variant).cloned().unwrap_or_default();
            found.extend(told(*test, variant, passes, &values, change.at, change.p, settings));
        }
        pace.asked = asked.len() as u32;
        let family = Family::new(asked, 0);
        found.iter_mut().for_each(|change| change.q = family.q(change.p));
        found.retain(|change| change.q <= settings.false_discovery_rate);
        found.sort_by(|one, other| {
            let size = other.seconds().abs().total_cmp(&one.seconds().abs());
            size.then(one.test.cmp(&other.test)).then_with(|| one.variant.cmp(&other.variant))
        });
        (pace.slower, pace.faster) = found.into_iter().partition(PaceChange::is_slower);
        pace
    }
}

/// The change, where it is large enough to matter; its q is set once all are known.
fn told(
    test: TestNo,
    variant: String,
    passes: &Passes,
    values: &[f64],
    at: usize,
    p: f64,
    settings: &PaceSettings,
) -> Option<PaceChange> {
    let (first, second) = values.split_at_checked(at)?;
    let (before, after) = (median(first)?, median(second)?);
    let ratio = before.max(after) / before.min(after).max(1.0);
    if ratio < settings.ratio || (before - after).abs() < settings.difference.0 as f64 {
        return None;
    }
    let run = |place: usize| passes.kept.get(place).map(|(run, _)| *run);
    Some(PaceChange {
        test,
        variant,
        before: Micros(before as u64),
        after: Micros(after as u64),
        passes: (first.len() as u32, second.len() as u32),
        last_before: run(at.checked_sub(1)?)?,
        first_after: run(at)?,
        p,
        q: 1.0,
    })
}

/// The lower of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    fn runs(count: u32) -> Vec<JudgedRun> {
        let run = |no| JudgedRun {
            started: Timestamp(i64::from(no) * 1_000),
            revision: Some(format!("r{no}")),
            ..JudgedRun::bare(no)
        };
        (0..count).map(run).collect()
    }

    fn passed(test: u32, millis: u64) -> ResultRow {
        let duration = Some(Micros(millis * 1_000));
        ResultRow { duration, ..ResultRow::bare(test, Outcome::Passed) }
    }

    fn pace(runs: &[JudgedRun], rows: &dyn Fn(usize) -> Vec<ResultRow>) -> Pace {
        let mut builder = PaceBuilder::new(runs);
        (0..runs.len()).for_each(|run| builder.add(run, &rows(run)));
        builder.finish(&PaceSettings::default())
    }

    #[test]
    fn a_step_is_told_with_its_medians_and_runs() {
        let jitter = |run: usize| (run as u64 * 37) % 20;
        let found = pace(&runs(40), &|run| {
            vec![
                // Twice as long from the 25th run on.
                passed(1, if run < 25 { 400 } else { 800 } + jitter(run)),
                // Too little to matter, however sure it is.
                passed(2, if run < 25 { 10 } else { 80 } + jitter(run)),
                passed(3, if run < 25 { 5_000 } else { 5_400 } + jitter(run)),
                // Faster.
                passed(4, if run < 10 { 3_000 } else { 1_000 } + jitter(run)),
                // Noise.
                passed(5, 1_000 + (run as u64 * 7_919) % 500),
            ]
        });
        let told = |changes: &[PaceChange]| -> Vec<(u32, u32, u32)> {
            changes.iter().map(|one| (one.test.0, one.last_before, one.first_after)).collect()
        };
        assert_eq!(told(&found.slower), [(1, 24, 25)]);
        assert_eq!(told(&found.faster), [(4, 9, 10)]);
        assert_eq!((found.asked, found.too_quick, found.too_few), (4, 1, 0));
        let slower = &found.slower[0];
        assert_eq!(slower.passes, (25, 15));
        assert!((400..420).contains(&(slower.before.0 / 1_000)), "{slower:?}");
        assert!((800..820).contains(&(slower.after.0 / 1_000)) && slower.q < 1e-4, "{slower:?}");
    }

    #[test]
    fn a_step_of_just_the_least_ratio_and_difference_is_told() {
        // 500 ms are 1.25 times 400 ms and 100 ms more.
        let found = pace(&runs(40), &|run| vec![passed(1, if run < 20 { 400 } else { 500 })]);
        let [change] = found.slower.as_slice() else { panic!("{found:?}") };
        assert_eq!((change.before, change.after), (Micros(400_000), Micros(500_000)));
        assert_eq!((found.asked, found.too_quick), (1, 0));
    }

    #[test]
    fn medians_that_lie_close_together_are_not_told_for_one_slow_pass() {
        let found = pace(&runs(40), &|run| {
            let usual = if run < 20 { 100 } else { 180 };
            vec![passed(1, if run == 5 { 1_000 } else { usual })]
        });
        assert_eq!((found.slower, found.faster, found.asked), (vec![], vec![], 1));
    }

    #[test]
    fn a_test_needs_passes_enough_for_both_sides_of_a_change() {
        let settings = PaceSettings { passes_min: 4, ..PaceSettings::default() };
        let asked = |count: u32| {
            let runs = runs(count);
            let mut builder = PaceBuilder::new(&runs);
            (0..runs.len()).for_each(|run| builder.add(run, &[passed(1, 400 * (run as u64 + 1))]));
            let pace = builder.finish(&settings);
            (pace.asked, pace.too_few)
        };
        // Twice the five of one side.
        assert_eq!((asked(9), asked(10)), ((0, 1), (1, 0)));
    }

    #[test]
    fn the_difference_is_what_a_run_takes_longer() {
        let change = |before: u64, after: u64| PaceChange {
            test: TestNo(1),
            variant: String::new(),
            before: Micros(before),
            after: Micros(after),
            passes: (5, 5),
            last_before: 4,
            first_after: 5,
            p: 0.01,
            q: 0.01,
        };
        for (before, after, seconds, slower) in
            [(250_000, 750_000, 0.5, true), (750_000, 250_000, -0.5, false), (9, 9, 0.0, false)]
        {
            let change = change(before, after);
            assert!((change.seconds() - seconds).abs() < 1e-9, "{change:?}");
            assert_eq!(change.is_slower(), slower, "{change:?}");
        }
    }

    #[test]
    fn outages_changes_and_failures_have_no_say() {
        let mut all = runs(40);
        for run in &mut all[25..] {
            run.on_main = false;
        }
        all[3].outage = true;
        let found =
            pace(&all, &|run| vec![passed(1, if run == 3 || run >= 25 { 9_000 } else { 1_000 })]);
        assert_eq!((found.slower.len(), found.too_quick), (0, 1));
        let failed = |run: usize| match run {
            0..20 => passed(1, 1_000),
            _ => ResultRow { outcome: Outcome::Failed, ..passed(1, 9_000) },
        };
        assert_eq!(pace(&runs(40), &|run| vec![failed(run)]).slower, []);
    }

    #[test]
    fn of_random_times_hardly_any_change_is_told() {
        // 400 tests of random times between 1 and 3 s: at 5 % over the family, most often none.
        let mix = |test: u64, run: u64| {
            let mut mixed = (test << 32 | run).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40
        };
        let found = pace(&runs(50), &|run| {
            (0..400)
                .map(|test| passed(test, 1_000 + mix(test.into(), run as u64) % 2_000))
                .collect()
        });
        assert_eq!(found.asked, 400);
        assert!(found.slower.len() + found.faster.len() <= 2, "{found:?}");
    }

    proptest! {
        #[test]
        fn thinning_keeps_evenly_spaced_passes(count in 1_u32..2_000) {
            let mut passes = Passes::default();
            (0..count).for_each(|run| passes.add(run, Micros(run.into())));
            let every = 1 << passes.thinned;
            let expected: Vec<u32> = (0..count).step_by(every).collect();
            let kept: Vec<u32> = passes.kept.iter().map(|(run, _)| *run).collect();
            prop_assert_eq!(&kept, &expected);
            prop_assert!(kept.len() <= PASSES_KEPT);
            prop_assert!(count < PASSES_KEPT as u32 || kept.len() > PASSES_KEPT / 2);
        }
    }

    #[test]
    fn tests_with_too_few_passes_for_both_sides_are_not_asked() {
        let told = |passes: u32, passes_min: usize| {
            let all = runs(passes);
            let mut builder = PaceBuilder::new(&all);
            (0..all.len()).for_each(|run| builder.add(run, &[passed(1, 1_000)]));
            let pace = builder.finish(&PaceSettings { passes_min, ..PaceSettings::default() });
            (pace.too_few, pace.too_quick)
        };
        assert_eq!((told(11, 12), told(12, 12)), ((1, 0), (0, 1)));
        // Five on either side are ten.
        assert_eq!((told(9, 1), told(10, 1)), ((1, 0), (0, 1)));
    }

    #[test]
    fn a_change_too_small_to_matter_is_not_told_for_the_sake_of_one_long_run() {
        let millis = |run: usize| match run {
            39 => 1_000,
            25.. => 80,
            _ => 10,
        };
        let found = pace(&runs(40), &|run| vec![passed(1, millis(run))]);
        assert_eq!((found.asked, found.too_quick, found.slower), (1, 0, vec![]));
    }
}
