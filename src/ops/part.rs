//! A test command for some of its tests: the runner's words that select them, and a report of its
//! own.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::context::redirect::{Redirected, redirect};
use crate::model::TestName;
use crate::quarantine::emit::{Format, Selected, select_in_order};

/// A command whose tests can be told apart.
pub struct Whole<'a> {
    /// The command and its arguments.
    pub command: &'a [OsString],
    /// Its runner, as `quarantine::emit` names formats.
    pub runner: &'a str,
    /// All tests of today.
    pub known: &'a [TestName],
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The command for some of the tests.
pub struct Part {
    /// Ready to be started.
    pub command: Command,
    /// Where it writes its reports: paths and patterns.
    pub places: Vec<PathBuf>,
    /// Tests for which the runner has no words.
    pub missing: Vec<TestName>,
    /// For people.
    pub notes: Vec<String>,
    /// True where the runner runs the tests in the order given.
    pub keeps_order: bool,
}

/// Why there is no such command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The command or the runner cannot be told to run only some tests.
    #[error("{0}")]
    Selection(String),
    /// Processes side by side would write one report over another.
    #[error(
        "where {runner} writes its report is not known; put {{dir}} into the path of the report, as in {{dir}}/report.xml"
    )]
    Report {
        /// The runner.
        runner: String,
    },
    /// A file of the selection cannot be written.
    #[error("{path} cannot be written: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
}

impl Whole<'_> {
    /// The command that runs only these tests, in this order where the runner can be told
    /// ([`Part::keeps_order`] then), with `directory` (empty, absolute, and its own) for its
    /// report and for what selects the tests.
    ///
    /// # Errors
    /// [`PartError`].
    pub fn part(&self, tests: &[TestName], directory: &Path) -> Result<Part, PartError> {
        let words: Vec<String> =
            self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let refuse = |why: String| PartError::Selection(why);
        let format = Format::find(self.runner)
            .ok_or_else(|| refuse(format!("flakedb cannot select tests for {}", self.runner)))?;
        let selected = select_in_order(format, tests, self.known)
            .ok_or_else(|| refuse(format!("{} has no words for these tests", self.runner)))?;
        let redirected = redirect(self.runner, &words, self.variable, directory)
            .ok_or_else(|| PartError::Report { runner: self.runner.to_owned() })?;
        let mut variables = Vec::new();
        let path = self.write(&selected, directory, &mut variables)?;
        for (path, text) in &redirected.files {
            write(path, text)?;
        }
        let words = selected
            .command(&redirected.words, &path)
            .map_err(|word| refuse(format!("`{word}` selects tests itself, and more would run")))?;
        let words = redirected.complete(self.of_packages(words, tests));
        let (program, arguments) =
            words.split_first().ok_or_else(|| refuse("there is no command".to_owned()))?;
        let mut command = Command::new(program);
        let Redirected { variables: of_report, places, .. } = redirected;
        command.args(arguments).envs(of_report).envs(variables);
        let keeps_order = selected.order.is_some();
        Ok(Part { command, places, missing: selected.missing, notes: selected.notes, keeps_order })
    }

    /// The same words with the packages of these tests in the place of patterns such as `./...`:
    /// go's own pattern of names knows no package, and would run tests of these names in all others.
    fn of_packages(&self, words: Vec<String>, tests: &[TestName]) -> Vec<String> {
        let packages: BTreeSet<&str> = tests.iter().map(|test| test.classname.as_str()).collect();
        let is_pattern = |word: &String| !word.starts_with('-') && word.contains("...");
        let at = words.iter().position(is_pattern);
        let Some(at) = at.filter(|_| self.runner == "go" && !packages.contains("")) else {
            return words;
        };
        let (before, behind) = words.split_at(at);
        let rest = behind.iter().filter(|word| !is_pattern(word)).cloned();
        let packages = packages.into_iter().map(str::to_owned);
        before.iter().cloned().chain(packages).chain(rest).collect()
    }

    /// Writes the file of a selection; its path, and the variable by which it is found.
    fn write(
        &self,
        selected: &Selected,
        directory: &Path,
        variables: &mut Vec<(&'static str, OsString)>,
    ) -> Result<String, PartError> {
        let Some(file) = &selected.file else { return Ok(String::new()) };
        let path = directory.join(file.name);
        write(&path, &file.text)?;
        if let Some(name) = file.path_variable {
            variables.push((name, in_front(directory, (self.variable)(name))));
        }
        Ok(path.to_string_lossy().into_owned())
    }
}

