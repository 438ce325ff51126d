use serde_json::{Value, json};

use super::{NEVER, NodeResult, Peer, answer, content, made, refused, run, said, with};
use crate::testkit::nodes::{Message, NodeType, Rule};

/// A loop over a body that does what `does` says; also gives how many turns were begun.
fn looped(
    config: Value,
    does: impl Fn(usize, &Message) -> NodeResult + Send + Sync + 'static,
) -> (NodeResult, usize) {
    let mut whole = json!({"body_node": "body"});
    with(&mut whole, config);
    let body = Peer::new("body", does);
    let result = run(&made(NodeType::Loop, whole), &content("a"), vec![body.clone()]);
    (result, body.begun())
}

fn reason(result: &NodeResult) -> &str {
    result.metadata["loop_result"]["termination_reason"].as_str().unwrap()
}

#[test]
fn a_fixed_count_of_turns_each_begins_with_what_the_last_one_said() {
    let (result, turns) = looped(json!({"fixed_count": 3}), |turn, message| {
        assert_eq!(message.target_node.as_deref(), Some("body"));
        assert_eq!(message.payload.metadata["iteration"], turn);
        assert_eq!(message.metadata.iteration, Some(turn as u64));
        answer(message, &format!("{}{turn}", message.payload.question()))
    });
    assert_eq!((said(&result), turns, reason(&result)), (Some("a123"), 3, "fixed_count_reached"));
    let told = &result.metadata["loop_result"];
    assert_eq!(told["all_iterations"][1]["output"], "a12");
    assert_eq!((&told["success_rate"], &told["final_output"]), (&json!(1.0), &json!("a123")));
    assert_eq!(result.output_messages[0].payload.metadata["termination"], "fixed_count_reached");
}

#[test]
fn until_success_goes_on_after_failures_and_gives_up_at_the_most() {
    let config = json!({"condition_type": "until_success", "max_iterations": 5});
    let (result, turns) = looped(config.clone(), |turn, message| match turn {
        3 => answer(message, "there"),
        _ => NodeResult::failed("not yet"),
    });
    assert_eq!((said(&result), turns, reason(&result)), (Some("there"), 3, "success_achieved"));
    let (result, turns) = looped(config, |_, _| NodeResult::failed("never"));
    assert_eq!((turns, reason(&result)), (5, "max_iterations_reached"));
    assert_eq!(result.error.as_deref(), Some("None of 5 iterations succeeded: never"));
}

#[test]
fn a_turn_that_fails_ends_it_unless_it_may_go_on() {
    let odd_fails = |turn: usize, message: &Message| match turn % 2 {
        1 => NodeResult::failed("odd"),
        _ => answer(message, "even"),
    };
    let (result, turns) = looped(json!({"fixed_count": 4}), odd_fails);
    assert_eq!((turns, reason(&result)), (1, "iteration_failed"));
    assert_eq!(result.error.as_deref(), Some("Iteration 1 failed: odd"));
    let (result, turns) = looped(json!({"fixed_count": 4, "continue_on_error": true}), odd_fails);
    assert_eq!((said(&result), turns), (Some("even"), 4));
    assert_eq!(result.metadata["success_rate"], 0.5);
}

#[test]
fn conditions_see_what_was_done() {
    let until = json!({"condition_type": "until_condition",
        "condition_expression": "iteration >= 2 and last_output == 'aaa' and success_count == 2"});
    let (result, turns) =
        looped(until, |_, message| answer(message, &format!("{}a", message.payload.question())));
    assert_eq!((said(&result), turns, reason(&result)), (Some("aaa"), 2, "condition_met"));
    let during = json!({"condition_type": "while_condition",
        "condition_expression": "len(results) < 3 and not last_error"});
    let (result, turns) = looped(during, |_, message| answer(message, "x"));
    assert_eq!((said(&result), turns, reason(&result)), (Some("x"), 3, "condition_false"));
    let never = json!({"condition_type": "while_condition", "condition_expression": "false"});
    let (result, turns) = looped(never, |_, message| answer(message, "x"));
    assert_eq!((said(&result), turns), (Some("a"), 0));
    assert_eq!(result.metadata["success_rate"], Value::Null);
}

#[test]
fn a_condition_that_cannot_be_evaluated_does_not_hold_and_says_so() {
    let config = json!({"condition_type": "until_condition", "max_iterations": 2,
        "condition_expression": "last_result.metadata.score > 1"});
    let (result, turns) = looped(config, |_, message| answer(message, "x"));
    assert_eq!((turns, reason(&result)), (2, "max_iterations_reached"));
    let why = result.metadata["condition_error"].as_str().unwrap();
    assert!(why.starts_with("`last_result.metadata.score > 1`: "), "{why}");
}

