//! The stubs of one namespace: the order in which they are asked, what they count, their states.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::condition::{Condition, Seen};
use super::{Action, Counting, Exhausted, Facts, Matched, START, Stub};
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::refusal::Refusal;

/// So many near misses are told.
const NEAR_MISSES: usize = 3;
/// A stub tells so many requests apart; of those beyond, each counts as its first.
const REQUESTS_MAX: usize = 100_000;

/// The stubs of a namespace and the states they keep.
#[derive(Debug, Clone, Default)]
pub struct Stubs {
    /// In the order in which they are asked.
    entries: Vec<Entry>,
    last_id: u64,
    /// The state of each scenario that has left its first.
    states: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Entry {
    id: u64,
    stub: Stub,
    matched: u64,
    /// The same for each request apart, where the stub counts so.
    by_request: HashMap<[u8; 16], u64>,
}

/// A stub as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Unique in the namespace, from 1, in order of arrival.
    pub id: u64,
    /// How often it has answered.
    pub matched: u64,
    /// Everything else, as rule files spell it.
    #[serde(flatten)]
    pub stub: Value,
}

impl Stubs {
    /// Adds a stub; gives its id.
    pub fn add(&mut self, stub: Stub) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        // Newer ones come before older ones of their priority.
        let place = self.entries.partition_point(|entry| entry.stub.priority < stub.priority);
        self.entries.insert(place, Entry { id, stub, matched: 0, by_request: HashMap::new() });
        id
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// All stubs, in order of arrival, with how often each has answered.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let mut listed: Vec<Listed> = self
            .entries
            .iter()
            .map(|entry| Listed {
                id: entry.id,
                matched: entry.matched,
                stub: entry.stub.to_json(),
            })
            .collect();
        listed.sort_by_key(|stub| stub.id);
        listed
    }

    /// Takes the stub of this id or name out; says whether there was one.
    ///
    /// A number that is an id is no name; of several with the name, all go.
    pub fn remove(&mut self, id_or_name: &str) -> bool {
        let id: Option<u64> = id_or_name.parse().ok();
        let id = id.filter(|id| self.entries.iter().any(|entry| entry.id == *id));
        let before = self.entries.len();
        self.entries.retain(|entry| match id {
            Some(id) => entry.id != id,
            None => entry.stub.name.as_deref() != Some(id_or_name),
        });
        self.entries.len() < before
    }

    /// Takes all stubs out, and sets all scenarios to their start.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.states.clear();
    }

    /// The state of a scenario; the one without a name is the empty text.
    #[must_use]
    pub fn state(&self, scenario: &str) -> &str {
        self.states.get(scenario).map_or(START, String::as_str)
    }

    /// The state of every scenario that a stub names or that was set.
    #[must_use]
    pub fn states(&self) -> BTreeMap<String, String> {
        let named = self.entries.iter().map(|entry| &entry.stub).filter(|stub| {
            !stub.scenario.is_empty() || stub.when_state.is_some() || stub.then_state.is_some()
        });
        let mut states: BTreeMap<String, String> =
            named.map(|stub| (stub.scenario.clone(), START.to_owned())).collect();
        states.extend(self.states.clone());
        states
    }

    /// Sets the state of a scenario.
    pub fn set_state(&mut self, scenario: &str, state: &str) {
        self.states.insert(scenario.to_owned(), state.to_owned());
    }

    /// The stub for a request, if one matches, and where it stands. Counts nothing: what a fault
    /// answers in place of has not been answered; see [`Stubs::count`].
    pub(crate) fn find(&self, facts: &Facts<'_>) -> Option<(usize, Matched)> {
        let seen = Seen { exchange: facts.exchange, route: facts.route, asked: facts.asked };
        let place = self.entries.iter().position(|entry| {
            entry.stub.state_holds(self.state(&entry.stub.scenario))
                && entry.is_left(facts)
                && entry.stub.holds(&seen)
        })?;
        let entry = self.entries.get(place)?;
        Some((place, entry.matched_as(facts, entry.used(facts) + 1)))
    }

    /// Counts an answer of the stub that stands there, and takes over the state that it leads to.
    pub(crate) fn count(&mut self, place: usize, facts: &Facts<'_>) {
        let Some(entry) = self.entries.get_mut(place) else { return };
        entry.count(facts);
        if let Some(state) = &entry.stub.then_state {
            self.states.insert(entry.stub.scenario.clone(), state.clone());
        }
    }

    /// Why the nearest stubs did not match, nearest first, for people.
    #[must_use]
    pub(crate) fn near_misses(&self, facts: &Facts<'_>) -> Vec<String> {
        let seen = Seen { exchange: facts.exchange, route: facts.route, asked: facts.asked };
        let nearest_first = |one: &(f64, u64), other: &(f64, u64)| {
            one.0.total_cmp(&other.0).then(other.1.cmp(&one.1))
        };
        let mut glanced: Vec<((f64, u64), Miss<'_>)> = self
            .entries
            .iter()
            .filter_map(|entry| self.miss(entry, facts, &seen))
            .map(|miss| {
                ((miss.distance(|condition| condition.nearness(&seen)), miss.entry.id), miss)
            })
            .collect();
        glanced.sort_by(|(one, _), (other, _)| nearest_first(one, other));
        let mut told: Vec<((f64, u64), String)> = glanced
            .into_iter()
            .take(NEAR_MISSES)
            .map(|(_, miss)| {
                let id = miss.entry.id;
                let (distance, text) = miss.told(&seen);
                ((distance, id), text)
            })
            .collect();
        told.sort_by(|(one, _), (other, _)| nearest_first(one, other));
        told.into_iter().map(|(_, text)| text).collect()
    }

    /// What keeps a stub from a request; `None` where it matches.
    fn miss<'s>(&self, entry: &'s Entry, facts: &Facts<'_>, seen: &Seen<'_>) -> Option<Miss<'s>> {
        let failed: Vec<&Condition> =
            entry.stub.conditions.iter().filter(|condition| !condition.holds(seen)).collect();
        let mut others: Vec<(f64, String)> = Vec::new();
        if !entry.stub.suits(facts.asked) {
            others.push((0.2, Stub::unsuited(facts.asked).to_owned()));
        }
        let state = self.state(&entry.stub.scenario);
        if let Some(wanted) = entry.stub.when_state.as_deref().filter(|wanted| *wanted != state) {
            others.push((0.7, format!("wanted state {wanted:?}, this is {state:?}")));
        }
        if !entry.is_left(facts) {
            let used = entry.used(facts);
            let times = if used == 1 { "time" } else { "times" };
            others.push((0.8, format!("has answered {used} {times}, which is all it does")));
        }
        (!failed.is_empty() || !others.is_empty()).then_some(Miss { entry, failed, others })
    }
}

