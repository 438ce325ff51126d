//! The history again, day by day, under the policy: what the list would have held, spared and
//! hidden.
//!
//! What the list holds on a day follows from what was known before that day alone. *What* a
//! failure was (a flake, a regression, a change's own) is the filter's judgement in hindsight, as
//! in [`analysis::backtest`](crate::analysis::backtest).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::emit::TestName;
use super::list::{Entry, List};
use super::update::{Action, Update, apply};
use crate::analysis::backtest::breakage::{CAUSE_LIKELY, breakages, causes};
use crate::analysis::filter::{Moments, filter};
use crate::analysis::history::{History, Run};
use crate::analysis::settings::Settings;
use crate::model::Timestamp;
use crate::store::query::TestNo;

/// What really happened, as far as it can be told in the end.
pub struct Hindsight {
    runs: Vec<PastRun>,
    cases: Vec<Case>,
}

struct PastRun {
    started: Timestamp,
    day: NaiveDate,
    revision: Option<String>,
    /// Its CI build and attempt; its own number where it has none.
    build: (String, u32),
    bad: u32,
    suite_failures: u32,
    outage: bool,
}

/// One test in one cell that failed.
struct Case {
    name: TestName,
    variant: String,
    /// The runs in which it failed, each with whether a breakage is to blame.
    failures: Vec<(u32, bool)>,
    /// The failed runs of each regression.
    regressions: Vec<Vec<u32>>,
}

impl Hindsight {
    /// Judges a window in the light of all that followed.
    #[must_use]
    pub fn new(history: &History, settings: &Settings, label: &dyn Fn(TestNo) -> String) -> Self {
        let filtered = filter(history, &settings.filter, Moments::Forget);
        let outages = filtered.outages();
        let runs = history.runs.iter().zip(outages).map(|(run, outage)| past(run, outage));
        let mut cases = Vec::new();
        for (unit, belief) in history.units.iter().zip(&filtered.units) {
            let course = belief.course.as_deref();
            let bad = unit.seen.iter().filter(|seen| seen.outcome.is_bad());
            let broken = |run: u32| {
                causes(course, run)
                    .is_some_and(|causes| causes.regression + causes.change >= CAUSE_LIKELY)
            };
            let failures: Vec<(u32, bool)> = bad.map(|seen| (seen.run, broken(seen.run))).collect();
            if failures.is_empty() {
                continue;
            }
            let variant = history.variants.get(unit.variant as usize).cloned();
            cases.push(Case {
                name: TestName { label: label(unit.test), ..TestName::default() },
                variant: variant.unwrap_or_default(),
                failures,
                regressions: breakages(history, unit, course)
                    .into_iter()
                    .map(|one| one.runs)
                    .collect(),
            });
        }
        Self { runs: runs.collect(), cases }
    }
}

fn past(run: &Run, outage: bool) -> PastRun {
    let day = run.started.to_utc().map(|time| time.date_naive()).unwrap_or_default();
    let build = match &run.build {
        Some(build) => (build.clone(), run.attempt),
        None => (format!("run {}", run.no.0), 0),
    };
    PastRun {
        started: run.started,
        day,
        revision: run.revision.clone(),
        build,
        bad: run.bad,
        suite_failures: run.suite_failures,
        outage,
    }
}

/// A list that lives through the days.
pub struct Simulation {
    hindsight: Hindsight,
    list: List,
    terms: Vec<Term>,
    held: Vec<u32>,
    days: BTreeSet<NaiveDate>,
    /// The forgiven failures of each case: the runs.
    forgiven: Vec<BTreeSet<u32>>,
}

/// How long an entry was on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The entry as it came in.
    pub entry: Entry,
    /// The day it came in.
    pub from: NaiveDate,
    /// The day it left, and why; `None` where it is there in the end.
    pub until: Option<(NaiveDate, Action)>,
    /// How often it was extended.
    pub extended: u32,
}

