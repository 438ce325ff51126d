//! Hints on causes in plain English, for people who know no statistics.
//!
//! As all sentences these start with a capital, carry no full stop, and escape what reports supply.
//! They say what was counted first and what it may mean last, and never that it is so.

use super::escape;
use super::limits::HEADLINE_CHARS_MAX;
use super::sentence::{count, list, number, percent, seconds};
use super::view::HintView;
use crate::analysis::cause::{Cause, Hint, Shard, Share, Split, When};

/// The hint as a sentence.
#[must_use]
pub fn sentence(hint: &Hint) -> String {
    match &hint.cause {
        Cause::Polluter { name, split, alike, scopes, in_worker, .. } => {
            polluter(&culprit(name, alike.len(), scopes), *split, *in_worker)
        }
        Cause::Position { failed, passed, in_worker } => format!(
            "{} ran before it{} where it failed, and {} where it passed (medians): it may depend \
             on the order",
            count(*failed, "test"),
            same_worker(*in_worker),
            number((*passed).into())
        ),
        Cause::Worker { worker, split } => compared(
            *split,
            &format!("with worker {}", shown(worker)),
            "with other workers",
            "look at what belongs to that number, such as a port or a database",
        ),
        Cause::Company { unnamed, split } => compared(
            *split,
            "with several workers",
            if *unnamed { "with one, or with none that is named" } else { "with one" },
            "it may share something with tests that run at the same time",
        ),
        Cause::Shard { shard, split } => {
            compared(*split, &part(shard), "others", "look at what runs with it there")
        }
        Cause::Host { host, split } => compared(
            *split,
            &format!("on {}", shown(host)),
            "on other machines",
            "look at what is different there",
        ),
        Cause::Variant { variant, split } => compared(
            *split,
            &format!("with {}", shown(variant)),
            "with other variants",
            "look at what is different there",
        ),
        Cause::Clock { when, split } => compared(
            *split,
            &time(*when),
            "at other times",
            "it may depend on the clock or on what else runs then",
        ),
        Cause::Duration { failed, passed } => duration(failed.as_seconds(), passed.as_seconds()),
        Cause::Together { name, both, either, others, .. } => {
            let also = match others {
                0 => String::new(),
                others => format!(", and so do {}", count(*others, "other test")),
            };
            format!(
                "Fails together with {}{also}: in {} of the {} in which either failed, both did; \
                 they may share a cause",
                shown(name),
                number((*both).into()),
                count(*either, "run"),
            )
        }
        Cause::Burst { split } => compared(
            *split,
            "that followed a failure",
            "that followed a pass",
            "its failures come in spells, so something around it may be down for a while",
        ),
        Cause::Signature { failures, most, kinds, headline } => {
            looks(*failures, *most, *kinds, headline)
        }
    }
}

/// The hint in a few words, to stand behind others on one line.
#[must_use]
pub fn short(hint: &Hint) -> String {
    let of_all = |split: Split, what: &str| {
        let all = split.inside.failed + split.outside.failed;
        let all = count(all, "failure");
        format!("{} of {all} {what}", number(split.inside.failed.into()))
    };
    match &hint.cause {
        Cause::Polluter { name, split, alike, scopes, in_worker, .. } => {
            let culprit = culprit(name, alike.len(), scopes);
            let worker = same_worker(*in_worker);
            let only = if is_exact(*split) { "only " } else { "" };
            match is_worse(*split) {
                true => format!("fails {only}after {culprit}{worker}"),
                false => format!("fails unless {culprit} ran before it{worker}"),
            }
        }
        Cause::Worker { worker, split } if is_exact(*split) => {
            format!("fails only with worker {}", shown(worker))
        }
        Cause::Worker { worker, split } => {
            of_all(*split, &format!("with worker {}", shown(worker)))
        }
        Cause::Company { split, .. } if is_exact(*split) => {
            "fails only with several workers".to_owned()
        }
        Cause::Company { split, .. } => of_all(*split, "with several workers"),
        Cause::Position { failed, passed, .. } if failed > passed => {
            "fails late in the order".to_owned()
        }
        Cause::Position { .. } => "fails early in the order".to_owned(),
        Cause::Shard { shard, split } => of_all(*split, &part(shard)),
        Cause::Host { host, split } => of_all(*split, &format!("on {}", shown(host))),
        Cause::Variant { variant, split } => of_all(*split, &format!("with {}", shown(variant))),
        Cause::Clock { when, split } => of_all(*split, &format!("in runs {}", time(*when))),
        Cause::Duration { failed, passed } if failed > passed => {
            format!("slower when it fails ({})", seconds(failed.as_seconds()))
        }
        Cause::Duration { failed, .. } => {
            format!("over sooner when it fails ({})", seconds(failed.as_seconds()))
        }
        Cause::Together { name, .. } => format!("fails with {}", shown(name)),
        Cause::Burst { .. } => "fails in spells".to_owned(),
        Cause::Signature { failures, most, .. } if failures == most => {
            "always the same failure".to_owned()
        }
        Cause::Signature { most, failures, kinds, .. } if most * 2 <= *failures => {
            count(*kinds, "kind") + " of failures"
        }
        Cause::Signature { .. } => "mostly the same failure".to_owned(),
    }
}

