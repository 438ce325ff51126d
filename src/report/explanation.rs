//! What the filter weighed, in words that need no statistics.

use super::escape;
use super::limits::FIELD_CHARS_MAX;
use super::phrase;
use super::sentence::{count, number, often, percent, revision};
use super::view::{EventView, WeighingView};
use crate::analysis::filter::episode::Attribution;
use crate::analysis::filter::ledger::{Entry, Kind};
use crate::analysis::verdict::{EventKind, JudgedRun, Status, Weighing};

/// A weight as it is printed: `+9.8`, `-5.2`, `0.0`.
#[must_use]
pub fn nats(weight: f64) -> String {
    let text = format!("{weight:+.1}");
    if text == "-0.0" || text == "+0.0" { "0.0".to_owned() } else { text }
}

/// What observations of a kind were.
#[must_use]
pub fn entry(kind: Kind, entry: Entry, weighing: &Weighing, runs: &[JudgedRun]) -> String {
    let n = entry.count;
    match kind {
        Kind::Proof => {
            let last = weighing.proofs.last().and_then(|run| runs.get(*run as usize));
            let day = last.map(|run| format!(", on {}", run.started.to_date())).unwrap_or_default();
            match n {
                0 | 1 => format!("Failed and passed on the same code{day}"),
                _ => {
                    let day = day.replacen(", on", ", last on", 1);
                    format!("Failed and passed on the same code, in {}{day}", count(n, "spell"))
                }
            }
        }
        Kind::Recovered => match n {
            _ if entry.nats < 0.0 => format!(
                "Failed on the default branch and passed again {}, as after a short breakage",
                often(n)
            ),
            _ => format!("Failed on the default branch and passed again soon {}", often(n)),
        },
        Kind::Branches => match n {
            1 => "Failed on 1 branch".to_owned(),
            _ if entry.nats < 0.0 => {
                format!("Failed on {}, more as if a change broke it there", count(n, "branch"))
            }
            _ => format!("Failed on {} that have nothing else in common", count(n, "branch")),
        },
        Kind::FailsNow => format!("Fails on the default branch now: {}", count(n, "run")),
        Kind::Lasting => format!("Failed until it was mended: {}", count(n, "run")),
        Kind::BadCommit => {
            format!("Failed with many others on one revision: {}, hardly counted", count(n, "run"))
        }
        Kind::Outage => match n {
            0 => "Passed in outages: hardly counted".to_owned(),
            _ => format!("Failed in outages: {}, hardly counted", count(n, "run")),
        },
        Kind::Passes => format!("Passed: {}", count(n, "clean run")),
    }
}

/// What the weight before anything was seen stands for.
#[must_use]
pub fn prior(weight: f64) -> String {
    let odds = weight.exp();
    format!("Before anything is known: {} of tests are flaky", percent(odds / (1.0 + odds)))
}

/// What time alone changed.
pub const TIME: &str = "New revisions: the code changes, and what was seen before counts for less";

/// Everything together.
#[must_use]
pub fn total(weight: f64) -> String {
    let flaky = 1.0 / (1.0 + (-weight).exp());
    format!("Together: {} that it is flaky, however rarely", percent(flaky))
}

/// Every weight that says something, as it is printed, with what it stands for; in the end all
/// together.
#[must_use]
pub fn rows(weighing: &WeighingView) -> Vec<(String, String)> {
    let mut rows = vec![(nats(weighing.prior_nats), prior(weighing.prior_nats))];
    let nothing = nats(0.0);
    // What weighs nothing is worth a line only where it explains failures.
    let seen = weighing.evidence.iter().map(|seen| (seen, nats(seen.nats)));
    let telling = seen.filter(|(seen, weight)| {
        *weight != nothing || (seen.kind != Kind::Passes && seen.count > 0)
    });
    rows.extend(telling.map(|(seen, weight)| (weight, seen.sentence.clone())));
    let time = nats(weighing.time_nats);
    rows.extend((time != nothing).then(|| (time, TIME.to_owned())));
    rows.push((nats(weighing.total_nats), total(weighing.total_nats)));
    rows
}

/// Below this weight on either side nobody wonders.
const SET_OFF_NATS_MIN: f64 = 2.0;

