//! Counting and ordering.

use std::sync::Arc;

use super::error::{NearMiss, VerifyError};
use super::expect::{Expect, Expectation};
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::journal::Entry;
use crate::testkit::mock_server::models::{Models, UnknownModels};
use crate::testkit::mock_server::script::Script;
use crate::testkit::mock_server::stub::Facts;
use crate::testkit::mock_server::surface::{Found, find};

/// The journal with every request read.
pub(super) struct Journal<'a> {
    read: Vec<Read<'a>>,
    /// How many requests before these are gone.
    dropped: u64,
}

/// A request as stubs see it.
struct Read<'a> {
    entry: &'a Arc<Entry>,
    exchange: Exchange,
    asked: Asked,
}

impl<'a> Journal<'a> {
    /// Reads again what the entries do not keep: the JSON, and what was asked for, whoever answered.
    pub(super) fn read(entries: &'a [Arc<Entry>], dropped: u64, models: &Models) -> Self {
        let mut models = models.clone();
        models.set_unknown_models(UnknownModels::Allow);
        let read = entries.iter().map(|entry| Read::new(entry, &mut models)).collect();
        Self { read, dropped }
    }

    /// Why nobody can say that no more came.
    fn unknown(&self) -> Option<String> {
        match self.dropped {
            0 => None,
            1 => {
                Some("1 more request is no longer in the journal and may be one of them".to_owned())
            }
            n => Some(format!(
                "{n} more requests are no longer in the journal and may be among them"
            )),
        }
    }
}

impl<'a> Read<'a> {
    fn new(entry: &'a Arc<Entry>, models: &mut Models) -> Self {
        let exchange = Exchange { json: entry.json(), ..entry.exchange.clone() };
        let asked = asked(&exchange, models);
        Self { entry, exchange, asked }
    }

    fn differences(&self, expect: &Expect) -> Vec<(f64, String)> {
        let decision = &self.entry.decision;
        expect.pattern.differences(&Facts {
            exchange: &self.exchange,
            route: self.entry.route.unwrap_or_default(),
            asked: &self.asked,
            identity: decision.identity,
            n: decision.n,
            chance: Chance::of(&[]),
        })
    }

    fn matches(&self, expect: &Expect) -> bool {
        self.differences(expect).is_empty()
    }
}

/// What a request asks for, whoever answered it. The models are a copy, whatever it does to them.
fn asked(exchange: &Exchange, models: &mut Models) -> Asked {
    let nothing = || Asked::Done(Script::raw(200, Vec::new(), bytes::Bytes::new()));
    let Found::Route(row, parameter) = find(&exchange.method, &exchange.path) else {
        return nothing();
    };
    // A pull or a delete would change the copy for those after it.
    if !row.asks {
        return nothing();
    }
    let exchange = Exchange { parameter, ..exchange.clone() };
    let stamp = Stamp { received_at: exchange.received_at, chance: Chance::of(&[]) };
    (row.read)(&exchange, models, &stamp).unwrap_or_else(|_| nothing())
}

pub(super) fn check(
    expectation: &Expectation,
    journal: &Journal<'_>,
) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
    match expectation {
        Expectation::Requests(expect) => check_count(expect, journal),
        Expectation::InOrder(steps) => check_order(steps, journal),
    }
}

fn check_count(
    expect: &Expect,
    journal: &Journal<'_>,
) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
    let counted: Vec<Arc<Entry>> = journal
        .read
        .iter()
        .filter(|read| read.matches(expect))
        .map(|read| Arc::clone(read.entry))
        .collect();
    let mut got = format!("got {}", counted.len());
    if expect.count.holds(counted.len() as u64) {
        match journal.unknown().filter(|_| expect.count.most.is_some()) {
            None => return Ok(counted),
            Some(unknown) => got.push_str(&format!(", but {unknown}")),
        }
    }
    Err(Box::new(failure(expect, expect.describe(), got, &counted, journal)))
}

