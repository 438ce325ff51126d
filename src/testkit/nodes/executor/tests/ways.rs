use serde_json::json;

use super::{block_on, content, executor, message, nodes, registry, walked};
use crate::testkit::mock_server::MockOllama;
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::{
    Cancel, EdgeDefinition, End, Environment, Executor, GraphDefinition, Message, NodeDefinition,
    NodeType, Payload, Registry, TaskPayload,
};

#[test]
fn messages_go_along_edges_wave_by_wave() {
    let executor = executor(
        &[("a", json!({})), ("b", json!({})), ("c", json!({}))],
        &[&["in", "a"], &["in", "b"], &["a", "c"], &["b", "out"], &["c", "out"]],
    );
    let outcome = walked(&executor);
    assert_eq!(outcome.end, End::Completed);
    assert_eq!(nodes(&outcome), ["in", "a", "b", "c", "out", "out"]);
    let waves: Vec<u64> = outcome.steps.iter().map(|step| step.wave).collect();
    assert_eq!(waves, [0, 1, 1, 2, 2, 3]);
    // The exit was reached by the shorter way first.
    let answers: Vec<_> =
        outcome.answers.iter().map(|it| it.message.payload.content.clone().unwrap()).collect();
    assert_eq!(answers, ["q>b", "q>a>c"]);
    assert_eq!(outcome.context.total_tokens(), 12);
    let ids = outcome.context.messages().iter().map(|message| &message.message_id);
    assert_eq!(ids.clone().count(), 7);
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 7);
}

#[test]
fn an_edge_is_taken_where_its_condition_holds() {
    let executor = executor(
        &[("a", json!({})), ("b", json!({})), ("c", json!({}))],
        &[
            &["in", "a", "len(content) == 1"],
            &["in", "a", "'q' in content"],
            &["in", "b", "structured.score > 1"],
            &["in", "c", "code"],
            &["a", "out"],
            &["b", "out"],
            &["c", "out"],
        ],
    );
    let outcome = walked(&executor);
    assert_eq!(nodes(&outcome), ["in", "a", "out"]);
    assert_eq!(outcome.condition_errors.len(), 1);
    let why = &outcome.condition_errors[0];
    assert!(why.starts_with("in -> b: `structured.score > 1`: "), "{why}");
    let routed = Payload { route: Some("Code".to_owned()), ..Payload::text("text") };
    let outcome = block_on(executor.run(Message::new("trace", "user", routed)));
    assert_eq!(nodes(&outcome), ["in", "a", "out"].map(|it| it.replace('a', "c")));
}

#[test]
fn next_nodes_go_before_edges_and_targets_before_next_nodes() {
    let executor = executor(
        &[
            ("fork", json!({"next": ["b", "a"]})),
            ("a", json!({})),
            ("b", json!({})),
            ("c", json!({})),
        ],
        &[
            &["in", "fork"],
            &["fork", "c"],
            &["fork", "a"],
            &["fork", "b"],
            &["a", "out"],
            &["b", "out"],
            &["c", "out"],
        ],
    );
    let outcome = walked(&executor);
    assert_eq!(nodes(&outcome), ["in", "fork", "b", "a", "out", "out"]);
}

#[test]
fn a_node_that_fails_ends_its_branch_and_not_the_walk() {
    let nodes_between = [("a", json!({"fail": "broken"})), ("b", json!({}))];
    let edges: [&[&str]; 4] = [&["in", "a"], &["in", "b"], &["a", "out"], &["b", "out"]];
    let outcome = walked(&executor(&nodes_between, &edges));
    assert_eq!((outcome.success(), content(&outcome)), (true, "q>b"));
    assert_eq!(outcome.steps[1].error.as_deref(), Some("broken"));
    let outcome = walked(&executor(&nodes_between[..1], &[&["in", "a"], &["a", "out"]]));
    assert_eq!(outcome.end, End::NoExit);
    assert_eq!(outcome.error().as_deref(), Some("no exit was reached; a: broken"));
}

#[test]
fn a_node_that_says_nothing_lets_the_message_pass() {
    let executor = executor(&[("a", json!({"said": 0}))], &[&["in", "a"], &["a", "out"]]);
    assert_eq!(content(&walked(&executor)), "q");
}

