//! Tests of the tests: for every clause a node that breaks it, and is caught by it.
//!
//! A mutant is the node that keeps every promise, with one thing twisted where it meets the suite:
//! what it makes of a definition, what it says of itself, what an execution gives, what is counted.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use flakedb::testkit::contracts::{
    Case, Executed, Execution, FixtureSubject, Profile, Report, Scenario, Setup, Specimen, Subject,
    Trouble, Verdict, clauses, run_one, run_subject,
};
use flakedb::testkit::nodes::NodeType;
use serde_json::{Value, json};

use crate::echo::EchoFixture;

/// A subject that breaks one clause.
struct Mutant {
    inner: Arc<dyn Subject>,
    profile: Profile,
    flaw: &'static str,
    runs: Arc<AtomicU64>,
}

/// Whose clauses those of types are.
const TYPES: [(&str, NodeType); 11] = [
    ("NT-01", NodeType::Model),
    ("NT-02", NodeType::Exit),
    ("NT-03", NodeType::Entry),
    ("NT-04", NodeType::Router),
    ("NT-05", NodeType::Gate),
    ("NT-06", NodeType::Tool),
    ("NT-07", NodeType::Loop),
    ("NT-08", NodeType::DynamicFanout),
    ("NT-09", NodeType::Timeout),
    ("NT-10", NodeType::Transform),
    ("NT-11", NodeType::Reasoning),
];

impl Mutant {
    fn new(flaw: &'static str) -> Self {
        let own = TYPES.into_iter().find(|(id, _)| *id == flaw);
        Self::of(own.map_or(NodeType::Custom("echo".to_owned()), |(_, own)| own), flaw)
    }

    fn of(node_type: NodeType, flaw: &'static str) -> Self {
        let inner = FixtureSubject::new(EchoFixture::of(node_type));
        let mut profile = inner.profile().clone();
        match flaw {
            "NC-01" => profile.types.clear(),
            "NC-22" => {
                let refusing = Case::config(json!({"mode": "refuse"}));
                profile.cases.insert(Scenario::Usual, Setup::Case(refusing));
            }
            _ => {}
        }
        Self { inner: Arc::new(inner), profile, flaw, runs: Arc::default() }
    }
}

#[async_trait]
impl Subject for Mutant {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn create(&self, definition: &Value) -> Result<Arc<dyn Specimen>, Trouble> {
        let mut definition = definition.clone();
        let config = definition["config"].as_object_mut().unwrap();
        let timeout = config.get("timeout_ms").and_then(Value::as_i64);
        match self.flaw {
            "NC-19" if timeout.is_some_and(|timeout| timeout < 100) => {
                config.remove("timeout_ms");
            }
            "NC-20" => {
                let retries = config.get("retry_count").and_then(Value::as_i64).unwrap_or(0);
                if retries > 3 {
                    config.insert("retry_count".to_owned(), 3.into());
                }
            }
            "NC-27" => {
                config.remove("no_such_setting");
            }
            "NC-28" if timeout == Some(120_000) => {
                return Err(Trouble::Refused("119999 is the most".to_owned()));
            }
            "NC-29" if config.is_empty() => {
                config.insert("mode".to_owned(), "refuse".into());
            }
            "refuses words" if config.contains_key("mode") && timeout == Some(1_000) => {
                return Err(Trouble::Refused("no such word".to_owned()));
            }
            // Stored and not kept.
            "NC-36" => {
                config.insert("timeout_ms".to_owned(), 120_000.into());
            }
            "NC-37" => {
                config.insert("retry_count".to_owned(), 0.into());
            }
            _ => {}
        }
        let inner = self.inner.create(&definition).await?;
        Ok(Arc::new(Twisted {
            inner,
            node_type: self.profile.node_type.clone(),
            flaw: self.flaw,
            runs: Arc::clone(&self.runs),
            total: Arc::default(),
        }))
    }

    async fn work(&self) -> Result<Option<u64>, Trouble> {
        match self.flaw {
            "NC-35" => Ok(Some(7)),
            _ => self.inner.work().await,
        }
    }
}

