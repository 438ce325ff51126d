//! The list of tests that must not block a merge, by policy, for people or for a runner.

use std::collections::{HashMap, HashSet};

use crate::analysis::verdict::{Judgement, Status};
use crate::context::owners::Owners;
use crate::quarantine::emit::{self, EmitEntry, Emitted, Selected, TestName};
use crate::quarantine::policy::{self, Entry, LooksBroken, Plan, PolicySettings};
use crate::report::sentence;
use crate::report::view::{QuarantineEntry, QuarantineView, WindowView};
use crate::store::Store;
use crate::store::query::{TestNo, TestRow};

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError, Names, judge};

/// Which list to make.
pub struct QuarantineRequest {
    /// The window and the method.
    pub judge: JudgeRequest,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
}

/// The list that the policy makes of a window.
pub struct Quarantine {
    plan: Plan,
    names: Names,
    producers: HashMap<TestNo, Vec<String>>,
    steady: HashMap<TestNo, Vec<String>>,
    known: Vec<TestNo>,
    view: QuarantineView,
}

/// Judges the window and applies the policy; entries expire counted from its newest run, so that
/// the same history gives the same list whenever it is asked.
///
/// # Errors
/// An unusable history, or settings that make no sense.
pub fn quarantine(
    store: &dyn Store,
    request: QuarantineRequest,
    watcher: &dyn Watcher,
) -> Result<Quarantine, JudgingError> {
    let judged = judge(store, &request.judge, &[], watcher)?.judgement;
    // A runner's filter is judged by the tests that it will meet: those that still run.
    let known = judged.verdicts.iter().filter(|verdict| verdict.status != Status::Stale);
    let known: Vec<TestNo> = known.map(|verdict| verdict.test).collect();
    let names = Names::of(store, &judged.verdicts, request.owners)?;
    let owner = |test: TestNo| {
        let owners = names.owners(test);
        (!owners.is_empty()).then(|| owners.join(" "))
    };
    let newest = judged.runs.iter().map(|run| run.started).max().unwrap_or_default();
    let plan = policy::plan(&judged, &request.policy, &owner, newest);
    let view = view(&plan, &names, &request.judge, judged.method);
    let listed: Vec<TestNo> = plan.entries.iter().map(|entry| entry.test).collect();
    let mut producers: HashMap<TestNo, Vec<String>> = HashMap::new();
    for (test, producer) in store.producers(&listed)? {
        producers.entry(test).or_default().push(producer);
    }
    let steady = steady(&judged, &listed);
    Ok(Quarantine { plan, names, producers, steady, known, view })
}

impl Quarantine {
    /// The list for people.
    #[must_use]
    pub fn view(&self) -> &QuarantineView {
        &self.view
    }

    /// The list in the words of a runner; what it cannot say is in the notes.
    #[must_use]
    pub fn emit(&self, format: &emit::Format) -> Emitted {
        let entries: Vec<EmitEntry> =
            self.plan.entries.iter().filter_map(|entry| self.emit_entry(entry)).collect();
        let mut emitted = emit::emit(format, &entries, &self.known_names());
        emitted.notes.extend(self.view.notes.iter().cloned());
        if self.view.left_out > 0 {
            let more = sentence::count(self.plan.over_cap.len() as u32, "flaky test");
            emitted.notes.push(format!("the cap of {} leaves out {more}", self.plan.cap));
        }
        emitted
    }

    /// What makes a runner run only the listed tests; `None` where it has no way.
    #[must_use]
    pub fn select(&self, format: &emit::Format) -> Option<Selected> {
        let rows = self.plan.entries.iter().filter_map(|entry| self.names.row(entry.test));
        let tests: Vec<TestName> = rows.map(test_name).collect();
        emit::select(format, &tests, &self.known_names())
    }

    fn known_names(&self) -> Vec<TestName> {
        self.known.iter().filter_map(|test| self.names.row(*test)).map(test_name).collect()
    }

    fn emit_entry(&self, entry: &Entry) -> Option<EmitEntry> {
        Some(EmitEntry {
            test: test_name(self.names.row(entry.test)?),
            producers: self.producers.get(&entry.test).cloned().unwrap_or_default(),
            variant: entry.variant.clone(),
            other_variants: self.steady.get(&entry.test).cloned().unwrap_or_default(),
            owner: entry.owner.clone(),
            reason: reason(entry),
            since: Some(entry.since),
            expires: Some(entry.expires),
        })
    }
}

/// The variants in which listed tests run and are not flaky.
fn steady(judged: &Judgement, listed: &[TestNo]) -> HashMap<TestNo, Vec<String>> {
    let listed: HashSet<&TestNo> = listed.iter().collect();
    let mut steady: HashMap<TestNo, Vec<String>> = HashMap::new();
    for verdict in judged.verdicts.iter().filter(|verdict| listed.contains(&verdict.test)) {
        if !matches!(verdict.status, Status::Flaky | Status::Stale) {
            steady.entry(verdict.test).or_default().push(verdict.variant.clone());
        }
    }
    steady
}

/// Why the entry is there, with the counts behind it.
fn reason(entry: &Entry) -> String {
    let Entry { reason, failures, executions, rate, .. } = entry;
    format!("{reason}: failed in {failures} of {executions} runs, {}", sentence::rate(*rate))
}

fn test_name(row: &TestRow) -> TestName {
    TestName {
        label: row.label(),
        suite: row.suite.clone(),
        classname: row.classname.clone(),
        name: row.name.clone(),
        file: row.file.clone(),
    }
}

fn view(plan: &Plan, names: &Names, judged: &JudgeRequest, method: &str) -> QuarantineView {
    let entry = |entry: &Entry| {
        let label = names.label(entry.test);
        QuarantineEntry {
            test: label.label,
            variant: entry.variant.clone(),
            id: label.id.to_string(),
            file: label.file,
            owner: entry.owner.clone(),
            reason: reason(entry),
            ticket: None,
            since: Some(entry.since.to_date()),
            expires: Some(entry.expires.to_date()),
        }
    };
    QuarantineView {
        project: judged.project.clone(),
        window: WindowView::new(&judged.window_text()).text,
        source: format!("the {method} method's recommendation"),
        entries: plan.entries.iter().map(entry).collect(),
        left_out: plan.over_cap.len() as u64,
        cap: Some(u64::from(plan.cap)),
        notes: notes(plan, names),
        ..QuarantineView::default()
    }
}

fn notes(plan: &Plan, names: &Names) -> Vec<String> {
    let note = |test: &TestNo| {
        let label = names.label(*test).label;
        format!("left out `{label}`: it is broken in another variant, which a list would hide")
    };
    let looks_broken = |(test, why): &(TestNo, LooksBroken)| {
        let label = names.label(*test).label;
        format!("left out `{label}`: {}, which looks broken, not flaky", why.words())
    };
    let elsewhere = plan.broken_elsewhere.iter().map(note);
    elsewhere.chain(plan.looks_broken.iter().map(looks_broken)).collect()
}