#[test]
fn a_node_that_goes_on_where_there_is_nothing_ends_the_walk() {
    let executor = executor(&[("a", json!({"next": ["nowhere"]}))], &[&["in", "a"], &["a", "out"]]);
    let outcome = walked(&executor);
    assert_eq!(
        outcome.error().as_deref(),
        Some("'a' wants to go on at 'nowhere', which the graph has not")
    );
}

#[test]
fn an_exit_that_is_no_success_still_answers() {
    let mut graph = super::graph(&[], &[&["in", "out"]]);
    graph.nodes[1].config.insert("status".to_owned(), "fallback".into());
    let outcome = walked(&Executor::new(graph, &registry().0).unwrap());
    assert_eq!((outcome.end.clone(), outcome.success()), (End::Completed, false));
    let response = outcome.response();
    assert_eq!(response.content.as_deref(), Some("q"));
    assert_eq!(response.error.as_deref(), Some("out: Exit with status fallback"));
}

#[test]
fn a_task_goes_to_the_entry_point_that_it_names_or_to_all() {
    let mut graph = super::graph(&[], &[&["in", "out"]]);
    graph.nodes.push(NodeDefinition::new("a", NodeType::Entry));
    graph.edges.push(EdgeDefinition::new("a", "out"));
    graph.entry_points.extend(["a".to_owned(), "in".to_owned()]);
    let executor = Executor::new(graph, &registry().0).unwrap();
    let mut one = message();
    one.target_node = Some("a".to_owned());
    assert_eq!(nodes(&walked(&executor)), ["in", "a", "out", "out"]);
    assert_eq!(nodes(&block_on(executor.run(one))), ["a", "out"]);
}

#[test]
fn variables_of_the_context_decide_edges() {
    let executor = executor(
        &[("a", json!({})), ("b", json!({}))],
        &[
            &["in", "a", "variables.fast"],
            &["in", "b", "not variables.fast"],
            &["a", "out"],
            &["b", "out"],
        ],
    );
    let mut context = executor.context("trace");
    context.variables.insert("fast".to_owned(), json!(false));
    let outcome = block_on(executor.run_within(message(), context, &Cancel::new()));
    assert_eq!(content(&outcome), "q>b");
}

#[test]
fn a_router_and_models_answer_through_a_server() {
    let ollama = MockOllama::builder().strict().start().unwrap();
    ollama.stub(Stub::generate().user_contains("Classify").reply("code"));
    ollama.stub(Stub::generate().user("sort a list").reply("use sort()"));
    let graph = GraphDefinition::from_value(&json!({
        "id": "answers", "version": "1.0.0", "name": "Answers",
        "nodes": [
            {"id": "in", "type": "entry"},
            {"id": "route", "type": "router", "config": {"routes": [
                {"name": "code", "target": "coder"}, {"name": "math", "target": "sums"}]}},
            {"id": "coder", "type": "model"},
            {"id": "sums", "type": "model"},
            {"id": "out", "type": "exit"}
        ],
        "edges": [{"from_node": "in", "to_node": "route"},
                  {"from_node": "coder", "to_node": "out"}, {"from_node": "sums", "to_node": "out"}],
        "entry_points": ["in"], "exit_points": ["out"]
    }))
    .unwrap();
    let environment = Environment { ollama_url: ollama.url(), ..Environment::default() };
    let executor = Executor::new(graph, &Registry::built_in(environment)).unwrap();
    let response = block_on(executor.respond(&TaskPayload::new("sort a list")));
    assert_eq!((response.error, response.content.as_deref()), (None, Some("use sort()")));
    assert_eq!(response.nodes_executed, 4);
    assert!(response.tokens_used > 0);
    assert_eq!(executor.stats()["sums"].total_executions, 0);
}

#[test]
fn what_is_no_task_is_refused_before_anything_runs() {
    let executor = executor(&[], &[&["in", "out"]]);
    let response = block_on(executor.respond(&TaskPayload::new("")));
    assert_eq!(
        response.error.as_deref(),
        Some("not a task: content: 0 characters, needs 1 (too_short)")
    );
    assert_eq!(executor.stats()["in"].total_executions, 0);
}