struct Twisted {
    inner: Arc<dyn Specimen>,
    node_type: NodeType,
    flaw: &'static str,
    runs: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

#[async_trait]
impl Specimen for Twisted {
    async fn describe(&self) -> Result<Value, Trouble> {
        let mut said = self.inner.describe().await?;
        let stats = said["stats"].clone();
        let total = self.total.load(Ordering::SeqCst);
        if self.node_type == NodeType::Model && self.flaw != "NT-01" {
            said["settings"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "model", "kind": "other"}));
        }
        match self.flaw {
            "NC-02" => said["id"] = json!("model-1"),
            "NC-03" => said["name"] = json!("None"),
            "NC-04" => said["config"]["timeout_ms"] = json!("30000"),
            "NC-05" => {
                said["stats"].as_object_mut().unwrap().remove("total_latency_ms");
            }
            "NC-06" => said["stats"]["expansion_count"] = json!(1),
            "NC-13" => said["stats"]["total_executions"] = stats["successful_executions"].clone(),
            "NC-14" => said["stats"]["successful_executions"] = stats["total_executions"].clone(),
            "NC-15" => said["stats"]["failed_executions"] = json!(0),
            "NC-16" | "NC-31" | "NC-39" if total > 0 => {
                let key =
                    if self.flaw == "NC-16" { "total_latency_ms" } else { "total_executions" };
                said["stats"][key] = json!(total);
            }
            "NC-17" => said["stats"]["last_execution"] = Value::Null,
            "NC-18" => said["debug"] = json!(format!("<Node {}>", said["id"])),
            _ => {}
        }
        Ok(said)
    }

    async fn execute(&self, order: &Execution) -> Result<Executed, Trouble> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        match self.flaw {
            // Counted at the beginning, so that a cancelled execution counts too.
            "NC-31" => {
                self.total.fetch_add(1, Ordering::SeqCst);
            }
            "NC-32" if order.message["payload"].get("content").is_none() => {
                return Err(Trouble::Broken("KeyError: 'content'".to_owned()));
            }
            "NC-21" => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => {}
        }
        let mut done = self.inner.execute(order).await?;
        let late = self.runs.load(Ordering::SeqCst);
        as_its_type(&self.node_type, &mut done);
        twist(self.flaw, run, late, &mut done);
        Ok(done)
    }

    async fn update_stats(&self, success: bool, latency_ms: i64) -> Result<(), Trouble> {
        match self.flaw {
            "NC-38" => return self.inner.update_stats(success, latency_ms.max(0)).await,
            "NC-16" => self.total.store(latency_ms.unsigned_abs(), Ordering::SeqCst),
            "NC-39" => {
                // Read, add, write; the rest of the record is counted in between.
                let read = self.total.load(Ordering::SeqCst);
                self.inner.update_stats(success, latency_ms).await?;
                self.total.store(read + 1, Ordering::SeqCst);
                return Ok(());
            }
            _ => {}
        }
        self.inner.update_stats(success, latency_ms).await
    }
}

/// What the echo says besides where it goes by another type's name, so that it keeps the clauses of
/// that type.
fn as_its_type(node_type: &NodeType, done: &mut Executed) {
    let result = &mut done.result;
    let facts = match node_type {
        NodeType::Model => json!({"model": "echo"}),
        NodeType::Exit => {
            result["next_nodes"] = json!([]);
            json!({"exit_status": "success"})
        }
        NodeType::Loop => json!({"iterations": 1}),
        NodeType::DynamicFanout => json!({"strategy": "first"}),
        NodeType::Timeout => json!({"timeout": {"timed_out": false}}),
        NodeType::Transform => json!({"transforms_applied": []}),
        _ => json!({}),
    };
    for (key, fact) in facts.as_object().unwrap() {
        result["metadata"][key] = fact.clone();
    }
    let Some(payload) = result.pointer_mut("/output_messages/0/payload") else { return };
    match node_type {
        NodeType::Tool => {
            payload["tool_calls"] = json!([{"tool_id": "calculator", "output": 42}]);
        }
        NodeType::Reasoning => {
            payload["metadata"]["reasoning_chain_id"] = json!("one");
            payload["metadata"]["reasoning_steps"] = json!([]);
            payload["metadata"]["reasoning_confidence"] = json!(0.5);
        }
        _ => {}
    }
}