/// What the policy would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Days replayed.
    pub days: u32,
    /// Runs replayed.
    pub runs: u32,
    /// Builds replayed: the runs of one attempt of one CI build are one.
    pub builds: u32,
    /// Of these, red ones.
    pub builds_red: u32,
    /// Red builds that would have been green, as all that failed was on the list.
    pub greened: u32,
    /// Of these, builds in which something was broken.
    pub greened_wrongly: u32,
    /// Regressions of the main line that began in these days, for each test and cell.
    pub regressions: u32,
    /// Those of which at least one failed run is hidden, the longest first.
    pub hidden: Vec<Hidden>,
    /// Most tests on the list on one day.
    pub held_max: u32,
    /// Tests on the list on an average day.
    pub held_mean: f64,
    /// Every stay on the list, the latest first.
    pub terms: Vec<Term>,
}

/// A regression that the list would have hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The test.
    pub test: String,
    /// The matrix cell as printed.
    pub variant: String,
    /// When the first hidden run started.
    pub from: Timestamp,
    /// The revision of the first failed run, where known.
    pub revision: Option<String>,
    /// Failed runs.
    pub failed: u32,
    /// Those that are hidden.
    pub hidden: u32,
    /// When the first failed run started that is shown after the hidden ones; `None` where the
    /// regression was over before anybody saw it, or is still hidden.
    pub shown: Option<Timestamp>,
    /// When its last failed run started.
    pub last: Timestamp,
}

impl Hidden {
    /// For how long nobody saw it, in milliseconds: until it was shown, else until its last failed
    /// run.
    #[must_use]
    pub const fn hidden_ms(&self) -> i64 {
        let until = match self.shown {
            Some(shown) => shown.0,
            None => self.last.0,
        };
        until.saturating_sub(self.from.0)
    }
}

impl Term {
    /// Days on the list, until `end` where it is still there.
    #[must_use]
    pub fn days(&self, end: NaiveDate) -> i64 {
        let until = self.until.map_or(end, |(until, _)| until);
        (until - self.from).num_days()
    }
}

impl Simulation {
    /// Starts with no entries and the rules of a list.
    #[must_use]
    pub fn new(hindsight: Hindsight, rules: &List) -> Self {
        let forgiven = vec![BTreeSet::new(); hindsight.cases.len()];
        let list = List { entries: Vec::new(), ..rules.clone() };
        Self {
            hindsight,
            list,
            terms: Vec::new(),
            held: Vec::new(),
            days: BTreeSet::new(),
            forgiven,
        }
    }

    /// The list as it is now.
    #[must_use]
    pub fn list(&self) -> &List {
        &self.list
    }

    /// Lives through a day: first the plan, which was made from what was before, is applied; then
    /// the day's runs meet the list.
    pub fn day(&mut self, today: NaiveDate, plan: &Update) {
        self.note(today, plan);
        self.list = apply(&self.list, plan);
        self.held.push(plan.budget.after);
        self.days.insert(today);
        for (case, forgiven) in self.hindsight.cases.iter().zip(&mut self.forgiven) {
            for (run, _) in &case.failures {
                let of_today =
                    self.hindsight.runs.get(*run as usize).is_some_and(|run| run.day == today);
                if of_today && self.list.cover(&case.name, &case.variant, today).is_live() {
                    forgiven.insert(*run);
                }
            }
        }
    }

    /// Remembers who came and went.
    fn note(&mut self, today: NaiveDate, plan: &Update) {
        for change in &plan.changes {
            if change.action == Action::Enter {
                let entry = change.entry.clone();
                self.terms.push(Term { entry, from: today, until: None, extended: 0 });
                continue;
            }
            let is_it =
                |term: &&mut Term| term.until.is_none() && term.entry.key() == change.entry.key();
            if let Some(term) = self.terms.iter_mut().rev().find(is_it) {
                match change.action {
                    Action::Extend => term.extended += 1,
                    action => term.until = Some((today, action)),
                }
            }
        }
    }

