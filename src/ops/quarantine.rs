//! The list of tests that must not block a merge, by policy, for people or for a runner.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use crate::analysis::verdict::{Judgement, Status};
use crate::context::owners::Owners;
use crate::quarantine::emit::{self, EmitEntry, Emitted, Selected, TestName};
use crate::quarantine::list::List;
use crate::quarantine::policy::{self, Entry, LooksBroken, Plan, PolicySettings};
use crate::report::sentence;
use crate::report::view::{QuarantineEntry, QuarantineView, WindowView};
use crate::store::Store;
use crate::store::query::{TestNo, TestRow};

use super::Watcher;
use super::judge::{JudgeRequest, JudgingError, Names};
use super::quarantine_file::ListFile;
use super::quarantine_ground::{Ground, survey};
use super::quarantine_list::{self, covered_tests, emitted};

/// Which list to make.
pub struct QuarantineRequest {
    /// The window and the method.
    pub judge: JudgeRequest,
    /// The rules of the list.
    pub policy: PolicySettings,
    /// Who owns which file.
    pub owners: Option<Owners>,
    /// The list that a team reviews; where there is none, the policy makes one.
    pub list: Option<ListFile>,
    /// The day on which terms are looked at, in UTC.
    pub today: NaiveDate,
}

/// The list of a file, or the one that the policy makes of a window.
pub struct Quarantine {
    entries: Vec<EmitEntry>,
    known: Vec<TestName>,
    view: QuarantineView,
}

/// Judges the window and makes the list: that of the file, else what the policy says. The policy's
/// entries expire counted from the newest run, so that the same history gives the same list
/// whenever it is asked.
///
/// # Errors
/// An unusable history, or settings that make no sense.
pub fn quarantine(
    store: &dyn Store,
    request: QuarantineRequest,
    watcher: &dyn Watcher,
) -> Result<Quarantine, JudgingError> {
    let QuarantineRequest { judge, policy, owners, list, today } = request;
    let mut file = list;
    let mut none = List::default();
    let list = file.as_mut().map_or(&mut none, |file| &mut file.list);
    let ground = survey(store, &judge, owners, list, watcher)?;
    // A runner's filter is judged by the tests that it will meet: those that still run.
    let verdicts = ground.judged.judgement.verdicts.iter();
    let running = verdicts.filter(|verdict| verdict.status != Status::Stale);
    let known = running.filter_map(|verdict| ground.names.row(verdict.test)).map(test_name);
    let known = known.collect();
    let (entries, view) = match &file {
        Some(file) => {
            let tests = covered_tests(&ground, &file.list, today);
            let producers = producers(store, &tests)?;
            let entries = emitted(&ground, &file.list, today, &producers);
            (entries, quarantine_list::view(&ground, file, &policy, today, &judge))
        }
        None => by_policy(store, &ground, &policy, &judge)?,
    };
    Ok(Quarantine { entries, known, view })
}

/// What the policy makes of the window.
fn by_policy(
    store: &dyn Store,
    ground: &Ground,
    policy: &PolicySettings,
    request: &JudgeRequest,
) -> Result<(Vec<EmitEntry>, QuarantineView), JudgingError> {
    let Ground { judged, names, .. } = ground;
    let judged = &judged.judgement;
    let owner = |test: TestNo| ground.owner(test);
    let newest = judged.runs.iter().map(|run| run.started).max().unwrap_or_default();
    let plan = policy::plan(judged, policy, &owner, newest);
    let listed: Vec<TestNo> = plan.entries.iter().map(|entry| entry.test).collect();
    let producers = producers(store, &listed)?;
    let steady = steady(judged, &listed);
    let entry = |entry: &Entry| {
        Some(EmitEntry {
            test: test_name(names.row(entry.test)?),
            producers: producers.get(&entry.test).cloned().unwrap_or_default(),
            variant: entry.variant.clone(),
            other_variants: steady.get(&entry.test).cloned().unwrap_or_default(),
            owner: entry.owner.clone(),
            reason: reason(entry),
            since: Some(entry.since),
            expires: Some(entry.expires),
        })
    };
    let entries = plan.entries.iter().filter_map(entry).collect();
    Ok((entries, view(&plan, names, request, judged.method)))
}

fn producers(
    store: &dyn Store,
    tests: &[TestNo],
) -> Result<BTreeMap<TestNo, Vec<String>>, JudgingError> {
    let mut producers: BTreeMap<TestNo, Vec<String>> = BTreeMap::new();
    for (test, producer) in store.producers(tests)? {
        producers.entry(test).or_default().push(producer);
    }
    Ok(producers)
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
        let mut emitted = emit::emit(format, &self.entries, &self.known);
        emitted.notes.extend(self.view.notes.iter().cloned());
        if self.view.left_out > 0 {
            let more = sentence::count(self.view.left_out, "flaky test");
            let cap = self.view.cap.unwrap_or_default();
            emitted.notes.push(format!("the cap of {cap} leaves out {more}"));
        }
        emitted
    }

    /// What makes a runner run only the listed tests; `None` where it has no way.
    #[must_use]
    pub fn select(&self, format: &emit::Format) -> Option<Selected> {
        let tests: Vec<TestName> = self.entries.iter().map(|entry| entry.test.clone()).collect();
        emit::select(format, &tests, &self.known)
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
    let failed = if entry.flakes_only { "flaked" } else { "failed" };
    format!("{reason}: {failed} in {failures} of {executions} runs, {}", sentence::rate(*rate))
}

pub(super) fn test_name(row: &TestRow) -> TestName {
    TestName::of(&row.identity())
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
            ..QuarantineEntry::default()
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
