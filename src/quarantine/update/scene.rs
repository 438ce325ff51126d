//! What a plan is made from: verdicts by name and cell, and how the tests of an entry stand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate};

use super::{Figures, Record};
use crate::analysis::History;
use crate::analysis::interval::flake_rate;
use crate::analysis::verdict::{Judgement, Status, Verdict};
use crate::model::{Timestamp, Variant};
use crate::quarantine::list::{Entry, List, Target};
use crate::quarantine::policy::PolicySettings;
use crate::quarantine::record::unit_of;
use crate::store::query::TestNo;

/// Characters of a revision that name it.
const REVISION_CHARS_MIN: usize = 7;

/// One test in one matrix cell.
#[derive(Debug, Clone)]
pub(super) struct Seat<'a> {
    pub(super) cell: Variant,
    pub(super) verdict: &'a Verdict,
}

/// The judged window on a day, by name.
pub struct Scene<'a> {
    /// The verdicts.
    pub judgement: &'a Judgement,
    /// What they were made from; it kept every result of the tests on the list.
    pub history: &'a History,
    /// The rules.
    pub policy: &'a PolicySettings,
    /// Who should mend a test.
    pub owner: &'a dyn Fn(TestNo) -> Option<String>,
    /// The day, in UTC.
    pub today: NaiveDate,
    /// False where only some cells, lanes or branches are looked at: what does not run there may
    /// run elsewhere.
    pub whole: bool,
    oldest: Option<NaiveDate>,
    newest: Option<NaiveDate>,
    pub(super) seats: BTreeMap<String, Vec<Seat<'a>>>,
    pub(super) labels: HashMap<TestNo, String>,
}

impl<'a> Scene<'a> {
    /// Sorts the verdicts of a window by name; `label` says what a test is called.
    #[must_use]
    pub fn new(
        judgement: &'a Judgement,
        history: &'a History,
        policy: &'a PolicySettings,
        label: &dyn Fn(TestNo) -> String,
        owner: &'a dyn Fn(TestNo) -> Option<String>,
        today: NaiveDate,
    ) -> Self {
        let mut seats: BTreeMap<String, Vec<Seat<'a>>> = BTreeMap::new();
        let mut labels = HashMap::new();
        for verdict in &judgement.verdicts {
            let label = labels.entry(verdict.test).or_insert_with(|| label(verdict.test));
            let cell = verdict.variant.parse().unwrap_or_default();
            seats.entry(label.clone()).or_default().push(Seat { cell, verdict });
        }
        for seats in seats.values_mut() {
            seats.sort_by(|one, other| one.cell.cmp(&other.cell));
        }
        let started = || judgement.runs.iter().map(|run| run.started);
        let oldest = started().min().and_then(day);
        let newest = started().max().and_then(day);
        let whole = true;
        Self { judgement, history, policy, owner, today, whole, oldest, newest, seats, labels }
    }

    /// The day so many days from today.
    #[must_use]
    pub fn in_days(&self, days: u32) -> NaiveDate {
        self.today.checked_add_days(Days::new(days.into())).unwrap_or(self.today)
    }

    /// Tests with results in the window.
    #[must_use]
    pub fn tests_known(&self) -> usize {
        self.seats.len()
    }

    /// True where a day lies so far before the newest run that what ran then is gone.
    pub(super) fn is_stale(&self, last: NaiveDate) -> bool {
        let limit = last.checked_add_days(Days::new(self.policy.stale_days.into()));
        limit.is_some_and(|limit| self.newest.is_some_and(|newest| limit <= newest))
    }

    /// True where the window holds all runs of so many days that what is not in it is gone.
    pub(super) fn sees_all_of_late(&self) -> bool {
        self.whole && self.oldest.is_some_and(|oldest| self.is_stale(oldest))
    }

