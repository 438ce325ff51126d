use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{NEVER, Node, NodeResult, Peer, answer, content, made, refused, run, said, with};
use crate::testkit::nodes::{
    Environment, ExecutionContext, Message, NodeCore, NodeDefinition, NodeType, Registry, Rule,
    async_trait,
};

/// A peer that says `text`, or fails where it is empty.
fn saying(id: &str, text: &'static str) -> Arc<dyn Node> {
    Peer::new(id, move |_, message| {
        assert!(message.payload.metadata.contains_key("fanout_target"));
        match text {
            "" => NodeResult::failed("silent"),
            text => answer(message, text),
        }
    })
}

fn fanned(config: Value, peers: Vec<Arc<dyn Node>>) -> NodeResult {
    run(&made(NodeType::DynamicFanout, config), &content("q"), peers)
}

fn three() -> Vec<Arc<dyn Node>> {
    vec![saying("a", "Yes "), saying("b", "no"), saying("c", "yes")]
}

#[test]
fn all_answers_come_in_the_order_of_the_targets() {
    for parallel in [true, false] {
        let config = json!({"target_nodes": ["c", "a", "b"], "parallel": parallel});
        let result = fanned(config, three());
        assert_eq!(said(&result), Some("[c]: yes\n\n[a]: Yes \n\n[b]: no"));
        let metadata = &result.output_messages[0].payload.metadata;
        assert_eq!(metadata["target_count"], 3);
        assert_eq!(metadata["fanout_all_results"][1], json!({"target": "a", "content": "Yes "}));
        assert_eq!(result.metadata["successful_targets"], json!(["c", "a", "b"]));
    }
}

#[test]
fn the_majority_wins_whatever_its_case_and_keeps_its_spelling() {
    let config = json!({"target_nodes": ["b", "a", "c"], "aggregation_strategy": "majority_vote"});
    let result = fanned(config, three());
    assert_eq!(said(&result), Some("Yes "));
    let metadata = &result.output_messages[0].payload.metadata;
    assert_eq!(
        (&metadata["fanout_vote_count"], &metadata["fanout_total_votes"]),
        (&json!(2), &json!(3))
    );
    let tie = json!({"target_nodes": ["b", "a"], "aggregation_strategy": "majority_vote"});
    assert_eq!(said(&fanned(tie, three())), Some("no"));
}

#[test]
fn the_best_score_wins_and_no_score_is_the_least() {
    let scored = |id: &str, score: Option<f64>| -> Arc<dyn Node> {
        let name = id.to_owned();
        Peer::new(id, move |_, message| {
            let child = message.child("peer").content(&name);
            NodeResult::said(match score {
                Some(score) => child.fact("mark", score).build(),
                None => child.build(),
            })
        })
    };
    let peers = || vec![scored("a", None), scored("b", Some(-3.0)), scored("c", Some(-1.5))];
    let config = json!({"target_nodes": ["a", "b", "c"], "score_field": "mark",
        "aggregation_strategy": "best_score"});
    let result = fanned(config, peers());
    assert_eq!(said(&result), Some("c"));
    assert_eq!(result.output_messages[0].payload.metadata["fanout_score"], -1.5);
    let none = json!({"target_nodes": ["b", "a"], "aggregation_strategy": "best_score"});
    assert_eq!(said(&fanned(none, peers())), Some("b"));
}

#[test]
fn scores_and_facts_come_through_timeouts() {
    let scored = |id: &'static str, score: f64| -> Vec<Arc<dyn Node>> {
        let inner = Peer::new(id, move |_, message: &Message| {
            let mut result = answer(message, id);
            result.output_messages[0].metadata.quality_score = Some(score);
            result.output_messages[0].metadata.tokens_in = Some(3);
            result
        });
        let registry = Registry::built_in(Environment::default());
        let outer = NodeDefinition::new(format!("within.{id}"), NodeType::Timeout)
            .config(json!({"inner_node": id}));
        vec![inner, registry.create(&outer).unwrap()]
    };
    let config = json!({"target_nodes": ["within.a", "within.b"],
        "aggregation_strategy": "best_score"});
    let result = fanned(config, [scored("a", 0.25), scored("b", 0.75)].concat());
    assert_eq!(said(&result), Some("b"));
    let metadata = &result.output_messages[0].metadata;
    assert_eq!((metadata.quality_score, metadata.tokens_in), (Some(0.75), None));
}

