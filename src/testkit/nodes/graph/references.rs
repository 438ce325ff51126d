//! The nodes that a node names in its settings.

use serde_json::{Map, Value};

use crate::testkit::nodes::definition::NodeDefinition;
use crate::testkit::nodes::node_type::NodeType;

/// A node that another one names in its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'n> {
    /// Where: `routes.0.target`.
    pub at: String,
    /// The name.
    pub node: &'n str,
    /// What the one wants of the other.
    pub way: Way,
}

/// What a node wants of one that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The message goes on there: a router's routes, a gate's conditions.
    GoesOn,
    /// It is run, and its answer comes back: a loop's body, a fan-out's targets, what a timeout
    /// watches over.
    Runs,
}

impl Way {
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::GoesOn => "target",
            Self::Runs => "node to run",
        }
    }
}

impl NodeDefinition {
    /// The nodes that this one names in its settings, in the order of the settings. Settings of
    /// the wrong type name nobody; making the node tells of them.
    #[must_use]
    pub fn references(&self) -> Vec<Reference<'_>> {
        let mut named = Named { config: &self.config, found: Vec::new() };
        match self.node_type {
            NodeType::Router => {
                named.targets("routes");
                named.default_route();
                named.targets("compound_routes");
            }
            NodeType::Gate => {
                named.targets("conditions");
                named.one("default_target", Way::GoesOn);
            }
            NodeType::Loop => named.one("body_node", Way::Runs),
            NodeType::Timeout => named.one("inner_node", Way::Runs),
            NodeType::DynamicFanout => named.list("target_nodes", Way::Runs),
            _ => {}
        }
        named.found
    }
}

struct Named<'n> {
    config: &'n Map<String, Value>,
    found: Vec<Reference<'n>>,
}

impl<'n> Named<'n> {
    fn one(&mut self, key: &str, way: Way) {
        if let Some(node) = self.config.get(key).and_then(Value::as_str) {
            self.found.push(Reference { at: key.to_owned(), node, way });
        }
    }

    /// The name of a route stands for the target of that route, which is named there.
    fn default_route(&mut self) {
        let default = self.config.get("default_route").and_then(Value::as_str);
        let mut names = self.items("routes").filter_map(|(_, route)| route.get("name"));
        if !names.any(|name| name.as_str().is_some_and(|name| Some(name) == default)) {
            self.one("default_route", Way::GoesOn);
        }
    }

    fn list(&mut self, key: &str, way: Way) {
        let items = self.items(key);
        let found = items.filter_map(|(at, item)| {
            Some(Reference { at: format!("{key}.{at}"), node: item.as_str()?, way })
        });
        self.found.extend(found);
    }

    fn targets(&mut self, key: &str) {
        let items = self.items(key);
        let found = items.filter_map(|(at, item)| {
            let node = item.get("target")?.as_str()?;
            Some(Reference { at: format!("{key}.{at}.target"), node, way: Way::GoesOn })
        });
        self.found.extend(found);
    }

    fn items(&self, key: &str) -> impl Iterator<Item = (usize, &'n Value)> + use<'n> {
        self.config.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
    }
}
