//! The classic rule: enough failures among the latest results, and passes as well.

use super::{Docket, MethodEntry, Opinion};
use crate::analysis::evidence::Evidence;
use crate::analysis::history::{Seen, Unit};
use crate::analysis::settings::{Lanes, Outages, ThresholdSettings};
use crate::analysis::verdict::{Fact, NextStep, Status};

pub(super) const METHOD: MethodEntry = MethodEntry {
    name: "threshold",
    summary: "the classic rule: a share of failures among the latest results",
    weighs: false,
    outages: |settings| settings.threshold.outages,
    judge,
};

fn judge(docket: &Docket<'_>) -> Vec<Opinion> {
    docket.each(|docket, unit, evidence, _| {
        let settings = &docket.settings.threshold;
        let latest = Latest::of(docket, unit, evidence, settings);
        let status = status(latest, evidence, settings);
        let troubled = unit.seen.iter().any(Seen::troubled);
        let missing = settings.min_runs.saturating_sub(latest.results);
        Opinion {
            score: Some(latest.share()),
            quarantine: status == Status::Flaky && latest.results >= settings.quarantine_runs,
            facts: if troubled { vec![latest.rule(settings)] } else { Vec::new() },
            next: match status {
                Status::New => vec![NextStep::MoreResults { runs: missing }],
                Status::Flaky => latest.steps_to_clear(settings),
                _ => Vec::new(),
            },
            ..Opinion::of(status)
        }
    })
}

/// The latest results of one unit.
#[derive(Debug, Clone, Copy)]
struct Latest {
    results: u32,
    bad: u32,
    /// One bit for each of the 128 latest results, the latest lowest: enough for a forecast.
    bits: u128,
    /// Something older than these results passed.
    passed_before: bool,
}

impl Latest {
    fn of(
        docket: &Docket<'_>,
        unit: &Unit,
        evidence: &Evidence,
        settings: &ThresholdSettings,
    ) -> Self {
        let mut latest = Self { results: 0, bad: 0, bits: 0, passed_before: false };
        if unit.seen.is_empty() {
            let results = match settings.outages {
                Outages::Count => unit.tally.executed,
                Outages::LeaveOut => evidence.executions,
            };
            latest.results = results.min(settings.window);
            return latest;
        }
        let set_aside = |run: u32| {
            settings.outages == Outages::LeaveOut && docket.outages.get(run as usize) == Some(&true)
        };
        let counts = |run: u32| match settings.lanes {
            _ if set_aside(run) => false,
            Lanes::All => true,
            Lanes::Main => docket.history.is_on_main(run),
        };
        let results = unit.seen.iter().rev().filter(|seen| seen.executed() && counts(seen.run));
        for seen in results {
            let bad = seen.outcome.is_bad();
            if latest.results >= settings.window {
                latest.passed_before |= !bad;
                continue;
            }
            if latest.results < u128::BITS {
                latest.bits |= u128::from(bad) << latest.results;
            }
            latest.results += 1;
            latest.bad += u32::from(bad);
        }
        latest
    }

    fn is_flaky(self, settings: &ThresholdSettings) -> bool {
        settings.is_flaky(self.results, self.bad)
    }

    fn share(self) -> f64 {
        f64::from(self.bad) / f64::from(self.results.max(1))
    }

    /// Passes from here on until the rule no longer holds.
    fn steps_to_clear(self, settings: &ThresholdSettings) -> Vec<NextStep> {
        let window = settings.window;
        if window == 0 || window > u128::BITS {
            return Vec::new();
        }
        let mut ahead = self;
        for runs in 1..=window {
            let drops_bad = ahead.results >= window && ahead.bits >> (window - 1) & 1 == 1;
            ahead.bad = ahead.bad.saturating_sub(u32::from(drops_bad));
            ahead.results = (ahead.results + 1).min(window);
            ahead.bits <<= 1;
            if !ahead.is_flaky(settings) {
                return vec![NextStep::CleanRuns { runs }];
            }
        }
        Vec::new()
    }

    fn rule(self, settings: &ThresholdSettings) -> Fact {
        let share = 100.0 * self.share();
        Fact::Rule {
            text: format!(
                "{} of the last {} results failed ({share:.0} %); flaky from {:.0} % of at least \
                 {} results, with passes among them",
                self.bad,
                self.results,
                100.0 * settings.threshold,
                settings.min_runs,
            ),
        }
    }
}