/// A stub that does not match, and why.
struct Miss<'s> {
    entry: &'s Entry,
    failed: Vec<&'s Condition>,
    /// What is no condition on the request: how near it came, and the words for it.
    others: Vec<(f64, String)>,
}

impl Miss<'_> {
    /// How far the request is from the stub.
    fn distance(&self, nearness: impl Fn(&Condition) -> f64) -> f64 {
        let failed = self.failed.iter().map(|condition| 1.0 - nearness(condition));
        failed.chain(self.others.iter().map(|(near, _)| 1.0 - near)).sum()
    }

    /// The distance, and the differences for people.
    fn told(self, seen: &Seen<'_>) -> (f64, String) {
        let failed = self.failed.iter().map(|condition| condition.difference(seen));
        let differences: Vec<(f64, String)> = failed.chain(self.others).collect();
        let distance = differences.iter().map(|(near, _)| 1.0 - near).sum();
        let texts: Vec<String> = differences.into_iter().map(|(_, text)| text).collect();
        (distance, format!("{} {}", self.entry.shown(), texts.join("; ")))
    }
}

impl Stub {
    fn state_holds(&self, state: &str) -> bool {
        self.when_state.as_deref().is_none_or(|wanted| wanted == state)
    }

    fn holds(&self, seen: &Seen<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(seen)) && self.suits(seen.asked)
    }

    /// Whether its answers can answer such a request. What asks nothing of a model is only for
    /// stubs that name the route.
    fn suits(&self, asked: &Asked) -> bool {
        let named =
            self.conditions.iter().any(|condition| matches!(condition, Condition::Route(_)));
        (named || !matches!(asked, Asked::Done(_)))
            && self.answers.iter().all(|then| then.answer.suits(asked))
    }

    fn unsuited(asked: &Asked) -> &'static str {
        match asked {
            Asked::Text(_) => "answers vectors, the request asks for text",
            Asked::Vectors(_) => "answers text, the request asks for vectors",
            Asked::Done(_) => "names no route, and the request asks nothing of a model",
        }
    }

    /// Models that it names, as they are spelt there; patterns are none.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Model(model) if !model.contains(['*', '?']) => Some(model.as_str()),
            _ => None,
        })
    }
}

