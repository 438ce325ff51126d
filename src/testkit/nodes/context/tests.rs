use chrono::{TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bounds, ContextError, ExecutionContext, Limit};
use crate::testkit::nodes::message::{Message, Payload};
use crate::testkit::nodes::violation::{Rule, Violation};

fn message(bytes: usize) -> Message {
    Message::new("t", "node", Payload::text("x".repeat(bytes)))
}

fn bounded(max_messages: usize, each: usize, all: usize) -> ExecutionContext {
    let bounds = Bounds { max_messages, max_message_size_bytes: each, max_total_size_bytes: all };
    ExecutionContext::new("t", "g").with_bounds(bounds).unwrap()
}

/// The bounds and the counts, found from the written form alone.
fn recounted(context: &ExecutionContext) -> (usize, usize, usize) {
    let written = serde_json::to_value(context).unwrap();
    let sizes: Vec<usize> = written["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| serde_json::to_string(message).unwrap().len())
        .collect();
    (sizes.len(), sizes.iter().sum(), sizes.iter().copied().max().unwrap_or(0))
}

#[test]
fn a_full_context_drops_its_oldest_fifth() {
    let mut context = bounded(10, 4_096, 1 << 20);
    for _ in 0..10 {
        assert_eq!(context.add_message(message(1)), Ok(0));
    }
    let third = context.messages()[2].message_id.clone();
    assert_eq!(context.add_message(message(1)), Ok(2));
    assert_eq!(context.messages().len(), 9);
    assert_eq!(context.messages()[0].message_id, third);
}

#[test]
fn one_large_message_drops_as_many_as_it_takes() {
    let mut context = bounded(1_000, 4_096, 4_096);
    for _ in 0..12 {
        context.add_message(message(1)).unwrap();
    }
    let dropped = context.add_message(message(3_500)).unwrap();
    assert!(dropped > 3, "one fifth was not enough: {dropped}");
    assert!(context.memory_usage().total_size_bytes <= 4_096);
}

#[test]
fn a_message_that_never_fits_is_refused_and_drops_nothing() {
    let mut context = bounded(2, 2_048, 1_024);
    context.add_message(message(1)).unwrap();
    let size = |message: &Message| message.size_bytes();
    let (large, larger) = (message(1_200), message(3_000));
    assert_eq!(
        context.add_message(larger.clone()),
        Err(ContextError::Exceeded {
            limit: Limit::MessageSize,
            value: size(&larger),
            most: 2_048
        })
    );
    let error = context.add_message(large.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Total context size would exceed limit ({} > 1024 bytes)", size(&large))
    );
    assert_eq!(context.messages().len(), 1);
}

#[test]
fn a_context_that_drops_nothing_says_when_it_is_full() {
    let mut context = bounded(1, 2_048, 2_048);
    context.keep_message(message(1)).unwrap();
    let error = context.keep_message(message(1)).unwrap_err();
    assert_eq!(error.to_string(), "Message count 2 exceeds limit of 1");
    let mut context = bounded(9, 2_048, 2_048);
    context.keep_message(message(1_000)).unwrap();
    let error = context.keep_message(message(1_000)).unwrap_err();
    assert!(matches!(error, ContextError::Exceeded { limit: Limit::TotalSize, .. }), "{error}");
}

#[test]
fn messages_of_another_trace_are_refused() {
    let mut context = ExecutionContext::new("t", "g");
    let error = context.add_message(Message::new("other", "n", Payload::default())).unwrap_err();
    assert_eq!(error.to_string(), "a message of trace `other` does not belong to trace `t`");
}

#[test]
fn bounds_have_least_values_and_hold_for_what_is_there() {
    let context = bounded(5, 1_024, 1_024);
    let low = Bounds { max_messages: 0, ..Bounds::default() };
    assert_eq!(
        context.clone().with_bounds(low).unwrap_err().to_string(),
        "max_messages must be at least 1, is 0"
    );
    let mut context = context;
    context.add_message(message(1)).unwrap();
    context.add_message(message(1)).unwrap();
    let one = Bounds { max_messages: 1, ..Bounds::default() };
    assert!(matches!(
        context.with_bounds(one),
        Err(ContextError::Exceeded { limit: Limit::MessageCount, value: 2, most: 1 })
    ));
}

#[test]
fn a_context_read_again_is_the_same_and_counts_its_sizes_anew() {
    let mut context = bounded(10, 2_048, 4_096);
    context.visit_node("a");
    context.add_tokens(3, 4);
    context.variables.insert("x".to_owned(), json!([1, null]));
    for _ in 0..5 {
        context.add_message(message(40)).unwrap();
    }
    let value = serde_json::to_value(&context).unwrap();
    let read = ExecutionContext::from_value(&value).unwrap();
    assert_eq!(read, context);
    assert_eq!(serde_json::from_value::<ExecutionContext>(value).unwrap(), context);
    assert_eq!(read.memory_usage(), context.memory_usage());
    let mut read = read;
    assert_eq!(read.prune_old_messages(1), 4);
    let (_, total, _) = recounted(&read);
    assert_eq!(read.memory_usage().total_size_bytes, total);
}

#[test]
fn a_written_context_that_breaks_its_bounds_is_refused_for_each() {
    let mut context = bounded(10, 2_048, 8_192);
    for _ in 0..3 {
        context.add_message(message(1_500)).unwrap();
    }
    let mut value = serde_json::to_value(&context).unwrap();
    value["max_messages"] = 2.into();
    value["max_total_size_bytes"] = 2_048.into();
    value["max_message_size_bytes"] = 1_024.into();
    value["messages"][1]["trace_id"] = "other".into();
    value["messages"].as_array_mut().unwrap().truncate(3);
    let found = ExecutionContext::from_value(&value).unwrap_err();
    let found: Vec<(Rule, &str)> = found.iter().map(|found| (found.rule, &*found.at)).collect();
    assert_eq!(
        found,
        [
            (Rule::MessageSize, "messages.0"),
            (Rule::ForeignTrace, "messages.1.trace_id"),
            (Rule::MessageSize, "messages.1"),
            (Rule::MessageSize, "messages.2"),
            (Rule::TotalSize, "messages"),
            (Rule::MessageCount, "messages"),
        ]
    );
    let error = serde_json::from_value::<ExecutionContext>(value).unwrap_err().to_string();
    assert!(error.contains("exceeds limit of 1024 bytes"), "{error}");
}

#[test]
fn fields_of_a_written_context_are_checked_by_its_shape() {
    let mut value = serde_json::to_value(ExecutionContext::new("t", "g")).unwrap();
    value["max_messages"] = 0.into();
    value["step_count"] = (-1).into();
    value["steps"] = 1.into();
    let found = ExecutionContext::from_value(&value).unwrap_err();
    let rules: Vec<Rule> = found.iter().map(|found: &Violation| found.rule).collect();
    assert_eq!(rules, [Rule::BelowMinimum, Rule::BelowMinimum, Rule::UnknownKey]);
    let least = json!({"trace_id": "t", "graph_id": "g", "start_time": "2026-01-31T12:00:00Z"});
    assert_eq!(ExecutionContext::from_value(&least).unwrap().bounds(), Bounds::default());
    assert_eq!(
        serde_json::from_value::<ExecutionContext>(least).unwrap().bounds(),
        Bounds::default()
    );
}

#[test]
fn the_shape_lists_what_is_written_in_its_order() {
    let mut context = ExecutionContext::new("t", "g");
    context.visit_node("a");
    let Value::Object(written) = serde_json::to_value(context).unwrap() else { unreachable!() };
    let names: Vec<&str> = super::EXECUTION_CONTEXT.fields.iter().map(|field| field.name).collect();
    assert_eq!(written.keys().collect::<Vec<_>>(), names);
}

#[test]
fn visits_tokens_and_time_are_counted() {
    let mut context = ExecutionContext::new("t", "g");
    for node in ["a", "b", "a"] {
        context.visit_node(node);
    }
    assert_eq!((context.visit_count("a"), context.visit_count("c")), (2, 0));
    assert!(context.has_visited("b") && !context.has_visited("c"));
    assert_eq!((context.step_count, context.current_node.as_deref()), (3, Some("a")));
    context.add_tokens(u64::MAX, 5);
    context.add_tokens(1, 0);
    assert_eq!((context.total_tokens_in, context.total_tokens()), (u64::MAX, u64::MAX));
    assert_eq!(context.elapsed_ms(context.start_time + TimeDelta::milliseconds(1_500)), 1_500);
    assert_eq!(context.elapsed_ms(context.start_time - TimeDelta::seconds(1)), 0);
}

#[test]
fn a_copy_shares_nothing_that_changes() {
    let mut context = bounded(3, 2_048, 8_192);
    context.add_message(message(1)).unwrap();
    let copy = context.clone();
    context.add_message(message(1)).unwrap();
    context.visit_node("a");
    assert_eq!((copy.messages().len(), copy.visited_nodes().len()), (1, 0));
}

#[test]
fn what_is_near_a_bound_is_said_to_be() {
    let mut context = bounded(5, 2_048, 1 << 20);
    for near in [false, false, false, true, true, true] {
        context.add_message(message(1)).unwrap();
        let usage = context.memory_usage();
        assert_eq!((usage.near_count_limit, usage.near_size_limit), (near, false));
    }
}

proptest! {
    #[test]
    fn whatever_is_added_and_dropped_bounds_hold_and_counts_are_right(
        max_messages in 1_usize..12,
        each in 1_024_usize..4_096,
        all in 1_024_usize..8_192,
        steps in prop::collection::vec((0_u8..4, 0_usize..4_500), 0..40),
    ) {
        let mut context = bounded(max_messages, each, all);
        let mut ids: Vec<String> = Vec::new();
        for (what, size) in steps {
            let added = message(size);
            let id = added.message_id.clone();
            match what {
                0 => { context.prune_old_messages(size % 12); }
                1 => if context.keep_message(added).is_ok() { ids.push(id) },
                _ => if context.add_message(added).is_ok() { ids.push(id) },
            }
            let (count, total, largest) = recounted(&context);
            let usage = context.memory_usage();
            prop_assert_eq!(
                (usage.message_count, usage.total_size_bytes, usage.largest_message_bytes),
                (count, total, largest)
            );
            prop_assert!(count <= max_messages && total <= all && largest <= each);
            // What is left is the newest, in order.
            let left: Vec<_> = context.messages().iter().map(|m| m.message_id.clone()).collect();
            prop_assert!(ids.ends_with(&left));
        }
    }
}

#[test]
fn a_context_without_a_begin_begins_where_it_is_read() {
    let before = Utc::now();
    let written = json!({"trace_id": "trace-1", "graph_id": "graph"});
    let context = ExecutionContext::from_value(&written).unwrap();
    assert!(context.start_time >= before && context.start_time <= Utc::now());
}
