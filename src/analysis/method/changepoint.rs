//! Changes of the failure rate: a test is judged by its results since the last one.
//!
//! The results of the main line are split where that makes them more probable by far: for a row of
//! results, the chance of its failures under any one rate, `B(a + x, b + n - x) / B(a, b)`, times the
//! same for failures that lasted through a retry. The best split between two revisions is accepted
//! where it raises that chance by more than `1 / change-odds`, and what is behind it is split again.
//! Since the last change, a test is flaky where its rate, with the distribution
//! Beta(a + x, b + n - x), is almost surely neither nothing nor everything.
//!
//! Source: LUCI Analysis of Chromium, `analysis/internal/changepoints`; the last step is ours, as
//! LUCI says when a rate changed and leaves open what that means.

use serde::{Deserialize, Serialize};

use super::rule::{
    Breakage, Case, Finding, Limits, Scope, Sign, clean_runs, percent, place, results,
};
use super::{Docket, MethodEntry};
use crate::analysis::history::{Run, Seen};
use crate::analysis::settings::{Lanes, Outages};
use crate::analysis::special::{beta_cdf, ln_beta};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "changepoint",
    summary: "where the failure rate last changed, and what it has been since, as LUCI has it",
    weighs: false,
    outages: |settings| settings.changepoint.outages,
    judge,
};

/// The numbers of the `changepoint` method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChangepointSettings {
    /// How likely a change is before anything is seen: smaller asks for more evidence.
    pub change_odds: f64,
    /// The Beta distribution of failure rates before anything is seen.
    pub prior: [f64; 2],
    /// The same for failures that last through a retry.
    pub retry_prior: [f64; 2],
    /// A flaky test's failure rate is above this.
    pub rate_low: f64,
    /// And below this.
    pub rate_high: f64,
    /// So sure both must be.
    pub certainty: f64,
    /// A broken test's failure rate is above this, or it failed in every run since the change.
    pub broken_rate: f64,
    /// So sure that must be.
    pub broken_certainty: f64,
    /// Fewer results than this say nothing.
    pub min_runs: u32,
    /// So many results since the change that all failed are a breakage.
    pub broken_runs: u32,
    /// Fewest results before a flaky test is recommended for quarantine.
    pub quarantine_runs: u32,
    /// Whose results count.
    pub lanes: Lanes,
    /// Whether results of runs that were set aside count.
    pub outages: Outages,
}

impl Default for ChangepointSettings {
    fn default() -> Self {
        Self {
            change_odds: 1e-4,
            prior: [0.3, 0.5],
            retry_prior: [0.5, 0.5],
            rate_low: 0.005,
            rate_high: 0.95,
            certainty: 0.9,
            broken_rate: 0.9,
            broken_certainty: 0.8,
            min_runs: 3,
            broken_runs: 3,
            quarantine_runs: 5,
            lanes: Lanes::Main,
            outages: Outages::Count,
        }
    }
}

fn judge(docket: &Docket<'_>) -> Vec<super::Opinion> {
    let settings = &docket.settings.changepoint;
    let scope = Scope { lanes: settings.lanes, outages: settings.outages };
    let limits = Limits {
        min_runs: settings.min_runs,
        broken_runs: settings.broken_runs,
        quarantine_runs: settings.quarantine_runs,
    };
    docket.each(|docket, unit, evidence, vanished| {
        let case = Case::of(docket, unit, evidence, vanished, scope);
        let finding = case.troubled().then(|| find(&case.results, settings));
        case.opinion(finding, limits)
    })
}

/// What one result is to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mark {
    /// An attempt failed.
    failed: bool,
    /// There was another attempt after it.
    retried: bool,
    /// That one failed, too.
    failed_again: bool,
    /// It failed in the end.
    bad: bool,
}

impl Mark {
    const fn of(seen: &Seen) -> Self {
        let (bad, failed) = (seen.outcome.is_bad(), seen.bad_attempts > 0);
        let again = seen.bad_attempts > 1;
        Self { failed, retried: failed && (again || !bad), failed_again: again && bad, bad }
    }
}

/// Marks in the order of time, those of one revision in one group.
#[derive(Debug, Clone, Default)]
struct Series {
    marks: Vec<Mark>,
    /// Where groups start.
    starts: Vec<usize>,
    /// Counts before each mark and at the end: failed, retried, failed again.
    sums: Vec<[u32; 3]>,
}

