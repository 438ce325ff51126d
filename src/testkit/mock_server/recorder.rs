//! Recording: requests go to a real server, its answers to the client and into a cassette.

use std::sync::{Mutex, PoisonError};

use super::record::{Cassette, Said, Tape, Upstream};

/// Where requests go, and what came back.
pub(crate) struct Recorder {
    pub(crate) upstream: Upstream,
    cassette: Mutex<Cassette>,
}

impl Recorder {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream, cassette: Mutex::new(Cassette::default()) }
    }

    pub(crate) fn keep(&self, said: Said, tape: Tape) {
        self.cassette.lock().unwrap_or_else(PoisonError::into_inner).add(said, tape);
    }

    pub(crate) fn cassette(&self) -> Cassette {
        self.cassette.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
