//! Reports into the history: read in parallel, written in one transaction.

mod imported;
mod retried;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use crate::context::input::{Document, InputProblem, Severity};
use crate::context::resolve::{Surroundings, resolve, resolve_part};
use crate::context::sidecar::{Sidecar, SidecarError, Sidecars};
use crate::context::{Overrides, zone};
use crate::junit::{Code, Reading, Warning};
use crate::model::tests::TableFull;
use crate::model::{Counts, PartFacts, Report, ReportHash, RunContext, Started, TestId, Timestamp};
use crate::report::view::{FileProblem, FileVerdict, IngestView};
use crate::store::batch::{BatchBuilder, ReportMeta};
use crate::store::{Store, StoreError};

use super::Watcher;
use super::reading::{Input, ReadRequest, read_all};
use super::validate::{is_passed_over, verdict_of};
use imported::Contexts;

/// What to ingest, and what is known about where it comes from.
#[derive(Debug, Clone, Default)]
pub struct IngestRequest {
    /// What to read.
    pub read: ReadRequest,
    /// What flags and variables say about the run.
    pub overrides: Overrides,
    /// What CI and git say.
    pub surroundings: Surroundings,
    /// Now.
    pub now: Timestamp,
    /// The tests that had failed, where the reports are of a retry of them.
    pub retried: Option<BTreeSet<TestId>>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A sidecar cannot be used; without it the reports would land in the wrong run.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// The history could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reports do not fit into one ingest.
    #[error(transparent)]
    TooMuch(#[from] TableFull),
}

/// What an ingest did.
#[derive(Debug, Clone)]
pub struct IngestOutcome {
    /// The screen.
    pub view: IngestView,
    /// Something the user named could not be read; what was found by a walk does not count.
    pub input_failed: bool,
}

/// What was read, ready to be written.
pub struct Collected {
    builder: BatchBuilder,
    outcome: IngestOutcome,
}

/// Reads all inputs; nothing is written yet.
///
/// # Errors
/// [`IngestError`]: a sidecar that cannot be used, or more than one ingest can hold.
pub fn collect(request: &IngestRequest, watcher: &dyn Watcher) -> Result<Collected, IngestError> {
    let collector =
        Collector { request, builder: BatchBuilder::new(request.now), sidecars: Mutex::default() };
    let files = read_all(&request.read, watcher, &|input| collector.take(input));
    let mut outcome = IngestOutcome { view: IngestView::default(), input_failed: false };
    let mut contexts = Contexts::default();
    for file in files {
        outcome.add(file?, &mut contexts);
    }
    outcome.settle(contexts);
    Ok(Collected { builder: collector.builder, outcome })
}

impl Collected {
    /// True where there is anything to write.
    #[must_use]
    pub fn has_reports(&self) -> bool {
        !self.outcome.view.projects.is_empty()
    }

    /// Writes what was read, whole or not at all.
    ///
    /// # Errors
    /// [`IngestError::Store`]; the history is as it was.
    pub fn write(
        self,
        store: &mut dyn Store,
        watcher: &dyn Watcher,
    ) -> Result<IngestOutcome, IngestError> {
        watcher.phase("writing");
        watcher.steps(0);
        let batch = self.builder.finish();
        let appended = store.append(&batch);
        // So much memory takes a while to give back, and mostly the process ends before.
        let _ = thread::Builder::new().spawn(move || drop(batch));
        let appended = appended?;
        let mut outcome = self.outcome;
        let view = &mut outcome.view;
        view.reports_new = appended.reports_new;
        view.reports_known = appended.reports_known;
        view.runs_new = appended.runs_new;
        view.runs_extended = appended.runs_extended;
        view.tests_new = appended.tests_new;
        view.failures_new = appended.failures_new;
        Ok(outcome)
    }

    /// What was read, where nothing is to be written.
    #[must_use]
    pub fn leave(self) -> IngestOutcome {
        self.outcome
    }
}

/// What became of one input.
#[derive(Default)]
struct FileDone {
    is_report: bool,
    bytes: u64,
    verdict: Option<FileVerdict>,
    counts: Counts,
    warnings: u64,
    contexts: Contexts,
    problems: Vec<FileProblem>,
    input_failed: bool,
    passed_over: bool,
    /// The format, where it is not JUnit XML.
    format: Option<&'static str>,
    notes: Vec<String>,
}

struct Collector<'a> {
    request: &'a IngestRequest,
    builder: BatchBuilder,
    sidecars: Mutex<Sidecars>,
}

