//! What the reports of a run say: one outcome for each test and variant, and what is wrong with
//! each report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::context::input::Severity;
use crate::context::sidecar::{Sidecar, Sidecars};
use crate::junit::{Code, Level, Reading, Verdict, Warning};
use crate::model::{
    Outcome, Repeat, Report, ReportHash, RunContext, Started, TestId, TestIdentity, TestResult,
    Timestamp, Variant,
};
use crate::ops::Watcher;
use crate::ops::reading::{Input, InputFormat, ReadRequest, read_all};
use crate::ops::validate::is_passed_over;
use crate::quarantine::emit::TestName;
use crate::quarantine::gate::Flaw;
use crate::report::location::{self, Location};

/// Everything that was read.
#[derive(Default)]
pub(super) struct Seen {
    /// Every report, and every input that should have been one.
    pub(super) reports: Vec<SeenReport>,
    /// The readings, each with its round, its sidecar and its report.
    documents: Vec<(usize, Report)>,
    /// What lies beside each of them.
    pub(super) sidecars: Vec<Option<Sidecar>>,
    /// Sidecars that cannot be used.
    pub(super) trouble: Vec<String>,
}

/// One report.
pub(super) struct SeenReport {
    /// The file, as named to people.
    pub(super) file: String,
    /// The hash of its bytes; `None` where nothing could be opened.
    pub(super) hash: Option<ReportHash>,
    /// When the file was last written.
    pub(super) modified: Option<Timestamp>,
    /// When it says that its tests started.
    pub(super) started: Option<Started>,
    /// What is wrong with it, the worst first.
    pub(super) flaws: Vec<Flaw>,
}

/// What became of one test in one variant.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// In the first round; skipped where it was not there.
    pub(super) first: Outcome,
    /// In the end.
    pub(super) outcome: Outcome,
    /// Where it failed or was retried.
    pub(super) detail: Option<Box<Detail>>,
}

/// A test that failed or was retried.
#[derive(Debug, Clone)]
pub(super) struct Detail {
    pub(super) test: TestName,
    /// Why it failed, in one line.
    pub(super) headline: String,
    /// Where it failed, where the failure's text names the test's file.
    pub(super) location: Option<Location>,
}

/// Reads the reports of all rounds, as JUnit XML whatever they look like.
pub(super) fn read(rounds: &[ReadRequest], watcher: &dyn Watcher) -> Seen {
    let mut seen = Seen::default();
    let sidecars = Mutex::new(Sidecars::default());
    for (round, request) in rounds.iter().enumerate() {
        let request = ReadRequest { format: InputFormat::Junit, ..request.clone() };
        for input in read_all(&request, watcher, &|input| take(input, &sidecars)) {
            match input {
                Taken::Nothing => {}
                Taken::Unread(report) => seen.reports.push(report),
                Taken::Read(read) => {
                    seen.reports.push(read.seen);
                    seen.documents.push((round, read.report));
                    match read.sidecar {
                        Ok(sidecar) => seen.sidecars.push(sidecar),
                        Err(message) => {
                            seen.sidecars.push(None);
                            seen.trouble.push(message);
                        }
                    }
                }
            }
        }
    }
    seen
}

enum Taken {
    /// Something else that was found beside the reports.
    Nothing,
    Unread(SeenReport),
    Read(Box<Read>),
}

struct Read {
    seen: SeenReport,
    report: Report,
    sidecar: Result<Option<Sidecar>, String>,
}

/// Called from many threads, once for each input.
fn take(input: Input, sidecars: &Mutex<Sidecars>) -> Taken {
    let (document, reading) = match input {
        Input::Read(read) => *read,
        Input::Problem(problem) => {
            let flaw = Flaw::Unreadable {
                code: problem.code.as_str().to_owned(),
                message: problem.message,
            };
            return match problem.severity {
                Severity::Warn => Taken::Nothing,
                Severity::Reject => Taken::Unread(SeenReport {
                    file: problem.name,
                    hash: None,
                    modified: None,
                    started: None,
                    flaws: vec![flaw],
                }),
            };
        }
        // Not asked for: everything is read as JUnit XML here.
        Input::Import(_) => return Taken::Nothing,
    };
    if is_passed_over(&document, &reading) {
        return Taken::Nothing;
    }
    let mut locked = match sidecars.lock() {
        Ok(locked) => locked,
        Err(poisoned) => poisoned.into_inner(),
    };
    let sidecar = match &document.path {
        Some(path) => locked.of(path).map_err(|error| error.to_string()),
        None => Ok(None),
    };
    drop(locked);
    let seen = SeenReport {
        file: document.name,
        hash: Some(ReportHash::of(&document.bytes)),
        modified: document.modified,
        started: reading.report.started,
        flaws: flaws(&reading),
    };
    if reading.verdict == Verdict::Reject {
        return Taken::Unread(seen);
    }
    Taken::Read(Box::new(Read { seen, report: reading.report, sidecar }))
}