impl Entry {
    /// `stub 3`, or `stub 3 (weather)`.
    fn shown(&self) -> String {
        match &self.stub.name {
            Some(name) => format!("stub {} ({name})", self.id),
            None => format!("stub {}", self.id),
        }
    }

    /// How often it has answered, of what it counts.
    fn used(&self, facts: &Facts<'_>) -> u64 {
        match self.stub.counting {
            Counting::Stub => self.matched,
            Counting::Request => self.by_request.get(&facts.identity).copied().unwrap_or(0),
        }
    }

    /// Whether it may answer once more.
    fn is_left(&self, facts: &Facts<'_>) -> bool {
        let used = self.used(facts);
        let answers = self.stub.answers.len() as u64;
        self.stub.times.is_none_or(|times| used < times)
            && (self.stub.exhausted != Exhausted::Fallthrough || answers <= 1 || used < answers)
    }

    fn count(&mut self, facts: &Facts<'_>) {
        self.matched += 1;
        let has_room = self.by_request.len() < REQUESTS_MAX;
        let is_told_apart = has_room || self.by_request.contains_key(&facts.identity);
        if self.stub.counting == Counting::Request && is_told_apart {
            *self.by_request.entry(facts.identity).or_insert(0) += 1;
        }
    }

    /// The `n`-th answer (from 1).
    fn matched_as(&self, facts: &Facts<'_>, n: u64) -> Matched {
        let stub = &self.stub;
        let named = self.shown();
        let count = stub.answers.len().max(1);
        let index = usize::try_from(n - 1).unwrap_or(usize::MAX);
        let index = match stub.exhausted {
            Exhausted::Cycle => index % count,
            Exhausted::Error if count > 1 => index,
            _ => index.min(count - 1),
        };
        let (action, headers, timing, faults) = match stub.answers.get(index) {
            Some(then) => (
                then.answer.action(facts, n, &named),
                then.headers.clone(),
                then.timing.over(&stub.timing),
                if then.faults.is_empty() { stub.faults.clone() } else { then.faults.clone() },
            ),
            None if stub.answers.is_empty() => {
                (Action::Auto, Vec::new(), stub.timing.clone(), stub.faults.clone())
            }
            None => {
                let message = format!("{named}: its {count} replies are used up");
                (
                    Action::Refuse(Refusal::new(500, message)),
                    Vec::new(),
                    stub.timing.clone(),
                    stub.faults.clone(),
                )
            }
        };
        let name = stub.name.clone().unwrap_or(named);
        Matched { id: self.id, name, action, headers, timing, faults }
    }
}
