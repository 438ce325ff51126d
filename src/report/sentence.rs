//! Verdicts, facts and numbers in plain English.
//!
//! Sentences start with a capital and carry no full stop, so that they stand in tables and lists.
//! Everything that a report or a forge supplied is escaped here.

use super::escape;
use super::limits::{FIELD_CHARS_MAX, REVISION_CHARS};
use super::palette::Tone;
use super::phrase;
use super::view::{HarmView, RunsView};
use crate::analysis::direction::Direction;
use crate::analysis::verdict::{Fact, JudgedRun, NextStep, Rate, Status, Verdict};
use crate::model::{self, Lane, Micros, Timestamp};

/// A count with its noun: `1 run`, `12 runs`, `1,204 runs`.
#[must_use]
pub fn count(n: impl Into<u64>, noun: &str) -> String {
    let n = n.into();
    let plural = match (n, noun.as_bytes()) {
        (1, _) => "",
        (_, [.., b'c' | b's', b'h'] | [.., b's']) => "es",
        (_, [.., b'r', b'y']) => return format!("{} {}ies", number(n), noun.trim_end_matches('y')),
        _ => "s",
    };
    format!("{} {noun}{plural}", number(n))
}

/// A number with its thousands set apart: `1,204`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as a percentage that never rounds to 0 % or 100 % what is not: `12 %`, `0.4 %`,
/// `>99.9 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", model::percent(share))
}

/// Where a rate lies, to stand behind what was counted: `likely 5.2-25 %`, its 95 % interval.
///
/// The estimate within is left out: it is not the quotient of the counts, and looks like a mistake.
#[must_use]
pub fn rate(rate: Rate) -> String {
    let [low, high] = [rate.low, rate.high].map(model::percent);
    format!("likely {low}-{high} %")
}

/// A duration in the unit people would use: `340 ms`, `1.2 s`, `2 min 5 s`.
#[must_use]
pub fn duration(duration: Micros) -> String {
    seconds(duration.as_seconds())
}

/// The same for seconds.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.000_5 => "<1 ms".to_owned(),
        s if s < 0.999_5 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 59.5 => format!("{s:.0} s"),
        s if s < 3_599.5 => {
            let whole = s.round() as u64;
            format!("{} min {} s", whole / 60, whole % 60)
        }
        s => {
            let minutes = (s / 60.0).round() as u64;
            format!("{} h {} min", number(minutes / 60), minutes % 60)
        }
    }
}

/// Seconds without false precision: `48 min`, where [`seconds`] says `48 min 3 s`.
#[must_use]
pub fn rough(value: f64) -> String {
    match value {
        s if (59.5..3_570.0).contains(&s) => format!("{:.0} min", s / 60.0),
        s => seconds(s),
    }
}

/// A size in bytes: `812 B`, `1.4 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A revision short enough to compare by eye; what is no hash keeps more of itself.
#[must_use]
pub fn revision(revision: &str) -> String {
    let hash =
        revision.len() > REVISION_CHARS && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kept = if hash { REVISION_CHARS } else { 4 * REVISION_CHARS };
    let escaped = escape::line(revision);
    escaped.chars().take(kept).collect()
}

/// A time to the minute, in UTC: `2026-11-22 08:22`.
#[must_use]
pub fn minute(time: Timestamp) -> String {
    phrase::minute(&time.to_rfc3339())
}

/// The status as people read it: `newly broken`.
#[must_use]
pub fn status(status: Status) -> &'static str {
    match status {
        Status::NewlyBroken => "newly broken",
        other => other.word(),
    }
}

/// How the status is coloured.
#[must_use]
pub const fn tone(status: Status) -> Tone {
    match status {
        Status::NewlyBroken | Status::Broken => Tone::Bad,
        Status::Flaky | Status::Suspect => Tone::Unsteady,
        Status::Recovering | Status::Fixed | Status::Healthy => Tone::Good,
        Status::New | Status::Stale => Tone::Faint,
    }
}

/// How sure the method is, where it says: `97 % sure`.
#[must_use]
pub fn certainty(probability: Option<f64>) -> Option<String> {
    probability.map(|probability| format!("{} sure", percent(probability)))
}

