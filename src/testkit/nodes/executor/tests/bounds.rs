use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::{block_on, check, content, executor, graph, message, nodes, registry, walked};
use crate::testkit::nodes::{Bounds, Cancel, End, Executor, Limits};

const NEVER_MS: u64 = 3_600_000;

#[test]
fn a_cycle_ends_at_the_most_visits() {
    let executor = executor(
        &[("a", json!({})), ("b", json!({}))],
        &[&["in", "a"], &["a", "b"], &["b", "a"], &["b", "out", "false"]],
    );
    let limits = Limits { visits_per_node: 3, ..Limits::default() };
    let outcome = walked(&executor.with_limits(limits));
    assert_eq!(outcome.end, End::Visits { node: "a".to_owned(), most: 3 });
    assert_eq!(nodes(&outcome), ["in", "a", "b", "a", "b", "a", "b"]);
}

#[test]
fn ways_that_double_end_at_the_most_steps() {
    let executor = executor(
        &[("a", json!({"said": 2}))],
        &[&["in", "a"], &["a", "a"], &["a", "out", "false"]],
    );
    let limits = Limits { steps: 50, visits_per_node: u64::MAX, ..Limits::default() };
    let outcome = walked(&executor.with_limits(limits));
    assert_eq!((outcome.end.clone(), outcome.steps.len()), (End::Steps(50), 50));
    assert!(!outcome.success());
}

#[test]
fn a_walk_that_takes_exactly_what_it_may_is_complete() {
    let executor = executor(&[("a", json!({}))], &[&["in", "a"], &["a", "out"]]);
    let limits = Limits { steps: 3, visits_per_node: 1, ..Limits::default() };
    assert_eq!(walked(&executor.with_limits(limits)).end, End::Completed);
}

#[test]
fn no_more_nodes_run_at_a_time_than_may() {
    for (concurrency, peak) in [(0, 1), (1, 1), (3, 3), (64, 6)] {
        let ids: Vec<String> = (0..6).map(|at| format!("n{at}")).collect();
        // Unequal work: a node that takes long keeps no place but its own.
        let yields = [9, 1, 3, 1, 5, 2].into_iter();
        let between: Vec<_> =
            ids.iter().zip(yields).map(|(id, yields)| (&**id, json!({"yields": yields}))).collect();
        let edges: Vec<[&str; 2]> =
            ids.iter().flat_map(|id| [["in", id.as_str()], [id.as_str(), "out"]]).collect();
        let edges: Vec<&[&str]> = edges.iter().map(|edge| &edge[..]).collect();
        let (registry, most) = registry();
        let executor = Executor::new(graph(&between, &edges), &registry).unwrap();
        let limits = Limits { concurrency, ..Limits::default() };
        let outcome = walked(&executor.with_limits(limits));
        assert!(outcome.success());
        assert_eq!(most.load(Ordering::SeqCst), peak);
        assert_eq!(nodes(&outcome)[..7], ["in", "n0", "n1", "n2", "n3", "n4", "n5"]);
    }
}

#[test]
fn at_its_deadline_a_walk_ends_with_what_it_has() {
    let executor = executor(
        &[("a", json!({})), ("b", json!({"sleep_ms": NEVER_MS}))],
        &[&["in", "a"], &["in", "b"], &["in", "out"], &["a", "out"], &["b", "out"]],
    );
    let deadline = Some(Duration::from_millis(400));
    let outcome = walked(&executor.with_limits(Limits { deadline, ..Limits::default() }));
    assert_eq!(outcome.end, End::Deadline(400));
    assert_eq!(nodes(&outcome), ["in", "a", "out"], "what ended is there, what was dropped is not");
    assert_eq!(outcome.error().as_deref(), Some("Timeout after 400ms"));
    // The exit of the wave that was cut had answered.
    assert_eq!((outcome.answers.len(), content(&outcome)), (1, "q"));
    let last = outcome.context.latest_message();
    assert_eq!(last.map(|last| &last.message_id), outcome.steps[2].said.first());
}

#[test]
fn a_node_that_takes_long_keeps_one_place_and_no_others() {
    let executor = executor(
        &[
            ("slow", json!({"sleep_ms": NEVER_MS})),
            ("a", json!({})),
            ("b", json!({})),
            ("c", json!({})),
        ],
        &[
            &["in", "slow"],
            &["in", "a"],
            &["in", "b"],
            &["in", "c"],
            &["slow", "out"],
            &["a", "out"],
            &["b", "out"],
            &["c", "out"],
        ],
    );
    let deadline = Some(Duration::from_millis(400));
    let limits = Limits { deadline, concurrency: 2, ..Limits::default() };
    assert_eq!(nodes(&walked(&executor.with_limits(limits))), ["in", "a", "b", "c"]);
}