/// A list of directories with one more at its front.
pub(super) fn in_front(first: &Path, rest: Option<OsString>) -> OsString {
    let separator = if cfg!(windows) { ";" } else { ":" };
    let mut all = first.as_os_str().to_os_string();
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        all.push(separator);
        all.push(rest);
    }
    all
}

fn write(path: &Path, text: &str) -> Result<(), PartError> {
    fs::write(path, text).map_err(|why| PartError::File { path: path.to_path_buf(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> TestName {
        TestName {
            label: format!("tests.test_a::{name}"),
            suite: "pytest".to_owned(),
            classname: "tests.test_a".to_owned(),
            name: name.to_owned(),
            file: "tests/test_a.py".to_owned(),
        }
    }

    #[test]
    fn a_part_of_pytest_has_its_order_and_its_report() {
        let directory = tempfile::tempdir().unwrap();
        let command = ["pytest", "-q", "--junitxml=all.xml"].map(OsString::from);
        let variable = |name: &str| (name == "PYTHONPATH").then(|| OsString::from("lib"));
        let whole = Whole { command: &command, runner: "pytest", known: &[], variable: &variable };
        let tests = ["test_c", "test_a", "test_b"].map(test);
        let part = whole.part(&tests, directory.path()).unwrap();
        let report = directory.path().join("report.xml");
        let words: Vec<String> =
            part.command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let junit = format!("--junitxml={}", report.display());
        assert_eq!(words, ["-q", &junit, "-p", "flakedb_only"]);
        assert_eq!(part.places, [report]);
        let plugin = fs::read_to_string(directory.path().join("flakedb_only.py")).unwrap();
        let places: Vec<usize> =
            ["::test_c\"", "::test_a\"", "::test_b\""].map(|id| plugin.find(id).unwrap()).to_vec();
        assert!(places.is_sorted(), "{plugin}");
        assert!(part.keeps_order);
    }

    #[test]
    fn tests_of_go_run_in_their_own_packages_alone() {
        let directory = tempfile::tempdir().unwrap();
        let of = |package: &str, name: &str| TestName {
            classname: package.to_owned(),
            name: name.to_owned(),
            ..TestName::default()
        };
        let command = ["gotestsum", "--", "-race", "./...", "shop/..."].map(Into::into);
        let whole = Whole { command: &command, runner: "go", known: &[], variable: &|_| None };
        let words = |tests: &[TestName]| {
            let part = whole.part(tests, directory.path()).unwrap();
            let words = part.command.get_args().map(|word| word.to_string_lossy().into_owned());
            words.skip_while(|word| word != "-race").collect::<Vec<_>>().join(" ")
        };
        let both = [of("shop/cart", "TestA"), of("shop/bill", "TestB"), of("shop/cart", "TestC")];
        assert_eq!(words(&both), "-race shop/bill shop/cart -run ^TestA$|^TestB$|^TestC$");
        // A report without packages says nothing of where the test is.
        assert_eq!(words(&[of("", "TestA")]), "-race ./... shop/... -run ^TestA$");
    }

    #[test]
    fn a_report_that_nobody_can_place_is_an_error_with_a_mend() {
        let directory = tempfile::tempdir().unwrap();
        let go = TestName { name: "TestA".to_owned(), ..TestName::default() };
        let part = |line: &[&str]| {
            let command: Vec<OsString> = line.iter().map(OsString::from).collect();
            let whole = Whole { command: &command, runner: "go", known: &[], variable: &|_| None };
            whole.part(std::slice::from_ref(&go), directory.path()).map(|part| part.places)
        };
        let refused = part(&["go", "test", "./..."]).unwrap_err().to_string();
        assert!(refused.contains("{dir}/report.xml"), "{refused}");
        assert!(part(&["gotestsum", "./..."]).is_ok());
    }
}