#[test]
fn the_first_success_is_not_kept_waiting_by_the_others() {
    let slow = Peer::slow("slow", NEVER, |_, message| answer(message, "late"));
    let config = json!({"target_nodes": ["slow", "silent", "a"],
        "aggregation_strategy": "first_success"});
    let result = fanned(config, vec![slow.clone(), saying("silent", ""), saying("a", "soon")]);
    assert_eq!(said(&result), Some("soon"));
    assert_eq!(result.output_messages[0].payload.metadata["fanout_source"], "a");
    assert_eq!(slow.begun(), 1);
}

#[test]
fn failures_count_only_where_they_are_said_to() {
    let peers = || vec![saying("a", "x"), saying("b", ""), saying("c", "")];
    let config = |more: Value| {
        let mut config = json!({"target_nodes": ["a", "b", "c"], "parallel": false});
        with(&mut config, more);
        config
    };
    assert_eq!(said(&fanned(config(json!({})), peers())), Some("[a]: x"));
    let result = fanned(config(json!({"require_all_success": true})), peers());
    assert_eq!(
        result.error.as_deref(),
        Some("Required all targets to succeed but 2 failed: b: silent; c: silent")
    );
    let result = fanned(config(json!({"fail_fast": true})), peers());
    assert_eq!(result.error.as_deref(), Some("Target 'b' failed: silent"));
    assert_eq!(result.metadata["failed_targets"], json!(["b"]));
    let result = fanned(json!({"target_nodes": ["b", "c"]}), peers());
    assert_eq!(
        result.error.as_deref(),
        Some("No successful results from any target: b: silent; c: silent")
    );
}

#[test]
fn a_target_that_takes_too_long_fails_and_the_others_do_not() {
    let slow = Peer::slow("slow", NEVER, |_, message| answer(message, "late"));
    let config = json!({"target_nodes": ["slow", "a"], "timeout_ms": 100});
    let result = fanned(config, vec![slow, saying("a", "x")]);
    assert_eq!(said(&result), Some("[a]: x"));
    assert_eq!(result.metadata["fanout_result"][0]["error"], "Timeout after 100ms");
}

#[test]
fn no_more_targets_run_at_a_time_than_may_whatever_the_strategy() {
    for (strategy, most) in [("all", 2), ("first_success", 2), ("majority_vote", 3)] {
        let running = Arc::new(AtomicUsize::new(0));
        let peak = Arc::new(AtomicUsize::new(0));
        let node = Counting::node(&running, &peak);
        let config = json!({"target_nodes": vec!["counting"; 6], "max_parallel_branches": most,
            "aggregation_strategy": strategy});
        let result = fanned(config, vec![node]);
        assert!(!result.success, "all six were run");
        assert_eq!(peak.load(Ordering::SeqCst), most);
    }
}

/// Counts how many of its executions go on at a time; fails, so that no success ends them early.
#[derive(Debug)]
struct Counting {
    core: NodeCore,
    running: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
}

impl Counting {
    fn node(running: &Arc<AtomicUsize>, peak: &Arc<AtomicUsize>) -> Arc<dyn Node> {
        let custom = NodeType::Custom("counting".to_owned());
        let definition = NodeDefinition::new("counting", custom);
        let core = NodeCore::new(definition);
        Arc::new(Self { core, running: running.clone(), peak: peak.clone() })
    }
}

#[async_trait]
impl Node for Counting {
    fn core(&self) -> &NodeCore {
        &self.core
    }

    async fn execute(&self, _: &Message, _: &ExecutionContext) -> NodeResult {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        NodeResult::failed("counted")
    }
}

#[test]
fn there_is_at_least_one_target() {
    assert_eq!(
        refused(NodeType::DynamicFanout, json!({"target_nodes": []})),
        [(Rule::TooFew, "target_nodes".to_owned())]
    );
    assert_eq!(
        refused(
            NodeType::DynamicFanout,
            json!({"target_nodes": ["a"], "max_parallel_branches": 0})
        ),
        [(Rule::BelowMinimum, "max_parallel_branches".to_owned())]
    );
}
