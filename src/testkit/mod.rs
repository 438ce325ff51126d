//! What takes away the causes of flakiness in tests of LLM applications. Apart from the rest of the
//! crate: it knows nothing of the history and the command line, and they nothing of it.

pub mod contracts;
pub mod generators;
pub mod mock_server;
mod nearest;
pub mod nodes;
pub mod parallel;
mod server_url;
mod shown;