/// How far these hints may be trusted, where all stand at this rate of false discoveries.
#[must_use]
pub fn caution(hints: &[HintView], false_discovery_rate: f64) -> String {
    if hints.iter().all(|hint| hint.q.is_none()) {
        return "A hint, not a verdict".to_owned();
    }
    let times = 1.0 / false_discovery_rate;
    let chance = if times >= 2.0 && (times - times.round()).abs() < 0.01 {
        format!("1 in {times:.0}")
    } else {
        percent(false_discovery_rate)
    };
    format!("Hints, not verdicts: of all that are given, at most {chance} is chance")
}

fn shown(name: &str) -> String {
    match name {
        "" => "another test".to_owned(),
        name => escape::shortened(&escape::line(name), HEADLINE_CHARS_MAX).into_owned(),
    }
}

/// It never failed outside of what is set apart.
fn is_exact(split: Split) -> bool {
    split.outside.failed == 0
}

fn same_worker(in_worker: bool) -> &'static str {
    if in_worker { " in the same worker" } else { "" }
}

fn is_worse(split: Split) -> bool {
    split.inside.rate() > split.outside.rate()
}

fn share(share: Share) -> String {
    format!("{} of {}", number(share.failed.into()), number(share.runs.into()))
}

/// `Failed in 9 of 12 runs on w7, and in 2 of 40 on other machines: look …`.
fn compared(split: Split, inside: &str, outside: &str, meaning: &str) -> String {
    let runs = count(split.inside.runs, "run");
    let failed = number(split.inside.failed.into());
    format!(
        "Failed in {failed} of {runs} {inside}, and in {} {outside}: {meaning}",
        share(split.outside)
    )
}

/// Classes named where a hint cannot tell tests apart; more of them say nothing.
const SCOPES_MAX: usize = 3;

/// The test that is meant, or where those are that cannot be told apart.
fn culprit(name: &str, alike: usize, scopes: &[String]) -> String {
    if alike == 0 {
        return shown(name);
    }
    let more = count(alike as u64, "other test");
    match scopes {
        [] => format!("{} or any of {more} that came with it", shown(name)),
        scopes if scopes.len() > SCOPES_MAX || scopes.iter().any(String::is_empty) => {
            format!("{} or any of {more} that came with it", shown(name))
        }
        scopes => {
            let scopes: Vec<String> = scopes.iter().map(|scope| shown(scope)).collect();
            format!("some of {} of {}", count(alike as u64 + 1, "test"), list(&scopes))
        }
    }
}

fn polluter(culprit: &str, split: Split, in_worker: bool) -> String {
    let worker = same_worker(in_worker);
    if is_worse(split) {
        let inside = format!("in which {culprit} ran before it{worker}");
        return compared(split, &inside, "others", "it depends on the order");
    }
    compared(
        Split { inside: split.outside, outside: split.inside },
        &format!("in which {culprit} did not run before it{worker}"),
        "others",
        "it needs what is left behind there",
    )
}

/// The shard's own name.
pub(super) fn named(shard: &Shard) -> &str {
    let (Shard::Named(name) | Shard::File(name) | Shard::Folder(name) | Shard::Job(name)) = shard;
    name
}

fn part(shard: &Shard) -> String {
    match shard {
        Shard::Named(name) => format!("of shard {}", shown(name)),
        Shard::File(file) => format!("reported in {}", shown(file)),
        Shard::Folder(folder) => format!("reported in the folder {}", shown(folder)),
        Shard::Job(job) => format!("of the job {}", shown(job)),
    }
}

pub(super) fn time(when: When) -> String {
    const DAYS: [&str; 7] =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    match when {
        When::Hours { from, until } => {
            let hour = |hour: u32| match hour % 24 {
                0 => "midnight".to_owned(),
                hour => format!("{hour:02}:00"),
            };
            format!("started between {} and {} UTC", hour(from), hour(until))
        }
        When::Weekday(day) => {
            format!("started on a {}", DAYS.get(day as usize).copied().unwrap_or("day"))
        }
        When::Weekend => "started on a weekend".to_owned(),
        When::FirstDay => "started on the first day of a month".to_owned(),
        When::LastDay => "started on the last day of a month".to_owned(),
        When::LongMonth => "started on the 29th to 31st of a month".to_owned(),
    }
}

fn duration(failed: f64, passed: f64) -> String {
    let times = format!("{} where it failed, {} where it passed", seconds(failed), seconds(passed));
    if failed > passed {
        return format!(
            "Takes longer when it fails ({times}): it may wait for something that does not come"
        );
    }
    format!("Is over sooner when it fails ({times}): it may fail before it does its work")
}