    /// What it all came to.
    #[must_use]
    pub fn finish(mut self) -> Simulated {
        let builds = self.builds();
        let (regressions, mut hidden) = self.regressions();
        hidden.sort_by_key(|hidden| std::cmp::Reverse((hidden.hidden_ms(), hidden.hidden)));
        self.terms.sort_by(|one, other| {
            other.from.cmp(&one.from).then_with(|| one.entry.key().cmp(&other.entry.key()))
        });
        let red = builds.values().filter(|build| build.red > 0);
        let green = red.clone().filter(|build| build.red == build.greened);
        let days = self.held.len() as u32;
        let held: u32 = self.held.iter().sum();
        Simulated {
            days,
            runs: self.hindsight.runs.iter().filter(|run| self.days.contains(&run.day)).count()
                as u32,
            builds: builds.len() as u32,
            builds_red: red.count() as u32,
            greened: green.clone().count() as u32,
            greened_wrongly: green.filter(|build| build.wrongly).count() as u32,
            regressions,
            hidden,
            held_max: self.held.iter().copied().max().unwrap_or(0),
            held_mean: if days == 0 { 0.0 } else { f64::from(held) / f64::from(days) },
            terms: self.terms,
        }
    }

    fn builds(&self) -> BTreeMap<(String, u32), Build> {
        let mut forgiven: BTreeMap<u32, (u32, bool)> = BTreeMap::new();
        for (case, runs) in self.hindsight.cases.iter().zip(&self.forgiven) {
            for (run, broken) in case.failures.iter().filter(|(run, _)| runs.contains(run)) {
                let pardon = forgiven.entry(*run).or_default();
                pardon.0 += 1;
                pardon.1 |= broken;
            }
        }
        let mut builds: BTreeMap<(String, u32), Build> = BTreeMap::new();
        for (place, run) in (0..).zip(&self.hindsight.runs) {
            if !self.days.contains(&run.day) {
                continue;
            }
            let build = builds.entry(run.build.clone()).or_default();
            let (pardoned, wrongly) = forgiven.get(&place).copied().unwrap_or_default();
            let is_red = run.bad > 0 || run.suite_failures > 0;
            // A machine that failed, or a suite that never ran, is excused by no list.
            let whole = run.suite_failures == 0 && !run.outage;
            let greened = is_red && whole && pardoned == run.bad;
            build.red += u32::from(is_red);
            build.greened += u32::from(greened);
            build.wrongly |= greened && wrongly;
        }
        builds
    }

    /// How many regressions began in these days, and those that were hidden.
    fn regressions(&self) -> (u32, Vec<Hidden>) {
        let run = |place: u32| self.hindsight.runs.get(place as usize);
        let mut all = 0;
        let mut hidden = Vec::new();
        for (case, forgiven) in self.hindsight.cases.iter().zip(&self.forgiven) {
            for failed in &case.regressions {
                let first = failed.first().copied().and_then(run);
                all += u32::from(first.is_some_and(|first| self.days.contains(&first.day)));
                let is_hidden = |place: &&u32| forgiven.contains(*place);
                let (Some(from), Some(last_hidden)) = (
                    failed.iter().find(is_hidden).copied(),
                    failed.iter().rposition(|place| forgiven.contains(place)),
                ) else {
                    continue;
                };
                let (Some(from), Some(last)) = (run(from), failed.last().copied().and_then(run))
                else {
                    continue;
                };
                hidden.push(Hidden {
                    test: case.name.label.clone(),
                    variant: case.variant.clone(),
                    from: from.started,
                    revision: first.and_then(|first| first.revision.clone()),
                    failed: failed.len() as u32,
                    hidden: failed.iter().filter(is_hidden).count() as u32,
                    shown: failed
                        .get(last_hidden + 1)
                        .copied()
                        .and_then(run)
                        .map(|run| run.started),
                    last: last.started,
                });
            }
        }
        (all, hidden)
    }
}

/// The runs of one attempt of one CI build.
#[derive(Debug, Clone, Copy, Default)]
struct Build {
    red: u32,
    greened: u32,
    /// Something was broken in a run that was greened.
    wrongly: bool,
}

#[cfg(test)]
mod tests;