/// What is wrong with a report, the worst first.
fn flaws(reading: &Reading) -> Vec<Flaw> {
    let found = |code: Code| reading.warnings.iter().find(|warning| warning.code == code);
    let loud = reading.warnings.iter().filter(|warning| warning.code.level() != Level::Note);
    let worst = loud.min_by_key(|warning| (warning.code.level(), warning.code));
    let code = worst.map_or_else(String::new, |warning| warning.code.as_str().to_owned());
    let message = worst.map_or_else(String::new, placed);
    let has_invalid = worst.is_some_and(|warning| warning.code.level() == Level::Invalid);
    let mut flaws = Vec::new();
    match reading.verdict {
        Verdict::Reject => flaws.push(Flaw::Unreadable { code, message }),
        Verdict::Salvage => flaws.push(Flaw::Damaged { code, message }),
        Verdict::Accept | Verdict::Warn if has_invalid || !reading.report.complete => {
            flaws.push(Flaw::Damaged { code, message });
        }
        // One that was not kept may be any.
        Verdict::Accept | Verdict::Warn if reading.warnings_dropped > 0 => {
            let code = Code::Malformed.as_str().to_owned();
            let message = format!("{} findings more than are kept", reading.warnings_dropped);
            flaws.push(Flaw::Damaged { code, message });
        }
        Verdict::Accept | Verdict::Warn => {}
    }
    if reading.verdict == Verdict::Reject {
        return flaws;
    }
    let report = &reading.report;
    if found(Code::NoTests).is_some() {
        flaws.push(Flaw::Empty);
    }
    flaws.extend(
        found(Code::CountMismatch).map(|warning| Flaw::Counts { message: placed(warning) }),
    );
    for suite in &report.suite_failures {
        let failure = report.failures.get(suite.failure as usize);
        let message = failure.map_or_else(String::new, |failure| failure.headline().to_owned());
        flaws.push(Flaw::SuiteError { suite: suite_name(&suite.suite), message });
    }
    flaws.extend((report.nameless > 0).then_some(Flaw::Nameless(report.nameless)));
    flaws
}

fn suite_name(suite: &str) -> String {
    suite.replace(crate::model::tests::SUITE_SEPARATOR, " > ")
}

fn placed(warning: &Warning) -> String {
    match warning.line {
        0 => warning.message.clone(),
        line => format!("line {line}: {}", warning.message),
    }
}

impl Seen {
    /// The producers of the reports, each once, by name.
    pub(super) fn producers(&self) -> Vec<String> {
        let all: BTreeSet<&str> =
            self.documents.iter().map(|(_, report)| report.producer).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The keys of variants that reports bring along themselves, such as `browser`.
    pub(super) fn dialect_keys(&self) -> BTreeSet<String> {
        let variants = self.documents.iter().flat_map(|(_, report)| &report.variants);
        variants.flat_map(Variant::pairs).map(|(key, _)| key.to_owned()).collect()
    }
}

/// One outcome for each test and variant.
///
/// Within a round the worst outcome counts: two reports of one round that speak of one test are a
/// clash of names or of matrix cells, and no retry. A later round has the last word on the tests
/// that it ran.
pub(super) fn cells(seen: &Seen, contexts: &[RunContext]) -> BTreeMap<(TestId, String), Cell> {
    let mut all: BTreeMap<(TestId, String), Cell> = BTreeMap::new();
    let rounds = seen.documents.iter().map(|(round, _)| *round).max().map_or(0, |last| last + 1);
    for round in 0..rounds {
        let mut now: BTreeMap<(TestId, String), Cell> = BTreeMap::new();
        for ((of, report), context) in seen.documents.iter().zip(contexts) {
            if *of == round {
                add_report(report, context, &mut now);
            }
        }
        for (key, cell) in now {
            match all.get_mut(&key) {
                Some(before) => before.follow(cell),
                None if round == 0 => _ = all.insert(key, cell),
                None => _ = all.insert(key, Cell { first: Outcome::Skipped, ..cell }),
            }
        }
    }
    all
}

fn add_report(report: &Report, context: &RunContext, cells: &mut BTreeMap<(TestId, String), Cell>) {
    let own: Vec<String> = report
        .variants
        .iter()
        .map(|more| context.variant.clone().with_all(more).to_string())
        .collect();
    let plain = context.variant.to_string();
    for result in &report.results {
        let Some(test) = report.tests.get(result.test) else { continue };
        let variant = result.variant.and_then(|variant| own.get(variant.place())).unwrap_or(&plain);
        let cell = cell(report, result, &test);
        match cells.get_mut(&(test.id, variant.clone())) {
            Some(before) => before.beside(cell),
            None => _ = cells.insert((test.id, variant.clone()), cell),
        }
    }
}

fn cell(report: &Report, result: &TestResult, test: &TestIdentity<'_>) -> Cell {
    let any_bad = result.attempts.iter().any(|attempt| attempt.outcome.is_bad());
    // Different tests of one name: the failure of one is not mended by the pass of another.
    let outcome = match result.repeat {
        Repeat::Ambiguous if any_bad && !result.outcome.is_bad() => Outcome::Failed,
        _ => result.outcome,
    };
    let detail = (outcome.is_bad() || any_bad || result.is_flaky()).then(|| {
        let failure = result.failure.or_else(|| result.attempts.iter().find_map(|one| one.failure));
        let failure = failure.and_then(|place| report.failures.get(place as usize));
        Box::new(Detail {
            test: TestName::of(test),
            headline: failure.map_or_else(String::new, |failure| failure.headline().to_owned()),
            location: failure
                .and_then(|failure| location::find(&failure.text, test.file, test.classname)),
        })
    });
    Cell { first: outcome, outcome, detail }
}

const fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Skipped => 0,
        Outcome::Passed => 1,
        Outcome::Failed => 2,
        Outcome::Errored => 3,
    }
}

impl Cell {
    /// Takes in another record of the same round: the worse counts.
    fn beside(&mut self, other: Self) {
        if severity(other.outcome) > severity(self.outcome) {
            (self.first, self.outcome) = (other.first, other.outcome);
            self.detail = other.detail.or(self.detail.take());
        } else if self.detail.is_none() {
            self.detail = other.detail;
        }
    }

    /// Takes in a later round, which has the last word where it ran the test.
    fn follow(&mut self, later: Self) {
        if later.outcome != Outcome::Skipped {
            self.outcome = later.outcome;
        }
        self.detail = later.detail.or(self.detail.take());
    }
}

#[cfg(test)]
mod tests;