    pub(super) fn seats_of<'s>(&'s self, entry: &'s Entry) -> Vec<(&'s str, &'s Seat<'a>)> {
        let fits = |seat: &&Seat<'_>| seat.cell.has_all(&entry.variant);
        match &entry.target {
            Target::Test(test) => match self.seats.get_key_value(test) {
                Some((label, seats)) => {
                    seats.iter().filter(fits).map(|seat| (label.as_str(), seat)).collect()
                }
                None => Vec::new(),
            },
            Target::Pattern(pattern) => {
                let named = self.seats.iter().filter(|(label, _)| pattern.matches(label));
                let seats = named.flat_map(|(label, seats)| {
                    seats.iter().map(move |seat| (label.as_str(), seat))
                });
                seats.filter(|(_, seat)| fits(seat)).collect()
            }
        }
    }

    /// The tests that an entry means, as far as they ran in the window.
    #[must_use]
    pub fn tests(&self, entry: &Entry) -> Vec<TestNo> {
        let tests = self.seats_of(entry).into_iter().map(|(_, seat)| seat.verdict.test);
        let tests: BTreeSet<TestNo> = tests.collect();
        tests.into_iter().collect()
    }

    /// The labels of the tests that live entries cover; an entry without any counts by its name.
    #[must_use]
    pub fn covered(&self, list: &List) -> BTreeSet<String> {
        let live = list.entries.iter().filter(|entry| !entry.is_expired(self.today));
        live.flat_map(|entry| {
            let seats = self.seats_of(entry);
            match seats.is_empty() {
                true => vec![entry.target.to_string()],
                false => seats.into_iter().map(|(label, _)| label.to_owned()).collect(),
            }
        })
        .collect()
    }

    /// How the tests of an entry stand.
    #[must_use]
    pub fn figures(&self, entry: &Entry) -> Figures {
        let seats = self.seats_of(entry);
        let mut figures = Figures {
            last_run: seats.iter().filter_map(|(_, seat)| day(seat.verdict.last_run)).max(),
            clean_needed: self.policy.release_runs,
            ..Figures::default()
        };
        let running: Vec<&Seat<'_>> = seats
            .iter()
            .map(|(_, seat)| *seat)
            .filter(|seat| seat.verdict.status != Status::Stale)
            .collect();
        let statuses = running.iter().map(|seat| seat.verdict.status);
        figures.status = statuses.min().or((!seats.is_empty()).then_some(Status::Stale));
        let broken =
            |seat: &&Seat<'_>| matches!(seat.verdict.status, Status::NewlyBroken | Status::Broken);
        figures.broken = match entry.target {
            Target::Test(_) => running.iter().any(broken),
            Target::Pattern(_) => !running.is_empty() && running.iter().all(broken),
        };
        figures.probability =
            running.iter().filter_map(|seat| seat.verdict.probability).max_by(f64::total_cmp);
        let records: Vec<Record> = running.iter().map(|seat| self.record(seat, 0)).collect();
        figures.flakes = records.iter().map(|record| record.flakes).sum();
        figures.runs = records.iter().map(|record| record.runs + record.clean).sum();
        let last = records.iter().filter_map(|record| record.last).max();
        figures.last_flake = last.and_then(|run| self.day_of(run));
        figures.rate = match running.as_slice() {
            [one] => Some(match one.verdict.weighing.as_deref() {
                Some(weighing) => weighing.flake_rate,
                None => flake_rate(figures.flakes, figures.runs),
            }),
            _ => None,
        };
        self.count_clean(entry, &running, &records, &mut figures);
        figures
    }

    fn count_clean(
        &self,
        entry: &Entry,
        running: &[&Seat<'_>],
        records: &[Record],
        figures: &mut Figures,
    ) {
        let policy = self.policy;
        if figures.flakes == 0 && records.iter().all(|record| record.last.is_none()) {
            // It was put there for reasons of its own, which get as many runs to show.
            let from = entry.since.map_or(0, |since| self.first_run_on(since));
            figures.clean = running.iter().map(|seat| self.record(seat, from).clean).sum();
            return;
        }
        let flaked = running.iter().zip(records).filter(|(_, record)| record.last.is_some());
        if let Some(fix) = entry.fixed.as_deref().and_then(|fixed| self.first_run_of(fixed)) {
            let since: Vec<Record> =
                flaked.clone().map(|(seat, _)| self.record(seat, fix)).collect();
            if since.iter().all(|record| record.last.is_none()) {
                figures.clean = since.iter().map(|record| record.clean).min().unwrap_or(0);
                figures.since_fix = true;
                return;
            }
        }
        // All of them must be clean, so that what holds for each holds for the entry.
        let lacking = flaked.map(|(_, record)| {
            (record.clean, record.clean_needed(policy.release_runs, policy.release_error))
        });
        let worst = lacking.min_by_key(|(clean, needed)| i64::from(*clean) - i64::from(*needed));
        (figures.clean, figures.clean_needed) = worst.unwrap_or((0, policy.release_runs));
    }

    /// The record of a test in a cell from a run on.
    pub(super) fn record(&self, seat: &Seat<'_>, from: u32) -> Record {
        match unit_of(self.history, seat.verdict) {
            Some(unit) if !unit.seen.is_empty() => {
                Record::of(unit, seat.verdict, self.judgement, &|run| run >= from)
            }
            // It kept no results, so none was bad; later ones cannot be told from earlier ones.
            Some(unit) if from == 0 => Record::clean(unit.tally.executed),
            _ => Record::default(),
        }
    }

    fn first_run_on(&self, since: NaiveDate) -> u32 {
        let runs = &self.judgement.runs;
        let first = runs.iter().position(|run| day(run.started).is_some_and(|on| on >= since));
        first.unwrap_or(runs.len()) as u32
    }

    pub(super) fn first_run_of(&self, revision: &str) -> Option<u32> {
        let is_it = |name: &str| {
            name == revision || (revision.len() >= REVISION_CHARS_MIN && name.starts_with(revision))
        };
        let runs = &self.judgement.runs;
        let first = runs.iter().position(|run| run.revision.as_deref().is_some_and(is_it))?;
        u32::try_from(first).ok()
    }

    fn day_of(&self, run: u32) -> Option<NaiveDate> {
        day(self.judgement.runs.get(run as usize)?.started)
    }
}

/// The calendar day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> Option<NaiveDate> {
    time.to_utc().map(|time| time.date_naive())
}
