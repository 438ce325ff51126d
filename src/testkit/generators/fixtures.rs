//! The generators as rstest fixtures.
//!
//! A test takes what it needs as arguments; `#[with(…)]` sets a seed or a count.
//!
//! ```
//! use flakedb::testkit::generators::fixtures::{generated_graph, generated_messages};
//! use flakedb::testkit::nodes::{GraphDefinition, Message};
//! use rstest::rstest;
//!
//! #[rstest]
//! fn a_graph_takes_messages(
//!     generated_graph: GraphDefinition,
//!     #[with(7, 3)] generated_messages: Vec<Message>,
//! ) {
//!     assert_eq!(generated_graph.violations(), []);
//!     assert_eq!(generated_messages.len(), 3);
//! }
//! ```

use rstest::fixture;

use super::generate::Generate;
use super::history::{Histories, History};
use super::junit::{PYTEST, Report, Reports};
use super::source::Source;
use super::{
    Chats, Contexts, Conversations, Embeddings, Graphs, Messages, Nodes, ResponseStreams, Responses,
};
use crate::testkit::nodes::response::{
    ChatResponse, Conversation, EmbedResponse, GenerateResponse,
};
use crate::testkit::nodes::{ExecutionContext, GraphDefinition, Message, NodeDefinition};

/// The source of a seed, 7 where none is given.
#[fixture]
pub fn generated_source(#[default(7)] seed: u64) -> Source {
    Source::seeded(seed)
}

/// A message, of seed 7 where none is given.
#[fixture]
pub fn generated_message(#[default(7)] seed: u64) -> Message {
    Messages::new().one(&mut Source::seeded(seed))
}

/// A node definition of a random type, of seed 7 where none is given.
#[fixture]
pub fn generated_node(#[default(7)] seed: u64) -> NodeDefinition {
    Nodes::new().one(&mut Source::seeded(seed))
}

/// An execution context, of seed 7 where none is given.
#[fixture]
pub fn generated_context(#[default(7)] seed: u64) -> ExecutionContext {
    Contexts::new().one(&mut Source::seeded(seed))
}

/// An answer of `/api/generate`, of seed 7 where none is given.
#[fixture]
pub fn generated_response(#[default(7)] seed: u64) -> GenerateResponse {
    Responses::new().one(&mut Source::seeded(seed))
}

/// A stream of `/api/generate`, of seed 7 where none is given.
#[fixture]
pub fn generated_stream(#[default(7)] seed: u64) -> Vec<GenerateResponse> {
    ResponseStreams::new().one(&mut Source::seeded(seed))
}

/// An answer of `/api/chat`, of seed 7 where none is given.
#[fixture]
pub fn generated_chat(#[default(7)] seed: u64) -> ChatResponse {
    Chats::new().one(&mut Source::seeded(seed))
}

/// A conversation, of seed 7 where none is given.
#[fixture]
pub fn generated_conversation(#[default(7)] seed: u64) -> Conversation {
    Conversations::new().one(&mut Source::seeded(seed))
}

/// An answer of `/api/embed`, of seed 7 where none is given.
#[fixture]
pub fn generated_embedding(#[default(7)] seed: u64) -> EmbedResponse {
    Embeddings::new().one(&mut Source::seeded(seed))
}

/// A random graph, of seed 7 with ten inner nodes where nothing else is given.
#[fixture]
pub fn generated_graph(#[default(7)] seed: u64, #[default(10)] nodes: usize) -> GraphDefinition {
    Graphs::random(nodes).one(&mut Source::seeded(seed))
}

/// Ten messages of seed 7, where nothing else is given.
#[fixture]
pub fn generated_messages(#[default(7)] seed: u64, #[default(10)] count: usize) -> Vec<Message> {
    Messages::new().batch(count, &mut Source::seeded(seed))
}

/// Ten node definitions of seed 7, where nothing else is given.
#[fixture]
pub fn generated_nodes(
    #[default(7)] seed: u64,
    #[default(10)] count: usize,
) -> Vec<NodeDefinition> {
    Nodes::new().batch(count, &mut Source::seeded(seed))
}

/// Ten answers of `/api/generate` of seed 7, where nothing else is given.
#[fixture]
pub fn generated_responses(
    #[default(7)] seed: u64,
    #[default(10)] count: usize,
) -> Vec<GenerateResponse> {
    Responses::new().batch(count, &mut Source::seeded(seed))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn fixtures_give_what_the_generators_make(
        generated_message: Message,
        generated_messages: Vec<Message>,
        #[with(8, 3)] generated_nodes: Vec<NodeDefinition>,
        #[with(7, 25)] generated_graph: GraphDefinition,
        mut generated_source: Source,
    ) {
        assert_eq!(generated_message, Messages::new().one(&mut generated_source));
        assert_eq!(generated_messages.len(), 10);
        assert_eq!(generated_messages.first(), Some(&generated_message));
        assert_eq!(generated_nodes, Nodes::new().batch(3, &mut Source::seeded(8)));
        assert_eq!(generated_graph.nodes.len(), 27);
    }
}

/// A report of pytest, with its truth, of seed 7 where none is given.
#[fixture]
pub fn generated_report(#[default(7)] seed: u64) -> Report {
    Reports::of(&PYTEST).one(&mut Source::seeded(seed))
}

/// A CI history of pytest's reports, with its truth, of seed 7 where none is given.
#[fixture]
pub fn generated_history(#[default(7)] seed: u64) -> History {
    Histories::of(&PYTEST).one(&mut Source::seeded(seed))
}
