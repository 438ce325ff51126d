//! How a node runs another one.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::testkit::nodes::behavior::{Failure, Turn};
use crate::testkit::nodes::message::{Message, MessageMetadata};
use crate::testkit::nodes::result::NodeResult;

/// What became of a call.
pub(super) enum Called {
    /// The node gave this.
    Done(NodeResult),
    /// It gave nothing in time.
    TimedOut,
}

/// Runs `node` on `message`, for so long and no longer: what takes longer is dropped, or, where it
/// only computes and so cannot be, timed out when it is done.
///
/// # Errors
/// A lasting failure where there is no such node.
pub(super) async fn call(
    turn: &Turn<'_>,
    node: &str,
    message: &Message,
    limit: Duration,
) -> Result<Called, Failure> {
    let Some(peers) = turn.context.peers() else {
        let error = format!("Node '{node}' cannot be run: the context has no peers");
        return Err(Failure::lasting(error));
    };
    let begun = Instant::now();
    match tokio::time::timeout(limit, peers.run(node, message, turn.context)).await {
        Ok(Some(_)) if begun.elapsed() > limit => Ok(Called::TimedOut),
        Ok(Some(result)) => Ok(Called::Done(result)),
        Ok(None) => Err(Failure::lasting(format!("Node '{node}' cannot be run: there is none"))),
        Err(_) => Ok(Called::TimedOut),
    }
}

/// Why a result is no success.
pub(super) fn error_of(result: &NodeResult) -> String {
    result.error.clone().unwrap_or_else(|| "it failed without saying why".to_owned())
}

/// The content of what a result says last, or null.
pub(super) fn content_of(result: &NodeResult) -> Value {
    let last = result.output_messages.last();
    last.and_then(|message| message.payload.content.clone()).map_or(Value::Null, Value::from)
}

/// The facts about a message that hold for it as another node's too. Tokens are not among them:
/// they are counted where they were used.
pub(super) fn handed_on(facts: MessageMetadata) -> MessageMetadata {
    MessageMetadata { tokens_in: None, tokens_out: None, ..facts }
}
