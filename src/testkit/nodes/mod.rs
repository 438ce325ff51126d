//! The nodes of an LLM application: what they are made from, what they say to each other, and
//! eleven types that work for real.

pub mod behavior;
pub mod config;
pub mod context;
pub mod definition;
pub mod executor;
pub mod expression;
pub mod field;
pub mod graph;
pub mod message;
mod node;
mod node_type;
pub mod ollama;
mod peers;
mod registry;
pub mod response;
mod result;
mod stats;
pub mod task;
pub mod tool;
pub mod types;
pub mod violation;

pub use async_trait::async_trait;

pub use behavior::{Behavior, BehaviorNode, Failure, Turn};
pub use config::NodeConfig;
pub use context::{Bounds, ContextError, ExecutionContext, Limit, MemoryUsage};
pub use definition::{EdgeDefinition, GraphDefinition, GraphMetadata, NodeDefinition};
pub use executor::{Answer, Cancel, End, Executor, GraphError, Limits, Outcome, Step};
pub use message::{ErrorCode, ErrorInfo, Message, MessageMetadata, Payload, ToolCall, ToolResult};
pub use node::{Node, NodeCore};
pub use node_type::{NodeType, NodeTypeError};
pub use peers::{NodeTable, Peers};
pub use registry::{Environment, Factory, NodeError, Registry};
pub use result::{NODE_RESULT, NodeResult};
pub use stats::NodeStats;
pub use task::{TaskPayload, TaskResponse};
pub use tool::{Calculator, Tool, ToolError, ToolOutcome, ToolRegistry};
pub use violation::{Rule, Violation};

/// The page about nodes; its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/nodes.md")]
struct Page;