#[test]
fn work_that_lets_nothing_else_go_on_ends_at_the_deadline_too() {
    let executor = executor(
        &[("a", json!({"busy_ms": 450})), ("b", json!({}))],
        &[&["in", "a"], &["in", "b"], &["a", "out"], &["b", "out"]],
    );
    let deadline = Some(Duration::from_millis(400));
    let limits = Limits { deadline, concurrency: 1, ..Limits::default() };
    let outcome = walked(&executor.with_limits(limits));
    assert_eq!((outcome.end.clone(), nodes(&outcome)), (End::Deadline(400), vec!["in", "a"]));
}

#[test]
fn what_one_node_says_wrong_does_not_undo_what_others_of_its_wave_said() {
    for config in [json!({"trace": "other"}), json!({"next": ["nowhere"]})] {
        let executor = executor(&[("a", config)], &[&["in", "a"], &["in", "out"], &["a", "out"]]);
        let outcome = walked(&executor);
        assert_eq!(nodes(&outcome), ["in", "a", "out"]);
        assert!(
            matches!(outcome.end, End::Refused { .. } | End::UnknownNext { .. }),
            "{:?}",
            outcome.end
        );
        assert_eq!((outcome.answers.len(), content(&outcome)), (1, "q"));
    }
}

#[test]
fn a_walk_is_cancelled_from_outside_and_only_that_one() {
    let executor =
        executor(&[("a", json!({"sleep_ms": NEVER_MS}))], &[&["in", "a"], &["a", "out"]]);
    let cancel = Cancel::new();
    let outcome = block_on(async {
        let walk = executor.run_within(message(), executor.context("trace"), &cancel);
        let cancelling = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            cancel.clone().cancel();
        };
        futures_util::future::join(walk, cancelling).await.0
    });
    check(&executor, &outcome);
    assert!(cancel.is_cancelled());
    assert_eq!((outcome.end.clone(), nodes(&outcome)), (End::Cancelled, vec!["in"]));
    let late = block_on(executor.run_within(message(), executor.context("trace"), &cancel));
    assert_eq!((late.end, late.steps.len()), (End::Cancelled, 0));
}

#[test]
fn a_walk_that_is_dropped_leaves_whole_counts() {
    let executor = executor(
        &[
            ("a", json!({"type": "loop", "body_node": "b", "fixed_count": 2})),
            ("b", json!({"sleep_ms": NEVER_MS})),
        ],
        &[&["in", "a"], &["a", "out"]],
    );
    block_on(async {
        let walk = executor.run(message());
        tokio::time::timeout(Duration::from_millis(20), walk).await.unwrap_err();
    });
    let counts: Vec<(String, u64)> =
        executor.stats().into_iter().map(|(id, it)| (id, it.total_executions)).collect();
    let expected = [("a", 0), ("b", 0), ("in", 1), ("out", 0)];
    assert_eq!(counts, expected.map(|(id, count)| (id.to_owned(), count)));
}

#[test]
fn a_message_that_the_context_does_not_take_ends_the_walk() {
    for (config, why) in [
        (json!({"size": 2_000}), "exceeds limit of 1024 bytes"),
        (json!({"trace": "other"}), "a message of trace `other` does not belong to trace `trace`"),
    ] {
        let executor = executor(&[("a", config)], &[&["in", "a"], &["a", "out"]]);
        let bounds = Bounds { max_message_size_bytes: 1_024, ..Bounds::default() };
        let outcome = walked(&executor.with_limits(Limits { bounds, ..Limits::default() }));
        let error = outcome.error().unwrap();
        assert!(error.starts_with("a message of 'a': ") && error.ends_with(why), "{error}");
    }
}

#[test]
fn a_task_of_another_trace_than_its_context_is_refused() {
    let executor = executor(&[], &[&["in", "out"]]);
    let outcome = block_on(executor.run_within(message(), executor.context("x"), &Cancel::new()));
    assert!(matches!(outcome.end, End::Refused { .. }), "{:?}", outcome.end);
    assert_eq!(outcome.steps, []);
}

#[test]
fn a_long_walk_keeps_the_newest_messages() {
    let executor = executor(&[("a", json!({}))], &[&["in", "a"], &["a", "a"], &["a", "out"]]);
    let bounds = Bounds { max_messages: 5, ..Bounds::default() };
    let limits = Limits { bounds, visits_per_node: 30, ..Limits::default() };
    let outcome = walked(&executor.with_limits(limits));
    assert!(outcome.steps.len() > 50);
    let said = outcome.steps.iter().flat_map(|step| &step.said).collect::<Vec<_>>();
    let kept = outcome.context.messages().iter().map(|it| &it.message_id).collect::<Vec<_>>();
    assert_eq!(kept.len(), 5);
    assert!(said.ends_with(&kept), "the newest, in their order");
}