fn looks(failures: u32, most: u32, kinds: u32, headline: &str) -> String {
    let headline = match headline {
        "" => String::new(),
        headline => format!(" ({})", shown(headline)),
    };
    let failures_shown = count(failures, "failure");
    if failures == most {
        return format!("All {failures_shown} look alike{headline}: one cause is likely");
    }
    let most_shown = number(most.into());
    if most * 2 > failures {
        return format!("{most_shown} of {failures_shown} look alike{headline}: mostly one cause");
    }
    format!(
        "{failures_shown} of {}, the most frequent {most_shown} times: several causes, or one that \
         shows in different places",
        count(kinds, "kind"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Micros;
    use crate::store::query::TestNo;

    fn split(inside: (u32, u32), outside: (u32, u32)) -> Split {
        let share = |(failed, runs)| Share { failed, runs };
        Split { inside: share(inside), outside: share(outside) }
    }

    fn both(cause: Cause) -> String {
        let hint = Hint { cause, p: Some(1e-6), q: Some(1e-4) };
        format!("{}\n  {}\n", sentence(&hint), short(&hint))
    }

    #[test]
    fn every_hint_reads_as_a_sentence() {
        let test = TestNo(1);
        let name = "tests.test_b::test_sets_locale".to_owned();
        let polluter = |split, alike: u32, scopes: &str| Cause::Polluter {
            test,
            name: name.clone(),
            split,
            alike: (0..alike).map(TestNo).collect(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            in_worker: false,
        };
        let in_worker = |split| match polluter(split, 0, "") {
            Cause::Polluter { test, name, split, alike, scopes, .. } => {
                Cause::Polluter { test, name, split, alike, scopes, in_worker: true }
            }
            other => other,
        };
        let at = |when| Cause::Clock { when, split: split((8, 9), (1, 60)) };
        let looks = |failures, most, kinds| Cause::Signature {
            failures,
            most,
            kinds,
            headline: "TimeoutError: no answer".to_owned(),
        };
        let texts: String = [
            polluter(split((14, 15), (0, 16)), 0, ""),
            polluter(split((14, 15), (0, 16)), 2, ""),
            polluter(split((14, 15), (0, 16)), 9, "tests.test_b"),
            polluter(split((14, 15), (0, 16)), 22, "tests.test_b tests.test_c"),
            polluter(split((14, 15), (0, 16)), 22, "a b c d"),
            polluter(split((0, 18), (12, 13)), 0, ""),
            in_worker(split((14, 15), (0, 16))),
            in_worker(split((14, 15), (1, 16))),
            in_worker(split((0, 18), (12, 13))),
            Cause::Position { failed: 31, passed: 12, in_worker: false },
            Cause::Position { failed: 1, passed: 12, in_worker: true },
            Cause::Worker { worker: "gw3".into(), split: split((8, 20), (0, 60)) },
            Cause::Worker { worker: "3".into(), split: split((8, 20), (1, 60)) },
            Cause::Company { unnamed: false, split: split((8, 20), (0, 30)) },
            Cause::Company { unnamed: true, split: split((8, 20), (1, 30)) },
            Cause::Shard { shard: Shard::Named("2/4".into()), split: split((8, 20), (1, 60)) },
            Cause::Shard {
                shard: Shard::File("junit-2.xml".into()),
                split: split((8, 20), (1, 60)),
            },
            Cause::Shard { shard: Shard::Folder("shard-2".into()), split: split((8, 20), (1, 60)) },
            Cause::Shard { shard: Shard::Job("test (3)".into()), split: split((8, 20), (1, 60)) },
            Cause::Host { host: "w7".into(), split: split((1, 1), (5, 40)) },
            Cause::Variant { variant: "os=windows".into(), split: split((8, 30), (0, 60)) },
            at(When::Hours { from: 23, until: 1 }),
            at(When::Hours { from: 18, until: 24 }),
            at(When::Weekday(0)),
            at(When::Weekend),
            at(When::FirstDay),
            at(When::LastDay),
            at(When::LongMonth),
            Cause::Duration { failed: Micros(2_100_000), passed: Micros(640_000) },
            Cause::Duration { failed: Micros(12_000), passed: Micros(340_000) },
            Cause::Together { test, name: name.clone(), both: 7, either: 9, others: 0 },
            Cause::Together { test, name: String::new(), both: 7, either: 9, others: 2 },
            Cause::Burst { split: split((9, 12), (3, 60)) },
            looks(14, 14, 1),
            looks(14, 13, 2),
            looks(14, 4, 6),
        ]
        .into_iter()
        .map(both)
        .collect();
        insta::assert_snapshot!(texts);
    }

    #[test]
    fn caution_counts_in_whole_hints() {
        let hints = [HintView { q: Some(0.01), ..HintView::default() }];
        assert!(caution(&hints, 0.05).ends_with("at most 1 in 20 is chance"));
        assert!(caution(&hints, 0.03).ends_with("at most 3 % is chance"));
        assert_eq!(caution(&[HintView::default()], 0.05), "A hint, not a verdict");
    }
}
