//! What the search for one instance may cost: schemas come from requests, and may be made to cost.

use std::cell::Cell;

use serde_json::{Map, Value};

/// Work for one instance, in values looked at or copied; about 0.1 µs each.
const WORK_MAX: u64 = 400_000;
/// Bytes of a text that cost as much to look at as one value.
const TEXT_BYTES: usize = 64;

/// What is left of the work; shared by the search and the checks.
pub(super) struct Work {
    left: Cell<u64>,
}

impl Work {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(WORK_MAX) }
    }

    /// Takes so much; `None` where nothing is left.
    pub(super) fn spend(&self, amount: u64) -> Option<()> {
        self.left.set(self.left.get().saturating_sub(amount));
        (self.left.get() > 0).then_some(())
    }
}

/// What it costs to look at a text.
pub(super) fn of_text(text: &str) -> u64 {
    1 + (text.len() / TEXT_BYTES) as u64
}

/// What it costs to look at, or to copy, a value.
pub(super) fn of(value: &Value) -> u64 {
    match value {
        Value::Object(map) => 1 + of_map(map),
        Value::Array(items) => 1 + items.iter().map(of).sum::<u64>(),
        Value::String(text) => of_text(text),
        _ => 1,
    }
}

pub(super) fn of_map(map: &Map<String, Value>) -> u64 {
    map.iter().map(|(name, value)| of_text(name) + of(value)).sum()
}

/// Whether a value nests deeper than this; looked at without recursion.
pub(super) fn nests_beyond(value: &Value, depth: usize) -> bool {
    let mut open = vec![(value, 0)];
    while let Some((value, at)) = open.pop() {
        if at > depth {
            return true;
        }
        match value {
            Value::Object(map) => open.extend(map.values().map(|value| (value, at + 1))),
            Value::Array(items) => open.extend(items.iter().map(|item| (item, at + 1))),
            _ => {}
        }
    }
    false
}