impl Collector<'_> {
    /// Called from many threads, once for each input.
    fn take(&self, input: Input) -> Result<FileDone, IngestError> {
        let (document, reading) = match input {
            Input::Problem(problem) => return Ok(unread(&problem)),
            Input::Read(read) => *read,
            Input::Import(import) => return self.import(&import),
        };
        let mut done = described(&document, &reading);
        if matches!(done.verdict, Some(FileVerdict::Reject)) {
            return Ok(done);
        }
        let sidecar = self.sidecar(&document)?;
        let context =
            resolve(&self.request.overrides, sidecar.as_ref(), &self.request.surroundings);
        done.contexts.add(context.clone());
        let part =
            resolve_part(&self.request.overrides, sidecar.as_ref(), &self.request.surroundings);
        let meta = ReportMeta { part, ..self.meta(&document, &reading, context) };
        match &self.request.retried {
            Some(tests) => retried::add(&self.builder, meta, &reading.report, tests)?,
            None => self.builder.add(meta, &reading.report)?,
        }
        Ok(done)
    }

    fn sidecar(&self, document: &Document) -> Result<Option<Sidecar>, SidecarError> {
        let Some(path) = &document.path else { return Ok(None) };
        let mut sidecars = match self.sidecars.lock() {
            Ok(sidecars) => sidecars,
            Err(poisoned) => poisoned.into_inner(),
        };
        sidecars.of(path)
    }

    fn meta(&self, document: &Document, reading: &Reading, context: RunContext) -> ReportMeta {
        ReportMeta {
            hash: ReportHash::of(&document.bytes),
            source: document.name.clone(),
            started: self.started(document, &reading.report, &context),
            group: group_of(document),
            warnings: u32::try_from(reading.warnings.len()).unwrap_or(u32::MAX),
            part: PartFacts::default(),
            context,
        }
    }

    /// The context's word, else the report's, else the file's, else now.
    fn started(&self, document: &Document, report: &Report, context: &RunContext) -> Timestamp {
        let by_report = report.started.and_then(instant);
        context.started.or(by_report).or(document.modified).unwrap_or(self.request.now)
    }
}

/// Reports of one folder may be one run.
fn group_of(document: &Document) -> Option<String> {
    let folder = document.path.as_ref().and_then(|path| path.parent());
    folder.map(|folder| folder.to_string_lossy().into_owned())
}

fn instant(started: Started) -> Option<Timestamp> {
    match started {
        Started::At(time) => Some(time),
        Started::Local(time) => zone::local_to_utc(time),
    }
}

/// Something that is no document at all.
fn unread(problem: &InputProblem) -> FileDone {
    let rejected = problem.severity == Severity::Reject;
    let verdict = if rejected { FileVerdict::Reject } else { FileVerdict::Warn };
    FileDone {
        verdict: Some(verdict),
        problems: vec![FileProblem {
            file: problem.name.clone(),
            verdict,
            code: problem.code.as_str().to_owned(),
            line: 0,
            column: 0,
            message: problem.message.clone(),
        }],
        input_failed: rejected,
        ..FileDone::default()
    }
}

/// A document with what its reader said about it.
fn described(document: &Document, reading: &Reading) -> FileDone {
    let verdict = verdict_of(reading.verdict);
    let worst = reading.warnings.iter().min_by_key(|warning| warning.code);
    let rejected = verdict == FileVerdict::Reject;
    let passed_over = is_passed_over(document, reading);
    // A suite that crashed before its first test must not look like a report with a blemish.
    let told = |warning: &&Warning| {
        matches!(verdict, FileVerdict::Reject | FileVerdict::Salvage)
            || warning.code == Code::SuiteError
    };
    let problem = worst.filter(told).map(|warning| FileProblem {
        file: document.name.clone(),
        verdict: if passed_over { FileVerdict::Warn } else { verdict },
        code: warning.code.as_str().to_owned(),
        line: warning.line,
        column: warning.column,
        message: warning.message.clone(),
    });
    FileDone {
        is_report: true,
        bytes: document.bytes.len() as u64,
        verdict: Some(verdict),
        counts: reading.report.counts,
        warnings: reading.warnings.len() as u64 + reading.warnings_dropped,
        problems: problem.into_iter().collect(),
        input_failed: rejected && !passed_over,
        passed_over,
        ..FileDone::default()
    }
}

impl IngestOutcome {
    fn add(&mut self, file: FileDone, contexts: &mut Contexts) {
        let view = &mut self.view;
        view.files += u64::from(file.is_report && !file.passed_over);
        view.bytes += file.bytes;
        view.rejected += u64::from(file.input_failed);
        view.salvaged += u64::from(file.verdict == Some(FileVerdict::Salvage));
        view.passed_over += u64::from(file.passed_over);
        view.results.merge(&file.counts);
        view.warnings += file.warnings;
        contexts.merge(file.contexts);
        view.problems.extend(file.problems);
        view.formats.extend(file.format);
        view.notes.extend(file.notes);
        self.input_failed |= file.input_failed;
    }

    fn settle(&mut self, contexts: Contexts) {
        let view = &mut self.view;
        view.run = contexts.common;
        view.projects = contexts.projects.into_iter().collect();
        let formats: BTreeSet<&str> = std::mem::take(&mut view.formats).into_iter().collect();
        view.formats = formats.into_iter().collect();
        view.notes.sort();
        view.notes.dedup();
        view.problems.sort_by(|a, b| (a.verdict, &a.file).cmp(&(b.verdict, &b.file)));
    }
}
