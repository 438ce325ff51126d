//! Events: what happened to many tests of one run, by the filter.

use std::collections::BTreeMap;

use super::filter::episode::Attribution;
use super::filter::replay::{Course, OUTAGE_CERTAIN};
use super::filter::{Filtered, explain};
use super::history::History;
use super::verdict::{EventKind, RunEvent};

/// What happened to many tests of one run, by the filter.
pub(super) fn events(history: &History, filtered: &Filtered) -> Vec<RunEvent> {
    let mut events = Vec::new();
    let culprits = Culprits::new(history, filtered);
    for (run, explained) in (0..).zip(&filtered.runs) {
        if explained.is_outage() {
            events.push(RunEvent {
                run,
                kind: EventKind::Outage,
                module: None,
                executed: explained.tests,
                failed: explained.failing,
                probability: explained.weights.outage,
            });
            continue;
        }
        for module in &explained.modules {
            let kinds = [
                (EventKind::Outage, module.weights.outage, explain::OUTAGE_TESTS_MIN),
                (EventKind::BadCommit, module.weights.bad_commit, explain::GROUP_TESTS_MIN),
                (EventKind::SystemicGroup, module.weights.systemic, explain::GROUP_TESTS_MIN),
            ];
            // A group that failed together once may be anything; one that does so again is one.
            let likely = kinds.into_iter().find(|(kind, weight, tests)| {
                *weight >= OUTAGE_CERTAIN
                    && module.failing >= *tests
                    && (*kind != EventKind::SystemicGroup || module.recurring)
            });
            let told = likely.map(|(kind, weight, _)| match culprits.change(module.module, run) {
                Some(share) if kind == EventKind::SystemicGroup => (EventKind::BadCommit, share),
                _ => (kind, weight),
            });
            events.extend(told.map(|(kind, probability)| RunEvent {
                run,
                kind,
                module: Some(module.module),
                executed: module.tests,
                failed: module.failing,
                probability,
            }));
        }
    }
    events
}

/// What the failures of a module were in hindsight, test by test.
struct Culprits<'a> {
    courses: BTreeMap<u32, Vec<&'a Course>>,
}

impl<'a> Culprits<'a> {
    fn new(history: &History, filtered: &'a Filtered) -> Self {
        let mut courses: BTreeMap<u32, Vec<&Course>> = BTreeMap::new();
        for (unit, belief) in history.units.iter().zip(&filtered.units) {
            if let Some(course) = belief.course.as_deref() {
                courses.entry(unit.module).or_default().push(course);
            }
        }
        Self { courses }
    }

    /// The mean probability that the code broke the tests that failed there, where it is the
    /// likeliest cause of all.
    fn change(&self, module: u32, run: u32) -> Option<f64> {
        let of_run = |course: &&Course| {
            let place = course.failures.binary_search_by_key(&run, |failure| failure.run).ok()?;
            course.failures.get(place).map(|failure| failure.causes)
        };
        let causes: Vec<Attribution> =
            self.courses.get(&module)?.iter().filter_map(of_run).collect();
        let mean = |cause: fn(&Attribution) -> f64| {
            causes.iter().map(cause).sum::<f64>() / causes.len().max(1) as f64
        };
        let changed = mean(|causes| causes.change + causes.regression);
        let other = mean(|causes| causes.flake.max(causes.outage));
        (changed > other).then_some(changed)
    }
}