/// Why the test has its status, in one sentence: the strongest fact that speaks for this status,
/// else the strongest, else what the counts say.
#[must_use]
pub fn reason(verdict: &Verdict, runs: &[JudgedRun]) -> String {
    let speaking = verdict.facts.iter().find(|fact| speaks_for(fact, verdict.status));
    if let Some(telling) = speaking.or(verdict.facts.first()) {
        return fact(telling, runs);
    }
    let executions = verdict.executions;
    match (verdict.status, executions, verdict.failures) {
        (Status::Stale, ..) => format!("Last ran on {}", verdict.last_run.to_date()),
        (_, 0, _) if verdict.skipped > 0 => {
            format!("Skipped in {}, never executed", count(verdict.skipped, "run"))
        }
        (_, 0, _) => "Never executed in this window".to_owned(),
        (_, 1, 0) => "Passed in its only run".to_owned(),
        (_, 1, _) => "Failed in its only run".to_owned(),
        (_, _, 0) => format!("Passed in all {}", count(executions, "run")),
        (_, _, failures) if failures == executions => {
            format!("Failed in all {}", count(executions, "run"))
        }
        (_, _, failures) => {
            format!("Failed in {} of {}", number(failures.into()), count(executions, "run"))
        }
    }
}

/// True where the fact is a reason for the status, not just true of the test as well.
const fn speaks_for(fact: &Fact, status: Status) -> bool {
    matches!(
        (fact, status),
        (Fact::FailsSince { .. }, Status::NewlyBroken | Status::Broken)
            | (Fact::PassesSince { .. }, Status::Fixed | Status::Recovering)
            | (
                Fact::PassedOnRetry { .. }
                    | Fact::BothOnOneRevision { .. }
                    | Fact::RecoveredByItself { .. }
                    | Fact::UnrelatedBranches { .. }
                    | Fact::Flips { .. },
                Status::Flaky | Status::Suspect | Status::Recovering,
            )
            | (Fact::Ambiguous { .. }, Status::Suspect)
            | (Fact::Rule { .. }, _)
    )
}

/// One fact as a sentence; `runs` give dates to the runs it names.
#[must_use]
pub fn fact(fact: &Fact, runs: &[JudgedRun]) -> String {
    match fact {
        Fact::PassedOnRetry { times, last } => {
            let last = runs.iter().find(|run| run.no == *last).map(|run| run.started.to_date());
            match (times, last) {
                (1, Some(day)) => format!("Passed only on retry in 1 run, on {day}"),
                (times, Some(day)) => {
                    format!("Passed only on retry in {}, last on {day}", count(*times, "run"))
                }
                (times, None) => format!("Passed only on retry in {}", count(*times, "run")),
            }
        }
        Fact::BothOnOneRevision { revisions, last } => {
            let more = match revisions.saturating_sub(1) {
                0 => String::new(),
                others => format!(" (and {} more)", number(others.into())),
            };
            format!("Failed and passed on revision {}{more}", revision(last))
        }
        Fact::RecoveredByItself { times } => {
            format!("Failed on the default branch and recovered by itself {}", often(*times))
        }
        Fact::UnrelatedBranches { branches: 1 } => {
            "Failed on 1 branch that did not touch it".to_owned()
        }
        Fact::UnrelatedBranches { branches } => {
            format!("Failed on {} with nothing else in common", branches_of(*branches))
        }
        Fact::Flips { flips, pairs } => format!(
            "Changed from passing to failing or back {}, of {} that it could",
            often(*flips),
            count(*pairs, "time")
        ),
        Fact::FailsSince { .. } | Fact::PassesSince { .. } => streak(fact, runs),
        Fact::IgnoredOutages { failures } => {
            format!("{} together with many other tests not counted", count(*failures, "failure"))
        }
        Fact::IgnoredChanges { failures } => {
            format!("{} on changes of their own not counted", count(*failures, "failure"))
        }
        Fact::Ambiguous { runs } => format!(
            "Different tests share this name; {} not counted, as nobody knows which failed",
            count(*runs, "failure")
        ),
        Fact::RateExcluded { runs, one_in } => format!(
            "Passed in all {}: failing more often than once in {} would have shown",
            count(*runs, "run"),
            count(*one_in, "run")
        ),
        Fact::Rule { text } => escape::line(text).into_owned(),
    }
}

