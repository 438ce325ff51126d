//! The settings that every node has.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::{Extra, Field, Kind, Literal, Shape};

/// `timeout_ms` of a node whose type has no range of its own.
pub const TIMEOUT_MS: Field =
    Field::default("timeout_ms", Kind::Integer(100, 120_000), Literal::Integer(30_000));
/// `retry_count` of a node whose type has no range of its own.
pub const RETRY_COUNT: Field =
    Field::default("retry_count", Kind::Integer(0, 3), Literal::Integer(0));
/// `retry_delay_ms` of a node whose type has no range of its own.
pub const RETRY_DELAY_MS: Field =
    Field::default("retry_delay_ms", Kind::Integer(0, 10_000), Literal::Integer(1_000));

/// The fields of a [`NodeConfig`]. A type lists these beside its own, or its own in their place:
/// the range that a type declares is the one that holds.
pub static NODE_CONFIG: Shape = Shape {
    name: "node configuration",
    extra: Extra::Refused,
    fields: &[TIMEOUT_MS, RETRY_COUNT, RETRY_DELAY_MS],
};

/// The settings that every node has, whatever its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeConfig {
    /// How long one try may take, in milliseconds.
    pub timeout_ms: u64,
    /// Tries after the first one, where that failed and another may help.
    pub retry_count: u32,
    /// Time between tries, in milliseconds.
    pub retry_delay_ms: u64,
}

impl NodeConfig {
    /// The three of an object that holds others too. One that is absent or no number is the
    /// default, and takes no other with it; ranges are not checked.
    pub(super) fn of(settings: &Value) -> Self {
        let number = |name: &str| settings.get(name).and_then(Value::as_u64);
        let retries = number("retry_count").and_then(|count| u32::try_from(count).ok());
        let default = Self::default();
        Self {
            timeout_ms: number("timeout_ms").unwrap_or(default.timeout_ms),
            retry_count: retries.unwrap_or(default.retry_count),
            retry_delay_ms: number("retry_delay_ms").unwrap_or(default.retry_delay_ms),
        }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self { timeout_ms: 30_000, retry_count: 0, retry_delay_ms: 1_000 }
    }
}
