//! How a retry runs only what failed: by the runner's own words, if it has any.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use super::{Failing, RunRequest, plain};
use crate::ops::part::in_front;
use crate::quarantine::emit::{Format, Selected, TestName, select};
use crate::quarantine::gate::RunnerFact;
use crate::quarantine::gate::runners::{Runner, identify};

/// Tests named in a note; the rest are counted.
const NAMES_MAX: usize = 3;

/// How to retry.
pub(super) enum Way {
    /// Only what failed, with remarks.
    Only(Command, Vec<String>),
    /// The whole command, and why.
    All(String),
    /// Not at all, and why.
    No(String),
}

/// The best way to try again what failed, where the command ended with this code.
pub(super) fn way(request: &RunRequest<'_>, code: i32, failing: &Failing) -> Way {
    let words: Option<Vec<String>> =
        request.command.iter().map(|word| word.to_str().map(str::to_owned)).collect();
    let Some(words) = words else {
        return Way::All("its arguments are no Unicode".to_owned());
    };
    // Arguments can be added to a command that starts the runner itself, not to a script that does.
    let runner = match identify(request.runner.as_deref(), &words, &[], &request.settings.runners) {
        RunnerFact::Known(runners) => runners.into_iter().next(),
        RunnerFact::NoSuch(_) | RunnerFact::Unknown(_) => None,
    };
    let Some(runner) = runner else {
        return Way::All(
            "its words do not say which runner it starts; --runner does, where the command hands \
             its arguments on"
                .to_owned(),
        );
    };
    if let Some(why) = refusal(code, &runner) {
        return Way::No(why);
    }
    let Some(format) = Format::find(&runner.name) else {
        return Way::All(format!("flakedb knows no way to select tests for {}", runner.name));
    };
    let tests: Vec<TestName> = failing.tests.values().cloned().collect();
    let Some(selected) = select(format, &tests, &failing.known) else {
        return Way::All(format!("{} has no words to run only what failed", runner.name));
    };
    match command(request, &words, &selected) {
        Ok(command) => Way::Only(command, notes(&selected)),
        Err(why) => Way::All(why),
    }
}

/// A runner that says something else than "tests failed" would say it again.
fn refusal(code: i32, runner: &Runner) -> Option<String> {
    (!runner.means_failed(code)).then(|| {
        let name = &runner.name;
        format!("nothing was retried: exit code {code} of {name} does not say \"tests failed\"")
    })
}

fn command(
    request: &RunRequest<'_>,
    words: &[String],
    selected: &Selected,
) -> Result<Command, String> {
    let workplace = request.workplace.as_deref();
    let path = match (&selected.file, workplace) {
        (None, _) => String::new(),
        (Some(_), None) => return Err("there is no directory for the list of tests".to_owned()),
        (Some(file), Some(workplace)) => {
            let path = workplace.join(file.name);
            fs::write(&path, &file.text)
                .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            path.to_string_lossy().into_owned()
        }
    };
    let words = selected
        .command(words, &path)
        .map_err(|word| format!("`{word}` selects tests itself, and more would run"))?;
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let mut command = plain(&words);
    let variable = selected.file.as_ref().and_then(|file| file.path_variable);
    if let (Some(name), Some(workplace)) = (variable, workplace) {
        command.env(name, in_front(workplace, (request.variable)(name)));
    }
    Ok(command)
}

fn notes(selected: &Selected) -> Vec<String> {
    let mut notes = selected.notes.clone();
    let names: Vec<&str> =
        selected.missing.iter().take(NAMES_MAX).map(|test| test.label.as_str()).collect();
    let more = selected.missing.len() - names.len();
    if !names.is_empty() {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!(
            "not retried, for the runner has no words for it: {}{more}",
            names.join(", ")
        ));
    }
    notes
}
