//! The one decision table of the `evidence` method: from facts in small steps to a status.

use super::evidence::Evidence;
use super::interval::{expected_rate, runs_to_exclude};
use super::settings::EvidenceSettings;
use super::streak::StreakKind;
use super::verdict::Status;

/// Whether there are results to speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It did not run in the recent part of the window, though its lane did.
    Vanished,
    /// Too few executions.
    Scarce,
    /// Enough.
    Enough,
}

/// What the main line does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// Fails, too often in a row for chance, and never passed in the window.
    AlwaysFails,
    /// Fails, too often in a row for chance, and passed before.
    FailsSince,
    /// Its last results failed, but chance is not excluded.
    Failing,
    /// Passes after a breakage, a few times.
    PassesAgain,
    /// Passes after a breakage, often enough.
    Mended,
    /// Passes, or does not run there.
    Passes,
}

/// How strongly the results speak of flakiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flakiness {
    /// Not at all.
    None,
    /// One failure that nothing explains, or failures of a name that tests share.
    Hint,
    /// Both outcomes on the same code, or several failures that nothing else explains.
    Shown,
}

/// How long it has been clean, against the rate at which it failed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clean {
    /// Not longer than chance explains.
    Short,
    /// Longer than chance explains.
    Long,
    /// Twice as long.
    Settled,
}

/// What the status depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Whether there are results to speak of.
    pub presence: Presence,
    /// What the main line does now.
    pub now: Now,
    /// How strongly the results speak of flakiness.
    pub flakiness: Flakiness,
    /// How long it has been clean.
    pub clean: Clean,
}

impl Signs {
    /// Reads the signs off the evidence.
    #[must_use]
    pub fn read(evidence: &Evidence, vanished: bool, settings: &EvidenceSettings) -> Self {
        let presence = match (vanished, evidence.executions < settings.min_runs) {
            (true, _) => Presence::Vanished,
            (false, true) => Presence::Scarce,
            (false, false) => Presence::Enough,
        };
        let passes = evidence.passes_since_streak;
        let last = evidence.streaks.last().map(|streak| (streak.ended_by, streak.kind));
        let now = match (last, evidence.passed_on_main, evidence.mended()) {
            (Some((None, StreakKind::Breakage)), false, _) => Now::AlwaysFails,
            (Some((None, StreakKind::Breakage)), true, _) => Now::FailsSince,
            (Some((None, _)), _, _) => Now::Failing,
            (Some((Some(_), StreakKind::Breakage)), _, _) if passes < settings.fixed_runs => {
                Now::PassesAgain
            }
            (_, _, Some(_)) => Now::Mended,
            (_, _, None) => Now::Passes,
        };
        let flakiness = match (evidence.proofs(), evidence.recoveries, evidence.branches) {
            (1.., _, _) => Flakiness::Shown,
            (0, recoveries, _) if recoveries >= settings.recoveries.max(1) => Flakiness::Shown,
            (0, _, branches) if branches >= settings.branches.max(1) => Flakiness::Shown,
            (0, 0, 0) if evidence.ambiguous == 0 => Flakiness::None,
            (0, _, _) => Flakiness::Hint,
        };
        let needed = clean_runs_needed(evidence, settings);
        let clean = match evidence.clean {
            clean if clean < needed => Clean::Short,
            clean if clean < needed.saturating_mul(2) => Clean::Long,
            _ => Clean::Settled,
        };
        Self { presence, now, flakiness, clean }
    }

    /// The status that these signs mean.
    ///
    /// Read from the top: what fails now comes before what ever flickered, so that a flaky test
    /// that breaks is never hidden; proof of flakiness comes before the number of results.
    #[must_use]
    pub const fn status(self) -> Status {
        match (self.presence, self.now, self.flakiness, self.clean) {
            (Presence::Vanished, _, _, _) => Status::Stale,
            (_, Now::FailsSince, _, _) => Status::NewlyBroken,
            (_, Now::AlwaysFails, _, _) => Status::Broken,
            (_, _, Flakiness::Shown, Clean::Short) => Status::Flaky,
            (Presence::Scarce, _, _, _) => Status::New,
            (_, Now::Failing, _, _) => Status::Suspect,
            (_, Now::PassesAgain, _, _) | (_, _, Flakiness::Shown, Clean::Long) => {
                Status::Recovering
            }
            (_, _, Flakiness::Hint, Clean::Short) => Status::Suspect,
            (_, Now::Mended, _, _) => Status::Fixed,
            (_, Now::Passes, _, _) => Status::Healthy,
        }
    }
}

