//! Changes in words, for the file and for reviewers.

use super::{Action, Figures, Scene};
use crate::analysis::verdict::Rate;
use crate::model::{counted, percent};
use crate::quarantine::list::Entry;

/// The numbers behind an entry, as they stand in the file.
pub(super) fn evidence(figures: &Figures) -> String {
    let mut parts =
        vec![format!("flaked in {} of {}", figures.flakes, counted(figures.runs, "run"))];
    if let Some(Rate { low, high, .. }) = figures.rate {
        parts.push(format!("likely {}-{} %", percent(low), percent(high)));
    }
    if let Some(probability) = figures.probability {
        parts.push(format!("{} % sure", percent(probability)));
    }
    if let Some(last) = figures.last_flake {
        parts.push(format!("last on {last}"));
    }
    parts.join(", ")
}

/// Why a change is due, as a sentence without a full stop.
pub(super) fn why(action: Action, entry: &Entry, figures: &Figures, scene: &Scene<'_>) -> String {
    match action {
        Action::Enter => {
            let reason = entry.reason.clone().unwrap_or_default();
            format!("{}: {}", capital(&reason), evidence(figures))
        }
        Action::Extend => {
            let left = figures.clean_needed.saturating_sub(figures.clean);
            let status = figures.status.map_or("unknown", |status| status.word());
            let since =
                figures.last_flake.map_or(String::new(), |last| format!(", last on {last}"));
            format!(
                "Still {status}: flaked in {} of {}{since}; {left} more without a flake release it",
                figures.flakes,
                counted(figures.runs, "run")
            )
        }
        Action::Release if figures.broken => {
            "It fails always now: it is broken, not flaky, and the list must not hide that"
                .to_owned()
        }
        Action::Release => {
            let whence = match (figures.since_fix, figures.last_flake, entry.since) {
                (true, ..) => {
                    let fix = entry.fixed.as_deref().unwrap_or_default();
                    format!("since revision {fix}, which is said to have mended it")
                }
                (false, Some(last), _) => format!("since its last flake on {last}"),
                (false, None, Some(since)) => format!("since it was listed on {since}"),
                (false, None, None) => "and no flake in this window".to_owned(),
            };
            let needed = counted(figures.clean_needed, "run");
            format!(
                "{} without a flake {whence}; {needed} release it",
                capital(&counted(figures.clean, "run"))
            )
        }
        Action::Expire => {
            let on = entry.expires.map_or(String::new(), |end| format!(" on {end}"));
            let status = figures.status.map_or("not judged", |status| status.word());
            format!("Its term ended{on} and nothing speaks for another: it is {status}")
        }
        Action::Stale => match figures.last_run {
            Some(last) => format!("Last ran on {last}: nothing of that name has run since"),
            None => {
                let days = scene.policy.stale_days;
                format!("No test of that name ran in this window, for at least {days} days")
            }
        },
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(["äpfel", "1 run", ""].map(capital), ["Äpfel", "1 run", ""]);
    }
}