impl Series {
    fn push(&mut self, mark: Mark, new_revision: bool) {
        if new_revision || self.starts.is_empty() {
            self.starts.push(self.marks.len());
        }
        if self.sums.is_empty() {
            self.sums.push([0; 3]);
        }
        let before = self.sums.last().copied().unwrap_or_default();
        let add = [mark.failed, mark.retried, mark.failed_again].map(u32::from);
        self.sums.push(std::array::from_fn(|place| {
            before.get(place).copied().unwrap_or(0) + add.get(place).copied().unwrap_or(0)
        }));
        self.marks.push(mark);
    }

    fn of(results: &[(&Seen, &Run)]) -> Self {
        let mut series = Self::default();
        let mut last: Option<&str> = None;
        for (seen, run) in results {
            let revision = run.revision.as_deref();
            series.push(Mark::of(seen), revision.is_none() || revision != last);
            last = revision;
        }
        series
    }

    /// The same with so many passes more, each on a revision of its own.
    fn ahead(&self, passes: u32) -> Self {
        let mut series = self.clone();
        (0..passes).for_each(|_| series.push(Mark::default(), true));
        series
    }

    /// How probable the marks from one place to another are together, as a logarithm.
    fn chance(&self, from: usize, to: usize, settings: &ChangepointSettings) -> f64 {
        let sum = |place: usize| self.sums.get(place).copied().unwrap_or_default().map(f64::from);
        let ([failed0, retried0, again0], [failed, retried, again]) = (sum(from), sum(to));
        let term =
            |bad: f64, all: f64, [a, b]: [f64; 2]| ln_beta(a + bad, b + all - bad) - ln_beta(a, b);
        term(failed - failed0, (to - from) as f64, settings.prior)
            + term(again - again0, retried - retried0, settings.retry_prior)
    }

    /// Places between groups where a split can be best.
    ///
    /// Within groups that are all alike the chance is convex in the place, so that one of the two
    /// ends is at least as good.
    fn cuts(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let end_of = |group: usize| self.starts.get(group + 1).copied().unwrap_or(self.marks.len());
        let alike = move |group: usize| {
            let start = self.starts.get(group).copied()?;
            let marks = self.marks.get(start..end_of(group))?;
            let first = *marks.first()?;
            marks.iter().all(|mark| *mark == first).then_some(first)
        };
        self.starts.iter().copied().enumerate().skip(1).filter_map(move |(group, place)| {
            let same = alike(group).is_some_and(|mark| alike(group - 1) == Some(mark));
            (place > from && !same).then_some(place)
        })
    }

    /// Where the last segment starts.
    fn last_change(&self, settings: &ChangepointSettings) -> usize {
        let (mut from, end) = (0, self.marks.len());
        let odds = settings.change_odds.max(f64::MIN_POSITIVE).ln();
        loop {
            let whole = self.chance(from, end, settings);
            let gain = |cut: usize| {
                self.chance(from, cut, settings) + self.chance(cut, end, settings) - whole
            };
            let best = self
                .cuts(from)
                .map(|cut| (cut, gain(cut)))
                // The first of equals, so that the result depends on nothing else.
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            match best {
                Some((cut, gain)) if gain + odds > 0.0 => from = cut,
                _ => return from,
            }
        }
    }
}

/// What the results since the last change say.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    start: usize,
    all: u32,
    failed: u32,
    bad: u32,
    /// How sure it is that the rate is neither nothing nor everything.
    certainty: f64,
    flaky: bool,
    broken: bool,
}

impl Segment {
    fn last(series: &Series, settings: &ChangepointSettings) -> Self {
        let start = series.last_change(settings);
        let marks = series.marks.get(start..).unwrap_or_default();
        let count = |what: fn(&Mark) -> bool| marks.iter().filter(|mark| what(mark)).count() as u32;
        let all = marks.len() as u32;
        let (failed, bad) = (count(|mark| mark.failed), count(|mark| mark.bad));
        let at_most = |rate: f64, count: u32| {
            let [a, b] = settings.prior;
            beta_cdf(rate, a + f64::from(count), b + f64::from(all - count))
        };
        let certainty =
            (at_most(settings.rate_high, failed) - at_most(settings.rate_low, failed)).max(0.0);
        let mixed = failed > 0 && bad < all;
        let broken = (bad == all && all >= settings.broken_runs.max(1))
            || (bad > 0 && at_most(settings.broken_rate, bad) < 1.0 - settings.broken_certainty);
        let flaky = mixed && !broken && certainty >= settings.certainty;
        Self { start, all, failed, bad, certainty, flaky, broken }
    }
}

