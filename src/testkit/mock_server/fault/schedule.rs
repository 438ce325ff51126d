//! When faults strike.

use serde::{Deserialize, Serialize};

use crate::testkit::mock_server::chance::Chance;

/// When a fault strikes: every time, narrowed by what is set. All that is set must hold.
///
/// Times are counted for each request by itself, from 1: how often the same request (method, path,
/// query, body) has been seen in its namespace. So `first: 2` fails a request twice and answers its
/// third try, whatever else arrives in between, in whatever order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The first so many times.
    #[serde(default, alias = "times", skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Every so many times: 3 is the 3rd, the 6th, the 9th.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// These times.
    #[serde(default, alias = "at", skip_serializing_if = "Option::is_none")]
    pub indices: Option<Vec<u64>>,
    /// All but the first so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// With this probability, from 0 to 1, drawn from the seed and the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// The names of all that a schedule can have, in JSON and TOML.
pub(super) const KEYS: [&str; 7] =
    ["first", "times", "every", "indices", "at", "after", "probability"];

impl Schedule {
    /// Whether it strikes the `n`-th time. `name` tells draws of several rules apart.
    pub(super) fn strikes(&self, n: u64, chance: &Chance, name: &str) -> bool {
        self.first.is_none_or(|first| n <= first)
            && self.every.is_none_or(|every| every > 0 && n.is_multiple_of(every))
            && self.indices.as_ref().is_none_or(|indices| indices.contains(&n))
            && self.after.is_none_or(|after| n > after)
            && self.probability.is_none_or(|limit| chance.uniform(name, n) < limit)
    }
}
