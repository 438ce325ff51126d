//! `junitResult.xml`: what Jenkins kept of the reports of one build.

use std::collections::{BTreeSet, HashMap};

use super::super::draft::Draft;
use super::super::finding::Finding;
use super::super::name::{PYTEST, UNKNOWN};
use super::markup::{Elements, Stop, walk};
use crate::junit::collector::{Execution, moment};
use crate::junit::identity::{Explained, RawIdentity, identify};
use crate::model::{Failure, Micros, Outcome, Report, Started};

/// The cases of a document, as far as it is whole.
#[derive(Debug, Default)]
pub(super) struct Results {
    suite: Suite,
    case: Case,
    cases: Vec<Done>,
    /// The parallel branches that suites ran in.
    blocks: Vec<String>,
    starts: Vec<Started>,
    /// Every suite comes from pytest.
    is_pytest: bool,
    met_root: bool,
}

#[derive(Debug, Default)]
struct Suite {
    name: String,
    blocks: Vec<String>,
}

#[derive(Debug, Default)]
struct Case {
    class: String,
    name: String,
    duration: Option<Micros>,
    is_skipped: bool,
    details: Option<String>,
    trace: Option<String>,
    attempts: Vec<Failure>,
    attempt: Failure,
}

#[derive(Debug)]
struct Done {
    identity: Explained,
    /// A place in `blocks`.
    block: usize,
    executions: Vec<Execution>,
}

impl Results {
    pub(super) fn read(bytes: &[u8]) -> (Self, Result<(), Stop>) {
        let mut results = Self { is_pytest: true, ..Self::default() };
        let end = walk(bytes, &mut results);
        (results, end)
    }

    /// True where the document is one of Jenkins, even if it holds no case.
    pub(super) const fn is_result(&self) -> bool {
        self.met_root
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The earliest start that a suite gives.
    pub(super) fn started(&self) -> Option<Started> {
        let key = |started: &Started| match started {
            Started::At(time) => time.0,
            Started::Local(time) => time.and_utc().timestamp_millis(),
        };
        self.starts.iter().min_by_key(|started| key(started)).copied()
    }

    /// The report; a test that ran in several parallel branches has a result for each of them.
    pub(super) fn report(self, found: &mut Vec<Finding>) -> Report {
        let mut by_test: HashMap<_, BTreeSet<usize>> = HashMap::new();
        for case in &self.cases {
            by_test.entry(case.identity.id).or_default().insert(case.block);
        }
        let is_matrix = by_test.values().any(|blocks| blocks.len() > 1);
        let is_pytest = self.is_pytest && !self.cases.is_empty();
        let mut draft = Draft::new(if is_pytest { PYTEST } else { UNKNOWN }, 0);
        for case in self.cases {
            let block = self.blocks.get(case.block).map_or("", String::as_str);
            let variant = (is_matrix && !block.is_empty()).then_some(("stage", block));
            draft.add(&case.identity.identity(), variant, case.executions);
        }
        draft.finish(found)
    }

    fn finish_case(&mut self) {
        let case = std::mem::take(&mut self.case);
        self.is_pytest &= self.suite.name == PYTEST;
        let identity = identify(&RawIdentity {
            producer: UNKNOWN,
            suites: &[&self.suite.name],
            classname: &case.class,
            name: &case.name,
            ..RawIdentity::default()
        });
        let block = self.suite.blocks.iter().rev().cloned().collect::<Vec<_>>().join(" / ");
        let known = self.blocks.iter().position(|known| *known == block);
        let place = known.unwrap_or(self.blocks.len());
        if known.is_none() {
            self.blocks.push(block);
        }
        self.cases.push(Done { identity, block: place, executions: case.executions() });
    }
}

impl Case {
    fn executions(self) -> Vec<Execution> {
        let is_bad = self.details.is_some() || self.trace.is_some();
        let outcome = match (self.is_skipped, is_bad) {
            (true, _) => Outcome::Skipped,
            // Jenkins does not keep whether it was a failure or an error.
            (false, true) => Outcome::Failed,
            (false, false) => Outcome::Passed,
        };
        let failure = is_bad.then(|| Failure {
            kind: String::new(),
            message: self.details.unwrap_or_default(),
            text: self.trace.unwrap_or_default(),
        });
        let failed = |failure| Execution {
            outcome: Outcome::Failed,
            duration: None,
            failure: Some(failure),
        };
        let mut executions: Vec<Execution> = self.attempts.into_iter().map(failed).collect();
        executions.push(Execution { outcome, duration: self.duration, failure });
        executions
    }
}

impl Elements for Results {
    fn open(&mut self, path: &[String], _class: Option<String>) {
        self.met_root |= path.len() == 1 && path.first().is_some_and(|root| root == "result");
    }

    fn close(&mut self, path: &[String], text: &str) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let ["result", "suites", "suite", rest @ ..] = path.as_slice() else { return };
        match rest {
            [] => self.suite = Suite::default(),
            ["name"] => text.trim().clone_into(&mut self.suite.name),
            ["timestamp"] => self.starts.extend(moment(text)),
            ["enclosingBlockNames", "string"] => self.suite.blocks.push(text.trim().to_owned()),
            ["cases", "case"] => self.finish_case(),
            ["cases", "case", rest @ ..] => self.case.take(rest, text),
            _ => {}
        }
    }
}

impl Case {
    fn take(&mut self, path: &[&str], text: &str) {
        match path {
            ["className"] => text.clone_into(&mut self.class),
            ["testName"] => text.clone_into(&mut self.name),
            ["duration"] => self.duration = text.trim().parse().ok().and_then(Micros::from_seconds),
            ["skipped"] => self.is_skipped = text.trim() == "true",
            ["errorDetails"] => self.details = Some(text.to_owned()),
            ["errorStackTrace"] => self.trace = Some(text.to_owned()),
            // What was tried again before the result above came out.
            ["flakyFailures" | "rerunFailures", _] => {
                self.attempts.push(std::mem::take(&mut self.attempt));
            }
            ["flakyFailures" | "rerunFailures", _, "message"] => {
                text.clone_into(&mut self.attempt.message);
            }
            ["flakyFailures" | "rerunFailures", _, "type"] => {
                text.clone_into(&mut self.attempt.kind);
            }
            ["flakyFailures" | "rerunFailures", _, "stackTrace"] => {
                text.clone_into(&mut self.attempt.text);
            }
            _ => {}
        }
    }
}