/// One fact as evidence for a verdict: the last failures of a flaky test began with no revision.
#[must_use]
pub fn evidence(telling: &Fact, status: Status, all: &[JudgedRun]) -> String {
    match (telling, status) {
        (Fact::FailsSince { runs: failed, since, .. }, Status::Flaky | Status::Recovering) => {
            let (runs, since) = (*failed, *since);
            let fact = Fact::FailsSince { runs, first_bad: None, last_good: None, since };
            streak(&fact, all)
        }
        _ => fact(telling, all),
    }
}

fn branches_of(branches: u32) -> String {
    count(branches, "branch")
}

/// Streaks are those of the main line, which is said where there is another one.
fn streak(fact: &Fact, all: &[JudgedRun]) -> String {
    let of_main = match all.iter().all(|run| run.on_main) {
        true => "",
        false => " of the default branch",
    };
    match fact {
        Fact::FailsSince { runs, first_bad, last_good, since } => {
            let lead = match runs {
                1 => format!("Failed in the last run{of_main}, on {}", since.to_date()),
                _ => format!(
                    "Failed in the last {}{of_main}, since {}",
                    count(*runs, "run"),
                    since.to_date()
                ),
            };
            let revisions = match (first_bad, last_good) {
                (Some(bad), Some(good)) if bad == good => {
                    format!("; the same revision {} had passed before", revision(bad))
                }
                (Some(bad), Some(good)) => format!(
                    "; last passed on revision {}, first failed on {}",
                    revision(good),
                    revision(bad)
                ),
                (Some(bad), None) => format!("; first failing revision {}", revision(bad)),
                (None, Some(good)) => format!("; last passing revision {}", revision(good)),
                (None, None) => String::new(),
            };
            lead + &revisions
        }
        Fact::PassesSince { runs, failed_runs, first_good, since } => {
            let lead = match runs {
                1 => format!("Passed in the last run{of_main}, on {}", since.to_date()),
                _ => format!(
                    "Passed in the last {}{of_main}, since {}",
                    count(*runs, "run"),
                    since.to_date()
                ),
            };
            let before = match failed_runs {
                0 => String::new(),
                1 => ", after 1 failed run".to_owned(),
                failed => format!(", after {} in a row", count(*failed, "failed run")),
            };
            let revision = first_good.as_deref().map_or(String::new(), |good| {
                format!("; first passing revision {}", revision(good))
            });
            lead + &before + &revision
        }
        _ => String::new(),
    }
}

/// What would change the verdict, as a sentence.
#[must_use]
pub fn next(step: NextStep) -> String {
    match step {
        NextStep::MoreResults { runs } => {
            format!("{} needed to say anything", count(runs, "more result"))
        }
        NextStep::NoLongerFlaky { runs } => {
            format!("{} without a failure, and it is no longer called flaky", count(runs, "run"))
        }
        NextStep::CleanRuns { runs } => {
            format!("{} without a failure would clear it", count(runs, "run"))
        }
        NextStep::RerunRevision { times } => {
            format!("Re-running one failing revision {} would settle it", often(times))
        }
        NextStep::PassingRuns { runs } => {
            format!("{} in a row would make it fixed", count(runs, "passing run"))
        }
        NextStep::AFailure => {
            "The next failure on the default branch would make it suspect or worse".to_owned()
        }
        NextStep::AnyResult => "A result in a new run: it would be judged anew".to_owned(),
    }
}

