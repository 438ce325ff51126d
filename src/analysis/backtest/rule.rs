//! Rules that can be tried on a history, and what each says of one test after each of its runs.
//!
//! A rule knows only the past: what it says after a run depends on that run and earlier ones alone.
//! (Where the classic rule is set to look past outages, these are the ones known in the end.)

use std::collections::VecDeque;

use crate::analysis::filter::FilterSettings;
use crate::analysis::filter::replay::{Course, Moment};
use crate::analysis::history::{History, Seen, Unit};
use crate::analysis::settings::{Lanes, Outages, ThresholdSettings};

/// Probabilities that a back-test tries beside those of the settings.
pub const THRESHOLDS: [f64; 5] = [0.2, 0.35, 0.5, 0.7, 0.9];

/// A way to call tests flaky.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The filter, with one threshold in and another out.
    Filter {
        /// From this P(flaky) on, with evidence, a test is flaky.
        flaky: f64,
        /// Below this P(flaky) it is no longer.
        stay: f64,
    },
    /// The classic rule: a share of failures among the latest results.
    Classic(ThresholdSettings),
}

/// What a rule says of a test after one of its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// The run, as a place in the history.
    pub run: u32,
    /// It is called flaky.
    pub flaky: bool,
    /// It is probably broken, so that its failures are shown whether it is flaky or not.
    pub broken: bool,
}

impl Stand {
    /// A failure in the next run would be forgiven.
    #[must_use]
    pub const fn forgives(self) -> bool {
        self.flaky && !self.broken
    }
}

impl Rule {
    /// The rules to try: every threshold of the filter from low to high, then the classic rule.
    #[must_use]
    pub fn all(filter: &FilterSettings, classic: &ThresholdSettings) -> Vec<Self> {
        let configured = [filter.flaky, filter.flaky_strict, filter.enter()];
        let mut thresholds: Vec<f64> = THRESHOLDS.into_iter().chain(configured).collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        let filters = thresholds.into_iter().map(|flaky| Self::filter(filter, flaky));
        filters.chain([Self::Classic(classic.clone())]).collect()
    }

    /// The filter at a threshold, with everything else as it is set.
    #[must_use]
    pub fn filter(settings: &FilterSettings, flaky: f64) -> Self {
        let tried = FilterSettings { flaky, strict: false, ..settings.clone() };
        Self::Filter { flaky, stay: tried.leave() }
    }

    /// What the rule says of a test after each of its runs, oldest first.
    ///
    /// `course` is what the filter believed, with its moments; from a P(broken) of `withhold` on a
    /// test is not quarantined.
    /// `outages` are the runs that the classic rule looks past, where it is set to.
    #[must_use]
    pub fn follow(
        &self,
        history: &History,
        unit: &Unit,
        course: Option<&Course>,
        outages: &[bool],
        withhold: f64,
    ) -> Vec<Stand> {
        match self {
            Self::Filter { flaky, stay } => {
                course.map_or_else(Vec::new, |course| filter(course, *flaky, *stay, withhold))
            }
            Self::Classic(settings) => classic(history, unit, outages, settings),
        }
    }
}

fn filter(course: &Course, enter: f64, stay: f64, withhold: f64) -> Vec<Stand> {
    let mut flaky = false;
    let stand = |moment: &Moment| {
        flaky = (moment.score >= enter && moment.guarded) || (flaky && moment.score >= stay);
        Stand { run: moment.run, flaky, broken: moment.broken >= withhold }
    };
    course.moments.iter().map(stand).collect()
}

fn classic(
    history: &History,
    unit: &Unit,
    outages: &[bool],
    settings: &ThresholdSettings,
) -> Vec<Stand> {
    let set_aside = |run: u32| {
        settings.outages == Outages::LeaveOut && outages.get(run as usize) == Some(&true)
    };
    let counts = |run: u32| match settings.lanes {
        _ if set_aside(run) => false,
        Lanes::All => true,
        Lanes::Main => history.is_on_main(run),
    };
    let mut latest: VecDeque<bool> = VecDeque::new();
    let results = unit.seen.iter().filter(|seen| seen.executed() && counts(seen.run));
    let stand = |seen: &Seen| {
        latest.push_back(seen.outcome.is_bad());
        if latest.len() > settings.window as usize {
            latest.pop_front();
        }
        let bad = latest.iter().filter(|bad| **bad).count() as u32;
        let flaky = settings.is_flaky(latest.len() as u32, bad);
        Stand { run: seen.run, flaky, broken: false }
    };
    results.map(stand).collect()
}