fn find(results: &[(&Seen, &Run)], settings: &ChangepointSettings) -> Finding {
    let series = Series::of(results);
    let segment = Segment::last(&series, settings);
    let mixed = segment.failed > 0 && segment.bad < segment.all;
    let sign = match (segment.flaky, segment.failed) {
        (true, _) => Sign::Holds,
        (false, 0) => Sign::None,
        (false, _) => Sign::Some,
    };
    let still = |passes| Segment::last(&series.ahead(passes), settings).flaky;
    Finding {
        sign,
        score: if mixed { segment.certainty } else { 0.0 },
        rule: rule(results, &segment, settings),
        clean_runs: if segment.flaky { clean_runs(still) } else { None },
        breakage: if segment.broken { Breakage::Yes } else { Breakage::No },
    }
}

fn rule(
    all_results: &[(&Seen, &Run)],
    segment: &Segment,
    settings: &ChangepointSettings,
) -> String {
    let where_ = place(settings.lanes);
    let mut rule = match segment.start {
        0 => format!("Its failure rate{where_} did not change in this window"),
        start => {
            let name = |place: usize| all_results.get(place).map_or_else(String::new, |r| at(r.1));
            let (before, after) = (name(start - 1), name(start));
            format!("Its failure rate{where_} last changed between {before} and {after}")
        }
    };
    let since = if segment.start == 0 { ": " } else { "; since then " };
    let count = results(segment.all);
    rule += &match (segment.failed, segment.bad, segment.all) {
        (0, _, 1) => format!("{since}its only result passed"),
        (0, ..) => format!("{since}all {count} passed"),
        (_, 1, 1) => format!("{since}its only result failed"),
        (_, bad, all) if bad == all => format!("{since}all {count} failed"),
        (failed, ..) => format!("{since}{failed} of {count} failed"),
    };
    if segment.failed > 0 && segment.bad < segment.all {
        rule += &format!(
            "; {} sure that the rate lies between {} and {}, flaky from {}",
            percent(segment.certainty),
            percent(settings.rate_low),
            percent(settings.rate_high),
            percent(settings.certainty),
        );
    }
    rule
}

