//! Seeded test data: messages, nodes, graphs, contexts, answers of models, reports and whole
//! histories of a CI. One seed gives the same bytes on every machine.

mod addresses;
mod collections;
mod contexts;
#[cfg(feature = "rstest")]
pub mod fixtures;
mod generate;
mod graphs;
pub mod history;
mod hostile;
pub mod invalid;
pub mod junit;
mod kinds;
mod messages;
mod nodes;
mod order;
mod primitives;
mod responses;
mod source;
#[cfg(feature = "proptest")]
pub mod strategies;
mod words;

pub use addresses::{Emails, Urls};
pub use collections::{ItemKind, Lists, Maps};
pub use contexts::Contexts;
pub use generate::{COUNT_MAX, Generate, LENGTH_MAX};
pub use graphs::Graphs;
pub use hostile::HostileTexts;
pub use invalid::{Checked, Invalid};
pub use kinds::{KINDS, Kind, Setting};
pub use messages::Messages;
pub use nodes::Nodes;
pub use order::{Format, GeneratedFile, Order, OrderError, files, write};
pub use primitives::{
    Alphanumerics, Booleans, EPOCH_SECONDS, Floats, Integers, SPAN_SECONDS, Strings, Timestamps,
};
pub use responses::{Chats, Conversations, Embeddings, ResponseStreams, Responses};
pub use source::{Items, Source, Stream};

#[cfg(test)]
mod tests;

/// The blocks of Rust on the page, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/generators.md")]
struct Page;
