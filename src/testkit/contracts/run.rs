//! Running a contract.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, mpsc};

use tokio::runtime::Builder;

use super::clause::{Check, Clause, Finding, Stop};
use super::clauses::{clause, clauses, clauses_of};
use super::fixture::{FixtureSubject, NodeFixture};
use super::registry::{REGISTRY_CLAUSES, RegistryFixture, RegistrySubject, RegistryTrial};
use super::report::{Judgement, Report, Verdict, explanation};
use super::subject::Subject;
use super::trial::Trial;

/// Threads of the runtime that a check runs on; two would do, but for races of counters.
const THREADS: usize = 4;
/// Clauses without end after which the others are not run: each costs its whole time.
const ENDLESS_MAX: usize = 3;

/// Runs every clause that binds the fixture's type.
pub fn run_all(fixture: impl NodeFixture) -> Report {
    run_subject(FixtureSubject::new(fixture))
}

/// Runs every clause that binds a subject's type.
pub fn run_subject(subject: impl Subject + 'static) -> Report {
    let subject: Arc<dyn Subject> = Arc::new(subject);
    let profile = subject.profile();
    let name = profile.name.clone();
    let bound: Vec<_> = clauses_of(&profile.node_type).collect();
    let runner = Runner::default();
    let judgements = bound
        .into_iter()
        .map(|clause| Judgement::new(clause, runner.check(clause, Arc::clone(&subject))))
        .collect();
    Report { subject: name, judgements }
}

/// Runs one clause, by id or name.
///
/// # Errors
/// [`UnknownClause`] where there is none for nodes.
pub fn run_one(
    subject: impl Subject + 'static,
    id_or_name: &str,
) -> Result<Judgement, UnknownClause> {
    let node_clause = clause(id_or_name).filter(|clause| matches!(clause.check, Check::Node(_)));
    let clause = node_clause.ok_or_else(|| UnknownClause { name: id_or_name.to_owned() })?;
    Ok(Judgement::new(clause, Runner::default().check(clause, Arc::new(subject))))
}

/// Runs every clause of registries.
pub fn run_registry(fixture: &impl RegistryFixture) -> Report {
    run_registry_subject(
        "registry",
        &|| Box::new(fixture.registry()),
        fixture.expected(),
        &|node_type| fixture.config(node_type),
    )
}

/// Runs every clause of registries on whatever `make` makes.
pub fn run_registry_subject(
    name: &str,
    make: &dyn Fn() -> Box<dyn RegistrySubject>,
    expected: Vec<crate::testkit::nodes::NodeType>,
    config: &dyn Fn(&crate::testkit::nodes::NodeType) -> serde_json::Value,
) -> Report {
    let trial = RegistryTrial { make, expected, config };
    let judgements = REGISTRY_CLAUSES
        .iter()
        .filter_map(|clause| match clause.check {
            Check::Registry(check) => Some(Judgement::new(clause, check(&trial))),
            Check::Node(_) => None,
        })
        .collect();
    Report { subject: name.to_owned(), judgements }
}

/// A name that is no clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no clause `{name}`{}", hint(name))]
pub struct UnknownClause {
    /// What was asked for.
    pub name: String,
}

fn hint(name: &str) -> String {
    crate::testkit::nearest::hint(name, clauses().flat_map(|clause| [clause.id, clause.name]))
}

/// Runs checks, each on a runtime of its own: what one leaves behind does not touch the next.
#[derive(Default)]
struct Runner {
    /// Clauses that had no end.
    endless: Cell<usize>,
}

impl Runner {
    /// The wait is outside of the runtime: a node that blocks every thread of it, timers and all,
    /// holds up nothing but itself.
    fn check(&self, clause: &Clause, subject: Arc<dyn Subject>) -> Finding {
        let Check::Node(check) = clause.check else {
            return Err(Stop::NotApplicable("a clause of registries".to_owned()));
        };
        if let Some(reason) = subject.rules_out(clause) {
            return Err(Stop::NotApplicable(reason.to_owned()));
        }
        if self.endless.get() >= ENDLESS_MAX {
            return Err(Stop::NotExercised(format!("not run: {ENDLESS_MAX} clauses had no end")));
        }
        let time = subject.clause_time();
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
        let runtime = runtime
            .map_err(|error| Stop::NotExercised(format!("no runtime could be started: {error}")))?;
        let (sender, ended) = mpsc::channel();
        let task = runtime.spawn(check(Trial { subject }));
        // Where nobody waits any more the send fails, and there is nobody to tell.
        runtime.spawn(async move { drop(sender.send(task.await)) });
        let ended = ended.recv_timeout(time);
        // Threads that are blocked are left to themselves.
        runtime.shutdown_background();
        match ended {
            Ok(Ok(finding)) => finding,
            Ok(Err(error)) => Err(Stop::Fail(format!("the check ended badly: {error}"))),
            Err(_) => {
                self.endless.set(self.endless.get() + 1);
                Err(Stop::Fail(format!(
                    "no end after {} s; does the node block its thread?",
                    time.as_secs_f64()
                )))
            }
        }
    }
}

/// Why a test of a clause fails; shown as it is.
#[doc(hidden)]
pub struct Unkept(String);

impl fmt::Debug for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a fixture keeps a clause; what the tests of [`node_contract`](crate::node_contract) give.
///
/// # Errors
/// Where the promise is broken or was not exercised.
#[doc(hidden)]
pub fn kept(fixture: impl NodeFixture, id: &str) -> Result<(), Unkept> {
    let judgement = run_one(FixtureSubject::new(fixture), id);
    judged(&judgement.map_err(|error| Unkept(error.to_string()))?)
}

/// Whether a fixture keeps the clauses of its own type.
///
/// # Errors
/// Where a promise is broken or was not exercised.
#[doc(hidden)]
pub fn kept_by_type(fixture: impl NodeFixture) -> Result<(), Unkept> {
    let subject: Arc<dyn Subject> = Arc::new(FixtureSubject::new(fixture));
    let runner = Runner::default();
    clauses_of(&subject.profile().node_type)
        .filter(|clause| matches!(clause.scope, super::clause::Scope::Type(_)))
        .map(|clause| Judgement::new(clause, runner.check(clause, Arc::clone(&subject))))
        .try_for_each(|judgement| judged(&judgement))
}

/// Whether a registry keeps a clause; what the tests of
/// [`registry_contract`](crate::registry_contract) give.
///
/// # Errors
/// Where the promise is broken or was not exercised.
#[doc(hidden)]
#[allow(clippy::needless_pass_by_value, reason = "the macro makes a fixture for each test")]
pub fn kept_by_registry(fixture: impl RegistryFixture, id: &str) -> Result<(), Unkept> {
    let report = run_registry(&fixture);
    let unknown = || Unkept(format!("there is no clause {id} of registries"));
    judged(report.judgement(id).ok_or_else(unknown)?)
}

fn judged(judgement: &Judgement) -> Result<(), Unkept> {
    match judgement.verdict {
        Verdict::Pass | Verdict::NotApplicable => Ok(()),
        Verdict::Fail => Err(Unkept(explanation(judgement))),
        Verdict::NotExercised => Err(Unkept(format!(
            "{} was not exercised, which is no pass: {}",
            judgement.clause.title(),
            judgement.evidence
        ))),
    }
}
