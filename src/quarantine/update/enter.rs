//! Who enters the list, in which cells, as far as the budget goes.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::scene::Seat;
use super::{Action, Change, Scene, Update, Withheld, entry_of, words};
use crate::analysis::verdict::{Status, Verdict};
use crate::model::{Timestamp, Variant};
use crate::quarantine::emit::TestName;
use crate::quarantine::list::{Cover, Entry, List, Target};
use crate::quarantine::policy::{self, PolicySettings};
use crate::store::query::TestNo;

impl Scene<'_> {
    /// Adds who enters a list that has gone through the other changes.
    pub(super) fn enter(&self, staying: &List, update: &mut Update) {
        // The budget is counted here, where it is known who is on the list already.
        let boundless = PolicySettings { cap_tests: u32::MAX, ..self.policy.clone() };
        let plan = policy::plan(self.judgement, &boundless, &|_| None, Timestamp::default());
        let mut wanted: Vec<TestNo> = Vec::new();
        let mut cells: BTreeMap<TestNo, Vec<Variant>> = BTreeMap::new();
        let mut reasons: BTreeMap<TestNo, String> = BTreeMap::new();
        for entry in &plan.entries {
            let Some(seat) = self.seat(entry.test, &entry.variant) else { continue };
            if !self.may_enter(seat) || !self.is_free(staying, entry.test, &entry.variant) {
                continue;
            }
            if !wanted.contains(&entry.test) {
                wanted.push(entry.test);
                reasons.insert(entry.test, entry.reason.clone());
            }
            cells.entry(entry.test).or_default().push(seat.cell.clone());
        }
        let limit = policy::cap(self.seats.len(), self.policy);
        let mut covered = self.covered(staying);
        for test in wanted {
            let Some(label) = self.labels.get(&test) else { continue };
            let all = self.seats.get(label).map_or(&[][..], Vec::as_slice);
            let running = all.iter().filter(|seat| seat.verdict.status != Status::Stale);
            let running: Vec<&Variant> = running.map(|seat| &seat.cell).collect();
            let flaky = cells.remove(&test).unwrap_or_default();
            let reason = reasons.remove(&test);
            let changes = narrowest(&flaky, &running).into_iter().map(|variant| {
                self.entering(test, entry_of(label.clone(), variant), reason.clone())
            });
            let room = covered.contains(label) || covered.len() < limit as usize;
            match room {
                true => {
                    covered.insert(label.clone());
                    update.changes.extend(changes);
                }
                false => update.refused.extend(changes),
            }
        }
        update.changes.sort_by_key(|change| change.action != Action::Enter);
        update.budget.limit = limit;
        update.budget.after = covered.len() as u32;
        update.withheld = self.withheld(staying, &plan);
    }

    fn seat(&self, test: TestNo, variant: &str) -> Option<&Seat<'_>> {
        let seats = self.seats.get(self.labels.get(&test)?)?;
        seats.iter().find(|seat| seat.verdict.test == test && seat.verdict.variant == variant)
    }

    /// Surer than to stay, and lately.
    fn may_enter(&self, seat: &Seat<'_>) -> bool {
        let Verdict { probability, .. } = seat.verdict;
        let sure = probability.is_none_or(|sure| sure >= self.policy.enter_probability);
        sure && self.record(seat, 0).clean < self.policy.release_runs
    }

    /// True where no entry covers it and no rule says otherwise.
    fn is_free(&self, list: &List, test: TestNo, variant: &str) -> bool {
        let Some(label) = self.labels.get(&test) else { return false };
        let name = TestName { label: label.clone(), ..TestName::default() };
        matches!(list.cover(&name, variant, self.today), Cover::None)
    }

    fn entering(&self, test: TestNo, mut entry: Entry, reason: Option<String>) -> Change {
        let since: NaiveDate = self.today;
        entry.owner = (self.owner)(test);
        entry.reason = reason;
        entry.since = Some(since);
        entry.expires = Some(self.in_days(self.policy.expires_days));
        let figures = self.figures(&entry);
        entry.evidence = Some(words::evidence(&figures));
        let why = words::why(Action::Enter, &entry, &figures, self);
        Change { action: Action::Enter, at: None, entry, tests: vec![test], why, figures }
    }

    fn withheld(&self, staying: &List, plan: &policy::Plan) -> Vec<Withheld> {
        let free = |test: &TestNo| {
            let label = self.labels.get(test).cloned().unwrap_or_default();
            let name = TestName { label, ..TestName::default() };
            matches!(staying.cover(&name, "", self.today), Cover::None)
        };
        let elsewhere = plan.broken_elsewhere.iter().map(|test| Withheld {
            test: *test,
            why: "it is broken in another variant, which a list would hide".to_owned(),
        });
        let broken = plan.looks_broken.iter().map(|(test, why)| Withheld {
            test: *test,
            why: format!("{}, which looks broken, not flaky", why.words()),
        });
        let flaky = elsewhere.chain(broken).filter(|withheld| free(&withheld.test));
        flaky.chain(self.hidden(staying)).collect()
    }

    /// Broken tests that a pattern or an `always` rule hides among others.
    fn hidden(&self, staying: &List) -> Vec<Withheld> {
        let mut hidden = Vec::new();
        for (label, seats) in &self.seats {
            let name = TestName { label: label.clone(), ..TestName::default() };
            let why = seats
                .iter()
                .filter(|seat| matches!(seat.verdict.status, Status::NewlyBroken | Status::Broken))
                .find_map(|seat| match staying.cover(&name, &seat.verdict.variant, self.today) {
                    Cover::Live(Entry { target: Target::Pattern(pattern), .. }) => {
                        Some(format!("it is broken, which the pattern {} hides", pattern.as_str()))
                    }
                    Cover::Always(rule) => {
                        Some(format!("it is broken, which the rule for {} hides", rule.target))
                    }
                    _ => None,
                });
            let test = seats.first().map(|seat| seat.verdict.test);
            hidden.extend(test.zip(why).map(|(test, why)| Withheld { test, why }));
        }
        hidden
    }
}

