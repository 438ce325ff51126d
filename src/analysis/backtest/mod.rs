//! Back-test: the history again under each of several rules, and what each would have done.
//!
//! It answers what a threshold costs and brings. Every test that a rule calls flaky is taken as
//! quarantined from its next run on: a failure there is forgiven. *Whether* a failure is forgiven
//! depends on earlier runs alone. *What* it was (a flake, a regression, a change's own) is the
//! filter's judgement in hindsight, the same for all rules, so that rules can be compared; it is
//! no independent truth.

pub mod breakage;
pub mod rule;

use self::breakage::{Breakage, CAUSE_LIKELY, breakages, causes};
pub use self::rule::{Rule, Stand};
use super::filter::episode::Attribution;
use super::filter::replay::Course;
use super::filter::{Moments, filter};
use super::history::{History, Unit};
use super::judge::{JudgeError, judged_run, method_of};
use super::outage;
use super::settings::Settings;
use super::verdict::JudgedRun;
use crate::model::Timestamp;
use crate::store::query::TestNo;

/// A window under several rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// The runs of the window, oldest first.
    pub runs: Vec<JudgedRun>,
    /// Regressions of the main line, counted for each test and variant.
    pub regressions: u32,
    /// What each rule would have done.
    pub trials: Vec<Trial>,
}

/// One test in one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The test.
    pub test: TestNo,
    /// The matrix cell as printed; empty where runs have none.
    pub variant: String,
}

/// What one rule would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The rule.
    pub rule: Rule,
    /// The settings use it.
    pub in_force: bool,
    /// Tests that it calls flaky at some time, the latest first.
    pub flags: Vec<Flag>,
    /// Red runs that are green under it because all that failed was forgiven.
    pub greened: u32,
    /// Of these, runs in which something was broken: they should have stayed red.
    pub greened_wrongly: u32,
    /// Regressions of the main line of which it hides at least one failed run, the latest first.
    pub hidden: Vec<Hidden>,
    /// Failures on a change's own runs, for which the change is to blame, that it forgives.
    pub changes_hidden: u32,
}

/// A test that a rule calls flaky.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The test.
    pub subject: Subject,
    /// The run after which it was first called so.
    pub since: u32,
    /// The run after which it was no longer called so; `None` where it still is in the end.
    pub until: Option<u32>,
    /// Flakes that it took, the failure of `since` included.
    pub flakes: u32,
    /// Flakes in the whole window; 0 where the rule seems to be wrong.
    pub flakes_ever: u32,
}

/// A regression of which a rule hides failed runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The test.
    pub subject: Subject,
    /// The first failed run.
    pub from: u32,
    /// Failed runs of the regression.
    pub failed: u32,
    /// Those that are hidden.
    pub hidden: u32,
    /// The first failed run that is shown after one that is hidden; `None` where none is.
    pub shown_from: Option<u32>,
}

impl Trial {
    /// Tests that are called flaky in the end.
    #[must_use]
    pub fn flagged_at_end(&self) -> usize {
        self.flags.iter().filter(|flag| flag.until.is_none()).count()
    }

    /// Tests called flaky none of whose failures was a flake.
    #[must_use]
    pub fn flagged_wrongly(&self) -> usize {
        self.flags.iter().filter(|flag| flag.flakes_ever == 0).count()
    }

    /// The median of flakes until a test was called flaky; of two in the middle the lower.
    ///
    /// Tests that never flaked are left out.
    #[must_use]
    pub fn flakes_median(&self) -> Option<u32> {
        let flaked = self.flags.iter().filter(|flag| flag.flakes_ever > 0);
        let mut flakes: Vec<u32> = flaked.map(|flag| flag.flakes).collect();
        flakes.sort_unstable();
        flakes.get(flakes.len().saturating_sub(1) / 2).copied()
    }

    /// Failed runs of regressions that are hidden.
    #[must_use]
    pub fn hidden_runs(&self) -> u32 {
        self.hidden.iter().map(|hidden| hidden.hidden).sum()
    }

    /// The most failed runs of one regression that are hidden.
    #[must_use]
    pub fn hidden_runs_max(&self) -> u32 {
        self.hidden.iter().map(|hidden| hidden.hidden).max().unwrap_or(0)
    }
}

/// Tries every rule of [`Rule::all`] on a window.
///
/// A pure function: the same history and settings give the same back-test.
///
/// # Errors
/// [`JudgeError::UnknownMethod`] where the settings name a method that does not exist.
pub fn backtest(history: &History, settings: &Settings) -> Result<Backtest, JudgeError> {
    method_of(settings)?;
    let filtered = filter(history, &settings.filter, Moments::Keep);
    let outages = filtered.outages();
    let runs: Vec<JudgedRun> = history
        .runs
        .iter()
        .zip(&outages)
        .map(|(run, out)| judged_run(history, run, *out))
        .collect();
    let cases: Vec<Case<'_>> = history
        .units
        .iter()
        .zip(&filtered.units)
        .filter(|(unit, _)| unit.seen.iter().any(|seen| seen.troubled()))
        .map(|(unit, belief)| Case::new(history, unit, belief.course.as_deref()))
        .collect();
    let set_aside = outage::find(history, &settings.outage);
    let bench = Bench { history, runs: &runs, cases: &cases, set_aside: &set_aside, settings };
    let rules = Rule::all(&settings.filter, &settings.threshold);
    let trials = rules.into_iter().map(|rule| bench.try_out(rule)).collect();
    let regressions = cases.iter().map(|case| case.breakages.len() as u32).sum();
    Ok(Backtest { runs, regressions, trials })
}

