//! Whether a failed run may be excused: collects the facts that the table of
//! [`quarantine::gate`](crate::quarantine::gate) decides on. Only reads.

mod freshness;
mod past;
mod results;

use std::collections::BTreeMap;

use crate::context::Overrides;
use crate::context::owners::Owners;
use crate::context::resolve::{Surroundings, resolve};
use crate::model::{ReportHash, RunContext, TestId, Timestamp};
use crate::quarantine::emit::TestName;
use crate::quarantine::gate::facts::Entry;
use crate::quarantine::gate::{
    CoverFact, Decision, Ending, Expected, Facts, Freshness, GateSettings, HistoryFact, ListFact,
    News, Record, ReportFact, TestFact, decide, runners,
};
use crate::quarantine::list::{self, Cover, List};
use crate::report::view::{GateInput, GateView};
use crate::store::query::RunRow;
use crate::store::{Store, StoreError};

use super::Watcher;
use super::quarantine_file::resolve_names;
use super::reading::ReadRequest;
use past::{Past, ThisRun};
use results::{Cell, Seen};

/// What to decide on.
#[derive(Debug, Clone)]
pub struct GateRequest {
    /// The reports of the run, then those of each retry of what had failed.
    pub rounds: Vec<ReadRequest>,
    /// How the runner ended.
    pub ending: Ending,
    /// How each retry ended.
    pub retries: Vec<Ending>,
    /// When the tests started, where somebody said so.
    pub started: Option<Timestamp>,
    /// The runner's name, where somebody said it.
    pub runner: Option<String>,
    /// The words of its command, where they are known.
    pub words: Vec<String>,
    /// What flags and variables say about the run.
    pub overrides: Overrides,
    /// What CI and git say.
    pub surroundings: Surroundings,
    /// The list.
    pub list: ListInput,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The settings.
    pub settings: GateSettings,
    /// What kept us from our own work so far.
    pub trouble: Vec<String>,
    /// Now.
    pub now: Timestamp,
}

/// The list as it was found.
#[derive(Debug, Clone)]
pub enum ListInput {
    /// There is none.
    Absent,
    /// It is there and cannot be used.
    Unreadable {
        /// What is wrong, with file and line.
        message: String,
    },
    /// It was read.
    Read {
        /// Where it stands, as people type it.
        file: String,
        /// What it says.
        list: List,
    },
}

impl ListInput {
    /// Reads the list at a path, which people know as `shown`.
    #[must_use]
    pub fn read(path: &std::path::Path, shown: &str) -> Self {
        let file = shown.to_owned();
        match crate::config::read_text(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::Absent,
            Err(error) => Self::Unreadable { message: format!("{file} cannot be read: {error}") },
            Ok(text) => match list::parse(&text) {
                Ok(list) => Self::Read { file, list },
                Err(error) => Self::Unreadable { message: format!("{file}:{error}") },
            },
        }
    }
}

/// The history as it was found.
pub enum HistoryInput<'a> {
    /// There is none.
    Absent,
    /// It is there and cannot be used.
    Unusable {
        /// What is wrong, and the mend.
        message: String,
    },
    /// It is open.
    Open(&'a dyn Store),
}

/// What became of the run.
#[derive(Debug, Clone)]
pub struct GateOutcome {
    /// The decision.
    pub decision: Decision,
    /// The exit code that follows.
    pub exit: u8,
    /// What it rests on.
    pub facts: Facts,
    /// The screen.
    pub view: GateView,
}

/// Decides on a run. Never fails: what goes wrong here is a fact that keeps the runner's code.
#[must_use]
pub fn gate(
    history: &HistoryInput<'_>,
    request: &GateRequest,
    watcher: &dyn Watcher,
) -> GateOutcome {
    let seen = results::read(&request.rounds, watcher);
    let (facts, context) = facts(history, request, seen, watcher);
    let decision = decide(&facts, &request.settings);
    let view = GateView::new(&GateInput {
        facts: &facts,
        decision: &decision,
        context: &context,
        settings: &request.settings,
    });
    GateOutcome { exit: decision.exit(facts.ending), decision, facts, view }
}