/// How to read the weight of new revisions where it sets off much of what was seen: neither says
/// anything without the other.
#[must_use]
pub fn set_off(weighing: &WeighingView) -> Option<String> {
    let seen: f64 = weighing.evidence.iter().map(|seen| seen.nats).sum();
    let time = weighing.time_nats;
    let puzzling = seen.abs().min(time.abs()) >= SET_OFF_NATS_MIN && seen * time < 0.0;
    puzzling.then(|| {
        format!(
            "What was seen is weighed as if nothing had changed since, {} in all; new revisions take \
             part of that back. Only both together count: {}.",
            nats(seen),
            nats(seen + time)
        )
    })
}

/// What stands above the weights of a broken test.
#[must_use]
pub fn besides(status: Status) -> Option<&'static str> {
    matches!(status, Status::Broken | Status::NewlyBroken).then_some(BESIDES)
}

/// What stands above the weights of a test that is broken, which is another question.
const BESIDES: &str = "It is broken, see above. Is it flaky as well?";

/// How to read weights.
pub const LEGEND: &str =
    "Weights: above 0 speaks for flaky, below against; +2.3 makes it ten times as likely.";

/// From this probability on a cause is named without it.
const SURE: f64 = 0.95;

/// The likeliest cause of a failure, with its probability where that is not sure: `flake 87 %`.
#[must_use]
pub fn cause(causes: &Attribution) -> String {
    let named = [
        ("flake", causes.flake),
        ("regression", causes.regression),
        ("change", causes.change),
        ("outage", causes.outage),
    ];
    let likeliest = named.into_iter().max_by(|one, other| one.1.total_cmp(&other.1));
    match likeliest {
        None => String::new(),
        Some((name, share)) if share >= SURE => name.to_owned(),
        Some((name, share)) => format!("{name} {}", percent(share)),
    }
}

/// What happened to many tests of one run.
#[must_use]
pub const fn event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Outage => "outage: the machine failed, not the tests",
        EventKind::BadCommit => "bad commit: the revision broke them together",
        EventKind::SystemicGroup => "tests that flake together",
    }
}

/// What happened to many tests of a module, on one line.
#[must_use]
pub fn group(event: &EventView) -> String {
    let module = event.module.as_deref().unwrap_or_default();
    let revision = event.revision.as_deref().map(|name| format!(", revision {}", revision(name)));
    format!(
        "{}: {} of {} of {} failed{}; {} ({})",
        phrase::minute(&event.started),
        number(event.failed.into()),
        count(event.executed, "test"),
        escape::shortened(&escape::line(module), FIELD_CHARS_MAX),
        revision.unwrap_or_default(),
        self::event(event.kind),
        percent(event.probability)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_a_sign_and_no_negative_zero() {
        assert_eq!([9.81, -5.24, 0.04, -0.04].map(nats), ["+9.8", "-5.2", "0.0", "0.0"]);
    }

    #[test]
    fn what_new_revisions_take_back_is_explained_with_the_sum() {
        let seen = |kind, nats| {
            let sentence = String::new();
            super::super::view::EvidenceView { kind, sentence, count: 9, nats }
        };
        let rate = crate::analysis::verdict::Rate { value: 0.1, low: 0.0, high: 0.2 };
        let weighing = |proofs, time_nats| WeighingView {
            prior_nats: -2.2,
            time_nats,
            total_nats: 1.0,
            evidence: vec![seen(Kind::Proof, proofs), seen(Kind::Passes, -1.0)],
            flaky_since: None,
            flakes: 0,
            chances: 0,
            flake_rate: rate.into(),
        };
        let said = set_off(&weighing(21.6, -17.5)).unwrap();
        assert!(said.contains(", +20.6 in all;") && said.ends_with(": +3.1."), "{said}");
        for (proofs, time) in [(21.6, -1.9), (2.0, -17.5), (21.6, 17.5), (1.0, 0.0)] {
            assert_eq!(set_off(&weighing(proofs, time)), None);
        }
    }

    #[test]
    fn log_odds_read_as_shares() {
        assert_eq!(
            prior((0.1_f64 / 0.9).ln()),
            "Before anything is known: 10 % of tests are flaky"
        );
        assert_eq!(total(0.0), "Together: 50 % that it is flaky, however rarely");
    }

    #[test]
    fn the_likeliest_cause_is_named() {
        let causes = Attribution { flake: 0.1, regression: 0.7, change: 0.15, outage: 0.05 };
        assert_eq!(cause(&causes), "regression 70 %");
        assert_eq!(cause(&Attribution { flake: 0.97, ..causes }), "flake");
    }
}