/// The fewest pairs that mean the flaky cells and no other of those that run: none where all are
/// flaky, one pair that only they share, else each cell by itself.
fn narrowest(flaky: &[Variant], running: &[&Variant]) -> Vec<Variant> {
    let steady: Vec<&&Variant> = running.iter().filter(|cell| !flaky.contains(cell)).collect();
    if steady.is_empty() {
        return vec![Variant::default()];
    }
    let Some(first) = flaky.first() else { return Vec::new() };
    let shared =
        first.pairs().map(|(key, value)| Variant::default().with(key, value)).find(|pair| {
            flaky.iter().all(|cell| cell.has_all(pair))
                && !steady.iter().any(|cell| cell.has_all(pair))
        });
    match shared {
        Some(pair) => vec![pair],
        None => flaky.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_means_the_flaky_cells_and_no_others() {
        let cells = |texts: &[&str]| -> Vec<Variant> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let all = cells(&["os=linux,py=1", "os=linux,py=2", "os=win,py=1", "os=win,py=2"]);
        let running: Vec<&Variant> = all.iter().collect();
        for (flaky, wanted) in [
            (&["os=linux,py=1", "os=linux,py=2", "os=win,py=1", "os=win,py=2"][..], &[""][..]),
            (&["os=win,py=1", "os=win,py=2"], &["os=win"]),
            (&["os=win,py=2"], &["os=win,py=2"]),
            (&["os=win,py=1", "os=linux,py=1"], &["py=1"]),
            (&["os=win,py=1", "os=linux,py=2"], &["os=win,py=1", "os=linux,py=2"]),
        ] {
            assert_eq!(narrowest(&cells(flaky), &running), cells(wanted), "{flaky:?}");
        }
        let one = cells(&["os=linux"]);
        assert_eq!(narrowest(&one, &[&one[0]]), [Variant::default()]);
        assert_eq!(
            narrowest(&cells(&["a=1"]), &[&cells(&["a=1"])[0], &Variant::default()]),
            cells(&["a=1"])
        );
    }
}