/// One test that failed, with all that is known of it in hindsight.
struct Case<'a> {
    subject: Subject,
    unit: &'a Unit,
    course: Option<&'a Course>,
    breakages: Vec<Breakage>,
}

impl<'a> Case<'a> {
    fn new(history: &History, unit: &'a Unit, course: Option<&'a Course>) -> Self {
        let variant = history.variants.get(unit.variant as usize).cloned().unwrap_or_default();
        let subject = Subject { test: unit.test, variant };
        Self { subject, unit, course, breakages: breakages(history, unit, course) }
    }

    fn flakes(&self) -> impl Iterator<Item = u32> + '_ {
        let failures = self.course.map_or(&[][..], |course| course.failures.as_slice());
        failures.iter().filter(|failure| failure.is_flake()).map(|failure| failure.run)
    }

    fn flag(&self, stands: &[Stand]) -> Option<Flag> {
        let since = stands.iter().find(|stand| stand.flaky)?.run;
        let last = stands.iter().rposition(|stand| stand.flaky)?;
        Some(Flag {
            subject: self.subject.clone(),
            since,
            until: stands.get(last + 1).map(|stand| stand.run),
            flakes: self.flakes().filter(|run| *run <= since).count() as u32,
            flakes_ever: self.flakes().count() as u32,
        })
    }

    fn hidden<'s>(&'s self, forgiven: &'s [u32]) -> impl Iterator<Item = Hidden> + 's {
        self.breakages.iter().filter_map(|breakage| {
            let is_hidden = |run: &u32| forgiven.binary_search(run).is_ok();
            let last = breakage.runs.iter().rposition(is_hidden)?;
            Some(Hidden {
                subject: self.subject.clone(),
                from: *breakage.runs.first()?,
                failed: breakage.runs.len() as u32,
                hidden: breakage.runs.iter().filter(|run| is_hidden(run)).count() as u32,
                shown_from: breakage.runs.get(last + 1).copied(),
            })
        })
    }

    /// The runs whose failure a rule forgives, oldest first: it knows only what was before.
    ///
    /// A late run stands among the runs of its revision, but nobody knew of it before it started.
    fn forgiven(&self, history: &History, stands: &[Stand]) -> Vec<u32> {
        let started = |run: u32| history.run(run).map(|run| run.started);
        let newest = |newest: &mut Option<Timestamp>, stand: &Stand| {
            *newest = started(stand.run).max(*newest);
            Some(*newest)
        };
        let known_from: Vec<_> = stands.iter().scan(None, newest).collect();
        let bad = self.unit.seen.iter().filter(|seen| seen.outcome.is_bad());
        let forgiven = |run: u32| {
            let before = stands.partition_point(|stand| stand.run < run);
            let by_then = known_from.partition_point(|from| *from <= started(run));
            let known = before.min(by_then).checked_sub(1).and_then(|last| stands.get(last));
            known.is_some_and(|stand| stand.forgives())
        };
        bad.map(|seen| seen.run).filter(|run| forgiven(*run)).collect()
    }
}

/// What rules are tried on.
struct Bench<'a> {
    history: &'a History,
    runs: &'a [JudgedRun],
    cases: &'a [Case<'a>],
    /// The runs that rules without the filter look past, where they are set to.
    set_aside: &'a [bool],
    settings: &'a Settings,
}

/// What is forgiven in one run.
#[derive(Debug, Clone, Copy, Default)]
struct Pardon {
    failures: u32,
    /// One of them was a breakage.
    wrongly: bool,
}

impl Bench<'_> {
    fn try_out(&self, rule: Rule) -> Trial {
        let mut pardons = vec![Pardon::default(); self.runs.len()];
        let (mut flags, mut hidden, mut changes_hidden) = (Vec::new(), Vec::new(), 0);
        for case in self.cases {
            let withhold = self.settings.filter.withhold;
            let stands =
                rule.follow(self.history, case.unit, case.course, self.set_aside, withhold);
            let Some(flag) = case.flag(&stands) else { continue };
            flags.push(flag);
            let forgiven = case.forgiven(self.history, &stands);
            hidden.extend(case.hidden(&forgiven));
            for run in forgiven {
                let causes = causes(case.course, run);
                let is = |cause: fn(&Attribution) -> f64| {
                    causes.is_some_and(|causes| cause(&causes) >= CAUSE_LIKELY)
                };
                let of_main = self.history.is_on_main(run);
                changes_hidden += u32::from(!of_main && is(|causes| causes.change));
                if let Some(pardon) = pardons.get_mut(run as usize) {
                    pardon.failures += 1;
                    pardon.wrongly |= is(|causes| causes.regression + causes.change);
                }
            }
        }
        let green: Vec<&Pardon> = pardons
            .iter()
            .zip(self.runs)
            .filter(|(pardon, run)| {
                let whole = run.suite_failures == 0 && !run.outage;
                whole && pardon.failures > 0 && pardon.failures == run.bad
            })
            .map(|(pardon, _)| pardon)
            .collect();
        flags.sort_by_key(|flag: &Flag| std::cmp::Reverse(flag.since));
        hidden.sort_by_key(|hidden: &Hidden| std::cmp::Reverse(hidden.from));
        Trial {
            in_force: self.in_force(&rule),
            rule,
            flags,
            greened: green.len() as u32,
            greened_wrongly: green.iter().filter(|pardon| pardon.wrongly).count() as u32,
            hidden,
            changes_hidden,
        }
    }

    fn in_force(&self, rule: &Rule) -> bool {
        match (rule, self.settings.method.as_str()) {
            (Rule::Filter { flaky, .. }, "filter") => *flaky == self.settings.filter.enter(),
            (Rule::Classic(_), "threshold") => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
