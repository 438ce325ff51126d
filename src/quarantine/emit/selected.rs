//! Selections: a format turned round, to run only the given tests, such as those that failed.

use super::request::Request;
use super::{ARGUMENT_BYTES_MAX, TestName};

/// Stands in an argument for the file's path.
pub const FILE: &str = "{FILE}";

/// What makes a runner run only some tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// Arguments for the command; [`FILE`] in one stands for the path of the file.
    pub arguments: Vec<String>,
    /// A file that must exist while the command runs.
    pub file: Option<SelectedFile>,
    /// Tests that are not selected, because the runner has no words for them.
    pub missing: Vec<TestName>,
    /// What cannot be expressed, and what runs besides, for people.
    pub notes: Vec<String>,
    /// Where the runner runs them in their order: its own word for each, in that order.
    pub order: Option<Vec<(String, TestName)>>,
    pub(super) place: Place,
    pub(super) not_with: &'static [&'static str],
}

/// A file that goes with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedFile {
    /// Its name, which matters to some runners.
    pub name: &'static str,
    /// What it holds.
    pub text: String,
    /// The variable with a list of directories in front of which the file's directory belongs.
    pub path_variable: Option<&'static str>,
}

/// Where arguments belong in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// At the end, or where a script runner such as npm starts the command, behind `--`.
    #[default]
    End,
    /// In front of a `--`, else at the end.
    BeforeDashes,
    /// Behind a `--`, which is added where there is none.
    AfterDashes,
    /// At the end, behind the packages: else gotestsum takes the arguments for its own.
    AfterPackages,
}

/// How a format is turned round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    pub(super) make: fn(&Request<'_>) -> Option<Selected>,
    pub(super) place: Place,
    /// Words of a command that select tests besides these arguments, so that more would run.
    pub(super) not_with: &'static [&'static str],
    /// How a person gives the text to the runner, where FILE holds it.
    pub(super) usage: &'static str,
}

impl Selection {
    /// The selection, unless it is empty or longer than one argument may be.
    pub(super) fn of(&self, request: &Request<'_>) -> Option<Selected> {
        let selected = (self.make)(request)?;
        let fits = |argument: &String| argument.len() <= ARGUMENT_BYTES_MAX;
        let arguments: usize = selected.arguments.iter().map(String::len).sum();
        // Linux limits each argument; Windows and others all of them, at a multiple of it.
        if !selected.arguments.iter().all(fits) || arguments > 8 * ARGUMENT_BYTES_MAX {
            return None;
        }
        Some(Selected { place: self.place, not_with: self.not_with, ..selected })
    }
}

/// Scripts are started by these; they take their own arguments up to `--`.
const SCRIPT_RUNNERS: [&str; 2] = ["npm", "npm.cmd"];

impl Selected {
    /// The command that runs only these tests, with the file at `path`.
    ///
    /// # Errors
    /// A word of the command selects tests itself and the runner would run both, or takes the
    /// arguments for its own: names the word.
    pub fn command(&self, command: &[String], path: &str) -> Result<Vec<String>, String> {
        let program = command
            .first()
            .map_or("", |program| program.rsplit(['/', '\\']).next().unwrap_or(program));
        let script = SCRIPT_RUNNERS.contains(&program);
        let clash = |word: &&String| {
            let option = word.split_once('=').map_or(word.as_str(), |(option, _)| option);
            self.not_with.contains(&option) && !(script && option == "--")
        };
        if let Some(word) = command.iter().find(clash) {
            return Err(word.clone());
        }
        let dashes = command.iter().position(|word| word == "--");
        let packages = |word: &String| word.starts_with('.') || word.contains("...");
        let apart = dashes.is_some() || command.iter().any(packages);
        if self.place == Place::AfterPackages && program == "gotestsum" && !apart {
            return Err(program.to_owned());
        }
        let added = self.arguments.iter().map(|argument| argument.replace(FILE, path));
        let mut out = command.to_vec();
        let at = match (self.place, dashes) {
            (Place::BeforeDashes, Some(at)) if !script => at,
            (Place::AfterDashes, None) => {
                out.push("--".to_owned());
                out.len()
            }
            _ if script && dashes.is_none() => {
                out.push("--".to_owned());
                out.len()
            }
            _ => out.len(),
        };
        out.splice(at..at, added);
        Ok(out)
    }

    /// What a person writes to a file: the file's text, else one argument for each line.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.file {
            Some(file) => file.text.clone(),
            None => self.arguments.iter().map(|argument| format!("{argument}\n")).collect(),
        }
    }
}
