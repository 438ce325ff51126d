//! What the gate decided on a run, and why.

use serde::Serialize;

use super::super::sentence;
use crate::model::{Outcome, RunContext, Timestamp, in_variant};
use crate::quarantine::gate::facts::Entry;
use crate::quarantine::gate::{
    CoverFact, Decision, Ending, Expected, Facts, Flaw, Freshness, GateSettings, HistoryFact,
    ListFact, Reason, RunnerFact, TestFact, doubts,
};

/// What the gate decided on a run: `flakedb gate`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GateView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// `passed`, `excused` or `kept`.
    pub decision: &'static str,
    /// The decision and why, in one line.
    pub headline: String,
    /// The exit code that follows.
    pub exit_code: u8,
    /// How the runner ended.
    pub runner: RunnerView,
    /// Why the code is kept, the first reason first; of a run that passed, what speaks against it.
    pub reasons: Vec<ReasonView>,
    /// The project.
    pub project: String,
    /// The commit under test.
    pub revision: Option<String>,
    /// The branch under test.
    pub branch: Option<String>,
    /// `default`, `change` or `other`.
    pub lane: &'static str,
    /// The matrix cell; empty for none.
    pub variant: String,
    /// When the tests started; null where nobody said.
    pub started: Option<String>,
    /// The list.
    pub list: SourceView,
    /// The history.
    pub history: SourceView,
    /// Every report, and every input that should have been one.
    pub reports: Vec<GateReportView>,
    /// Tests that failed or were retried, by name.
    pub tests: Vec<GateTestView>,
    /// The tests that should have run.
    pub expected: ExpectedView,
}

/// How the runner ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunnerView {
    /// `exited`, `signalled`, `timed-out`, `not-executable` or `not-found`.
    pub ended: &'static str,
    /// Its exit code; null where it did not exit.
    pub code: Option<i32>,
    /// The signal that ended it; null for none.
    pub signal: Option<i32>,
    /// The runners that it may have been; empty where nothing tells.
    pub names: Vec<String>,
    /// How often what had failed was retried.
    pub retries: u32,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReasonView {
    /// The stable word.
    pub code: &'static str,
    /// What happened.
    pub text: String,
    /// What to do about it.
    pub mend: &'static str,
    /// Whether it is flakedb's own trouble, and not the run's.
    pub ours: bool,
}

/// The list or the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceView {
    /// `read`, `absent` or `unusable`.
    pub state: &'static str,
    /// Where it stands, or what is wrong with it.
    pub text: String,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GateReportView {
    /// The file.
    pub file: String,
    /// Whether it is known to be this run's.
    pub fresh: bool,
    /// `fresh`, `old-file`, `old-clock`, `known-bytes` or `unknown`.
    pub age: &'static str,
    /// What is wrong with it, as stable words.
    pub flaws: Vec<&'static str>,
}

/// One test that failed or was retried.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GateTestView {
    /// The test, as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty for none.
    pub variant: String,
    /// The test's id.
    pub id: String,
    /// Its source file; empty where reports do not name it.
    pub file: String,
    /// The line of the failure in that file.
    pub line: Option<u32>,
    /// Who owns it.
    pub owners: Vec<String>,
    /// The outcome before anything was retried by flakedb.
    pub first_outcome: Outcome,
    /// The outcome in the end.
    pub outcome: Outcome,
    /// Why it failed, in one line.
    pub message: String,
    /// `none`, `never`, `always`, `live` or `expired`.
    pub cover: &'static str,
    /// The entry or rule behind it.
    pub entry: Option<EntryView>,
    /// `unknown`, `known-flaky`, `known-broken`, `new-failure` or `new-flake`.
    pub news: &'static str,
    /// The same in words.
    pub news_text: String,
    /// Earlier runs of its record in which it failed.
    pub record_failures: u32,
    /// Earlier runs of its record.
    pub record_runs: u32,
    /// The chance of its last results at the rate of its record, where that is below the level.
    pub p: Option<f64>,
}

/// An entry or a rule of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EntryView {
    /// Where it stands; empty where it stands in no file.
    pub place: String,
    /// Why it is there.
    pub reason: String,
    /// Who should mend the test.
    pub owner: Option<String>,
    /// Where the work is tracked.
    pub ticket: Option<String>,
    /// The first day on which it holds no more.
    pub expires: Option<String>,
}

/// The tests that should have run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedView {
    /// Whether the history can say.
    pub known: bool,
    /// The lane whose runs say so.
    pub lane: Option<&'static str>,
    /// Earlier runs that say so.
    pub runs: u32,
    /// How many tests they expect.
    pub tests: u32,
    /// Those that did not run.
    pub missing: Vec<MissingView>,
}

