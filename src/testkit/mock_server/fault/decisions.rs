//! What was decided for each request, kept in the journal; and read back, to decide the same again.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::Fault;
use crate::testkit::mock_server::identity::hex;
use crate::testkit::mock_server::timing::Time;

/// What was decided for one request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Decision {
    /// What the request is: its [identity](crate::testkit::mock_server::identity), in hexadecimal.
    pub request: String,
    /// The how many-th time it was seen, from 1.
    pub n: u64,
    /// What struck it.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How long it waited before anything of its answer.
    #[serde(default, alias = "latency_ms", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Time>,
}

/// Decisions of an earlier run, which hold in place of what would be drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decisions(HashMap<(String, u64), Decision>);

/// Decisions that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionsError {
    /// No JSON, or JSON of another shape.
    #[error(
        "decisions: {0}; they are what GET /__admin/requests gives, a list of requests, or lines \
         of them"
    )]
    Unreadable(String),
    /// A decision that is none.
    #[error("decisions: request {index}: {wrong}")]
    Decision {
        /// Which request, from 0.
        index: usize,
        /// What is wrong.
        wrong: String,
    },
}

impl Decision {
    /// These faults for the `n`-th time that a request is seen.
    #[must_use]
    pub fn new(identity: &[u8; 16], n: u64, faults: Vec<Fault>) -> Self {
        Self { request: hex(identity), n, faults, latency: None }
    }
}

impl Decisions {
    /// Reads the decisions from a journal: `{"requests": […]}` as the admin API gives it, a list, or
    /// lines of JSON. Each entry has its decision under `decision`, or is one.
    ///
    /// # Errors
    /// [`DecisionsError`] where that is no journal, or a decision in it is none.
    pub fn from_journal(text: &str) -> Result<Self, DecisionsError> {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let values: Vec<Value> = values
            .collect::<Result<_, _>>()
            .map_err(|error| DecisionsError::Unreadable(error.to_string()))?;
        let entries: Vec<Value> = values.into_iter().flat_map(entries).collect();
        let mut decisions = HashMap::new();
        for (index, mut entry) in entries.into_iter().enumerate() {
            let Some(fields) = entry.as_object_mut() else {
                return Err(DecisionsError::Unreadable("an entry is no object".to_owned()));
            };
            let decision = match fields.remove("decision") {
                Some(decision) => decision,
                None if fields.get("request").is_some_and(Value::is_string) => entry,
                // Requests that nothing was decided for (an unknown path) stand in it, too.
                None => continue,
            };
            if decision.is_null() {
                continue;
            }
            let wrong = |wrong| DecisionsError::Decision { index, wrong };
            let decision: Decision =
                serde_json::from_value(decision).map_err(|error| wrong(error.to_string()))?;
            let digits = decision.request.bytes().all(|byte| byte.is_ascii_hexdigit());
            if decision.request.len() != 32 || !digits {
                return Err(wrong("`request` is not 32 hexadecimal digits".to_owned()));
            }
            decisions.insert((decision.request.clone(), decision.n), decision);
        }
        Ok(Self(decisions))
    }

    /// What was decided the `n`-th time that this request was seen.
    #[must_use]
    pub fn of(&self, identity: &[u8; 16], n: u64) -> Option<&Decision> {
        self.0.get(&(hex(identity), n))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Decision> for Decisions {
    fn from_iter<I: IntoIterator<Item = Decision>>(decisions: I) -> Self {
        let keyed = |decision: Decision| ((decision.request.clone(), decision.n), decision);
        Self(decisions.into_iter().map(keyed).collect())
    }
}

fn entries(value: Value) -> Vec<Value> {
    match value {
        Value::Array(entries) => entries,
        Value::Object(mut map) => match map.remove("requests") {
            Some(Value::Array(entries)) => entries,
            _ => vec![Value::Object(map)],
        },
        other => vec![other],
    }
}
