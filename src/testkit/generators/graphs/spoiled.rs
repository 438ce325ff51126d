//! Graphs with one thing wrong.

use serde_json::{Value, json};

use super::super::invalid::{Invalid, of_shape};
use crate::testkit::nodes::Rule;
use crate::testkit::nodes::definition::GRAPH_DEFINITION;

/// A name that no generated graph has, and that is near to none.
const NOBODY: &str = "zzz_nobody";

/// Every way to spoil a good graph in one place: its fields, then how it hangs together.
pub(super) fn spoiled(good: &Value) -> Vec<Invalid> {
    let mut found = of_shape(&GRAPH_DEFINITION, good);
    let first = |key: &str| good[key][0].as_str().unwrap_or_default();
    let ends = Ends { good, entry: first("entry_points"), exit: first("exit_points") };
    found.extend(ends.names());
    found.extend(ends.ways());
    found
}

/// A good graph, one of its entries and one of its exits.
struct Ends<'g> {
    good: &'g Value,
    entry: &'g str,
    exit: &'g str,
}

impl Ends<'_> {
    /// Where the next item of a list will stand.
    fn len(&self, key: &str) -> usize {
        self.good[key].as_array().map_or(0, Vec::len)
    }

    /// The graph with more at the ends of its lists.
    fn more(&self, lists: &[(&str, Value)]) -> Value {
        let mut graph = self.good.clone();
        for (key, item) in lists {
            if let Some(list) = graph.get_mut(*key).and_then(Value::as_array_mut) {
                list.push(item.clone());
            }
        }
        graph
    }

    /// One more at the end of a list, and what that breaks, at `below` in it.
    fn one_more(&self, rule: Rule, key: &str, below: &str, item: Value) -> Invalid {
        let at = format!("{key}.{}{below}", self.len(key));
        Invalid::new(rule, at, self.more(&[(key, item)]))
    }

    /// Names that are there twice or mean nothing.
    fn names(&self) -> Vec<Invalid> {
        let Self { good, entry, exit } = self;
        let edge = |from: &str, to: &str| json!({"from_node": from, "to_node": to});
        vec![
            self.one_more(Rule::DuplicateNode, "nodes", ".id", good["nodes"][0].clone()),
            self.one_more(Rule::DuplicateEdge, "edges", "", good["edges"][0].clone()),
            self.one_more(Rule::UnknownEntryPoint, "entry_points", "", json!(NOBODY)),
            self.one_more(Rule::UnknownExitPoint, "exit_points", "", json!(NOBODY)),
            self.one_more(Rule::UnknownProtected, "protected", "", json!(NOBODY)),
            self.one_more(Rule::EntryPointType, "entry_points", "", json!(exit)),
            self.one_more(Rule::ExitPointType, "exit_points", "", json!(entry)),
            self.one_more(Rule::UnknownEdgeFrom, "edges", ".from_node", edge(NOBODY, exit)),
            self.one_more(Rule::UnknownEdgeTo, "edges", ".to_node", edge(entry, NOBODY)),
            self.another(
                Rule::UnknownReference,
                ".config.inner_node",
                json!({"id": "guard", "type": "timeout", "config": {"inner_node": NOBODY}}),
                &[(entry, "guard"), ("guard", exit)],
            ),
        ]
    }

    /// Ways that lead nowhere, back, or on from an exit.
    fn ways(&self) -> Vec<Invalid> {
        let Self { entry, exit, .. } = *self;
        let other = json!({"id": "other_exit", "type": "exit"});
        let leaving = self.more(&[
            ("nodes", other),
            ("exit_points", json!("other_exit")),
            ("edges", json!({"from_node": entry, "to_node": "other_exit"})),
            ("edges", json!({"from_node": exit, "to_node": "other_exit"})),
        ]);
        let at = format!("edges.{}.from_node", self.len("edges") + 1);
        let mut found = vec![
            Invalid::new(Rule::EdgeOutOfExit, at, leaving),
            self.another(Rule::Unreachable, "", model("island"), &[("island", exit)]),
            self.another(Rule::DeadEnd, "", model("sink"), &[(entry, "sink")]),
            // Even where cycles are allowed, no node may run itself.
            self.another(
                Rule::Cycle,
                "",
                json!({"id": "ouroboros", "type": "timeout", "config": {"inner_node": "ouroboros"}}),
                &[(entry, "ouroboros"), ("ouroboros", exit)],
            ),
        ];
        if self.good["allow_cycles"] == json!(false) {
            let again = self.more(&[("edges", json!({"from_node": entry, "to_node": entry}))]);
            found.push(Invalid::new(Rule::Cycle, "nodes.0", again));
        }
        found
    }

    /// One more node with edges, and what is wrong with it.
    fn another(&self, rule: Rule, below: &str, node: Value, edges: &[(&str, &str)]) -> Invalid {
        let at = format!("nodes.{}{below}", self.len("nodes"));
        let edges = edges.iter().map(|(from, to)| json!({"from_node": from, "to_node": to}));
        let lists: Vec<_> =
            std::iter::once(("nodes", node)).chain(edges.map(|edge| ("edges", edge))).collect();
        Invalid::new(rule, at, self.more(&lists))
    }
}

fn model(id: &str) -> Value {
    json!({"id": id, "type": "model"})
}
