//! How much a context may hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::testkit::nodes::violation::{Rule, Violation};

/// How much a context may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Messages, at most; at least 1.
    pub max_messages: usize,
    /// Bytes of one message as JSON, at most; at least 1,024.
    pub max_message_size_bytes: usize,
    /// Bytes of all messages as JSON, at most; at least 1,024.
    pub max_total_size_bytes: usize,
}

impl Default for Bounds {
    /// 1,000 messages, 1 MiB each, 100 MiB in all.
    fn default() -> Self {
        Self {
            max_messages: 1_000,
            max_message_size_bytes: 1 << 20,
            max_total_size_bytes: 100 << 20,
        }
    }
}

/// The least that [`Bounds::max_message_size_bytes`] and [`Bounds::max_total_size_bytes`] may be.
pub(super) const BYTES_LEAST: usize = 1_024;

impl Bounds {
    pub(super) fn check(&self) -> Result<(), ContextError> {
        for (bound, value, least) in [
            ("max_messages", self.max_messages, 1),
            ("max_message_size_bytes", self.max_message_size_bytes, BYTES_LEAST),
            ("max_total_size_bytes", self.max_total_size_bytes, BYTES_LEAST),
        ] {
            if value < least {
                return Err(ContextError::BadBounds { bound, value, least });
            }
        }
        Ok(())
    }

    /// The same, each at least what it must be.
    pub(super) fn raised(self) -> Self {
        Self {
            max_messages: self.max_messages.max(1),
            max_message_size_bytes: self.max_message_size_bytes.max(BYTES_LEAST),
            max_total_size_bytes: self.max_total_size_bytes.max(BYTES_LEAST),
        }
    }

    /// Whether messages of these sizes are within the bounds.
    pub(super) fn hold(&self, sizes: &[usize], total: usize) -> Result<(), ContextError> {
        let largest = sizes.iter().copied().max().unwrap_or(0);
        Limit::MessageSize.check(largest, self.max_message_size_bytes)?;
        Limit::TotalSize.check(total, self.max_total_size_bytes)?;
        Limit::MessageCount.check(sizes.len(), self.max_messages)
    }
}

/// Which bound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// [`Bounds::max_message_size_bytes`].
    MessageSize,
    /// [`Bounds::max_total_size_bytes`].
    TotalSize,
    /// [`Bounds::max_messages`].
    MessageCount,
}

impl Limit {
    pub(super) fn check(self, value: usize, most: usize) -> Result<(), ContextError> {
        match value > most {
            true => Err(ContextError::Exceeded { limit: self, value, most }),
            false => Ok(()),
        }
    }

    const fn rule(self) -> Rule {
        match self {
            Self::MessageSize => Rule::MessageSize,
            Self::TotalSize => Rule::TotalSize,
            Self::MessageCount => Rule::MessageCount,
        }
    }

    fn exceeded(self, value: usize, most: usize) -> String {
        match self {
            Self::MessageSize => {
                format!("Message size {value} bytes exceeds limit of {most} bytes")
            }
            Self::TotalSize => {
                format!("Total context size would exceed limit ({value} > {most} bytes)")
            }
            Self::MessageCount => format!("Message count {value} exceeds limit of {most}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rule().fmt(f)
    }
}

/// What a context does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// A message is of another trace.
    #[error("a message of trace `{found}` does not belong to trace `{wanted}`")]
    ForeignTrace {
        /// The message's trace.
        found: String,
        /// The context's.
        wanted: String,
    },
    /// It would be more than a bound lets in.
    #[error("{}", limit.exceeded(*value, *most))]
    Exceeded {
        /// Which bound.
        limit: Limit,
        /// What it would be, in bytes or messages.
        value: usize,
        /// What it may be.
        most: usize,
    },
    /// A bound is less than it may be.
    #[error("{bound} must be at least {least}, is {value}")]
    BadBounds {
        /// Which bound.
        bound: &'static str,
        /// What it is.
        value: usize,
        /// What it must be at least.
        least: usize,
    },
}

impl ContextError {
    /// The same as a violation at `at`.
    #[must_use]
    pub fn violation(&self, at: impl Into<String>) -> Violation {
        let rule = match self {
            Self::ForeignTrace { .. } => Rule::ForeignTrace,
            Self::Exceeded { limit, .. } => limit.rule(),
            Self::BadBounds { .. } => Rule::BelowMinimum,
        };
        Violation::new(rule, at, self.to_string())
    }
}

/// What the messages of a context take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MemoryUsage {
    /// How many there are.
    pub message_count: usize,
    /// Their bytes as JSON.
    pub total_size_bytes: usize,
    /// The bytes of the largest one; 0 where there is none.
    pub largest_message_bytes: usize,
    /// Messages over the most there may be, 0 to 1.
    pub count_utilization: f64,
    /// Bytes over the most there may be, 0 to 1.
    pub size_utilization: f64,
    /// Whether four fifths of the messages are there.
    pub near_count_limit: bool,
    /// Whether four fifths of the bytes are there.
    pub near_size_limit: bool,
}

impl MemoryUsage {
    pub(super) fn of(sizes: &[usize], total: usize, bounds: Bounds) -> Self {
        const NEAR: f64 = 0.8;
        let count_utilization = sizes.len() as f64 / bounds.max_messages as f64;
        let size_utilization = total as f64 / bounds.max_total_size_bytes as f64;
        Self {
            message_count: sizes.len(),
            total_size_bytes: total,
            largest_message_bytes: sizes.iter().copied().max().unwrap_or(0),
            count_utilization,
            size_utilization,
            near_count_limit: count_utilization >= NEAR,
            near_size_limit: size_utilization >= NEAR,
        }
    }
}