/// Passes in a row after which the rate seen before would have shown itself again.
#[must_use]
pub fn clean_runs_needed(evidence: &Evidence, settings: &EvidenceSettings) -> u32 {
    // Retried runs count as trouble here: what is asked is when trouble would come back.
    let troubled = evidence.failures + evidence.retried + evidence.ambiguous;
    let executions = evidence.executions_to_last_trouble + evidence.ambiguous;
    let rate = expected_rate(troubled, executions);
    runs_to_exclude(rate, settings.clear_alpha).max(settings.clear_runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESENCES: [Presence; 3] = [Presence::Vanished, Presence::Scarce, Presence::Enough];
    const NOWS: [Now; 6] = [
        Now::AlwaysFails,
        Now::FailsSince,
        Now::Failing,
        Now::PassesAgain,
        Now::Mended,
        Now::Passes,
    ];
    const FLAKINESSES: [Flakiness; 3] = [Flakiness::None, Flakiness::Hint, Flakiness::Shown];
    const CLEANS: [Clean; 3] = [Clean::Short, Clean::Long, Clean::Settled];

    fn all() -> impl Iterator<Item = Signs> {
        PRESENCES.into_iter().flat_map(|presence| {
            NOWS.into_iter().flat_map(move |now| {
                FLAKINESSES.into_iter().flat_map(move |flakiness| {
                    CLEANS.into_iter().map(move |clean| Signs { presence, now, flakiness, clean })
                })
            })
        })
    }

    #[test]
    fn laws_that_hold_in_the_whole_table() {
        for signs in all() {
            let status = signs.status();
            let broken = matches!(status, Status::NewlyBroken | Status::Broken);
            let fails = matches!(signs.now, Now::AlwaysFails | Now::FailsSince);
            if signs.presence == Presence::Vanished {
                assert_eq!(status, Status::Stale);
                continue;
            }
            assert_eq!(broken, fails, "{signs:?}");
            if status == Status::Flaky {
                assert_eq!(signs.flakiness, Flakiness::Shown, "{signs:?}");
            }
            if status == Status::Healthy {
                assert_eq!((signs.presence, signs.now), (Presence::Enough, Now::Passes));
            }
            if status == Status::Fixed {
                assert_eq!(signs.now, Now::Mended, "{signs:?}");
            }
        }
    }

    #[test]
    fn every_status_is_reached() {
        for status in Status::ALL {
            assert!(all().any(|signs| signs.status() == status), "{status:?}");
        }
    }

    #[test]
    fn as_many_results_as_asked_for_are_enough() {
        let settings = EvidenceSettings { min_runs: 5, ..EvidenceSettings::default() };
        let presence = |executions| {
            let evidence = Evidence { executions, ..Evidence::default() };
            Signs::read(&evidence, false, &settings).presence
        };
        assert_eq!([4, 5].map(presence), [Presence::Scarce, Presence::Enough]);
    }

    #[test]
    fn as_many_passes_as_needed_are_longer_than_chance_and_twice_as_many_settle_it() {
        let settings = EvidenceSettings::default();
        // Ten are needed, as below.
        let clean = |clean| {
            let evidence = Evidence {
                failures: 8,
                executions_to_last_trouble: 16,
                clean,
                ..Evidence::default()
            };
            Signs::read(&evidence, false, &settings).clean
        };
        let wanted = [Clean::Short, Clean::Long, Clean::Long, Clean::Settled];
        assert_eq!([9, 10, 19, 20].map(clean), wanted);
    }

    #[test]
    fn a_rare_flake_needs_more_clean_runs_than_a_loud_one() {
        let settings = EvidenceSettings::default();
        let seen = |failures, executions_to_last_trouble| Evidence {
            failures,
            executions_to_last_trouble,
            ..Evidence::default()
        };
        // (2 + 0.28) / (30 + 4.15) = 6.68 %: ln 0.05 / ln 0.9332 = 43.3.
        assert_eq!(clean_runs_needed(&seen(2, 30), &settings), 44);
        // (8 + 0.28) / (16 + 4.15) = 41.1 %: 5.7 runs, so the minimum.
        assert_eq!(clean_runs_needed(&seen(8, 16), &settings), 10);
    }
}
