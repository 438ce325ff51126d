//! The eleven types of nodes that come along, one file each.

mod asking;
mod call;
mod entry;
mod exit;
mod fanout;
mod gate;
mod model;
pub mod reasoning;
mod repeat;
mod router;
mod settings;
mod timeout;
mod tool;
mod transform;
#[cfg(test)]
mod trial;

use std::sync::Arc;

use super::behavior::{Behavior, BehaviorNode};
use super::definition::NodeDefinition;
use super::field::Shape;
use super::node::Node;
use super::node_type::NodeType;
use super::registry::{Environment, NodeError};

pub use entry::Entry;
pub use exit::Exit;
pub use fanout::Fanout;
pub use gate::Gate;
pub use model::Model;
pub use reasoning::Reasoning;
pub use repeat::{LOOP_NAMES, Repeat};
pub use router::Router;
pub use timeout::Timeout;
pub use tool::ToolNode;
pub use transform::{TRANSFORM, Transform, parameters};

/// Makes a node of a definition.
pub type Make = fn(&NodeDefinition, &Environment) -> Result<Arc<dyn Node>, NodeError>;

/// A type that comes along.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its type.
    pub node_type: NodeType,
    /// The settings that it takes, with their ranges and defaults.
    pub shape: &'static Shape,
    /// Makes a node of a definition.
    pub make: Make,
}

impl BuiltIn {
    const fn of<B: Behavior>(node_type: NodeType) -> Self {
        Self { node_type, shape: B::SHAPE, make: BehaviorNode::<B>::make }
    }
}

/// The types that come along, sorted by their text.
pub static BUILT_IN: [BuiltIn; 11] = [
    BuiltIn::of::<Fanout>(NodeType::DynamicFanout),
    BuiltIn::of::<Entry>(NodeType::Entry),
    BuiltIn::of::<Exit>(NodeType::Exit),
    BuiltIn::of::<Gate>(NodeType::Gate),
    BuiltIn::of::<Repeat>(NodeType::Loop),
    BuiltIn::of::<Model>(NodeType::Model),
    BuiltIn::of::<Reasoning>(NodeType::Reasoning),
    BuiltIn::of::<Router>(NodeType::Router),
    BuiltIn::of::<Timeout>(NodeType::Timeout),
    BuiltIn::of::<ToolNode>(NodeType::Tool),
    BuiltIn::of::<Transform>(NodeType::Transform),
];

#[cfg(test)]
mod tests;
