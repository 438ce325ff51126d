//! Documents that are no JUnit XML: their runs are written as they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::{Collector, FileDone, IngestError, group_of, instant};
use crate::context::input::Document;
use crate::context::project_of_url;
use crate::context::resolve::{resolve_past, resolve_stated};
use crate::context::sidecar::Sidecar;
use crate::import::{Account, Code, Extent, Finding, Format, Run, Source};
use crate::junit::{Level, Verdict};
use crate::model::tests::TableFull;
use crate::model::{Counts, PartFacts, RunContext, Timestamp};
use crate::ops::reading::Import;
use crate::ops::validate::verdict_of;
use crate::report::view::{FileProblem, FileVerdict};
use crate::store::batch::ReportMeta;

/// The contexts of the runs that one document brought.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    /// Their context, while it is the same for all.
    pub(super) common: Option<RunContext>,
    pub(super) projects: BTreeSet<String>,
}

impl Contexts {
    pub(super) fn add(&mut self, context: RunContext) {
        let is_first = self.projects.is_empty();
        if !self.projects.contains(&context.project) {
            self.projects.insert(context.project.clone());
        }
        match (is_first, &self.common) {
            (true, _) => self.common = Some(context),
            (false, Some(common)) if *common != context => self.common = None,
            (false, _) => {}
        }
    }

    /// Takes over what another document brought.
    pub(super) fn merge(&mut self, other: Self) {
        let is_first = self.projects.is_empty();
        if other.projects.is_empty() {
            return;
        }
        if is_first || self.common != other.common {
            self.common = other.common.filter(|_| is_first);
        }
        self.projects.extend(other.projects);
    }
}

/// What the runs of one document come to, gathered from many threads.
#[derive(Default)]
struct Tally {
    counts: Counts,
    contexts: Contexts,
    full: Option<TableFull>,
}

impl Collector<'_> {
    /// Reads one document and hands all its runs to the batch.
    pub(super) fn import(&self, import: &Import) -> Result<FileDone, IngestError> {
        let Import { document, format, companion } = import;
        let sidecar = self.sidecar(document)?;
        let tally = Mutex::new(Tally::default());
        let place = place_of(document);
        let source = Source {
            bytes: &document.bytes,
            truncated: document.truncated,
            path: Some(&place),
            companion: companion.as_deref(),
        };
        let account = format.read(&source, &|run| {
            let counts = run.report.counts;
            let (meta, run) = self.imported_meta(document, format, sidecar.as_ref(), run);
            let context = meta.context.clone();
            let added = self.builder.add(meta, &run.report);
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.counts.merge(&counts);
            tally.contexts.add(context);
            tally.full = tally.full.or(added.err());
        });
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        match tally.full {
            Some(full) => Err(full.into()),
            None => Ok(done(document, format, &account, tally)),
        }
    }

    fn imported_meta(
        &self,
        document: &Document,
        format: &Format,
        sidecar: Option<&Sidecar>,
        mut run: Run,
    ) -> (ReportMeta, Run) {
        let started = run.started.and_then(instant);
        let mut facts = std::mem::take(&mut run.facts);
        // The repository's address names the project as CI and git do.
        facts.project = facts.project.map(|named| match named.contains("://") {
            true => project_of_url(&named).unwrap_or(named),
            false => named,
        });
        let (overrides, surroundings) = (&self.request.overrides, &self.request.surroundings);
        let fallback = document.modified.unwrap_or(self.request.now);
        let (context, source, group) = match format.extent {
            Extent::History | Extent::Past => {
                let mut context = resolve_past(overrides, sidecar, facts, surroundings);
                context.started = started;
                let source = match format.extent {
                    Extent::History => format!("{}:{}", document.name, run.place),
                    _ => document.name.clone(),
                };
                (context, source, None)
            }
            Extent::Report => {
                let context = resolve_stated(overrides, sidecar, facts, surroundings);
                (context, document.name.clone(), group_of(document))
            }
        };
        // A millisecond for each place keeps runs without a start in their order.
        let in_order = Timestamp(fallback.0.saturating_add(i64::from(run.place)));
        let meta = ReportMeta {
            hash: run.hash,
            source,
            started: context.started.or(started).unwrap_or(in_order),
            group,
            warnings: 0,
            part: PartFacts::default(),
            context,
        };
        (meta, run)
    }
}

/// The path inside of an archive, else the one on disk.
fn place_of(document: &Document) -> String {
    let inside = document.name.split_once("!/").map(|(_, inside)| inside.to_owned());
    let on_disk = || document.real_path().map(|path| path.to_string_lossy().into_owned());
    inside.or_else(on_disk).unwrap_or_default()
}

fn done(document: &Document, format: &'static Format, account: &Account, tally: Tally) -> FileDone {
    let verdict = verdict_of(account.verdict());
    let rejected = account.verdict() == Verdict::Reject;
    // Only what looks like this format gets here, so what was found counts like what was named.
    FileDone {
        is_report: true,
        bytes: document.bytes.len() as u64,
        verdict: Some(verdict),
        counts: tally.counts,
        warnings: account.findings.iter().filter(is_loud).count() as u64 + account.findings_dropped,
        contexts: tally.contexts,
        problems: problems(document, account, verdict),
        input_failed: rejected,
        passed_over: false,
        format: Some(format.name),
        notes: notes(account),
    }
}

fn is_loud(finding: &&Finding) -> bool {
    finding.code.level() != Level::Note
}

/// Everything that was lost, and the first of each kind of what was only odd.
fn problems(document: &Document, account: &Account, verdict: FileVerdict) -> Vec<FileProblem> {
    let mut odd: BTreeMap<Code, (&Finding, usize)> = BTreeMap::new();
    for finding in &account.findings {
        if finding.code.level() == Level::Suboptimal {
            odd.entry(finding.code).or_insert((finding, 0)).1 += 1;
        }
    }
    let problem = |finding: &Finding, verdict, message: String| FileProblem {
        file: document.name.clone(),
        verdict,
        code: finding.code.as_str().to_owned(),
        line: finding.line,
        column: finding.column,
        message,
    };
    let lost = account.findings.iter().filter(|finding| finding.code.level() == Level::Invalid);
    let lost = lost.map(|finding| problem(finding, verdict, finding.message.clone()));
    let odd = odd.into_values().map(|(finding, count)| {
        let message = match count {
            1 => finding.message.clone(),
            _ => format!("{} (the first of {count})", finding.message),
        };
        problem(finding, FileVerdict::Warn, message)
    });
    lost.chain(odd).collect()
}

fn notes(account: &Account) -> Vec<String> {
    let notes = account.findings.iter().filter(|finding| finding.code.level() == Level::Note);
    notes.map(|finding| finding.message.clone()).collect()
}
