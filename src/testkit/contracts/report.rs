//! What a contract found.

use std::fmt;
use std::io::Write;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::clause::{Clause, Finding, Scope, Stop};

/// The version of the JSON form of a report.
pub const REPORT_FORMAT: u32 = 1;

/// What became of one clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The promise is kept.
    Pass,
    /// The promise is broken.
    Fail,
    /// There was nothing to check: no case, or no success to look at. This is no pass.
    NotExercised,
    /// The promise does not bind this type, for a stated reason.
    NotApplicable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::NotExercised, Self::NotApplicable];

    /// The stable name: `not_exercised`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotExercised => "not_exercised",
            Self::NotApplicable => "not_applicable",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One clause and what became of it.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The clause.
    pub clause: &'static Clause,
    /// What became of it.
    pub verdict: Verdict,
    /// What was seen, or why nothing was.
    pub evidence: String,
}

impl Judgement {
    pub(crate) fn new(clause: &'static Clause, finding: Finding) -> Self {
        let (verdict, evidence) = match finding {
            Ok(evidence) => (Verdict::Pass, evidence),
            Err(Stop::Fail(evidence)) => (Verdict::Fail, evidence),
            Err(Stop::NotExercised(evidence)) => (Verdict::NotExercised, evidence),
            Err(Stop::NotApplicable(evidence)) => (Verdict::NotApplicable, evidence),
        };
        Self { clause, verdict, evidence }
    }
}

/// What a contract found, clause by clause.
#[derive(Debug, Clone)]
#[must_use]
pub struct Report {
    /// What was under contract.
    pub subject: String,
    /// Every clause that binds it, by id.
    pub judgements: Vec<Judgement>,
}

/// The promise without which no other counts.
const SUCCEEDS: &str = "NC-22";

impl Report {
    /// How many clauses came to a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.judgements.iter().filter(|judgement| judgement.verdict == verdict).count()
    }

    /// Whether no promise is broken, and the type succeeded at least once. What was not exercised
    /// does not break it; see [`Report::is_complete`].
    #[must_use]
    pub fn conforms(&self) -> bool {
        let succeeded = |judgement: &Judgement| match judgement.clause.scope {
            Scope::Registries => judgement.verdict == Verdict::Pass,
            Scope::Nodes | Scope::Type(_) => {
                judgement.clause.id == SUCCEEDS && judgement.verdict == Verdict::Pass
            }
        };
        self.count(Verdict::Fail) == 0 && self.judgements.iter().any(succeeded)
    }

    /// Whether it conforms and every clause that binds the type was exercised.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.conforms() && self.count(Verdict::NotExercised) == 0
    }

    /// What became of a clause, by its id.
    #[must_use]
    pub fn judgement(&self, id: &str) -> Option<&Judgement> {
        self.judgements.iter().find(|judgement| judgement.clause.id == id)
    }

    /// `40 clauses: 38 pass, 1 fail, 0 not exercised, 1 not applicable`.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} clauses: {} pass, {} fail, {} not exercised, {} not applicable",
            self.judgements.len(),
            self.count(Verdict::Pass),
            self.count(Verdict::Fail),
            self.count(Verdict::NotExercised),
            self.count(Verdict::NotApplicable),
        )
    }

    /// The report as JSON, with the reason and the promise of every clause.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let clauses: Vec<Value> = self.judgements.iter().map(judgement_json).collect();
        let counts: serde_json::Map<String, Value> = Verdict::ALL
            .iter()
            .map(|verdict| (verdict.as_str().to_owned(), self.count(*verdict).into()))
            .collect();
        json!({
            "format": REPORT_FORMAT,
            "subject": self.subject,
            "conforms": self.conforms(),
            "complete": self.is_complete(),
            "counts": counts,
            "clauses": clauses,
        })
    }

    /// Writes several reports as one JUnit document: a suite for each, a test for each clause. A
    /// clause that was not exercised or does not apply is skipped, and says why.
    ///
    /// # Errors
    /// Where `out` fails.
    pub fn write_junit(
        reports: &[Self],
        out: &mut dyn Write,
    ) -> Result<(), quick_junit::SerializeError> {
        let mut document = quick_junit::Report::new("contracts");
        for report in reports {
            let mut suite = TestSuite::new(report.subject.as_str());
            for judgement in &report.judgements {
                suite.add_test_case(report.junit_case(judgement));
            }
            document.add_test_suite(suite);
        }
        document.serialize(out)
    }

    fn junit_case(&self, judgement: &Judgement) -> TestCase {
        let evidence = judgement.evidence.as_str();
        let status = match judgement.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type("contract").set_message(evidence);
                status.set_description(explanation(judgement));
                status
            }
            Verdict::NotExercised | Verdict::NotApplicable => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(format!("{}: {evidence}", judgement.verdict));
                status
            }
        };
        let mut case = TestCase::new(judgement.clause.title(), status);
        case.set_classname(format!("contracts.{}", self.subject));
        if judgement.verdict == Verdict::Pass {
            case.set_system_out(evidence);
        }
        case
    }
}

fn judgement_json(judgement: &Judgement) -> Value {
    let Judgement { clause, verdict, evidence } = judgement;
    json!({
        "id": clause.id,
        "name": clause.name,
        "verdict": verdict,
        "evidence": evidence,
        "promise": clause.promise,
        "reason": clause.reason,
    })
}

/// What was promised, what was seen, and why it matters.
pub(crate) fn explanation(judgement: &Judgement) -> String {
    let Judgement { clause, evidence, .. } = judgement;
    format!(
        "{}\npromise: {}\nseen: {evidence}\nwhy it matters: {}",
        clause.title(),
        clause.promise,
        clause.reason
    )
}

/// The report as a table for people: one line a clause, broken ones explained below.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Contract of {}", self.subject)?;
        for Judgement { clause, verdict, evidence } in &self.judgements {
            let first = evidence.lines().next().unwrap_or_default();
            writeln!(f, "  {verdict:<14}  {:<6} {:<20} {}", clause.id, clause.name, cut(first))?;
        }
        for judgement in &self.judgements {
            if judgement.verdict == Verdict::Fail {
                writeln!(f, "\n{}", explanation(judgement))?;
            }
        }
        let verdict = match (self.conforms(), self.is_complete()) {
            (_, true) => "conforms",
            (true, false) => "conforms, as far as it was exercised",
            (false, _) => "does not conform",
        };
        write!(f, "{}: {}; {verdict}", self.subject, self.summary())
    }
}

/// A text of one line, cut where a terminal would break it.
fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    match text.chars().nth(CHARS_MAX) {
        Some(_) => plain.take(CHARS_MAX - 1).chain(['…']).collect(),
        None => plain.collect(),
    }
}