fn facts(
    history: &HistoryInput<'_>,
    request: &GateRequest,
    seen: Seen,
    watcher: &dyn Watcher,
) -> (Facts, RunContext) {
    let mut trouble = request.trouble.clone();
    trouble.extend(seen.trouble.iter().cloned());
    if let Err(message) = request.settings.check() {
        trouble.push(message);
    }
    let contexts: Vec<RunContext> = seen
        .sidecars
        .iter()
        .map(|sidecar| resolve(&request.overrides, sidecar.as_ref(), &request.surroundings))
        .collect();
    let none = || resolve(&request.overrides, None, &request.surroundings);
    let context = contexts.first().cloned().unwrap_or_else(none);
    if let Some(other) = contexts.iter().find(|other| other.project != context.project) {
        trouble.push(format!(
            "the reports belong to several projects, {} and {}; gate them one by one",
            context.project, other.project
        ));
    }
    let cells = results::cells(&seen, &contexts);
    watcher.phase("asking the history");
    let hashes: Vec<ReportHash> = seen.reports.iter().filter_map(|report| report.hash).collect();
    let asked = ask(history, request, &seen, &context, &contexts, &cells, &hashes);
    let (history, mut past, known) = match asked {
        Ok(Some((past, known))) => (HistoryFact::Read, past, known),
        Ok(None) => match history {
            HistoryInput::Unusable { message } => {
                (HistoryFact::Unusable { message: message.clone() }, Past::default(), Vec::new())
            }
            _ => (HistoryFact::Absent, Past::default(), Vec::new()),
        },
        Err(error) => {
            (HistoryFact::Unusable { message: error.to_string() }, Past::default(), Vec::new())
        }
    };
    let producers = seen.producers();
    let configured = &request.settings.runners;
    let facts = Facts {
        ending: request.ending,
        retries: request.retries.clone(),
        runner: runners::identify(
            request.runner.as_deref(),
            &request.words,
            &producers,
            configured,
        ),
        started: request.started,
        tests: tests(request, &cells, &mut past),
        reports: reports(request, seen, &known),
        list: match &request.list {
            ListInput::Absent => ListFact::Absent,
            ListInput::Unreadable { message } => ListFact::Unreadable { message: message.clone() },
            ListInput::Read { file, .. } => ListFact::Read { file: file.clone() },
        },
        expected: past
            .expected
            .unwrap_or(Expected::Unknown { runs: 0, needed: request.settings.expected_min_runs }),
        history,
        trouble,
    };
    (facts, context)
}

/// What the history says, and which earlier runs it has these very reports from; `None` where there
/// is no history.
#[expect(clippy::type_complexity, reason = "one caller, which takes it apart at once")]
fn ask(
    history: &HistoryInput<'_>,
    request: &GateRequest,
    seen: &Seen,
    context: &RunContext,
    contexts: &[RunContext],
    cells: &BTreeMap<(TestId, String), Cell>,
    hashes: &[ReportHash],
) -> Result<Option<(Past, Vec<(ReportHash, RunRow)>)>, StoreError> {
    let HistoryInput::Open(store) = history else { return Ok(None) };
    let started = request.started.unwrap_or(request.now);
    let with = store.runs_with(&context.project, hashes)?;
    let this = ThisRun { context, started, with: &with };
    let bases = contexts.iter().map(|context| context.variant.clone()).collect();
    let past = past::ask(*store, &this, bases, &seen.dialect_keys(), cells, &request.settings)?;
    let earlier = with.iter().filter(|(_, run)| !this.is(run)).cloned().collect();
    Ok(Some((past, earlier)))
}