/// What is wrong with the result of the `run`-th execution, of `late` that have begun meanwhile.
fn twist(flaw: &str, run: u64, late: u64, done: &mut Executed) {
    let output = "/output_messages/0";
    let set = |done: &mut Executed, at: &str, value: Value| {
        if let Some(place) = done.result.pointer_mut(at) {
            *place = value;
        }
    };
    match flaw {
        "NC-07" => set(done, "/success", json!("yes")),
        "NC-08" => {
            if let Some(message) = done.result.pointer_mut(output) {
                message.as_object_mut().unwrap().remove("created_at");
            }
        }
        "NC-09" => set(done, "/output_messages/0/trace_id", json!("another")),
        "NC-10" => set(done, "/output_messages/0/source_node", json!("test.inner")),
        "NC-11" => done.result["next_nodes"] = json!([{"id": "test.next"}]),
        "NC-12" => {
            done.result.as_object_mut().unwrap().remove("error");
        }
        "NC-21" if late > run + 1 => {
            set(done, "/output_messages/0/parent_id", json!("another one's"));
        }
        "NC-23" => done.message["payload"]["metadata"] = json!({"iteration": 1}),
        "NC-24" => {
            let shared = done.result["output_messages"][0]["payload"]["metadata"].clone();
            done.message["payload"]["metadata"] = shared;
        }
        "NC-25" if done.result["success"] == json!(false) => done.result["error"] = Value::Null,
        "NC-26" => set(done, "/output_messages/0/message_id", json!("always the same")),
        "NC-30" => done.result["latency_ms"] = json!(0),
        "NC-33" => set(done, "/output_messages/0/payload/content", json!(format!("run {run}"))),
        "NC-34" => done.result["no_reader_knows"] = json!(true),
        "NC-40" => done.result["next_nodes"] = json!(["say"]),
        "NT-02" => done.result["next_nodes"] = json!(["test.next"]),
        "NT-03" => set(done, "/output_messages/0/payload/task", json!("another")),
        "NT-04" | "NT-05" => done.result["next_nodes"] = json!([]),
        "NT-01" | "NT-08" | "NT-09" | "NT-10" => done.result["metadata"] = json!({}),
        "NT-06" => set(done, "/output_messages/0/payload/tool_calls", json!([])),
        "NT-07" => set(done, "/metadata/iterations", json!(0)),
        "NT-11" => {
            set(done, "/output_messages/0/payload/metadata/reasoning_chain_id", Value::Null);
        }
        _ => {}
    }
}

/// Every clause of nodes has a mutant.
fn flaws() -> Vec<&'static str> {
    clauses().map(|clause| clause.id).filter(|id| !id.starts_with("RC")).collect()
}

/// The reports of some mutants, made a few at once, for most of each is waiting.
fn reports<T: Copy + Send + Sync>(of: &[T], mutant: impl Fn(T) -> Mutant + Sync) -> Vec<Report> {
    const AT_ONCE: usize = 26;
    let mutant = &mutant;
    of.chunks(AT_ONCE)
        .flat_map(|chunk| {
            std::thread::scope(|scope| {
                let run = |one: &T| {
                    let one = *one;
                    scope.spawn(move || run_subject(mutant(one)))
                };
                let running: Vec<_> = chunk.iter().map(run).collect();
                running.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
            })
        })
        .collect()
}

#[test]
fn for_every_clause_a_node_that_breaks_it_is_caught_by_it() {
    let flaws = flaws();
    assert_eq!(flaws.len(), 51);
    let mut caught = String::new();
    for (flaw, report) in flaws.iter().zip(reports(&flaws, Mutant::new)) {
        assert!(!report.conforms(), "{flaw}\n{report}");
        let judgement = report.judgement(flaw).unwrap();
        assert_eq!(judgement.verdict, Verdict::Fail, "{flaw}\n{report}");
        // Values that are shown hold ids and times.
        let lasting = judgement.evidence.split('{').next().unwrap_or_default().trim_end();
        writeln!(caught, "{}: {lasting}", judgement.clause.title()).unwrap();
        let failed = report.judgements.iter().filter(|other| other.verdict == Verdict::Fail);
        let others: Vec<&str> =
            failed.map(|other| other.clause.id).filter(|id| id != flaw).collect();
        if !others.is_empty() {
            writeln!(caught, "    fails too: {}", others.join(", ")).unwrap();
        }
    }
    // Caught, for the right reason, and with nothing else but what follows from it. How many
    // updates are lost, and how many runs were before, is a matter of luck.
    let filters = vec![
        (
            r"after \d+ updates at once `total_executions` is \d+",
            "after N updates at once `total_executions` is M",
        ),
        (r#""run \d+""#, r#""run N""#),
    ];
    insta::with_settings!({filters => filters}, {
        insta::assert_snapshot!(caught);
    });
}

#[test]
fn words_that_are_all_refused_are_no_type_without_words() {
    let judgement = run_one(Mutant::new("refuses words"), "NC-25").unwrap();
    assert_eq!(judgement.verdict, Verdict::Fail, "{}", judgement.evidence);
    let said = judgement.evidence;
    assert!(said.starts_with("every word of every choice is refused: `mode` \"say\""), "{said}");
}

#[test]
fn without_its_flaw_a_mutant_of_every_type_keeps_every_promise() {
    let types: Vec<usize> = (0..TYPES.len()).collect();
    for report in reports(&types, |at| Mutant::of(TYPES[at].1.clone(), "none")) {
        assert!(report.is_complete(), "{report}");
        // Seen through JSON, nothing is ruled out.
        assert_eq!(report.count(Verdict::NotApplicable), 0, "{report}");
    }
}
