use proptest::prelude::*;
use serde_json::{Value, json};

use super::{components, ways};
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::nodes::{EdgeDefinition, GraphDefinition, NodeDefinition, NodeType};

/// entry -> router -> (code | math) -> exit, with a loop whose body is run and never walked to.
fn graph() -> Value {
    json!({
        "id": "g", "version": "1.0.0", "name": "G",
        "nodes": [
            {"id": "in", "type": "entry"},
            {"id": "route", "type": "router", "config": {
                "routes": [{"name": "code", "description": "", "target": "code"},
                           {"name": "math", "description": "", "target": "math"}],
                "default_route": "code"}},
            {"id": "code", "type": "model"},
            {"id": "math", "type": "loop", "config": {"body_node": "body"}},
            {"id": "body", "type": "model"},
            {"id": "out", "type": "exit"}
        ],
        "edges": [{"from_node": "in", "to_node": "route"},
                  {"from_node": "code", "to_node": "out"},
                  {"from_node": "math", "to_node": "out"}],
        "entry_points": ["in"], "exit_points": ["out"]
    })
}

fn found(graph: &Value) -> Vec<(Rule, String)> {
    let found = GraphDefinition::from_value(graph).err().unwrap_or_default();
    found.into_iter().map(|Violation { rule, at, .. }| (rule, at)).collect()
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut graph = graph();
    change(&mut graph);
    graph
}

fn push(graph: &mut Value, key: &str, item: Value) {
    graph[key].as_array_mut().unwrap().push(item);
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from_node": from, "to_node": to})
}

#[test]
fn targets_bodies_and_edges_are_ways() {
    assert_eq!(found(&graph()), []);
    assert_eq!(GraphDefinition::from_value(&graph()).unwrap().violations(), []);
}

#[test]
fn every_rule_is_broken_by_one_change_and_nothing_else_is() {
    let cases: Vec<(Rule, &str, Value)> = vec![
        (
            Rule::DuplicateNode,
            "nodes.6.id",
            changed(|g| {
                push(g, "nodes", json!({"id": "code", "type": "model"}));
            }),
        ),
        (Rule::DuplicateEdge, "edges.3", changed(|g| push(g, "edges", edge("in", "route")))),
        (
            Rule::UnknownEntryPoint,
            "entry_points.0",
            changed(|g| g["entry_points"][0] = "inn".into()),
        ),
        (Rule::UnknownExitPoint, "exit_points.0", changed(|g| g["exit_points"][0] = "no".into())),
        (Rule::UnknownProtected, "protected.0", changed(|g| g["protected"] = json!(["no"]))),
        (
            Rule::UnknownEdgeFrom,
            "edges.3.from_node",
            changed(|g| push(g, "edges", edge("no", "out"))),
        ),
        (
            Rule::UnknownEdgeTo,
            "edges.1.to_node",
            changed(|g| g["edges"][1]["to_node"] = "no".into()),
        ),
        (
            Rule::UnknownReference,
            "nodes.1.config.routes.1.target",
            changed(|g| {
                g["nodes"][1]["config"]["routes"][1]["target"] = "no".into();
            }),
        ),
        (
            Rule::UnknownReference,
            "nodes.1.config.default_route",
            changed(|g| {
                g["nodes"][1]["config"]["default_route"] = "no".into();
            }),
        ),
        (
            Rule::UnknownReference,
            "nodes.3.config.body_node",
            changed(|g| {
                g["nodes"][3]["config"]["body_node"] = "no".into();
            }),
        ),
        (Rule::EntryPointType, "entry_points.0", changed(|g| g["entry_points"][0] = "code".into())),
        (Rule::ExitPointType, "exit_points.0", changed(|g| g["exit_points"][0] = "code".into())),
        (
            Rule::EdgeOutOfExit,
            "edges.3.from_node",
            changed(|g| {
                g["allow_cycles"] = true.into();
                push(g, "edges", edge("out", "code"));
            }),
        ),
        (
            Rule::Unreachable,
            "nodes.6",
            changed(|g| {
                push(g, "nodes", json!({"id": "lost", "type": "model"}));
            }),
        ),
        (
            Rule::DeadEnd,
            "nodes.6",
            changed(|g| {
                push(g, "nodes", json!({"id": "end", "type": "model"}));
                push(g, "edges", edge("code", "end"));
            }),
        ),
        (Rule::Cycle, "nodes.1", changed(|g| push(g, "edges", edge("code", "route")))),
        (Rule::Cycle, "nodes.2", changed(|g| push(g, "edges", edge("code", "code")))),
        (
            Rule::BadExpression,
            "edges.1.condition",
            changed(|g| g["edges"][1]["condition"] = "len(content".into()),
        ),
        (Rule::TooFew, "exit_points", changed(|g| g["exit_points"] = json!([]))),
    ];
    for (rule, at, graph) in cases {
        assert_eq!(found(&graph), [(rule, at.to_owned())], "{graph}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let graph = changed(|g| {
        g["protected"] = json!(["no"]);
        push(g, "nodes", json!({"id": "lost", "type": "exit"}));
        push(g, "edges", edge("code", "route"));
        push(g, "edges", edge("code", "route"));
    });
    let all = GraphDefinition::from_value(&graph).unwrap_err();
    let all: Vec<String> = all.iter().map(Violation::to_string).collect();
    assert_eq!(
        all,
        [
            "edges.4: the edge 'code' -> 'route' is there already (duplicate_edge)",
            "protected.0: Protected node 'no' not found in nodes (unknown_protected)",
            "nodes.6: nothing leads from an entry point to 'lost': add an edge to it (unreachable)",
            "nodes.1: a cycle: route -> code -> route; `allow_cycles` says that it is meant (cycle)",
        ]
    );
}

