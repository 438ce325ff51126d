//! Nodes in Rust that go wrong in ways that no JSON can show: panics, tasks left behind, threads
//! blocked, numbers from nowhere.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flakedb::testkit::contracts::{
    Case, FixtureSubject, NodeFixture, Scenario, Setup, Verdict, run_all, run_one,
};
use flakedb::testkit::nodes::config::NODE_CONFIG;
use flakedb::testkit::nodes::{
    Environment, ExecutionContext, Message, Node, NodeCore, NodeError, NodeResult, NodeType,
    Registry,
};
use serde_json::{Value, json};

const A_MINUTE: Duration = Duration::from_secs(60);

/// A node that goes wrong by the name of its flaw.
#[derive(Debug)]
struct Wrong {
    core: NodeCore,
    flaw: &'static str,
    runs: AtomicU64,
    busy: AtomicBool,
    content: Mutex<String>,
}

#[async_trait]
impl Node for Wrong {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    async fn execute(&self, message: &Message, _: &ExecutionContext) -> NodeResult {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let mut said = message.child(self.id()).content("said");
        let sleeps = message.payload.task.as_deref() == Some("sleep");
        match self.flaw {
            "panics" => {
                // A message without content is not thought of.
                assert!(message.payload.content.is_some(), "no content");
            }
            "leaves a task" if sleeps => {
                let work = tokio::spawn(tokio::time::sleep(A_MINUTE));
                drop(work.await);
            }
            "ignores its timeout" if sleeps => tokio::time::sleep(A_MINUTE).await,
            "busy for ever" if sleeps => {
                if self.busy.swap(true, Ordering::SeqCst) {
                    return NodeResult { latency_ms: 1, ..NodeResult::failed("busy") };
                }
                let failed = self.timeout().await;
                self.busy.store(false, Ordering::SeqCst);
                return failed;
            }
            "keeps a connection" if sleeps => {
                if !self.busy.swap(true, Ordering::SeqCst) {
                    drop(tokio::spawn(tokio::time::sleep(A_MINUTE)));
                }
                return self.timeout().await;
            }
            "has a timeout of its own" if sleeps => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return NodeResult { latency_ms: 2_000, ..NodeResult::failed("timeout") };
            }
            "is always fast" | "fails at once" if sleeps => return self.timeout().await,
            "was always slow" => {
                return NodeResult { latency_ms: 100, ..NodeResult::said(said.build()) };
            }
            "counts its runs" => said = said.content(format!("said {run} times before")),
            "keeps the content in a field" => {
                let content = message.payload.content.clone().unwrap_or_default();
                self.content.lock().unwrap().clone_from(&content);
                tokio::time::sleep(Duration::from_millis(5)).await;
                said = said.content(self.content.lock().unwrap().clone());
            }
            "fails at once" => {
                if self.busy.swap(true, Ordering::SeqCst) {
                    return NodeResult { latency_ms: 1, ..NodeResult::failed("busy") };
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.busy.store(false, Ordering::SeqCst);
            }
            "blocks its thread" => loop {
                std::thread::park();
            },
            _ => {}
        }
        NodeResult { latency_ms: 1, ..NodeResult::said(said.build()) }
    }
}

impl Wrong {
    /// Sleeps until its timeout, and says that it took no time.
    async fn timeout(&self) -> NodeResult {
        tokio::time::sleep(Duration::from_millis(self.config().timeout_ms)).await;
        NodeResult { latency_ms: 1, ..NodeResult::failed("timeout") }
    }
}