fn status(latest: Latest, evidence: &Evidence, settings: &ThresholdSettings) -> Status {
    let scarce = latest.results < settings.min_runs;
    let passed_before = latest.passed_before || evidence.passed_on_main;
    match (scarce, latest.bad, latest.is_flaky(settings)) {
        (true, _, _) => Status::New,
        (false, 0, _) => Status::Healthy,
        (false, _, true) => Status::Flaky,
        (false, bad, false) if bad < latest.results => Status::Suspect,
        (false, _, false) if passed_before => Status::NewlyBroken,
        (false, _, false) => Status::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Strip, verdict_of};
    use super::*;
    use crate::analysis::Settings;
    use crate::analysis::verdict::Verdict;

    fn judged(strip: &Strip, window: u32) -> Verdict {
        let mut settings = Settings { method: "threshold".into(), ..Settings::default() };
        settings.threshold.window = window;
        verdict_of(strip, &settings)
    }

    fn latest(strip: &str) -> Latest {
        let bads = strip.chars().rev().map(|c| c == 'F').enumerate();
        let bits = bads.map(|(place, bad)| u128::from(bad) << place).sum();
        let bad = strip.matches('F').count() as u32;
        Latest { results: strip.len() as u32, bad, bits, passed_before: false }
    }

    fn clean_runs(strip: &str) -> Vec<NextStep> {
        latest(strip).steps_to_clear(&ThresholdSettings::default())
    }

    #[test]
    fn says_how_many_passes_clear_the_rule() {
        // 3 of 10: one failure leaves the window with the second pass.
        assert_eq!(clean_runs(".F.F.F...."), [NextStep::CleanRuns { runs: 2 }]);
        // 1 of 3 falls to 1 of 4 with the next pass.
        assert_eq!(clean_runs(".F."), [NextStep::CleanRuns { runs: 1 }]);
        // Nine failures at the end: seven must leave the window of ten.
        assert_eq!(clean_runs(".FFFFFFFFF"), [NextStep::CleanRuns { runs: 8 }]);
    }

    #[test]
    fn a_forecast_reaches_as_far_back_as_its_bits() {
        let steps = |window: u32| {
            let settings = ThresholdSettings { window, ..ThresholdSettings::default() };
            latest(".F.").steps_to_clear(&settings)
        };
        assert_eq!(steps(128), [NextStep::CleanRuns { runs: 1 }]);
        assert_eq!((steps(129), steps(0)), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_window_of_more_results_than_a_forecast_reads_counts_them_all() {
        let strip = Strip::new(&("F".to_owned() + &".".repeat(140)));
        assert_eq!(judged(&strip, 200).score, Some(1.0 / 141.0));
    }

    #[test]
    fn a_pass_before_the_window_tells_newly_broken_from_broken() {
        let failing = "F".repeat(10);
        assert_eq!(judged(&Strip::new(&failing), 10).status, Status::Broken);
        // On a change, where the main line did not see it.
        let passed = Strip::new(&(".".to_owned() + &failing)).lanes("CDDDDDDDDDD");
        assert_eq!(judged(&passed, 10).status, Status::NewlyBroken);
    }

    #[test]
    fn without_a_failure_nothing_is_flaky_whatever_the_threshold() {
        let settings = ThresholdSettings { threshold: 0.0, ..ThresholdSettings::default() };
        assert_eq!([0, 1, 5].map(|bad| settings.is_flaky(5, bad)), [false, true, false]);
    }

    #[test]
    fn the_rule_is_told_with_its_numbers() {
        let Fact::Rule { text } = latest("..F.F.F...").rule(&ThresholdSettings::default()) else {
            panic!("a rule");
        };
        assert_eq!(
            text,
            "3 of the last 10 results failed (30 %); flaky from 30 % of at least 3 results, with \
             passes among them"
        );
    }

    #[test]
    fn outages_count_where_they_are_told_to() {
        let score = |outages: Outages| {
            let mut settings = Settings { method: "threshold".into(), ..Settings::default() };
            (settings.threshold.window, settings.threshold.outages) = (50, outages);
            verdict_of(&Strip::new("....F.....F....").outages(&[4]), &settings).score
        };
        assert_eq!(score(Outages::Count), Some(2.0 / 15.0));
        assert_eq!(score(Outages::LeaveOut), Some(1.0 / 14.0));
    }
}