#[test]
fn a_cycle_may_be_allowed_but_no_node_may_run_itself() {
    let walked = changed(|g| {
        g["allow_cycles"] = true.into();
        push(g, "edges", edge("code", "route"));
    });
    assert_eq!(found(&walked), []);
    let run = changed(|g| {
        g["allow_cycles"] = true.into();
        g["nodes"][4] = json!({"id": "body", "type": "timeout", "config": {"inner_node": "math"}});
    });
    assert_eq!(found(&run), [(Rule::Cycle, "nodes.3".to_owned())]);
}

#[test]
fn edges_of_a_node_that_is_only_run_lead_nowhere() {
    let graph = changed(|g| {
        push(g, "nodes", json!({"id": "after", "type": "model"}));
        push(g, "edges", edge("body", "after"));
        push(g, "edges", edge("after", "out"));
    });
    assert_eq!(found(&graph), [(Rule::Unreachable, "nodes.6".to_owned())]);
}

#[test]
fn a_timeout_goes_on_where_the_router_that_it_watches_over_does() {
    let graph = changed(|g| {
        push(
            g,
            "nodes",
            json!({"id": "watch", "type": "timeout", "config": {"inner_node": "outer"}}),
        );
        push(
            g,
            "nodes",
            json!({"id": "outer", "type": "timeout", "config": {"inner_node": "route"}}),
        );
        g["edges"][0] = edge("in", "watch");
    });
    assert_eq!(found(&graph), []);
}

#[test]
fn edges_between_two_nodes_may_differ_by_their_conditions() {
    let mut graph = GraphDefinition::from_value(&graph()).unwrap();
    graph.edges.push(EdgeDefinition::new("code", "out").when("code"));
    graph.edges.push(EdgeDefinition::new("code", "out").when("math"));
    assert_eq!(graph.violations(), []);
    assert_eq!(graph.outgoing("code").count(), 3);
    assert_eq!(graph.incoming("out").count(), 4);
}

#[test]
fn a_graph_made_in_rust_has_its_fields_checked_as_well() {
    let mut graph = GraphDefinition::from_value(&graph()).unwrap();
    graph.version = "1".to_owned();
    graph.edges[0].weight = 2.0;
    graph.edges[1].weight = f64::NAN;
    let found: Vec<Rule> = graph.violations().into_iter().map(|found| found.rule).collect();
    assert_eq!(found, [Rule::BadVersion, Rule::AboveMaximum, Rule::WrongType]);
}

#[test]
fn a_way_of_twenty_thousand_nodes_is_judged_without_recursion() {
    let mut graph = GraphDefinition::from_value(&graph()).unwrap();
    let names: Vec<String> = (0..20_000).map(|at| format!("n{at}")).collect();
    graph.edges.push(EdgeDefinition::new("in", "n0"));
    graph.edges.push(EdgeDefinition::new("n19999", "out"));
    graph.edges.extend(names.windows(2).map(|two| EdgeDefinition::new(&two[0], &two[1])));
    graph.nodes.extend(names.iter().map(|name| NodeDefinition::new(name, NodeType::Model)));
    assert_eq!(graph.violations(), []);
    graph.edges.push(EdgeDefinition::new("n19999", "n0"));
    assert_eq!(graph.violations().len(), 1);
}

/// Which nodes lead to which, by powers of the matrix.
fn leads_to(successors: &[Vec<usize>]) -> Vec<Vec<bool>> {
    let count = successors.len();
    let mut leads = vec![vec![false; count]; count];
    for (from, nexts) in successors.iter().enumerate() {
        for next in nexts {
            leads[from][*next] = true;
        }
    }
    for over in 0..count {
        for from in 0..count {
            for to in 0..count {
                leads[from][to] |= leads[from][over] && leads[over][to];
            }
        }
    }
    leads
}

proptest! {
    #[test]
    fn a_cycle_is_found_for_every_set_of_nodes_that_lead_to_one_another(
        successors in prop::collection::vec(prop::collection::vec(0_usize..8, 0..4), 8)
    ) {
        let leads = leads_to(&successors);
        let firsts: Vec<usize> = (0..8)
            .filter(|at| leads[*at][*at])
            .filter(|at| !(0..*at).any(|before| leads[before][*at] && leads[*at][before]))
            .collect();
        let cycles = components::cycles(&successors);
        prop_assert_eq!(cycles.iter().map(|cycle| cycle[0]).collect::<Vec<_>>(), firsts);
        for cycle in cycles {
            for (at, node) in cycle.iter().enumerate() {
                let next = cycle.get(at + 1).unwrap_or(&cycle[0]);
                prop_assert!(successors[*node].contains(next));
            }
        }
    }

    #[test]
    fn what_is_reached_is_what_the_matrix_says(
        successors in prop::collection::vec(prop::collection::vec(0_usize..8, 0..3), 8),
        start in 0_usize..8,
    ) {
        let leads = leads_to(&successors);
        for (at, reached) in ways::closure(&successors, [start]).into_iter().enumerate() {
            prop_assert_eq!(reached, at == start || leads[start][at]);
        }
    }
}