/// An expected test that did not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingView {
    /// The test, with its variant.
    pub test: String,
    /// Whether it was skipped.
    pub skipped: bool,
    /// Whether somebody said that it was removed on purpose.
    pub removed: bool,
}

/// What a view of the gate is made from.
pub struct GateInput<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The decision.
    pub decision: &'a Decision,
    /// Where the run stands.
    pub context: &'a RunContext,
    /// The settings.
    pub settings: &'a GateSettings,
}

impl GateView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.gate.v1";

    /// Describes a decision.
    #[must_use]
    pub fn new(input: &GateInput<'_>) -> Self {
        let GateInput { facts, decision, context, settings } = input;
        let reasons = match decision {
            Decision::Passed => doubts(facts, settings),
            Decision::Excused => Vec::new(),
            Decision::Kept { why, also } => std::iter::once(why).chain(also).cloned().collect(),
        };
        Self {
            schema: Self::SCHEMA,
            decision: decision.word(),
            headline: headline(facts, decision, &reasons),
            exit_code: decision.exit(facts.ending),
            runner: runner(facts),
            reasons: reasons.iter().map(ReasonView::new).collect(),
            project: context.project.clone(),
            revision: context.revision.clone(),
            branch: context.branch.clone(),
            lane: context.lane.word(),
            variant: context.variant.to_string(),
            started: facts.started.map(Timestamp::to_rfc3339),
            list: list(&facts.list),
            history: history(&facts.history),
            reports: facts
                .reports
                .iter()
                .map(|report| GateReportView {
                    file: report.file.clone(),
                    fresh: report.freshness == Freshness::Fresh,
                    age: age(&report.freshness),
                    flaws: report.flaws.iter().map(flaw).collect(),
                })
                .collect(),
            tests: facts.tests.iter().map(|fact| GateTestView::new(fact, settings)).collect(),
            expected: expected(&facts.expected),
        }
    }

    /// True where flakedb itself was in trouble.
    #[must_use]
    pub fn has_own_trouble(&self) -> bool {
        self.reasons.iter().any(|reason| reason.ours)
    }
}

/// The decision and why, in one line.
fn headline(facts: &Facts, decision: &Decision, reasons: &[Reason]) -> String {
    let code = decision.exit(facts.ending);
    match (decision, reasons.first()) {
        (Decision::Passed, None) => "passed: the runner exited with 0".to_owned(),
        (Decision::Passed, Some(doubt)) => {
            format!("passed: the runner exited with 0, but {}", doubt.text())
        }
        (Decision::Kept { why, .. }, _) => format!("kept exit code {code}: {}", why.text()),
        (Decision::Excused, _) => {
            format!("excused: {}; exit code {} becomes 0", excuse(facts), facts.ending.code())
        }
    }
}

/// Why all that failed is excused.
fn excuse(facts: &Facts) -> String {
    let failing = facts.tests.iter().filter(|test| test.is_failing()).count() as u64;
    let mended =
        facts.tests.iter().filter(|test| test.first.is_bad() && !test.is_failing()).count() as u64;
    let quarantined = || {
        let verb = if failing == 1 { "is" } else { "are" };
        format!("{} {verb} quarantined", sentence::count(failing, "failing test"))
    };
    match (failing, mended) {
        (_, 0) => quarantined(),
        (0, _) => format!("{} passed on retry", sentence::count(mended, "failing test")),
        _ => format!("{}, {} passed on retry", quarantined(), sentence::number(mended)),
    }
}

fn runner(facts: &Facts) -> RunnerView {
    let (ended, code, signal) = match facts.ending {
        Ending::Exited(code) => ("exited", Some(code), None),
        Ending::Signalled(signal) => ("signalled", None, Some(signal)),
        Ending::TimedOut => ("timed-out", None, None),
        Ending::NotExecutable => ("not-executable", None, None),
        Ending::NotFound => ("not-found", None, None),
    };
    let names = match &facts.runner {
        RunnerFact::Known(runners) => runners.iter().map(|runner| runner.name.clone()).collect(),
        RunnerFact::NoSuch(_) | RunnerFact::Unknown(_) => Vec::new(),
    };
    RunnerView { ended, code, signal, names, retries: facts.retries.len() as u32 }
}

