//! What a rule would have done, in words that need no statistics.

use super::limits::FIELD_CHARS_MAX;
use super::sentence::{count, number, percent, revision};
use super::view::{BacktestView, FlagView, HiddenView, TrialView, TurnView};
use super::{escape, phrase, sentence};
use crate::analysis::backtest::Rule;

/// The name of a rule in a table.
#[must_use]
pub fn name(rule: &Rule) -> String {
    match rule {
        Rule::Filter { flaky, .. } => flaky.to_string(),
        Rule::Classic(_) => "classic rule".to_owned(),
    }
}

/// The rule in one sentence.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    match rule {
        Rule::Filter { flaky, stay } => format!(
            "Flaky from a probability of {} on, with evidence (docs/DETECTION.md); no longer below {}",
            percent(*flaky),
            percent(*stay)
        ),
        Rule::Classic(classic) => format!(
            "{} of at least {} of the last {} results failed, and not all",
            percent(classic.threshold),
            number(classic.min_runs.into()),
            number(classic.window.into())
        ),
    }
}

/// The name with what it is to the settings: `0.35 in force`.
#[must_use]
pub fn title(trial: &TrialView) -> String {
    match (trial.in_force, trial.strict) {
        (true, _) => format!("{} in force", trial.name),
        (false, true) => format!("{} --strict", trial.name),
        (false, false) => trial.name.clone(),
    }
}

/// The rule in the middle of a sentence: `a threshold of 0.35`.
#[must_use]
pub fn subject(trial: &TrialView) -> String {
    match trial.rule {
        "filter" => format!("a threshold of {}", trial.name),
        _ => "the classic rule".to_owned(),
    }
}

/// What the rule would have done, a sentence for each question.
#[must_use]
pub fn sentences(trial: &TrialView, view: &BacktestView) -> Vec<String> {
    vec![flagged(trial), greened(trial, view), hidden(trial, view), changes(trial)]
        .into_iter()
        .flatten()
        .collect()
}

fn flagged(trial: &TrialView) -> Option<String> {
    if trial.tests_flagged == 0 {
        return Some("No test would have been called flaky".to_owned());
    }
    let still = match (trial.tests_flagged, trial.tests_flagged_at_end) {
        (1, 1) => "and still in the end".to_owned(),
        (1, _) => "but no longer in the end".to_owned(),
        (_, still) => format!("{} still in the end", number(still)),
    };
    let flagged = count(trial.tests_flagged, "test");
    let mut text = format!("{flagged} would have been called flaky, {still}");
    if let Some(flakes) = trial.flakes_until_flagged_median {
        text += &match flakes {
            0 | 1 if trial.tests_flagged == 1 => ", by its first flake".to_owned(),
            0 | 1 => "; half of them by their first flake".to_owned(),
            flakes if trial.tests_flagged == 1 => format!(", after {}", count(flakes, "flake")),
            flakes => format!("; half of them after {} or fewer", count(flakes, "flake")),
        };
    }
    if trial.tests_flagged_wrongly > 0 {
        let wrongly = number(trial.tests_flagged_wrongly);
        text += &match (trial.tests_flagged_wrongly, trial.tests_flagged) {
            (1, 1) => "; wrongly, as none of its failures was a flake".to_owned(),
            (1, _) => "; 1 wrongly, as none of its failures was a flake".to_owned(),
            _ => format!("; {wrongly} wrongly, as none of their failures was a flake"),
        };
    }
    Some(text)
}

fn greened(trial: &TrialView, view: &BacktestView) -> Option<String> {
    if view.runs.red == 0 {
        return None;
    }
    let wrongly = match trial.runs_turned_green_wrongly {
        0 => String::new(),
        wrongly => format!(", {} wrongly, as something was broken", number(wrongly.into())),
    };
    if view.runs.red == 1 {
        return Some(match (trial.runs_turned_green, trial.runs_turned_green_wrongly) {
            (0, _) => "The only red run would have stayed red".to_owned(),
            (_, 0) => "The only red run would have been green".to_owned(),
            _ => "The only red run would have been green, wrongly: something was broken".to_owned(),
        });
    }
    Some(format!(
        "{} of {} would have been green{wrongly}",
        number(trial.runs_turned_green.into()),
        count(view.runs.red, "red run")
    ))
}

fn hidden(trial: &TrialView, view: &BacktestView) -> Option<String> {
    Some(match (view.regressions, trial.regressions_hidden) {
        (0, _) => "The main line had no regression to hide".to_owned(),
        (1, 0) => "The only regression of the main line would not have been hidden".to_owned(),
        (1, _) => format!(
            "The only regression of the main line would have been hidden, for {}",
            count(trial.regression_runs_hidden_max, "run")
        ),
        (all, 0) => {
            format!("None of {} of the main line would have been hidden", count(all, "regression"))
        }
        (all, hidden) => format!(
            "{} of {} of the main line would have been hidden, none for more than {}",
            number(hidden),
            count(all, "regression"),
            count(trial.regression_runs_hidden_max, "run")
        ),
    })
}

fn changes(trial: &TrialView) -> Option<String> {
    let failures = trial.change_failures_hidden;
    (failures > 0).then(|| {
        format!(
            "{} that a change caused would have been hidden from it",
            count(failures, "failure")
        )
    })
}

