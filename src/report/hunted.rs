//! What a hunt found, in sentences that a terminal and a pull request share.

use super::palette::Tone;
use super::view::{ChanceView, HuntView, HuntedTest, SightingView};
use super::{escape, sentence};
use crate::analysis::hunt::ALWAYS_RUNS;
use crate::analysis::interval::excluded_rate;

/// The first line: what it is, and the counts behind it.
#[must_use]
pub fn headline(view: &HuntView) -> (Tone, String) {
    let seen = &view.seen;
    let (tone, said) = match view.finding {
        "flaky" => (Tone::Unsteady, format!("Flaky: {}", flaky(view))),
        "under-load" => (Tone::Unsteady, format!("Only under load: {}", under_load(view))),
        "always-fails" => (Tone::Bad, format!("Always fails: {}", always_fails(view))),
        _ if seen.all.runs == 0 => (Tone::Faint, "Nothing was run to its end.".to_owned()),
        _ => (Tone::Good, format!("No flake: {}", clean(view))),
    };
    match view.interrupted {
        true => {
            let runs = sentence::count(view.planned, "run");
            let done = sentence::number(seen.all.runs.into());
            (tone, format!("Ended by a signal after {done} of {runs}. {said}"))
        }
        false => (tone, said),
    }
}

fn flaky(view: &HuntView) -> String {
    if view.seen.finding == "flaky" {
        return format!("the command {}", failed_in(&view.seen, view.confidence));
    }
    let flaky = view.tests.iter().filter(|test| test.seen.finding == "flaky").count();
    let tests = sentence::count(flaky as u64, "test");
    let command = match view.seen.finding {
        "always-fails" => "the command itself always failed",
        "under-load" => "the command itself failed beside others only",
        _ => "the command itself never failed",
    };
    format!("{tests} failed and passed in {}; {command}.", runs_of(view.seen.all.runs))
}

fn under_load(view: &HuntView) -> String {
    let command = view.seen.finding == "under-load";
    let test = view.tests.iter().find(|test| test.seen.finding == "under-load");
    let (what, seen) = match (command, test) {
        (false, Some(test)) => ("a test", &test.seen),
        _ => ("the command", &view.seen),
    };
    let beside =
        format!("{what} failed in {} side by side", of_runs(seen.beside.failed, seen.beside.runs));
    if seen.alone.runs == 0 {
        return format!("{beside}, and was not run alone.");
    }
    let excluded = excluded(seen.alone.runs, view.confidence);
    format!(
        "{beside} and in none of {} alone, which excludes a rate above {excluded} there.",
        runs_of(seen.alone.runs)
    )
}

fn always_fails(view: &HuntView) -> String {
    let failing = |seen: &SightingView| seen.finding == "always-fails";
    let runs = view.seen.all.runs;
    if failing(&view.seen) {
        let rate = excluded_rate(runs, view.confidence);
        let least = sentence::percent(1.0 - rate);
        let certainty = sentence::percent(view.confidence);
        let flake = format!("fails in at least {least} of its runs, at {certainty}");
        return match runs {
            1 => format!("its only run failed; if it is a flake, it {flake}."),
            runs if runs < ALWAYS_RUNS => {
                format!("all {} failed; if it is a flake, it {flake}.", runs_of(runs))
            }
            runs => {
                let runs = runs_of(runs);
                format!("all {runs} failed. It is broken; a flake that looks so {flake}.")
            }
        };
    }
    let tests = view.tests.iter().filter(|test| failing(&test.seen)).count();
    let tests = sentence::count(tests as u64, "test");
    format!("{tests} failed whenever it ran; the command itself never failed in {}.", runs_of(runs))
}

fn clean(view: &HuntView) -> String {
    let runs = view.seen.all.runs;
    let excluded = excluded(runs, view.confidence);
    let certainty = sentence::percent(view.confidence);
    format!(
        "{} passed, which excludes a flake rate above {excluded} at {certainty}.",
        runs_of(runs)
    )
}

/// What the runs of a hunt that found nothing could have found; `None` for other hunts.
#[must_use]
pub fn could_have_found(view: &HuntView) -> Option<String> {
    if view.finding != "clean" || view.seen.all.runs == 0 {
        return None;
    }
    let of = |ChanceView { rate, chance }: &ChanceView| {
        format!("{} for one of {}", chance_of(*chance), sentence::percent(*rate))
    };
    let chances: Vec<String> = view.could_find.iter().map(of).collect();
    Some(format!("So many runs meet a flake with a chance of {}.", sentence::list(&chances)))
}

/// Never certain, however many runs there were.
fn chance_of(chance: f64) -> String {
    sentence::percent(chance.min(1.0 - f64::EPSILON))
}

/// `failed in 1 of 7 runs (exact 95 % interval: 0.4-58 %).`
fn failed_in(seen: &SightingView, confidence: f64) -> String {
    let (failed, runs) = match seen.alone.failed {
        0 => (seen.all.failed, seen.all.runs),
        failed => (failed, seen.alone.runs),
    };
    let alone = if seen.beside.runs > 0 && seen.alone.failed > 0 { " alone" } else { "" };
    format!("failed in {}{alone}{}.", of_runs(failed, runs), interval(seen, confidence))
}

fn interval(seen: &SightingView, confidence: f64) -> String {
    let Some(rate) = seen.rate else { return String::new() };
    let bounds = sentence::rate(rate.rate());
    let bounds = bounds.trim_start_matches("likely ");
    format!(" (exact {} interval: {bounds})", sentence::percent(confidence))
}

/// What was seen of a test: the word, its counts, its rate.
#[must_use]
pub fn test_cells(test: &HuntedTest) -> [String; 3] {
    let seen = &test.seen;
    let word = match seen.finding {
        "under-load" => "under load",
        "always-fails" => "always fails",
        word => word,
    };
    let rate = seen.rate.map(|rate| sentence::rate(rate.rate())).unwrap_or_default();
    // The counts that the rate was made of.
    let (tally, alone) = match (seen.alone.failed, seen.beside.runs) {
        (0, _) => (seen.all, ""),
        (_, 0) => (seen.alone, ""),
        _ => (seen.alone, " alone"),
    };
    let counts = [tally.failed, tally.runs].map(|count| sentence::number(count.into()));
    [
        word.to_owned(),
        format!("{} of {}{alone}", counts[0], counts[1]),
        rate.trim_start_matches("likely ").to_owned(),
    ]
}

/// How the runs ended, where they did not all end alike: `6 × exit code 0, 1 × signal 11`.
#[must_use]
pub fn endings(view: &HuntView) -> Option<String> {
    let one = |ending: &super::view::EndingView| {
        format!("{} × {}", ending.runs, escape::line(&ending.how))
    };
    let all: Vec<String> = view.endings.iter().map(one).collect();
    (all.len() > 1).then(|| format!("Runs ended with {}.", all.join(", ")))
}

fn excluded(clean: u32, confidence: f64) -> String {
    sentence::percent(excluded_rate(clean, confidence))
}

fn runs_of(runs: u32) -> String {
    sentence::count(runs, "run")
}

fn of_runs(failed: u32, runs: u32) -> String {
    format!("{} of {}", sentence::number(failed.into()), runs_of(runs))
}