/// The revision of a run, short enough to compare by eye, or its day.
fn at(run: &Run) -> String {
    const HASH_CHARS: usize = 10;
    const NAME_CHARS: usize = 40;
    match run.revision.as_deref() {
        None => run.started.to_date(),
        Some(name) => {
            let hash = name.len() > HASH_CHARS && name.bytes().all(|c| c.is_ascii_hexdigit());
            name.chars().take(if hash { HASH_CHARS } else { NAME_CHARS }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::testing::{Strip, rule, verdict_of};
    use super::*;
    use crate::analysis::verdict::{NextStep, Status, Verdict};
    use crate::analysis::{HistoryBuilder, Settings};
    use crate::store::query::RunRow;

    fn judged(strip: &Strip, change: impl Fn(&mut ChangepointSettings)) -> Verdict {
        let mut settings = Settings { method: "changepoint".into(), ..Settings::default() };
        change(&mut settings.changepoint);
        verdict_of(strip, &settings)
    }

    #[test]
    fn a_breakage_starts_between_two_revisions() {
        let verdict = judged(&Strip::new(&(".".repeat(20) + &"F".repeat(7))), |_| {});
        assert_eq!(verdict.status, Status::NewlyBroken);
        assert_eq!(
            rule(&verdict),
            "Its failure rate on the main line last changed between 专 and 且; since then all 7 \
             results failed"
        );
        assert_eq!(judged(&Strip::new("FFF"), |_| {}).status, Status::Broken);
        // Mended: nothing is held against it, however long it was broken.
        let mended = judged(&Strip::new(&("F".repeat(9) + &".".repeat(20))), |_| {});
        assert_eq!((mended.status, mended.score), (Status::Healthy, Some(0.0)));
    }

    #[test]
    fn a_steady_mix_is_flaky_and_passes_clear_it() {
        let verdict = judged(&Strip::new(&".F..".repeat(10)), |_| {});
        assert_eq!(verdict.status, Status::Flaky);
        assert!(verdict.score.unwrap() > 0.999);
        assert_eq!(
            rule(&verdict),
            "Its failure rate on the main line did not change in this window: 10 of 40 results \
             failed; >99.9 % sure that the rate lies between 0.5 % and 95 %, flaky from 90 %"
        );
        let [NextStep::CleanRuns { runs }] = *verdict.next else { panic!("{:?}", verdict.next) };
        let after = |passes: u32| {
            let strip = ".F..".repeat(10) + &".".repeat(passes as usize);
            judged(&Strip::new(&strip), |_| {}).status
        };
        assert_eq!((after(runs - 1), after(runs)), (Status::Flaky, Status::Healthy));
    }

    #[test]
    fn results_of_one_revision_are_not_split() {
        let strip = Strip::new(&(".".repeat(14) + "FFFFFFFFF"));
        let start = |revisions: &str| {
            let change = |settings: &mut ChangepointSettings| settings.broken_runs = 99;
            rule(&judged(&strip.clone().revisions(revisions), change))
        };
        assert!(start("abcdefghijklmnopqrstuvw").contains("between n and o"));
        assert!(start("abcdefghijklmoooooooooo").contains("between m and o"));
        assert!(start(&"u".repeat(23)).contains("did not change"));
    }

    #[test]
    fn a_test_that_always_passes_on_retry_is_flaky_and_not_broken() {
        assert_eq!(
            judged(&Strip::new("rrrrrrrrr"), |s| s.rate_high = 0.999_999).status,
            Status::Flaky
        );
        assert_eq!(judged(&Strip::new("RRRRRRRRR"), |_| {}).status, Status::Broken);
    }

    #[test]
    fn retries_that_pass_no_longer_are_a_change() {
        let verdict = judged(&Strip::new(&("r".repeat(12) + &"R".repeat(12))), |_| {});
        assert_eq!(verdict.status, Status::NewlyBroken);
        assert!(rule(&verdict).contains("last changed between"), "{}", rule(&verdict));
    }

    #[test]
    fn only_failures_and_passes_since_the_change_are_a_mix() {
        let unsure = |settings: &mut ChangepointSettings| settings.certainty = 0.1;
        let mended = Strip::new(&("F".repeat(9) + &".".repeat(20)));
        assert_eq!(judged(&mended, unsure).status, Status::Healthy);
        // Too few for a breakage, and all that there is.
        let failing = judged(&Strip::new("FF"), |settings| {
            unsure(settings);
            settings.min_runs = 2;
        });
        assert_eq!(failing.status, Status::Suspect);
    }

    #[test]
    fn a_hash_is_shortened_and_a_name_is_not() {
        let told = |revision: &str| {
            let row = RunRow { revision: Some(revision.to_owned()), ..RunRow::bare(0) };
            let settings = Settings::default();
            at(&HistoryBuilder::new(&[row], HashSet::new(), &settings.outage).finish().runs[0])
        };
        assert_eq!(told("0123456789abcdef0123456789abcdef01234567"), "0123456789");
        assert_eq!(told("release-candidate-7"), "release-candidate-7");
    }

    #[test]
    fn every_number_is_a_setting() {
        let mix = Strip::new(".F........F.........");
        assert_eq!(judged(&mix, |_| {}).status, Status::Flaky);
        assert_eq!(judged(&mix, |s| s.certainty = 0.999_999).status, Status::Suspect);
        assert_eq!(judged(&mix, |s| s.rate_low = 0.2).status, Status::Suspect);
        assert_eq!(judged(&mix, |s| s.rate_high = 0.05).status, Status::Suspect);
        assert_eq!(judged(&mix, |s| s.prior = [1.0, 1e6]).status, Status::Suspect);
        assert_eq!(judged(&mix, |s| s.min_runs = 21).status, Status::New);
        assert!(!judged(&mix, |s| s.quarantine_runs = 21).quarantine);
        let broken = Strip::new("....................FFFFFFF");
        assert_eq!(judged(&broken, |s| s.change_odds = 1e-40).status, Status::Flaky);
        assert_eq!(judged(&broken, |s| s.broken_runs = 8).status, Status::Suspect);
        // Beta(7.3, 0.5) is above 0.8 with 92 %, above 0.9 with 78 %.
        let by_its_rate = |s: &mut ChangepointSettings| (s.broken_runs, s.broken_rate) = (8, 0.8);
        assert_eq!(judged(&broken, by_its_rate).status, Status::NewlyBroken);
        let surer = |s: &mut ChangepointSettings| {
            by_its_rate(s);
            s.broken_certainty = 0.95;
        };
        assert_eq!(judged(&broken, surer).status, Status::Suspect);
    }

    /// The chance of each mark in turn, given those before it: the definition of a Beta-binomial
    /// sequence, by the chain rule instead of Beta functions.
    fn by_the_chain_rule(bads: impl Iterator<Item = bool>, [a, b]: [f64; 2]) -> f64 {
        let (mut bad, mut good, mut sum) = (a, b, 0.0);
        for failed in bads {
            sum += (if failed { bad / (bad + good) } else { good / (bad + good) }).ln();
            if failed { bad += 1.0 } else { good += 1.0 }
        }
        sum
    }

    fn chance(marks: &[Mark], settings: &ChangepointSettings) -> f64 {
        let retried = marks.iter().filter(|mark| mark.retried);
        by_the_chain_rule(marks.iter().map(|mark| mark.failed), settings.prior)
            + by_the_chain_rule(retried.map(|mark| mark.failed_again), settings.retry_prior)
    }

    /// The last change by brute force: every place between two revisions is tried.
    fn last_change(series: &Series, from: usize, settings: &ChangepointSettings) -> Vec<usize> {
        let marks = &series.marks;
        let whole = chance(&marks[from..], settings);
        let gain = |cut: usize| {
            chance(&marks[from..cut], settings) + chance(&marks[cut..], settings) - whole
        };
        let cuts = series.starts.iter().copied().filter(|cut| *cut > from);
        let gains: Vec<(usize, f64)> = cuts.map(|cut| (cut, gain(cut))).collect();
        let best = gains.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
        if gains.is_empty() || best + settings.change_odds.ln() <= 0.0 {
            return vec![from];
        }
        // Equals differ by rounding alone; any of them will do.
        let equal = gains.iter().filter(|(_, gain)| best - gain < 1e-9);
        equal.flat_map(|(cut, _)| last_change(series, *cut, settings)).collect()
    }

    /// The marks of a strip, so many to a revision.
    fn series(strip: &str, revisions: usize) -> Series {
        let mut series = Series::default();
        for (place, mark) in strip.chars().enumerate() {
            let (failed, retried) = (mark != '.', "rR".contains(mark));
            let (failed_again, bad) = (mark == 'R', "FR".contains(mark));
            let mark = Mark { failed, retried, failed_again, bad };
            series.push(mark, place % revisions == 0);
        }
        series
    }

    #[test]
    fn the_first_of_equal_splits_is_taken() {
        // Read backwards, with both ends of a retry changed for each other, it is itself: a split
        // behind the first result is as good as one before the last. Behind the first, one more
        // split is worth it, and no third.
        let settings = ChangepointSettings { change_odds: 0.85, ..ChangepointSettings::default() };
        assert_eq!(series(".r.R.", 1).last_change(&settings), 2);
    }

    #[test]
    fn a_split_that_makes_nothing_likelier_is_none() {
        // With so firm a belief in a rate, results say nothing.
        let settings = ChangepointSettings {
            change_odds: 1.0,
            prior: [1e20, 1e20],
            retry_prior: [1e20, 1e20],
            ..ChangepointSettings::default()
        };
        assert_eq!(series(".F.F", 1).last_change(&settings), 0);
    }

    proptest! {
        #[test]
        fn the_split_is_the_best_of_all(strip in "(\\.{1,9}|F{1,7}|[.FrR]{1,6}){0,12}", revisions in 1_usize..4) {
            let settings = ChangepointSettings::default();
            let series = series(&strip, revisions);
            let found = series.last_change(&settings);
            prop_assert!(last_change(&series, 0, &settings).contains(&found), "{strip} {found}");
        }
    }

    #[test]
    fn only_places_behind_the_start_where_results_change_can_be_splits() {
        let cuts = |strip: &str, from: usize| series(strip, 1).cuts(from).collect::<Vec<_>>();
        assert_eq!(cuts("..FF", 0), [2]);
        assert_eq!(cuts(".F.F", 0), [1, 2, 3]);
        assert_eq!(cuts(".F.F", 2), [3]);
    }

    #[test]
    fn a_breakage_needs_a_failure_and_more_than_the_certainty_asked_for() {
        // No rate is below 0: any result excludes such a one.
        let broken = |strip: &str, broken_certainty: f64| {
            let settings = ChangepointSettings {
                broken_rate: 0.0,
                broken_certainty,
                ..ChangepointSettings::default()
            };
            Segment::last(&series(strip, 1), &settings).broken
        };
        assert_eq!(
            [broken("....", 0.5), broken(".F..", 0.5), broken(".F..", 1.0)],
            [false, true, false]
        );
    }
}
