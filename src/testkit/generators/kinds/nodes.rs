//! Messages, nodes, graphs and contexts.

use super::{Ordered, Setting, setting};
use crate::testkit::generators::order::{Order, OrderError};
use crate::testkit::generators::{COUNT_MAX, Contexts, Graphs, HostileTexts, Messages, Nodes};
use crate::testkit::nodes::NodeType;

impl Ordered for Messages {
    const ABOUT: &'static str = "a message between two nodes";
    const SETTINGS: &'static [Setting] = &[
        setting("full", "with every field that there is: true or false", "false"),
        setting("hostile", "with texts that break careless code: true or false", "false"),
        setting("least", "the fewest words of the content", "5"),
        setting("greatest", "the most words of the content", "20"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let mut messages = Self::new();
        let least = order.number("least", 0, COUNT_MAX)?;
        let greatest = order.number("greatest", 0, COUNT_MAX)?;
        if least.is_some() || greatest.is_some() {
            let least = least.unwrap_or_else(|| greatest.map_or(5, |most| most.min(5)));
            messages = messages.words(least, greatest.unwrap_or(20).max(least));
        }
        if order.flag("full")? {
            messages = messages.full();
        }
        if order.flag("hostile")? {
            messages = messages.hostile(HostileTexts::new());
        }
        Ok(messages)
    }
}

impl Ordered for Nodes {
    const ABOUT: &'static str = "the definition of a node with valid settings of its type";
    const SETTINGS: &'static [Setting] = &[
        setting("type", "a type such as model or loop", "a random one of the eleven"),
        setting("varied", "settings over the whole of their ranges: true or false", "false"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let types = NodeType::BUILT_IN.map(|node_type| node_type.to_string()).join(", ");
        let known = |node_type: &Known| NodeType::BUILT_IN.contains(&node_type.0);
        let node_type = order.value("type", format!("one of {types}"), known)?;
        let nodes = node_type.map_or_else(Self::new, |Known(node_type)| Self::of(node_type));
        Ok(if order.flag("varied")? { nodes.varied() } else { nodes })
    }
}

impl Ordered for Contexts {
    const ABOUT: &'static str = "the context of a trace that is on its way";
    const SETTINGS: &'static [Setting] = &[
        setting("least", "the fewest messages", "0"),
        setting("greatest", "the most messages", "5"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let least = order.number("least", 0, COUNT_MAX)?;
        let greatest = order.number("greatest", 0, COUNT_MAX)?;
        if least.is_none() && greatest.is_none() {
            return Ok(Self::new());
        }
        let least = least.unwrap_or(0);
        Ok(Self::new().messages(least, greatest.unwrap_or(5).max(least)))
    }
}

/// A type by its text.
struct Known(NodeType);

impl std::str::FromStr for Known {
    type Err = crate::testkit::nodes::NodeTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NodeType::try_from(text.to_owned()).map(Self)
    }
}

type SetCount = fn(Graphs, usize) -> Graphs;

/// The form of a graph.
#[derive(Debug, Clone, Copy)]
enum Form {
    Linear,
    Branching,
    Parallel,
    Random,
}

impl Ordered for Graphs {
    const ABOUT: &'static str = "a graph of nodes, whole and connected";
    const SETTINGS: &'static [Setting] = &[
        setting("form", "linear, branching, parallel or random", "random"),
        setting("nodes", "the nodes between entry and exit", "3"),
        setting("types", "types of the nodes, with commas between", "model,transform"),
        setting("depth", "random: nodes along the longest way", "as it comes"),
        setting("max-degree", "random: the most edges out of a node", "as it comes"),
        setting("extra-edges", "random: edges more than connect it", "0"),
        setting("diamonds", "random: ways that part and meet again", "0"),
        setting("cycles", "random: ways back", "0"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        const FORMS: [(&str, Form); 4] = [
            ("linear", Form::Linear),
            ("branching", Form::Branching),
            ("parallel", Form::Parallel),
            ("random", Form::Random),
        ];
        let nodes = order.number("nodes", 0, COUNT_MAX)?.unwrap_or(3);
        let mut graphs = match order.choice("form", &FORMS)? {
            Some(Form::Linear) => Self::linear(nodes),
            Some(Form::Branching) => Self::branching(nodes),
            Some(Form::Parallel) => Self::parallel(nodes),
            Some(Form::Random) | None => Self::random(nodes),
        };
        let types = NodeType::BUILT_IN.map(|node_type| (node_type.to_string(), node_type));
        let types = types.each_ref().map(|(name, node_type)| (name.as_str(), node_type.clone()));
        if let Some(types) = order.choices("types", &types)? {
            graphs = graphs.types(types);
        }
        let setters: [(&'static str, usize, SetCount); 5] = [
            ("depth", 1, Self::depth),
            ("max-degree", 1, Self::max_degree),
            ("extra-edges", 0, Self::extra_edges),
            ("diamonds", 0, Self::diamonds),
            ("cycles", 0, Self::cycles),
        ];
        for (name, least, set) in setters {
            if let Some(count) = order.number(name, least, COUNT_MAX)? {
                graphs = set(graphs, count);
            }
        }
        Ok(graphs)
    }
}