fn failure(
    expect: &Expect,
    wanted: String,
    got: String,
    counted: &[Arc<Entry>],
    journal: &Journal<'_>,
) -> VerifyError {
    let mut misses: Vec<(f64, NearMiss)> = journal
        .read
        .iter()
        .filter_map(|read| {
            let differences = read.differences(expect);
            if differences.is_empty() {
                return None;
            }
            let distance = differences.iter().map(|(near, _)| 1.0 - near).sum();
            let texts: Vec<String> = differences.into_iter().map(|(_, text)| text).collect();
            let miss = NearMiss { request: read.entry.index, differs: texts.join("; ") };
            Some((distance, miss))
        })
        .collect();
    misses.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    VerifyError {
        wanted,
        got,
        counted: counted.iter().map(|entry| entry.index).collect(),
        near_misses: misses.into_iter().map(|(_, miss)| miss).collect(),
        journal: journal.read.iter().map(|read| read.entry.summary()).collect(),
        dropped: journal.dropped,
    }
}

/// Goes through the journal once: each step takes the first requests after those of the step before.
fn check_order(
    steps: &[Expect],
    journal: &Journal<'_>,
) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
    let mut counted: Vec<Arc<Entry>> = Vec::new();
    let mut at = 0;
    // Steps that must not come before the next one that must.
    let mut forbidden: Vec<(usize, &Expect)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        if step.count.most == Some(0) {
            forbidden.push((number, step));
            continue;
        }
        let wanted = usize::try_from(step.count.least.max(1)).unwrap_or(usize::MAX);
        let found: Vec<usize> =
            (at..journal.read.len()).filter(|place| journal.read[*place].matches(step)).collect();
        // A step of at most n need not come; it then leaves its place to the next.
        let Some(last) = found.get(wanted - 1).or_else(|| found.last()) else {
            if step.count.least == 0 {
                continue;
            }
            return Err(Box::new(out_of_order(number, steps, &counted, journal, 0)));
        };
        if (found.len() as u64) < step.count.least {
            return Err(Box::new(out_of_order(number, steps, &counted, journal, found.len())));
        }
        check_forbidden(&forbidden, at..found[0], steps, &counted, journal)?;
        forbidden.clear();
        counted.extend(found.iter().take(wanted).map(|at| Arc::clone(journal.read[*at].entry)));
        at = last + 1;
    }
    check_forbidden(&forbidden, at..journal.read.len(), steps, &counted, journal)?;
    Ok(counted)
}

fn check_forbidden(
    forbidden: &[(usize, &Expect)],
    between: std::ops::Range<usize>,
    steps: &[Expect],
    counted: &[Arc<Entry>],
    journal: &Journal<'_>,
) -> Result<(), Box<VerifyError>> {
    for (number, step) in forbidden {
        let here = between.clone().find(|place| journal.read[*place].matches(step));
        let got = match (here, journal.unknown()) {
            (Some(place), _) => {
                Some(format!("got request {} there", journal.read[place].entry.index))
            }
            // What is gone came before all others.
            (None, Some(unknown)) if counted.is_empty() => Some(format!("got none, but {unknown}")),
            (None, _) => None,
        };
        if let Some(got) = got {
            let wanted = format!("step {} of {}: {}", number + 1, steps.len(), step.describe());
            return Err(Box::new(failure(step, wanted, got, counted, journal)));
        }
    }
    Ok(())
}

fn out_of_order(
    number: usize,
    steps: &[Expect],
    counted: &[Arc<Entry>],
    journal: &Journal<'_>,
    came: usize,
) -> VerifyError {
    let step = &steps[number];
    let after =
        counted.last().map_or_else(String::new, |entry| format!(" after request {}", entry.index));
    let wanted = format!("step {} of {}: {}", number + 1, steps.len(), step.describe());
    let before: Vec<String> = journal
        .read
        .iter()
        .take_while(|read| counted.last().is_some_and(|last| read.entry.index <= last.index))
        .filter(|read| read.matches(step) && !counted.iter().any(|c| c.index == read.entry.index))
        .map(|read| read.entry.index.to_string())
        .collect();
    let mut got = format!("got {came}{after}");
    if !before.is_empty() {
        got.push_str(&format!("; it came before, as request {}", before.join(", ")));
    }
    failure(step, wanted, got, counted, journal)
}