/// Which thresholds would have done the same as the one that is told more of.
#[must_use]
pub fn alike(view: &BacktestView) -> Option<String> {
    let told = view.told().filter(|told| told.rule == "filter")?;
    let filters = || view.rules.iter().filter(|trial| trial.rule == "filter");
    let at = filters().position(|trial| trial.name == told.name)?;
    let filters: Vec<&TrialView> = filters().collect();
    let same = |trial: &&&TrialView| trial.numbers() == told.numbers();
    let (below, above) = (filters.get(..at)?, filters.get(at..)?);
    let first = below.iter().rev().take_while(same).last().map_or(told, |trial| trial);
    let last = above.iter().take_while(same).last()?;
    (first.name != last.name).then(|| {
        format!(
            "Every threshold from {} to {} would have done the same on this history",
            first.name, last.name
        )
    })
}

/// How to read the table, a line for each column or two.
pub const LEGEND: [&str; 6] = [
    "Each line replays the same runs under another rule, which at each run knows only what came \
     before; a test that it calls flaky is fenced off from its next run on",
    "Called flaky: tests, once for each variant; wrongly, in \
     flakedb's view: none of their failures was a flake",
    "After flakes: half of the tests were called flaky after so many flakes, or fewer",
    "Runs green: red runs in which all that failed was fenced off; wrongly: something was broken",
    "Hidden regressions: breakages of the main line of which at least one failed run would not \
     have been seen; one that is probably broken is seen again",
    "Hidden changes: failures that a change itself caused, on its own runs",
];

/// Which way to turn, and by what.
pub const ADVICE: &str = "The threshold of the filter is the key judging.filter.flaky in flakedb.toml, or --set \
                          for one command. A lower threshold calls more tests flaky, and sooner; a higher one hides \
                          less. Raise it where breakages are hidden that you would have wanted to \
                          see, lower it where too few red runs turn green.";

/// What the table is no proof of.
pub const CAUTION: &str = "What a failure really was is flakedb's own judgement in hindsight: it \
                           compares rules, and proves none right.";

/// When: `2026-11-19 12:00`.
#[must_use]
pub fn minute(turn: &TurnView) -> String {
    phrase::minute(&turn.started)
}

/// How a test came to be called flaky, and what became of it.
#[must_use]
pub fn flag(flag: &FlagView) -> String {
    let how = match (flag.flakes, flag.flakes_until_flagged) {
        (0, _) => "wrongly: it never flaked".to_owned(),
        (_, 0) => "before it flaked".to_owned(),
        (_, flakes) => format!("after {}", count(flakes, "flake")),
    };
    match &flag.until {
        None => format!("{how}, still called flaky in the end"),
        Some(until) => format!("{how}, until {}", minute(until)),
    }
}

/// How long a regression was hidden.
#[must_use]
pub fn regression(hidden: &HiddenView) -> String {
    let mut text = format!("broken from {}", minute(&hidden.from));
    if let Some(name) = &hidden.from.revision {
        text += &format!(", revision {}", revision(name));
    }
    text += &match (hidden.hidden_runs, hidden.failed_runs) {
        (1, 1) => "; its only failed run hidden".to_owned(),
        (all, failed) if all == failed => format!("; all {} hidden", count(failed, "failed run")),
        (some, failed) => {
            format!("; {} of {} hidden", number(some.into()), count(failed, "failed run"))
        }
    };
    match &hidden.shown_from {
        Some(shown) => text + &format!(", seen again from {}", minute(shown)),
        None => text,
    }
}

/// What was replayed, behind a word: `over all runs since …`, `over the last 60 runs`.
#[must_use]
pub fn over(view: &BacktestView) -> String {
    let text = &view.window.text;
    if text.starts_with("all ") { format!("over {text}") } else { format!("over the {text}") }
}

/// What no rule is in force for.
#[must_use]
pub fn without_threshold(view: &BacktestView) -> Option<String> {
    let in_force = view.rules.iter().any(|trial| trial.in_force);
    (!in_force).then(|| {
        let method = escape::line(&view.method);
        let method = escape::shortened(&method, FIELD_CHARS_MAX);
        format!("The method `{method}`, which is in force, has no such threshold")
    })
}

/// The commands that put another threshold in force, with what they are good for.
#[must_use]
pub fn hints(view: &BacktestView) -> Vec<(String, &'static str)> {
    let Some(told) = view.told().filter(|told| told.rule == "filter" && told.in_force) else {
        let command = "flakedb report --method filter".to_owned();
        return vec![(command, "the verdicts of the method that has these thresholds")];
    };
    let filters = view.rules.iter().filter(|trial| trial.rule == "filter");
    let others = filters.filter(|trial| trial.numbers() != told.numbers());
    let far = |trial: &TrialView| match (trial.threshold, told.threshold) {
        (Some(one), Some(other)) => (one - other).abs(),
        _ => f64::INFINITY,
    };
    let nearest = others.min_by(|one, other| far(one).total_cmp(&far(other)));
    let set = nearest.map(|trial| {
        let command = format!("flakedb report --set judging.filter.flaky={}", trial.name);
        (command, "the verdicts at the next threshold that differs")
    });
    let strict = view.rules.iter().any(|trial| trial.strict);
    let strict = strict.then(|| ("flakedb report --strict".to_owned(), "the strict threshold"));
    set.into_iter().chain(strict).collect()
}

/// What the window holds, in one line.
#[must_use]
pub fn window(view: &BacktestView) -> String {
    format!(
        "{}; {} on the main line",
        sentence::trend(&view.runs),
        match view.regressions {
            0 => "no regression".to_owned(),
            regressions => count(regressions, "regression"),
        }
    )
}
