//! A simulation in sentences, shared by the terminal and Markdown.

use super::escape;
use super::view::{HiddenRegressionView, SimulationView, TermView};
use super::{phrase, sentence};

/// What was replayed, as a line.
#[must_use]
pub fn subject(view: &SimulationView) -> String {
    format!(
        "{} from {} until {}: {} in {}, {} red",
        sentence::count(view.days, "day"),
        view.from,
        view.until,
        sentence::count(view.runs, "run"),
        sentence::count(view.builds, "build"),
        sentence::number(view.builds_red.into())
    )
}

/// What the policy would have done, in sentences.
#[must_use]
pub fn sentences(view: &SimulationView) -> Vec<String> {
    let wrongly = match view.builds_turned_green_wrongly {
        0 => "in none of them something was broken".to_owned(),
        n => format!("in {} of them something was broken, too", sentence::number(n.into())),
    };
    let green = match view.builds_turned_green {
        0 => "It would have turned no red build green".to_owned(),
        n => format!("It would have turned {} green; {wrongly}", sentence::count(n, "red build")),
    };
    let all = sentence::count(view.regressions, "regression");
    let hidden = match (view.regressions, view.hidden.len()) {
        (0, 0) => "No regression of the main line began in these days".to_owned(),
        (_, 0) => format!("It would have hidden none of {all} of the main line"),
        (_, n) => {
            let n = sentence::count(n as u64, "regression");
            format!("It would have hidden {n} for a while, where {all} began in these days")
        }
    };
    let held = match (view.terms.len(), view.days_held_median) {
        (0, _) | (_, None) => "It would have listed nothing".to_owned(),
        (n, Some(median)) => format!(
            "It would have held {} at most and {:.1} on average; {}, half of them for at most {}, \
             and {} not over",
            sentence::count(view.tests_held_max, "test"),
            view.tests_held_mean,
            sentence::count(n as u64, "stay"),
            sentence::count(median.unsigned_abs(), "day"),
            match view.still_held {
                1 => "1 is".to_owned(),
                n => format!("{} are", sentence::number(n.into())),
            }
        ),
    };
    vec![green, hidden, held]
}

/// A regression that would have been hidden, behind its name.
#[must_use]
pub fn regression(hidden: &HiddenRegressionView) -> String {
    let revision = hidden
        .revision
        .as_deref()
        .map_or(String::new(), |revision| format!(", broken by {}", sentence::revision(revision)));
    let until = match &hidden.shown {
        Some(_) => "until it was shown",
        None => "and never shown while it lasted",
    };
    format!(
        "hidden for {} from {} on{revision}: {} of {}, {until}",
        sentence::seconds(hidden.hidden_seconds as f64),
        phrase::minute(&hidden.from),
        sentence::number(hidden.runs_hidden.into()),
        sentence::count(hidden.runs_failed, "failed run"),
    )
}

/// A stay on the list, behind its name.
#[must_use]
pub fn term(term: &TermView) -> String {
    let days = sentence::count(term.days.max(0).unsigned_abs(), "day");
    let end = match (&term.until, term.ended_by) {
        (Some(until), Some("release")) => format!("released on {until} after {days}"),
        (Some(until), Some("stale")) => format!("stale on {until} after {days}"),
        (Some(until), _) => format!("expired on {until} after {days}"),
        (None, _) => format!("still there after {days}"),
    };
    let extended = match term.extended {
        0 => String::new(),
        1 => ", extended once".to_owned(),
        n => format!(", extended {n} times"),
    };
    format!("{}, {end}{extended}", term.from)
}

/// The test with its cells.
#[must_use]
pub fn label(test: &str, variant: &str) -> String {
    match variant {
        "" => escape::line(test).into_owned(),
        variant => format!("{} [{}]", escape::line(test), escape::line(variant)),
    }
}

/// What a simulation is no proof of.
pub const CAUTION: &str = "Every plan is taken as applied the same night, and people as doing \
nothing else; what the failures were is judged in hindsight. The gate's own checks would show more";
