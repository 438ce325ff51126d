//! One run of a hunt: its command, its directory, its reports.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::HuntRequest;
use crate::analysis::hunt::{Company, Seen};
use crate::context::child::{GRACE, How, StartError, Terminal, Watch, supervise};
use crate::context::written::{Before, last_of};
use crate::junit::Reading;
use crate::model::{Outcome, TestId};
use crate::ops::Unwatched;
use crate::ops::reading::{Input, ReadRequest, read_all};

/// Stands for the number of the run, in arguments and in places of reports.
pub const NUMBER: &str = "{n}";
/// Stands for the directory of the run.
pub const DIRECTORY: &str = "{dir}";
/// The variable that holds the number of the run.
pub const NUMBER_VARIABLE: &str = "FLAKEDB_HUNT_RUN";
/// The variable that holds the directory of the run.
pub const DIRECTORY_VARIABLE: &str = "FLAKEDB_HUNT_DIR";
/// Of what a failed run wrote, so much of the end is looked at.
const OUTPUT_BYTES_MAX: u64 = 16 << 10;

/// What one run came to.
pub(super) struct One {
    pub(super) number: u32,
    pub(super) company: Company,
    pub(super) how: How,
    /// True where it was ended from outside and says nothing.
    pub(super) interrupted: bool,
    /// The reports that it wrote.
    pub(super) reports: Vec<PathBuf>,
    pub(super) tests: Vec<OneTest>,
    /// Reports that could not be read, or not in full.
    pub(super) problems: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) log: PathBuf,
}

/// What one run showed of a test.
pub(super) struct OneTest {
    pub(super) id: TestId,
    /// Empty where it passed: most do, and need no name.
    pub(super) label: String,
    pub(super) seen: Seen,
    pub(super) failure: String,
}

impl One {
    pub(super) fn seen(&self) -> Seen {
        if self.how == How::Exited(0) { Seen::Passed } else { Seen::Failed }
    }

    /// The end of what it wrote.
    pub(super) fn output(&self) -> String {
        last_of(&self.log, OUTPUT_BYTES_MAX).unwrap_or_default()
    }

    /// Takes its directory away.
    pub(super) fn clear(&self) {
        // What is left over in a temporary directory is the system's to clear.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// True where a text differs from run to run.
#[must_use]
pub fn has_placeholder(text: &OsStr) -> bool {
    let text = text.to_string_lossy();
    text.contains(NUMBER) || text.contains(DIRECTORY)
}

/// Runs the command once.
pub(super) fn one(request: &HuntRequest, number: u32, company: Company) -> Result<One, StartError> {
    let directory = request.workplace.join(number.to_string());
    let log = directory.join("output.log");
    let lost =
        |source: io::Error| StartError::Lost { program: directory.display().to_string(), source };
    fs::create_dir_all(&directory).map_err(lost)?;
    let output = File::create(&log).map_err(lost)?;
    let filled = |text: &OsStr| fill(text, number, &directory);
    let places: Vec<PathBuf> =
        request.reports.iter().map(|place| filled(place.as_os_str()).into()).collect();
    let before = Before::look(&places);
    let (program, arguments) = request.command.split_first().map_or_else(
        || (OsString::new(), Vec::new()),
        |(program, rest)| (filled(program), rest.iter().map(|word| filled(word)).collect()),
    );
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env(NUMBER_VARIABLE, number.to_string())
        .env(DIRECTORY_VARIABLE, &directory)
        .stdin(Stdio::null())
        .stderr(output.try_clone().map_err(lost)?)
        .stdout(output);
    let watch = Watch { terminal: Terminal::Kept, timeout: request.timeout, grace: GRACE };
    let ended = supervise(command, &watch)?;
    let reports = before.since(&places).fresh;
    let (tests, problems) = read(&reports);
    let interrupted = ended.asked.is_some();
    Ok(One {
        number,
        company,
        how: ended.how,
        interrupted,
        reports,
        tests,
        problems,
        directory,
        log,
    })
}

/// Puts number and directory in their places; text that is no UTF-8 has none.
fn fill(text: &OsStr, number: u32, directory: &Path) -> OsString {
    let Some(text) = text.to_str() else { return text.to_os_string() };
    let text = text.replace(NUMBER, &number.to_string());
    text.replace(DIRECTORY, &directory.to_string_lossy()).into()
}

fn read(reports: &[PathBuf]) -> (Vec<OneTest>, Vec<String>) {
    if reports.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let request = ReadRequest { paths: reports.to_vec(), jobs: Some(1), ..ReadRequest::default() };
    let problems = Mutex::new(Vec::new());
    let read = read_all(&request, &Unwatched, &|input| match input {
        Input::Read(read) => {
            let (document, reading) = *read;
            if !reading.report.complete {
                note(&problems, format!("{} is damaged or cut off", document.name));
            }
            tests(&reading)
        }
        Input::Import(import) => {
            note(&problems, format!("{} is no JUnit XML and was not read", import.document.name));
            Vec::new()
        }
        Input::Problem(problem) => {
            note(&problems, problem.to_string());
            Vec::new()
        }
    });
    let problems = problems.into_inner().unwrap_or_default();
    (read.into_iter().flatten().collect(), problems)
}

fn note(problems: &Mutex<Vec<String>>, text: String) {
    if let Ok(mut problems) = problems.lock() {
        problems.push(text);
    }
}

fn tests(reading: &Reading) -> Vec<OneTest> {
    let report = &reading.report;
    let test = |result: &crate::model::TestResult| {
        let identity = report.tests.get(result.test)?;
        let seen = match result.outcome {
            Outcome::Skipped => return None,
            Outcome::Passed if result.is_flaky() => Seen::Both,
            Outcome::Passed => Seen::Passed,
            Outcome::Failed | Outcome::Errored => Seen::Failed,
        };
        let passed = seen == Seen::Passed;
        let failure = result.attempts.iter().find_map(|attempt| attempt.failure);
        let failure = result.failure.or(failure).filter(|_| !passed);
        let failure = failure.and_then(|place| report.failures.get(place as usize));
        Some(OneTest {
            id: identity.id,
            label: if passed { String::new() } else { identity.label() },
            seen,
            failure: failure.map(|failure| failure.headline().to_owned()).unwrap_or_default(),
        })
    };
    report.results.iter().filter_map(test).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        let filled = fill(OsStr::new("a-{n}/{dir}/{n}.xml"), 7, Path::new("/w/7"));
        assert_eq!(filled, "a-7//w/7/7.xml");
        assert!(has_placeholder(OsStr::new("r-{n}.xml")));
        assert!(!has_placeholder(OsStr::new("{no}.xml")));
    }
}