#[test]
fn a_turn_that_takes_too_long_is_dropped_and_the_loop_fails_with_what_it_has() {
    let body = Peer::slow("body", NEVER, |_, message| answer(message, "late"));
    let config = json!({"body_node": "body", "fixed_count": 2, "timeout_ms": 1_000});
    let result = run(&made(NodeType::Loop, config), &content("a"), vec![body.clone()]);
    assert_eq!(result.error.as_deref(), Some("Timeout after 1000ms, in iteration 1"));
    assert_eq!(reason(&result), "timeout_exceeded");
    assert!(result.latency_ms >= 1_000);
    assert_eq!(body.begun(), 1);
}

#[test]
fn a_loop_with_a_turn_that_succeeded_succeeds_and_says_why_it_ended() {
    let second_fails = |turn: usize, message: &Message| match turn {
        2 => NodeResult::failed("second"),
        _ => answer(message, "first"),
    };
    let (result, turns) = looped(json!({"fixed_count": 3, "retry_count": 1}), second_fails);
    assert_eq!((said(&result), turns, reason(&result)), (Some("first"), 2, "iteration_failed"));
    assert_eq!(result.metadata["success_rate"], 0.5);
    assert_eq!(result.output_messages[0].payload.metadata["termination"], "iteration_failed");
}

#[test]
fn a_loop_that_ran_out_of_time_is_not_tried_again() {
    let config = json!({"body_node": "body", "fixed_count": 2, "timeout_ms": 1_000,
        "retry_count": 3, "retry_delay_ms": 0});
    let body = Peer::slow("body", NEVER, |_, message| answer(message, "late"));
    let result = run(&made(NodeType::Loop, config.clone()), &content("a"), vec![body.clone()]);
    assert_eq!((result.success, body.begun()), (false, 1));
    // Time that ran out in the second turn takes nothing from the first.
    let body = Peer::slow_from(2, "body", NEVER, |_, message| answer(message, "in time"));
    let result = run(&made(NodeType::Loop, config), &content("a"), vec![body.clone()]);
    assert_eq!((said(&result), reason(&result)), (Some("in time"), "timeout_exceeded"));
    assert_eq!(body.begun(), 2);
}

#[test]
fn results_are_told_once_and_do_not_swell_the_message() {
    let large = "x".repeat(110_000);
    let said = large.clone();
    let (result, _) = looped(json!({"fixed_count": 10}), move |_, message| answer(message, &said));
    let told = result.metadata["loop_result"]["all_iterations"].as_array().unwrap();
    assert_eq!((told.len(), &told[9]["output"]), (10, &json!(large)));
    let bytes = result.output_messages[0].size_bytes();
    assert!(bytes < 111_000, "the content and little more: {bytes}");
}

#[test]
fn a_condition_sees_results_that_are_not_collected() {
    let config = json!({"condition_type": "until_condition", "collect_results": false,
        "condition_expression": "len(results) == 2 and results[0].output == 'x1'"});
    let (result, turns) = looped(config, |turn, message| answer(message, &format!("x{turn}")));
    assert_eq!((said(&result), turns), (Some("x2"), 2));
    assert_eq!(result.metadata["loop_result"].get("all_iterations"), None);
}

#[test]
fn a_loop_that_may_be_tried_again_is() {
    let config = json!({"fixed_count": 1, "retry_count": 2, "retry_delay_ms": 0});
    let (result, turns) = looped(config, |turn, message| match turn {
        1 => NodeResult::failed("first"),
        _ => answer(message, "second"),
    });
    assert_eq!((said(&result), turns), (Some("second"), 2));
    assert_eq!(result.metadata["attempts"], 2);
}

#[test]
fn results_are_collected_only_where_asked_for_and_the_content_is_there_anyway() {
    let config =
        json!({"fixed_count": 1, "collect_results": false, "pass_iteration_number": false});
    let (result, _) = looped(config, |_, message| {
        assert!(!message.payload.metadata.contains_key("iteration"));
        answer(message, "x")
    });
    assert_eq!(said(&result), Some("x"));
    assert_eq!(result.metadata["loop_result"].get("all_iterations"), None);
}

#[test]
fn settings_that_do_not_agree_are_refused() {
    for (config, rule, at) in [
        (json!({}), Rule::Missing, "body_node"),
        (json!({"body_node": "b"}), Rule::MissingCompanion, "fixed_count"),
        (json!({"body_node": "b", "fixed_count": 11}), Rule::Contradiction, "fixed_count"),
        (
            json!({"body_node": "b", "condition_type": "until_condition"}),
            Rule::MissingCompanion,
            "condition_expression",
        ),
        (
            json!({"body_node": "b", "condition_type": "while_condition", "condition_expression": "contnt"}),
            Rule::BadExpression,
            "condition_expression",
        ),
        (
            json!({"body_node": "b", "fixed_count": 1, "timeout_ms": 999}),
            Rule::BelowMinimum,
            "timeout_ms",
        ),
    ] {
        assert_eq!(refused(NodeType::Loop, config), [(rule, at.to_owned())]);
    }
    made(NodeType::Loop, json!({"body_node": "b", "fixed_count": 1, "timeout_ms": 300_000}));
}
