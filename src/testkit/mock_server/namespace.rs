//! One namespace: everything that one test sees of the server, and the way of a request through it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::chance::Chance;
use super::decided::Occasion;
use super::exchange::{Exchange, Stamp};
use super::identity::identity;
use super::journal::{Answer, Decision, Entry, Journal, Place};
use super::models::Models;
use super::recorder::Recorder;
use super::script::Delivery;
use super::settings::Settings;
use super::stub::{Stub, Stubs};

/// Requests told apart at most; beyond, each counts as seen for the first time.
const REQUESTS_KNOWN_MAX: usize = 1_000_000;

/// What a namespace begins with, and returns to when it is reset.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) settings: Settings,
    pub(crate) models: Models,
    pub(crate) stubs: Stubs,
}

/// Everything of a namespace that changes.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) models: Models,
    pub(crate) stubs: Stubs,
    pub(crate) journal: Journal,
    seen: HashMap<[u8; 16], u64>,
}

/// A request that another server is to answer.
pub(crate) struct Arrival {
    place: Place,
    pub(crate) exchange: Exchange,
    occasion: Occasion,
    route: Option<&'static str>,
}

/// Who answers a request.
pub(crate) enum Responded<'a> {
    /// This server.
    Here(Delivery),
    /// Another.
    Elsewhere(Box<Arrival>, &'a Recorder),
}

/// What one test sees of the server.
pub(crate) struct Namespace {
    name: String,
    state: Mutex<State>,
}

impl Namespace {
    pub(crate) fn new(name: &str, beginning: &Beginning) -> Self {
        Self { name: name.to_owned(), state: Mutex::new(State::new(beginning)) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request and writes it down. With a recorder only what stubs, routes and faults of
    /// the user's answer; the rest is for the other server.
    pub(crate) fn respond<'a>(
        &self,
        mut exchange: Exchange,
        recorder: Option<&'a Recorder>,
    ) -> Responded<'a> {
        let identity = identity(&exchange);
        let mut state = self.state();
        let n = state.count(identity);
        let seed = state.settings.seed.to_le_bytes();
        let chance = Chance::of(&[&seed, self.name.as_bytes(), &identity, &n.to_le_bytes()]);
        let stamp = Stamp { received_at: exchange.received_at, chance };
        let occasion = Occasion { identity, n, stamp };
        let place = state.journal.arrive();
        let decided = state.decide(&mut exchange, &occasion);
        let used = state.models.loads_mut().take_used();
        drop(state);
        let is_ours = matches!(decided.source, Answer::Stub | Answer::Route | Answer::Fault);
        if let Some(recorder) = recorder.filter(|_| !is_ours) {
            let arrival = Arrival { place, exchange, occasion, route: decided.route };
            return Responded::Elsewhere(Box::new(arrival), recorder);
        }
        let (delivery, entry) = decided.delivery(exchange, &occasion);
        let mut state = self.state();
        if let (Some(model), Delivery::Http(script)) = (used, &delivery) {
            state.models.loads_mut().used_until(&model, stamp.moment(script.lasts()));
        }
        state.journal.push(place, entry);
        drop(state);
        Responded::Here(delivery)
    }

    /// Writes a request down that another server answers.
    pub(crate) fn note_forwarded(&self, arrival: Arrival, status: u16) {
        let Arrival { place, exchange, occasion, route } = arrival;
        self.note(place, exchange, &occasion, route, Answer::Proxy, status);
    }

    /// Writes a request down that was refused before anybody read it.
    pub(crate) fn note_refused(&self, exchange: Exchange, status: u16) {
        let identity = identity(&exchange);
        let stamp = Stamp { received_at: exchange.received_at, chance: Chance::of(&[&identity]) };
        let place = self.state().journal.arrive();
        let occasion = Occasion { identity, n: 0, stamp };
        self.note(place, exchange, &occasion, None, Answer::Refused, status);
    }

    fn note(
        &self,
        place: Place,
        exchange: Exchange,
        occasion: &Occasion,
        route: Option<&'static str>,
        answer: Answer,
        status: u16,
    ) {
        let decision = Decision {
            identity: occasion.identity,
            n: occasion.n,
            answer,
            latency: Duration::ZERO,
            faults: Vec::new(),
        };
        let entry = Entry {
            index: 0,
            exchange,
            route,
            model: None,
            matched: None,
            decision,
            status: Some(status),
            near_misses: Vec::new(),
        };
        self.state().journal.push(place, entry);
    }
}

/// Adds a stub, and the models that it names where the server has none of that name; gives the
/// stub's id.
fn add_stub(stubs: &mut Stubs, models: &mut Models, stub: Stub, moment: DateTime<Utc>) -> u64 {
    for name in stub.models() {
        // A name that is not valid is no model, and nobody can ask for it.
        let _ = models.add_unless_listed(name, moment);
    }
    stubs.add(stub)
}

impl Beginning {
    /// Adds a stub, and the models that it names.
    pub(crate) fn add_stub(&mut self, stub: Stub, moment: DateTime<Utc>) -> u64 {
        add_stub(&mut self.stubs, &mut self.models, stub, moment)
    }
}

impl State {
    /// Adds a stub, and the models that it names; gives the stub's id.
    pub(crate) fn add_stub(&mut self, stub: Stub, moment: DateTime<Utc>) -> u64 {
        add_stub(&mut self.stubs, &mut self.models, stub, moment)
    }
}

impl State {
    fn new(beginning: &Beginning) -> Self {
        let Beginning { settings, models, stubs } = beginning.clone();
        Self { settings, models, stubs, journal: Journal::default(), seen: HashMap::new() }
    }

    /// Forgets everything that happened since the namespace began.
    pub(crate) fn reset(&mut self, beginning: &Beginning) {
        let mut journal = std::mem::take(&mut self.journal);
        journal.clear();
        *self = Self { journal, ..Self::new(beginning) };
    }

    /// The how manieth time, from 1, that a request is seen.
    fn count(&mut self, identity: [u8; 16]) -> u64 {
        if self.seen.len() >= REQUESTS_KNOWN_MAX && !self.seen.contains_key(&identity) {
            return 1;
        }
        let n = self.seen.entry(identity).or_insert(0);
        *n += 1;
        *n
    }
}
