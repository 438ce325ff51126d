//! The list of a file, for people and for runners: live entries and `always` rules, without what
//! `never` rules name.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::analysis::verdict::{Status, Verdict};
use crate::model::Timestamp;
use crate::quarantine::emit::EmitEntry;
use crate::quarantine::list::{Cover, Entry, List, Rule, Target};
use crate::quarantine::policy::{PolicySettings, cap};
use crate::quarantine::update::Scene;
use crate::report::view::{
    QuarantineEntry, QuarantineRule, QuarantineView, StandingView, WindowView,
};
use crate::store::query::TestNo;

use super::judge::JudgeRequest;
use super::quarantine::test_name;
use super::quarantine_file::ListFile;
use super::quarantine_ground::Ground;

/// What runners leave out: each test that is covered somewhere, once for each entry or rule that
/// covers it.
pub(super) fn emitted(
    ground: &Ground,
    list: &List,
    today: NaiveDate,
    producers: &BTreeMap<TestNo, Vec<String>>,
) -> Vec<EmitEntry> {
    let mut cells: BTreeMap<TestNo, Vec<&Verdict>> = BTreeMap::new();
    let verdicts = ground.judged.judgement.verdicts.iter();
    for verdict in verdicts.filter(|verdict| verdict.status != Status::Stale) {
        cells.entry(verdict.test).or_default().push(verdict);
    }
    let mut entries = Vec::new();
    for (test, verdicts) in cells {
        let Some(name) = ground.names.row(test).map(test_name) else { continue };
        let covers: Vec<(&Verdict, Cover<'_>)> = verdicts
            .into_iter()
            .map(|verdict| (verdict, list.cover(&name, &verdict.variant, today)))
            .collect();
        let free = covers.iter().filter(|(_, cover)| !cover.is_live());
        let other_variants: Vec<String> =
            free.map(|(verdict, _)| verdict.variant.clone()).collect();
        let mut met: Vec<Cover<'_>> = Vec::new();
        for (_, cover) in covers {
            if !cover.is_live() || met.contains(&cover) {
                continue;
            }
            met.push(cover);
            let mut entry = EmitEntry {
                test: name.clone(),
                producers: producers.get(&test).cloned().unwrap_or_default(),
                variant: String::new(),
                other_variants: other_variants.clone(),
                owner: ground.owner(test),
                reason: String::new(),
                since: None,
                expires: None,
            };
            match cover {
                Cover::Live(listed) => of_entry(&mut entry, listed),
                Cover::Always(rule) => entry.reason.clone_from(&rule.reason),
                Cover::None | Cover::Never(_) | Cover::Expired(_) => {}
            }
            entries.push(entry);
        }
    }
    entries
}

fn of_entry(emitted: &mut EmitEntry, listed: &Entry) {
    let midnight = |day: Option<NaiveDate>| {
        let time = day?.and_hms_opt(0, 0, 0)?;
        Some(Timestamp::from(time.and_utc()))
    };
    emitted.variant = listed.variant.to_string();
    emitted.owner = listed.owner.clone().or(emitted.owner.take());
    emitted.reason = listed.reason.clone().unwrap_or_default();
    emitted.since = midnight(listed.since);
    emitted.expires = midnight(listed.expires);
}

/// The tests that the list covers, in any cell.
pub(super) fn covered_tests(ground: &Ground, list: &List, today: NaiveDate) -> Vec<TestNo> {
    let live = |verdict: &&Verdict| {
        let Some(name) = ground.names.row(verdict.test).map(test_name) else { return false };
        list.cover(&name, &verdict.variant, today).is_live()
    };
    let verdicts = ground.judged.judgement.verdicts.iter().filter(live);
    let mut tests: Vec<TestNo> = verdicts.map(|verdict| verdict.test).collect();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// The list with age, end and how its tests stand.
pub(super) fn view(
    ground: &Ground,
    file: &ListFile,
    policy: &PolicySettings,
    today: NaiveDate,
    judged: &JudgeRequest,
) -> QuarantineView {
    let path = file.path.display().to_string();
    ground.on(today, policy, |scene| QuarantineView {
        project: judged.project.clone(),
        window: WindowView::new(&judged.window_text()).text,
        source: path.clone(),
        entries: file.list.entries.iter().map(|entry| listed(entry, ground, scene)).collect(),
        cap: Some(u64::from(cap(scene.tests_known(), policy))),
        held: Some(scene.covered(&file.list).len() as u64),
        notes: notes(&file.list, scene),
        list: Some(path.clone()),
        rules: rules(&file.list, scene),
        ..QuarantineView::default()
    })
}

fn listed(entry: &Entry, ground: &Ground, scene: &Scene<'_>) -> QuarantineEntry {
    let tests = scene.tests(entry);
    let label = match tests.as_slice() {
        [only] => Some(ground.names.label(*only)),
        _ => None,
    };
    let is_pattern = matches!(entry.target, Target::Pattern(_));
    QuarantineEntry {
        id: label.as_ref().filter(|_| !is_pattern).map_or(String::new(), |one| one.id.to_string()),
        file: label.filter(|_| !is_pattern).map_or(String::new(), |one| one.file),
        owner: entry.owner.clone().or_else(|| tests.first().and_then(|test| ground.owner(*test))),
        tests: Some(tests.len() as u64),
        now: Some(StandingView::new(&scene.figures(entry))),
        ..QuarantineEntry::of(entry, scene.today)
    }
}

fn rules(list: &List, scene: &Scene<'_>) -> Vec<QuarantineRule> {
    let tests = |rule: &Rule| scene.tests(&Entry::new(rule.target.clone())).len() as u64;
    let rule = |word, rule: &Rule| QuarantineRule::of(word, rule, tests(rule));
    let always = list.always.iter().map(|one| rule("always", one));
    always.chain(list.never.iter().map(|one| rule("never", one))).collect()
}

/// What runners cannot be told, and what a live entry must not hide.
fn notes(list: &List, scene: &Scene<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for entry in list.entries.iter().filter(|entry| !entry.is_expired(scene.today)) {
        let target = &entry.target;
        let figures = scene.figures(entry);
        match (figures.broken, figures.hides_breakage()) {
            (true, _) => notes.push(format!("`{target}` is broken now, which its entry hides")),
            (false, true) => {
                notes.push(format!("a test of `{target}` is broken now, which its entry hides"));
            }
            (false, false) => {}
        }
        if figures.status.is_none() {
            notes.push(format!("`{target}` means no test that ran in this window"));
        }
    }
    notes
}