/// What the test cost, where it cost anything.
#[must_use]
pub fn harm(harm: HarmView) -> Option<String> {
    let lost = (harm.lost_seconds >= LOST_SECONDS_MIN).then(|| rough(harm.lost_seconds));
    let builds = (harm.reddened > 0).then(|| match harm.alone {
        0 => format!("Turned {} red, none alone", count(harm.reddened, "build")),
        _ if harm.alone == harm.reddened => {
            format!("Alone turned {} red", count(harm.alone, "build"))
        }
        _ => format!(
            "Turned {} red, {} alone",
            count(harm.reddened, "build"),
            number(harm.alone.into())
        ),
    });
    match (builds, lost) {
        (Some(builds), Some(lost)) => Some(format!("{builds}; {lost} of test time lost")),
        (Some(builds), None) => Some(builds),
        (None, Some(lost)) => Some(format!("{lost} of test time lost in retries")),
        (None, None) => None,
    }
}

/// The same for a list of disputes, where only builds count.
#[must_use]
pub fn reddened_alone(builds: u32) -> Option<String> {
    (builds > 0).then(|| format!("Alone turned {} red", count(builds, "build")))
}

/// How often a test fails of late, where that is not what it was.
#[must_use]
pub const fn trend_of(direction: Direction) -> Option<&'static str> {
    match direction {
        Direction::Better => Some("less often of late"),
        Direction::Worse => Some("more often of late"),
        Direction::Unclear => None,
    }
}

/// In which order verdicts are listed, for the foot of a screen.
pub const ORDER: &str = "What fails now comes first, then what may fail at any time; each by harm: builds turned \
                         red, shared among the tests that failed in them, then test time lost.";

/// Less time lost is not worth a word.
const LOST_SECONDS_MIN: f64 = 1.0;

/// From this P(broken) on a flaky test may be broken as well.
const MAY_BE_BROKEN: f64 = 0.5;

/// The doubt about a flaky test that fails again and again, where there is any.
#[must_use]
pub fn may_be_broken(status: Status, broken: Option<f64>) -> Option<String> {
    let broken = broken.filter(|share| status == Status::Flaky && *share >= MAY_BE_BROKEN)?;
    Some(format!("Its latest failures may be a breakage: {}", percent(broken)))
}

/// One sentence that answers "is it getting better?".
#[must_use]
pub fn trend(runs: &RunsView) -> String {
    let outages = match runs.outages {
        0 => String::new(),
        outages => format!("; {} set aside", count(outages, "more run")),
    };
    let usual = runs.total - runs.outages;
    match (usual, runs.red) {
        (0, _) => return "Every run was set aside: many tests failed together".to_owned(),
        (1, 0) => return format!("The only run was green{outages}"),
        (1, _) => return format!("The only run was red{outages}"),
        (_, 0) => return format!("No red run among {}{outages}", number(usual)),
        _ => {}
    }
    let verb = if runs.red == 1 { "was red" } else { "were red" };
    let all = format!("{} of {} {verb}", number(runs.red), count(usual, "run"));
    if usual < 4 {
        return format!("{all}{outages}");
    }
    let older = usual / 2;
    let halves = format!(
        "{} of {} in the older half, {} of {} in the newer",
        number(runs.red_older_half),
        number(older),
        number(runs.red_newer_half),
        number(usual - older)
    );
    let answer = match runs.direction {
        Direction::Better => "It is getting better",
        Direction::Worse => "It is getting worse",
        Direction::Unclear => "No clear change",
    };
    format!("{answer}: {all}, {halves}{outages}")
}

/// Which branch is taken for the default branch, where none is known and there are several.
#[must_use]
pub fn assumed_default_branch(runs: &[JudgedRun]) -> Option<String> {
    let of_main = || runs.iter().filter(|run| run.on_main && run.lane == Lane::Other);
    let others = || runs.iter().filter(|run| !run.on_main && run.lane == Lane::Other);
    let first = of_main().next().filter(|_| others().next().is_some())?;
    let name = first.branch.as_deref().map_or_else(
        || "runs without a branch are".to_owned(),
        |name| format!("`{}` is", escape::shortened(&escape::line(name), FIELD_CHARS_MAX)),
    );
    Some(format!(
        "No run is known to be of the default branch; {name} taken for it, with {} of {}. \
         Say which it is when you ingest: --default-branch NAME",
        number(of_main().count() as u64),
        count(runs.len() as u64, "run"),
    ))
}

