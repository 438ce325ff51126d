//! The journal of a namespace: every request in order of arrival, what matched it and what was
//! decided. Bounded. An entry keeps what the server holds anyway; it becomes JSON only when read.

mod render;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::audit::{self, Note};
use super::exchange::Exchange;
use super::fault::Fault;
use super::identity::hex;

/// How many entries a journal keeps unless told otherwise: enough for a long test run.
pub const ENTRIES_MAX: usize = 10_000;
/// How many bytes a journal keeps, bodies and headers and all: 10,000 requests with images must not
/// fill the memory.
pub const BYTES_MAX: usize = 64 << 20;
/// What a header takes beside its name and value.
const HEADER_BYTES: usize = 64;

/// Who answered a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A stub.
    Stub,
    /// `--auto`: an instance of the request's schema, a call of its tools.
    Auto,
    /// The default answer.
    Default,
    /// Nobody: it was turned down, as the real server does.
    Refused,
    /// The service itself: a listing, a pull, a load.
    Service,
    /// A route of the user's own (`/__admin/routes`).
    Route,
    /// A fault in place of any answer.
    Fault,
    /// Another server, through `--record` or a proxy.
    Proxy,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Stub,
        Self::Auto,
        Self::Default,
        Self::Refused,
        Self::Service,
        Self::Route,
        Self::Fault,
        Self::Proxy,
    ];

    /// As the journal spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stub => "stub",
            Self::Auto => "auto",
            Self::Default => "default",
            Self::Refused => "refused",
            Self::Service => "service",
            Self::Route => "route",
            Self::Fault => "fault",
            Self::Proxy => "proxy",
        }
    }
}

/// What was decided about a request; the same seed decides the same again.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the decision derives from, next to seed, namespace and stub: the request, normalised.
    pub identity: [u8; 16],
    /// The how many-th time this request was seen, from 1.
    pub n: u64,
    /// Who answered.
    pub answer: Answer,
    /// How long it waited before anything of its answer, in nominal time.
    pub latency: Duration,
    /// The faults that struck, in order.
    pub faults: Vec<Fault>,
}

impl Decision {
    /// The identity in hexadecimal digits: by what decisions are replayed.
    #[must_use]
    pub fn identity_hex(&self) -> String {
        hex(&self.identity)
    }
}

/// The stub that matched a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchedStub {
    /// Its id, unique in its namespace.
    pub id: u64,
    /// Its name, or `stub 3`.
    pub name: String,
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in order of arrival, from 1; counts on over entries that were dropped.
    pub index: u64,
    /// The request. Its JSON is not kept; [`Entry::json`] reads it again.
    pub exchange: Exchange,
    /// The path of its route (`/api/chat`); `None` where the server has none for it.
    pub route: Option<&'static str>,
    /// The model that it names, where the API read it.
    pub model: Option<String>,
    /// The stub that answered it.
    pub matched: Option<MatchedStub>,
    /// What was decided.
    pub decision: Decision,
    /// The status sent; `None` where the connection broke before one was.
    pub status: Option<u16>,
    /// Why the nearest stubs did not match, nearest first; empty where one did.
    pub near_misses: Vec<String>,
}

impl Entry {
    /// The body as JSON, where it is.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.exchange.body).ok()
    }

    /// The model that the request names.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        self.model.clone().or_else(|| {
            let json = self.json()?;
            let name = json.get("model").or_else(|| json.get("name"))?;
            Some(name.as_str()?.to_owned())
        })
    }

    /// What the real server would have treated oddly in this request; nothing where a route of the
    /// user's own answered.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        if self.decision.answer == Answer::Route {
            return Vec::new();
        }
        audit::audit(&self.exchange, self.route, self.json().as_ref())
    }

    /// The entry as the admin API shows it: secrets masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        render::entry(self)
    }

    /// The entry in one line, for people: `3. POST /api/chat llama3.2 "What is the weather?"`.
    #[must_use]
    pub fn summary(&self) -> String {
        render::summary(self)
    }

    /// What it takes of the memory, in bytes, near enough to bound it.
    fn bytes(&self) -> usize {
        let Exchange { method, path, query, headers, body, parameter, .. } = &self.exchange;
        let headers: usize = headers
            .iter()
            .map(|(name, value)| HEADER_BYTES + name.as_str().len() + value.len())
            .sum();
        let texts =
            [Some(method), Some(path), Some(query), parameter.as_ref(), self.model.as_ref()];
        let texts = texts.into_iter().flatten().chain(&self.near_misses).map(String::len);
        let faults = match self.decision.faults.as_slice() {
            [] => 0,
            // A fault may have a body of its own.
            faults => serde_json::to_vec(faults).map_or(0, |text| text.len()),
        };
        size_of::<Self>() + body.len() + headers + texts.sum::<usize>() + faults
    }
}

/// The requests of one namespace, in order of arrival, the newest of them.
#[derive(Debug, Clone)]
pub struct Journal {
    entries: VecDeque<Arc<Entry>>,
    entries_max: usize,
    bytes: usize,
    arrived: u64,
    dropped: u64,
    /// How often it was cleared.
    generation: u64,
}

/// The place of a request in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    generation: u64,
    index: u64,
}

impl Default for Journal {
    fn default() -> Self {
        Self::with_capacity(ENTRIES_MAX)
    }
}

impl Journal {
    /// A journal of so many entries at most; 0 keeps none and still counts.
    #[must_use]
    pub fn with_capacity(entries_max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            entries_max,
            bytes: 0,
            arrived: 0,
            dropped: 0,
            generation: 0,
        }
    }

    /// The place of a request that has arrived, and is pushed once it is decided.
    pub fn arrive(&mut self) -> Place {
        self.arrived += 1;
        Place { generation: self.generation, index: self.arrived }
    }

    /// Adds a request at its place in order of arrival, and drops the oldest where the journal is
    /// full. Forgets it where the journal was cleared since it arrived.
    pub fn push(&mut self, place: Place, mut entry: Entry) {
        if place.generation != self.generation {
            return;
        }
        entry.index = place.index;
        // The text of the body is enough: a parsed copy takes several times its size.
        entry.exchange.json = None;
        let entry = Arc::new(entry);
        self.bytes += entry.bytes();
        // Nearly always the newest; else one of the few that were decided at the same time.
        let after = self.entries.iter().rev().take_while(|kept| kept.index > entry.index).count();
        self.entries.insert(self.entries.len() - after, entry);
        while self.entries.len() > self.entries_max || self.bytes > BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.dropped += 1;
        }
    }

    /// The entries kept, in order of arrival.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// The entries kept, to read while the server goes on.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Arc<Entry>> {
        self.entries.iter().cloned().collect()
    }

    /// How many entries are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries were dropped since the last [`Journal::clear`] because the journal was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets everything, requests under way among it; the next request is number 1 again.
    pub fn clear(&mut self) {
        self.generation += 1;
        self.entries.clear();
        self.bytes = 0;
        self.arrived = 0;
        self.dropped = 0;
    }
}