fn reports(request: &GateRequest, seen: Seen, known: &[(ReportHash, RunRow)]) -> Vec<ReportFact> {
    let fact = |report: results::SeenReport| {
        let earlier = known.iter().find(|(hash, _)| Some(*hash) == report.hash);
        let earlier = earlier.map(|(_, run)| run.started);
        let freshness = match request.started {
            // Where nothing could be opened there is nothing to be old.
            _ if report.hash.is_none() => Freshness::Fresh,
            None => Freshness::Unknown,
            Some(start) => freshness::judge(start, report.modified, report.started, earlier),
        };
        ReportFact { file: report.file, freshness, flaws: report.flaws }
    };
    seen.reports.into_iter().map(fact).collect()
}

fn tests(
    request: &GateRequest,
    cells: &BTreeMap<(TestId, String), Cell>,
    past: &mut Past,
) -> Vec<TestFact> {
    let list = named(&request.list, cells);
    let mut tests: Vec<TestFact> = cells
        .iter()
        .filter_map(|((id, variant), cell)| {
            let detail = cell.detail.as_ref()?;
            let cover = cover(&list, request.now, &detail.test, variant);
            let past = past.of(*id, variant, cell.outcome);
            // Where reports name no file, the failure's text may.
            let location = detail.location.as_ref();
            let file = match (detail.test.file.as_str(), location) {
                ("", Some(location)) => location.file.as_str(),
                (file, _) => file,
            };
            Some(TestFact {
                id: *id,
                label: detail.test.label.clone(),
                variant: variant.clone(),
                file: file.to_owned(),
                line: location.map(|location| location.line),
                owners: owners(request, &cover, file),
                first: cell.first,
                outcome: cell.outcome,
                headline: detail.headline.clone(),
                cover,
                record: past.as_ref().map_or_else(Record::default, |past| past.record.clone()),
                news: past.map_or(News::Unknown, |past| past.news),
            })
        })
        .collect();
    tests.sort_by(|one, other| (&one.label, &one.variant).cmp(&(&other.label, &other.variant)));
    tests
}

fn owners(request: &GateRequest, cover: &CoverFact, file: &str) -> Vec<String> {
    if let Some(owner) = cover.entry().and_then(|entry| entry.owner.clone()) {
        return vec![owner];
    }
    match &request.owners {
        Some(owners) if !file.is_empty() => {
            owners.of(file).into_iter().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The list with whatever else a screen prints for these tests read as their names.
fn named(list: &ListInput, cells: &BTreeMap<(TestId, String), Cell>) -> ListInput {
    let mut list = list.clone();
    if let ListInput::Read { list, .. } = &mut list {
        let names = cells.iter().filter_map(|((id, _), cell)| {
            cell.detail.as_ref().map(|detail| (*id, detail.test.label.clone()))
        });
        resolve_names(list, names);
    }
    list
}

/// What the list makes of a test on the day of the decision, in UTC.
fn cover(list: &ListInput, now: Timestamp, test: &TestName, variant: &str) -> CoverFact {
    let ListInput::Read { file, list } = list else { return CoverFact::None };
    // Beyond the years that a calendar holds every entry with an end has ended.
    let today = now.to_utc().map_or(chrono::NaiveDate::MAX, |now| now.date_naive());
    let place = |line: usize| if line == 0 { String::new() } else { format!("{file}:{line}") };
    let rule = |rule: &list::Rule| Entry {
        place: place(rule.line),
        reason: rule.reason.clone(),
        ..Entry::default()
    };
    let entry = |entry: &list::Entry| Entry {
        place: place(entry.line),
        owner: entry.owner.clone(),
        reason: entry.reason.clone().unwrap_or_default(),
        ticket: entry.ticket.clone(),
        expires: entry.expires.map(|day| day.to_string()),
    };
    match list.cover(test, variant, today) {
        Cover::None => CoverFact::None,
        Cover::Never(found) => CoverFact::Never(rule(found)),
        Cover::Always(found) => CoverFact::Always(rule(found)),
        Cover::Live(found) => CoverFact::Live(entry(found)),
        Cover::Expired(found) => CoverFact::Expired(entry(found)),
    }
}