/// Which branch a run belongs to, for people.
#[must_use]
pub const fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::Default => "default branch",
        Lane::Change => "changes",
        Lane::Other => "other branches",
    }
}

/// Several things in one sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// How often: `once`, `twice`, `3 times`.
#[must_use]
pub fn often(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{} times", number(times.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_and_thousands_are_right() {
        for (text, wanted) in [
            (count(0_u32, "run"), "0 runs"),
            (count(1_u32, "branch"), "1 branch"),
            (count(3_u32, "branch"), "3 branches"),
            (count(2_u32, "entry"), "2 entries"),
            (count(1_204_u32, "run"), "1,204 runs"),
            (number(999), "999"),
            (number(1_234_567), "1,234,567"),
            (often(2), "twice"),
        ] {
            assert_eq!(text, wanted);
        }
    }

    #[test]
    fn a_rate_is_its_interval() {
        assert_eq!(percent(0.119), "12 %");
        assert_eq!(rate(Rate { value: 0.119, low: 0.052, high: 0.25 }), "likely 5.2-25 %");
    }

    #[test]
    fn durations_and_sizes_use_the_unit_people_would() {
        for (value, wanted) in [
            (0.0, "<1 ms"),
            (0.34, "340 ms"),
            (0.999_9, "1.0 s"),
            (1.24, "1.2 s"),
            (42.0, "42 s"),
            (125.0, "2 min 5 s"),
            (3_725.0, "1 h 2 min"),
        ] {
            assert_eq!(seconds(value), wanted);
        }
        assert_eq!(bytes(1_400_000), "1.4 MB");
    }

    #[test]
    fn the_reason_is_a_fact_that_speaks_for_the_status() {
        let mut verdict = super::super::sample::usual().verdicts.swap_remove(2);
        let (failed_runs, since) = (2, Timestamp(0));
        let passes = Fact::PassesSince { runs: 3, failed_runs, first_good: None, since };
        verdict.facts = vec![passes, Fact::Flips { flips: 2, pairs: 9 }];
        assert!(reason(&verdict, &[]).starts_with("Changed from passing to failing or back twice"));
        verdict.status = Status::Fixed;
        assert!(reason(&verdict, &[]).starts_with("Passed in the last 3 runs"));
        verdict.status = Status::Stale;
        assert!(reason(&verdict, &[]).starts_with("Passed in the last 3 runs"));
    }

    #[test]
    fn facts_read_as_sentences() {
        let since = Timestamp(1_763_798_400_000);
        for (given, wanted) in [
            (
                Fact::BothOnOneRevision { revisions: 3, last: "1f3a9c0a11deadbeef".into() },
                "Failed and passed on revision 1f3a9c0a11 (and 2 more)",
            ),
            (
                Fact::FailsSince {
                    runs: 5,
                    first_bad: Some("b".repeat(40)),
                    last_good: Some("v1.2-rc".into()),
                    since,
                },
                "Failed in the last 5 runs, since 2025-11-22; last passed on revision v1.2-rc, first failed on bbbbbbbbbb",
            ),
            (
                Fact::FailsSince {
                    runs: 5,
                    first_bad: Some("v1.2".into()),
                    last_good: Some("v1.2".into()),
                    since,
                },
                "Failed in the last 5 runs, since 2025-11-22; the same revision v1.2 had passed before",
            ),
            (
                Fact::PassesSince { runs: 1, failed_runs: 4, first_good: None, since },
                "Passed in the last run, on 2025-11-22, after 4 failed runs in a row",
            ),
            (
                Fact::Flips { flips: 6, pairs: 41 },
                "Changed from passing to failing or back 6 times, of 41 times that it could",
            ),
            (
                Fact::RecoveredByItself { times: 1 },
                "Failed on the default branch and recovered by itself once",
            ),
            (
                Fact::IgnoredOutages { failures: 1 },
                "1 failure together with many other tests not counted",
            ),
            (Fact::Rule { text: "a\u{1b}b".into() }, "a\\u{1b}b"),
        ] {
            assert_eq!(fact(&given, &[]), wanted);
        }
        assert_eq!(next(NextStep::MoreResults { runs: 1 }), "1 more result needed to say anything");
    }
}