fn list(fact: &ListFact) -> SourceView {
    let (state, text) = match fact {
        ListFact::Read { file } => ("read", file.clone()),
        ListFact::Absent => ("absent", String::new()),
        ListFact::Unreadable { message } => ("unusable", message.clone()),
    };
    SourceView { state, text }
}

fn history(fact: &HistoryFact) -> SourceView {
    let (state, text) = match fact {
        HistoryFact::Read => ("read", String::new()),
        HistoryFact::Absent => ("absent", String::new()),
        HistoryFact::Unusable { message } => ("unusable", message.clone()),
    };
    SourceView { state, text }
}

const fn age(freshness: &Freshness) -> &'static str {
    match freshness {
        Freshness::Fresh => "fresh",
        Freshness::OldFile { .. } => "old-file",
        Freshness::OldClock { .. } => "old-clock",
        Freshness::KnownBytes { .. } => "known-bytes",
        Freshness::Unknown => "unknown",
    }
}

const fn flaw(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::Unreadable { .. } => "unreadable",
        Flaw::Damaged { .. } => "damaged",
        Flaw::Empty => "empty",
        Flaw::Counts { .. } => "counts",
        Flaw::SuiteError { .. } => "suite-error",
        Flaw::Nameless(_) => "nameless",
    }
}

fn expected(expected: &Expected) -> ExpectedView {
    match expected {
        Expected::Unknown { runs, .. } => {
            ExpectedView { known: false, lane: None, runs: *runs, tests: 0, missing: Vec::new() }
        }
        Expected::Known { lane, runs, tests, missing } => ExpectedView {
            known: true,
            lane: Some(lane.word()),
            runs: *runs,
            tests: *tests,
            missing: missing
                .iter()
                .map(|one| MissingView {
                    test: one.name.clone(),
                    skipped: one.skipped,
                    removed: one.removed,
                })
                .collect(),
        },
    }
}

impl ReasonView {
    fn new(reason: &Reason) -> Self {
        Self {
            code: reason.word(),
            text: reason.text(),
            mend: reason.mend(),
            ours: reason.is_ours(),
        }
    }
}

impl GateTestView {
    fn new(fact: &TestFact, settings: &GateSettings) -> Self {
        let (record_failures, record_runs) = fact.record.before();
        let worse = fact.record.worse(settings.p).filter(|_| fact.is_failing());
        Self {
            test: fact.label.clone(),
            variant: fact.variant.clone(),
            id: fact.id.to_string(),
            file: fact.file.clone(),
            line: fact.line,
            owners: fact.owners.clone(),
            first_outcome: fact.first,
            outcome: fact.outcome,
            message: fact.headline.clone(),
            cover: match fact.cover {
                CoverFact::None => "none",
                CoverFact::Never(_) => "never",
                CoverFact::Always(_) => "always",
                CoverFact::Live(_) => "live",
                CoverFact::Expired(_) => "expired",
            },
            entry: fact.cover.entry().map(EntryView::new),
            news: fact.news.word(),
            news_text: fact.news.text(),
            record_failures,
            record_runs,
            p: worse.map(|worse| worse.p),
        }
    }

    /// The test with its variant, as it is printed.
    #[must_use]
    pub fn name(&self) -> String {
        in_variant(&self.test, &self.variant)
    }

    /// True where it failed in the end and nothing excuses it.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        self.outcome.is_bad() && (!matches!(self.cover, "live" | "always") || self.p.is_some())
    }

    /// True where it failed in the end and an entry excuses it.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        self.outcome.is_bad() && !self.is_blocking()
    }

    /// What the list says of it, in words.
    #[must_use]
    pub fn cover_text(&self) -> String {
        let entry = self.entry.as_ref();
        let place = entry.map_or("", |entry| entry.place.as_str());
        let until = entry.and_then(|entry| entry.expires.as_deref());
        let said = match (self.cover, until) {
            ("live", Some(day)) => format!("quarantined until {day}"),
            ("live", None) => "quarantined".to_owned(),
            ("always", _) => "always quarantined".to_owned(),
            ("never", _) => "never to be quarantined".to_owned(),
            ("expired", Some(day)) => format!("entry expired on {day}"),
            ("expired", None) => "entry expired".to_owned(),
            _ => return "no entry".to_owned(),
        };
        if place.is_empty() { said } else { format!("{said} ({place})") }
    }
}

impl EntryView {
    fn new(entry: &Entry) -> Self {
        Self {
            place: entry.place.clone(),
            reason: entry.reason.clone(),
            owner: entry.owner.clone(),
            ticket: entry.ticket.clone(),
            expires: entry.expires.clone(),
        }
    }
}
