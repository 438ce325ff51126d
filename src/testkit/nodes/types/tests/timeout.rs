use std::time::Duration;

use serde_json::{Value, json};

use super::{NEVER, NodeResult, Peer, answer, content, made, refused, run, said, with};
use crate::testkit::nodes::{NodeType, Rule};

fn timed(config: Value, delay: Duration) -> (NodeResult, usize) {
    let mut whole = json!({"inner_node": "inner", "timeout_ms": 100, "retry_delay_ms": 0});
    with(&mut whole, config);
    let inner = Peer::slow("inner", delay, |_, message| {
        answer(message, "done").fact("seen", 1).next(["next"])
    });
    let result = run(&made(NodeType::Timeout, whole), &content("q"), vec![inner.clone()]);
    (result, inner.begun())
}

#[test]
fn what_is_in_time_is_said_and_goes_on_as_the_inner_node_does() {
    let (result, tries) = timed(json!({}), Duration::ZERO);
    assert_eq!((said(&result), tries), (Some("done"), 1));
    assert_eq!(result.next_nodes, ["next"]);
    assert_eq!(result.metadata["timeout"]["timed_out"], false);
    assert_eq!(result.metadata["inner_metadata"], json!({"seen": 1}));
    let (result, _) = timed(json!({"propagate_metadata": false}), Duration::ZERO);
    assert_eq!(result.metadata.get("inner_metadata"), None);
}

#[test]
fn what_is_said_keeps_its_facts_but_for_tokens_that_were_counted() {
    let inner = Peer::new("inner", |_, message| {
        let mut result = answer(message, "done");
        let metadata = &mut result.output_messages[0].metadata;
        metadata.quality_score = Some(0.5);
        metadata.model_used = Some("small".to_owned());
        metadata.is_cached = true;
        (metadata.tokens_in, metadata.tokens_out) = (Some(3), Some(4));
        result
    });
    let result =
        run(&made(NodeType::Timeout, json!({"inner_node": "inner"})), &content("q"), vec![inner]);
    let metadata = &result.output_messages[0].metadata;
    assert_eq!(metadata.quality_score, Some(0.5));
    assert_eq!((metadata.model_used.as_deref(), metadata.is_cached), (Some("small"), true));
    assert_eq!((metadata.tokens_in, metadata.tokens_out), (None, None));
}

#[test]
fn what_comes_too_late_without_having_waited_is_late_all_the_same() {
    let inner = Peer::new("inner", |_, message| {
        std::thread::sleep(Duration::from_millis(120));
        answer(message, "late")
    });
    let config = json!({"inner_node": "inner", "timeout_ms": 100});
    let result = run(&made(NodeType::Timeout, config), &content("q"), vec![inner]);
    assert_eq!(result.error.as_deref(), Some("Timeout after 100ms"));
}

#[test]
fn what_takes_too_long_is_tried_again_and_then_fails() {
    let (result, tries) = timed(json!({"retry_count": 2}), NEVER);
    assert_eq!(result.error.as_deref(), Some("Timeout after 100ms"));
    assert_eq!(tries, 3);
    assert_eq!(result.metadata["timeout"]["attempt"], 3);
    assert!(result.latency_ms >= 300);
}

#[test]
fn a_fallback_answers_in_its_place() {
    let config = json!({"on_timeout": "fallback", "fallback_response": "sorry"});
    let (result, _) = timed(config, NEVER);
    assert_eq!(said(&result), Some("sorry"));
    assert_eq!(result.output_messages[0].payload.metadata["fallback"], true);
    assert_eq!(result.metadata["timeout"]["timed_out"], true);
    assert_eq!(
        refused(NodeType::Timeout, json!({"inner_node": "x", "on_timeout": "fallback"})),
        [(Rule::MissingCompanion, "fallback_response".to_owned())]
    );
}

#[test]
fn skipping_succeeds_and_says_nothing() {
    let (result, _) = timed(json!({"on_timeout": "skip"}), NEVER);
    assert_eq!((result.success, result.output_messages.len()), (true, 0));
    assert_eq!(result.metadata["skipped"], true);
}

#[test]
fn a_failure_of_the_inner_node_is_no_timeout_and_not_tried_again() {
    let inner = Peer::new("inner", |_, _| NodeResult::failed("broken"));
    let config = json!({"inner_node": "inner", "retry_count": 5, "on_timeout": "skip"});
    let result = run(&made(NodeType::Timeout, config), &content("q"), vec![inner.clone()]);
    assert_eq!(result.error.as_deref(), Some("Inner node execution failed: broken"));
    assert_eq!(inner.begun(), 1);
}

#[test]
fn its_ranges_are_wider_than_those_of_other_types_and_hold() {
    made(NodeType::Timeout, json!({"inner_node": "x", "timeout_ms": 300_000, "retry_count": 10}));
    assert_eq!(
        refused(
            NodeType::Timeout,
            json!({"inner_node": "X", "timeout_ms": 300_001, "retry_count": 11})
        ),
        [
            (Rule::BadIdentifier, "inner_node".to_owned()),
            (Rule::AboveMaximum, "timeout_ms".to_owned()),
            (Rule::AboveMaximum, "retry_count".to_owned()),
        ]
    );
}
