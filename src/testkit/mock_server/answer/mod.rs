//! What is answered where no stub says, and how a reply becomes steps in time.

mod arithmetic;
mod automatic;
mod default;
mod known;
mod logprobs;
mod performance;
mod schema;
mod tokens;
mod vectors;
mod words;

pub(crate) use automatic::automatic;
pub(crate) use default::by_default;
pub(crate) use performance::{embed_metrics, perform, prompt_tokens};
pub(crate) use tokens::{count as count_tokens, first as first_tokens};
pub(crate) use vectors::vectors;
