//! A mock Ollama server: faithful, deterministic, and cruel on request.

mod admin;
mod admission;
pub mod answer;
pub mod ask;
pub mod audit;
mod builder;
pub mod chance;
pub mod clock;
mod decided;
mod deciding;
pub mod exchange;
pub mod fault;
mod handle;
mod headers;
pub mod identity;
pub mod journal;
pub mod models;
mod namespace;
pub mod record;
mod recorder;
pub mod refusal;
pub mod reply;
pub mod script;
mod server;
pub mod settings;
pub mod stub;
mod surface;
pub mod timing;
pub mod verify;
mod world;

pub use builder::{BODY_BYTES_MAX, Builder};
pub use handle::{MockNamespace, MockOllama, NamespaceError, StartError};
pub use world::NAMESPACE_HEADER;
