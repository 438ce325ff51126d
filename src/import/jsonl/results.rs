//! The results of one run: who the tests are, and what became of them.

use std::collections::HashMap;

use super::super::draft::{Draft, bare};
use super::super::finding::{Code, Finding};
use super::super::lenient::seconds;
use super::super::name::{PYTEST, UNKNOWN, identify_text, is_node_id};
use super::line::{AttemptItem, Parts, Reason, ResultItem, RunLine, Suites, TestRef};
use crate::junit::collector::Execution;
use crate::junit::identity::{Explained, RawIdentity, identify};
use crate::model::{Failure, Micros, Outcome, Report, ReportHash};

/// The table of a meta line: tests by their place, and by the name they have there.
#[derive(Default)]
pub(super) struct Tests {
    identities: Vec<Explained>,
    /// What each test was written as, which is part of what a line that points to it says.
    written: Vec<String>,
    places: HashMap<String, usize>,
}

/// A test of the table, or one that only this run names.
enum Found<'t> {
    Known(&'t Explained),
    New(Explained),
}

impl Tests {
    pub(super) fn of(tests: &[TestRef<'_>]) -> Self {
        let mut table = Self::default();
        for (place, test) in tests.iter().enumerate() {
            let (identity, written) = match test {
                TestRef::Name(name) => (identify_text(name), name.to_string()),
                TestRef::Parts(parts) => (identify_parts(parts), format!("{parts:?}")),
                TestRef::Place(place) => (identify_text(&place.to_string()), place.to_string()),
            };
            if let TestRef::Name(name) = test {
                table.places.entry(name.to_string()).or_insert(place);
            }
            table.identities.push(identity);
            table.written.push(written);
        }
        table
    }

    fn find(&self, test: &TestRef<'_>) -> Result<Found<'_>, String> {
        match test {
            TestRef::Place(place) => {
                let known = usize::try_from(*place).ok().and_then(|at| self.identities.get(at));
                known.map(Found::Known).ok_or_else(|| {
                    format!(
                        "test {place} is not in the table of the meta line, which has {}; \
                         write the name instead",
                        self.identities.len()
                    )
                })
            }
            TestRef::Name(name) => {
                let place = self.places.get(name.as_ref());
                Ok(match place.and_then(|&place| self.identities.get(place)) {
                    Some(known) => Found::Known(known),
                    None => Found::New(identify_text(name)),
                })
            }
            TestRef::Parts(parts) => Ok(Found::New(identify_parts(parts))),
        }
    }

    /// The hash of a line and of the tests that it points to.
    pub(super) fn hash(&self, line: &[u8], run: &RunLine<'_>) -> ReportHash {
        let results = run.results.iter().flatten().map(|result| &result.test);
        let lists = [&run.passed, &run.skipped].into_iter().flatten().flatten();
        let mut pointed = results.chain(lists).filter_map(|test| match test {
            TestRef::Place(place) => self.written.get(usize::try_from(*place).ok()?),
            _ => None,
        });
        let Some(first) = pointed.next() else { return ReportHash::of(line) };
        let mut bytes = Vec::from(line);
        for name in std::iter::once(first).chain(pointed) {
            bytes.push(0);
            bytes.extend_from_slice(name.as_bytes());
        }
        ReportHash::of(&bytes)
    }
}

fn identify_parts(parts: &Parts) -> Explained {
    let suites: Vec<&str> = match &parts.suite {
        None => Vec::new(),
        Some(Suites::One(suite)) => vec![suite],
        Some(Suites::Many(suites)) => suites.iter().map(String::as_str).collect(),
    };
    identify(&RawIdentity {
        producer: UNKNOWN,
        suites: &suites,
        classname: parts.classname.as_deref().unwrap_or_default(),
        name: parts.name.as_deref().unwrap_or_default(),
        file: parts.file.as_deref().unwrap_or_default(),
        ..RawIdentity::default()
    })
}

/// The report of a run.
///
/// # Errors
/// What is wrong with the line as a whole, so that no part of it may be kept.
pub(super) fn report(
    run: &RunLine<'_>,
    tests: &Tests,
    line: u32,
    findings: &mut Vec<Finding>,
) -> Result<Report, String> {
    let mut draft = Draft::new(producer(run), line);
    let mut implausible = 0_u64;
    let mut add = |test: &TestRef<'_>, executions: Vec<Execution>| -> Result<(), String> {
        match tests.find(test)? {
            Found::Known(known) => draft.add(&known.identity(), None, executions),
            Found::New(new) => draft.add(&new.identity(), None, executions),
        }
        Ok(())
    };
    for result in run.results.iter().flatten() {
        add(&result.test, executions(result, &mut implausible))?;
    }
    for (list, outcome) in [(&run.passed, Outcome::Passed), (&run.skipped, Outcome::Skipped)] {
        for test in list.iter().flatten() {
            add(test, vec![bare(outcome)])?;
        }
    }
    if implausible > 0 {
        let message = format!(
            "durations that are negative or longer than a year: {implausible}; write seconds"
        );
        findings.push(Finding { code: Code::BadTime, line, column: 0, message });
    }
    Ok(draft.finish(findings))
}

/// pytest where all that is named is named as pytest does.
fn producer(run: &RunLine<'_>) -> &'static str {
    let results = run.results.iter().flatten().map(|result| &result.test);
    let lists = [&run.passed, &run.skipped].into_iter().flatten().flatten();
    let mut names = results.chain(lists).map(|test| match test {
        TestRef::Name(name) => is_node_id(name),
        TestRef::Place(_) | TestRef::Parts(_) => false,
    });
    if names.next() == Some(true) && names.all(|is_node_id| is_node_id) { PYTEST } else { UNKNOWN }
}

/// All attempts in order. What is stated for the result holds for its last attempt; an outcome that
/// the last attempt does not have was one more attempt.
fn executions(result: &ResultItem<'_>, implausible: &mut u64) -> Vec<Execution> {
    let mut duration = |stated: Option<f64>| -> Option<Micros> {
        let read = stated.map(seconds)?;
        *implausible += u64::from(read.is_err());
        read.ok()
    };
    let outcome = result.outcome.0;
    let stated = duration(result.duration);
    let mut executions: Vec<Execution> = Vec::with_capacity(result.attempts.len().max(1));
    for attempt in &result.attempts {
        let AttemptItem { outcome, reason, duration: took } = attempt;
        executions.push(Execution {
            outcome: outcome.0,
            duration: duration(*took),
            failure: failure(reason).or_else(|| failure(&result.reason)),
        });
    }
    match executions.last_mut() {
        Some(last) if last.outcome == outcome => last.duration = last.duration.or(stated),
        _ => executions.push(Execution {
            outcome,
            duration: stated,
            failure: failure(&result.reason),
        }),
    }
    executions
}

fn failure(reason: &Reason) -> Option<Failure> {
    let Reason { kind, message, text } = reason;
    (kind.is_some() || message.is_some() || text.is_some()).then(|| Failure {
        kind: kind.clone().unwrap_or_default(),
        message: message.clone().unwrap_or_default(),
        text: text.clone().unwrap_or_default(),
    })
}