struct WrongFixture(&'static str);

impl NodeFixture for WrongFixture {
    fn node_type(&self) -> NodeType {
        NodeType::Custom("wrong".to_owned())
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::new(Environment::default());
        let flaw = self.0;
        registry.replace(self.node_type(), move |definition, _| {
            let violations = NODE_CONFIG.violations(&Value::Object(definition.config.clone()));
            if !violations.is_empty() {
                return Err(NodeError::Invalid { id: definition.id.clone(), violations });
            }
            assert!(flaw != "panics when made", "no model is loaded");
            let core = NodeCore::new(definition.clone());
            let (runs, busy, content) = Default::default();
            Ok(Arc::new(Wrong { core, flaw, runs, busy, content }))
        });
        registry
    }

    fn case(&self, scenario: Scenario) -> Setup {
        match scenario {
            Scenario::Usual => Setup::Case(Case::default()),
            Scenario::Slow if self.0 == "done at once" => Setup::Case(Case::default()),
            Scenario::Slow => Setup::Case(Case::default().payload(json!({"task": "sleep"}))),
            Scenario::Failing | Scenario::Troubled => Setup::impossible("it always succeeds"),
        }
    }

    fn clause_time(&self) -> Duration {
        // What blocks is given up soon, so that the test is not long.
        Duration::from_secs(if self.0 == "blocks its thread" { 1 } else { 60 })
    }
}

fn judged(flaw: &'static str, clause: &str) -> (Verdict, String) {
    let subject = FixtureSubject::new(WrongFixture(flaw));
    let judgement = run_one(subject, clause).unwrap();
    (judgement.verdict, judgement.evidence)
}

#[test]
fn what_goes_wrong_inside_of_a_process_is_caught_too() {
    let wrong = [
        ("panics", "hostile_payloads", "nothing: the execution panicked: no content"),
        ("panics when made", "NC-02", "making the node panicked: no model is loaded"),
        ("leaves a task", "cancel_safe", "3 cancelled executions left tasks behind: 3"),
        (
            "busy for ever",
            "cancel_safe",
            "after a cancelled execution the slow case was done at once",
        ),
        ("fails at once", "NC-31", "after cancelled executions the node fails: busy"),
        ("fails at once", "NC-21", "of five at once one failed: busy"),
        ("keeps the content in a field", "NC-21", "among five at once"),
        ("ignores its timeout", "NC-36", "with timeout_ms 100 the node still waits after 5 s"),
        ("has a timeout of its own", "NC-36", "timeout_ms 100 and 700 make no difference"),
        ("is always fast", "NC-30", "by the suite's clock, and says 1"),
        ("was always slow", "NC-30", "latency_ms is 100, but by the suite's clock it took"),
        ("counts its runs", "deterministic", "at /output_messages/0/payload/content"),
    ];
    // At once, for most of it is waiting.
    let running = wrong.map(|(flaw, clause, evidence)| {
        let judged = std::thread::spawn(move || judged(flaw, clause));
        (flaw, clause, evidence, judged)
    });
    for (flaw, clause, evidence, judged) in running {
        let (verdict, said) = judged.join().unwrap();
        assert_eq!(verdict, Verdict::Fail, "{flaw}, {clause}: {said}");
        assert!(said.contains(evidence), "{flaw}, {clause}: {said}");
    }
}

#[test]
fn a_node_that_blocks_every_thread_fails_and_the_report_ends() {
    let report = run_all(WrongFixture("blocks its thread"));
    assert!(!report.conforms(), "{report}");
    let said = |verdict: Verdict, text: &str| {
        let judgements = report.judgements.iter().filter(|judgement| judgement.verdict == verdict);
        judgements.filter(|judgement| judgement.evidence.contains(text)).count()
    };
    assert_eq!(said(Verdict::Fail, "no end after 1 s"), 3, "{report}");
    assert!(said(Verdict::NotExercised, "not run: 3 clauses had no end") > 10, "{report}");
    // It is held to what needs no execution before that.
    assert_eq!(report.judgement("NC-02").unwrap().verdict, Verdict::Pass, "{report}");
}

#[test]
fn what_a_node_keeps_for_the_next_execution_is_not_left_behind() {
    let (verdict, said) = judged("keeps a connection", "NC-31");
    assert_eq!(verdict, Verdict::Pass, "{said}");
}

#[test]
fn a_slow_case_that_is_not_slow_is_not_exercised() {
    let (verdict, said) = judged("done at once", "NC-31");
    assert_eq!(verdict, Verdict::NotExercised, "{said}");
    // And a timeout that never struck is no timeout that was kept.
    assert_eq!(judged("done at once", "NC-36").0, Verdict::Fail);
}

#[test]
fn an_unknown_clause_names_the_one_that_was_meant() {
    let subject = FixtureSubject::new(WrongFixture("none"));
    let error = run_one(subject, "source_nod").unwrap_err();
    assert_eq!(error.to_string(), "there is no clause `source_nod`; did you mean source_node?");
}
