use serde_json::json;

use super::{content, executor, nodes, walked};
use crate::testkit::nodes::{End, Limits};

#[test]
fn nodes_that_others_run_are_steps_of_the_trace() {
    let executor = executor(
        &[
            ("again", json!({"type": "loop", "body_node": "each", "fixed_count": 2})),
            (
                "each",
                json!({"type": "dynamic_fanout", "target_nodes": ["a", "b"],
                "aggregation_strategy": "majority_vote"}),
            ),
            ("a", json!({})),
            ("b", json!({"yields": 3})),
        ],
        &[&["in", "again"], &["again", "out"]],
    );
    let outcome = walked(&executor);
    let trace: Vec<(&[u64], &str)> =
        outcome.steps.iter().map(|step| (&*step.path, &*step.node)).collect();
    assert_eq!(
        trace,
        [
            (&[0][..], "in"),
            (&[1], "again"),
            (&[1, 0], "each"),
            (&[1, 0, 0], "a"),
            (&[1, 0, 1], "b"),
            (&[1, 1], "each"),
            (&[1, 1, 0], "a"),
            (&[1, 1, 1], "b"),
            (&[2], "out"),
        ]
    );
    assert_eq!(content(&outcome), "q>a>a");
    // Only models are counted, not those that hand on what they said.
    assert_eq!(outcome.context.total_tokens(), 16);
}

#[test]
fn what_a_timeout_drops_is_in_no_count_and_what_ended_before_is_in_both() {
    let executor = executor(
        &[
            (
                "watch",
                json!({"type": "timeout", "inner_node": "again", "timeout_ms": 100,
                "on_timeout": "skip"}),
            ),
            (
                "again",
                json!({"type": "loop", "body_node": "each", "fixed_count": 2,
                "collect_results": false}),
            ),
            ("each", json!({"type": "dynamic_fanout", "target_nodes": ["quick", "slow"]})),
            ("quick", json!({})),
            ("slow", json!({"sleep_ms": 3_600_000})),
        ],
        &[&["in", "watch"], &["watch", "out"]],
    );
    let outcome = walked(&executor);
    assert_eq!(nodes(&outcome), ["in", "watch", "quick", "out"]);
    assert_eq!(outcome.steps[2].path, [1, 0, 0, 0]);
    assert_eq!(content(&outcome), "q", "the message passed");
}

#[test]
fn nodes_run_nodes_only_so_deep() {
    let levels: Vec<(String, serde_json::Value)> = (0..5)
        .map(|at| {
            (format!("t{at}"), json!({"type": "timeout", "inner_node": format!("t{}", at + 1)}))
        })
        .collect();
    let mut nodes_between: Vec<(&str, serde_json::Value)> =
        levels.iter().map(|(id, config)| (id.as_str(), config.clone())).collect();
    nodes_between.push(("t5", json!({})));
    let executor = executor(&nodes_between, &[&["in", "t0"], &["t0", "out"]]);
    let deep = |call_depth| Limits { call_depth, ..Limits::default() };
    assert_eq!(content(&walked(&executor.clone().with_limits(deep(5)))), "q>t5");
    let outcome = super::block_on(executor.with_limits(deep(4)).run(super::message()));
    let error = outcome.error().unwrap();
    assert!(error.ends_with("Nodes run nodes more than 4 deep"), "{error}");
}

#[test]
fn nodes_that_others_run_count_among_the_steps() {
    let executor = executor(
        &[("again", json!({"type": "loop", "body_node": "a", "fixed_count": 9})), ("a", json!({}))],
        &[&["in", "again"], &["again", "out"]],
    );
    let outcome = walked(&executor.with_limits(Limits { steps: 5, ..Limits::default() }));
    assert_eq!(outcome.end, End::Steps(5));
    assert_eq!(nodes(&outcome), ["in", "again", "a", "a", "a"]);
}
