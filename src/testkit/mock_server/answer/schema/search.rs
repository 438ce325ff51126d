//! The search through what a schema leaves open (`anyOf`, `oneOf`, `if`), best first. It goes
//! without recursion, however many keywords and choices there are.

use std::cmp::Reverse;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::{Builder, Place, mention, mentions_reference, merge, work};

/// So often a reference may lead back into itself on one way down.
const REPEATS_MAX: usize = 3;
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords that are not merged: the search follows them, or they say nothing about a value.
const UNMERGED: [&str; 17] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
    "$defs",
    "definitions",
    "$schema",
    "$id",
    "title",
    "description",
];

/// A state of the search: what is merged, and what is still to be.
#[derive(Clone, Default)]
pub(super) struct State<'s> {
    pub(super) keys: Rc<Map<String, Value>>,
    /// The references followed from the root.
    pub(super) refs: Vec<Rc<str>>,
    /// The next is the last.
    pending: Vec<Pending<'s>>,
}

#[derive(Clone, Copy)]
enum Pending<'s> {
    Schema(&'s Value),
    /// A schema whose references are followed.
    Rest(&'s Map<String, Value>),
    /// One of these.
    AnyOf(&'s [Value]),
    /// `if` with `then`, or `else`.
    If(&'s Map<String, Value>),
}

/// The ways that a choice can go.
type Ways<'s> = Vec<Vec<Pending<'s>>>;

/// Where the search goes on when a way led nowhere.
struct Choice<'s> {
    state: State<'s>,
    ways: std::vec::IntoIter<Vec<Pending<'s>>>,
}

/// What came of one step.
enum Step<'s> {
    Merged,
    Nothing,
    Open(Ways<'s>),
}

impl Builder<'_> {
    /// Merges what is pending, choice by choice, until a value fits the schema.
    pub(super) fn solve(&self, schema: &Value, place: &Place) -> Option<Value> {
        let mut choices: Vec<Choice<'_>> = Vec::new();
        let mut state = State {
            pending: vec![Pending::Schema(schema)],
            refs: place.refs.clone(),
            ..State::default()
        };
        loop {
            self.work.spend(1)?;
            let step = match state.pending.pop() {
                Some(pending) => self.step(&mut state, pending),
                None => match self.leaf(&state, schema, place) {
                    Some(value) => return Some(value),
                    None => Step::Nothing,
                },
            };
            match step {
                Step::Merged => continue,
                Step::Nothing => {}
                Step::Open(ways) => {
                    let state = std::mem::take(&mut state);
                    choices.push(Choice { state, ways: ways.into_iter() });
                }
            }
            state = self.next(&mut choices)?;
        }
    }

    /// The next way that is not tried yet.
    fn next<'s>(&self, choices: &mut Vec<Choice<'s>>) -> Option<State<'s>> {
        loop {
            let choice = choices.last_mut()?;
            let Some(way) = choice.ways.next() else {
                choices.pop();
                continue;
            };
            self.work
                .spend(1 + (choice.state.pending.len() + choice.state.refs.len()) as u64 / 8)?;
            let mut state = choice.state.clone();
            state.pending.extend(way);
            return Some(state);
        }
    }

    fn step<'s>(&'s self, state: &mut State<'s>, pending: Pending<'s>) -> Step<'s> {
        let merged = match pending {
            Pending::Schema(Value::Bool(false)) => None,
            Pending::Schema(Value::Object(map)) => self.follow(state, map),
            Pending::Schema(_) => Some(()),
            Pending::Rest(map) => self.merge(state, map),
            Pending::AnyOf(options) => {
                let mut ranked = Vec::with_capacity(options.len());
                for option in options {
                    let Some(rank) = self.rank(option, &state.refs) else { return Step::Nothing };
                    ranked.push((rank, option));
                }
                ranked.sort_by_key(|(rank, _)| *rank);
                let ways = ranked.into_iter().map(|(_, option)| vec![Pending::Schema(option)]);
                return Step::Open(ways.collect());
            }
            Pending::If(map) => {
                let part = |key: &str| map.get(key).map(Pending::Schema);
                let holds = part("then").into_iter().chain(part("if")).collect();
                return Step::Open(vec![holds, part("else").into_iter().collect()]);
            }
        };
        merged.map_or(Step::Nothing, |()| Step::Merged)
    }

    /// Puts the targets of a schema's references before the rest of it.
    fn follow<'s>(&'s self, state: &mut State<'s>, map: &'s Map<String, Value>) -> Option<()> {
        state.pending.push(Pending::Rest(map));
        for key in REFERENCES.iter().rev() {
            let Some(Value::String(reference)) = map.get(*key) else { continue };
            self.work.spend(1 + state.refs.len() as u64 / 8)?;
            let repeats = state.refs.iter().filter(|known| ***known == **reference).count();
            if repeats >= REPEATS_MAX {
                return None;
            }
            state.pending.push(Pending::Schema(self.checker.resolve(reference)?));
            state.refs.push(Rc::from(reference.as_str()));
        }
        Some(())
    }

    /// Merges a schema's own keywords, and puts what it refers to on the list.
    fn merge<'s>(&self, state: &mut State<'s>, map: &'s Map<String, Value>) -> Option<()> {
        let plain = || map.iter().filter(|(key, _)| !UNMERGED.contains(&key.as_str()));
        self.work.spend(plain().map(|(_, value)| work::of(value)).sum())?;
        let own = plain().map(|(key, value)| (key.clone(), value.clone())).collect();
        self.join(state, own)?;
        if let Some(Value::Array(parts)) = map.get("allOf") {
            state.pending.extend(parts.iter().rev().map(Pending::Schema));
        }
        if map.contains_key("if") {
            state.pending.push(Pending::If(map));
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(Value::Array(options)) = map.get(key) {
                state.pending.push(Pending::AnyOf(options));
            }
        }
        for key in ["dependentSchemas", "dependencies"] {
            let Some(Value::Object(dependents)) = map.get(key) else { continue };
            for (name, dependent) in dependents {
                let declared = state.keys.get("properties").and_then(|all| all.get(name));
                match dependent {
                    _ if declared.is_none() => {}
                    Value::Array(names) => {
                        let required = Map::from_iter([("required".to_owned(), json!(names))]);
                        self.work.spend(work::of_map(&required))?;
                        self.join(state, required)?;
                    }
                    schema => state.pending.push(Pending::Schema(schema)),
                }
            }
        }
        Some(())
    }

    /// Adds keywords to those merged before; `None` where nothing can fit.
    fn join(&self, state: &mut State<'_>, own: Map<String, Value>) -> Option<()> {
        if state.keys.is_empty() && !own.contains_key("const") {
            state.keys = Rc::new(own);
            return Some(());
        }
        // These are compared each with each.
        let pairs = ["required", "enum"].iter().map(|key| {
            let length = |map: &Map<String, Value>| {
                map.get(*key).and_then(Value::as_array).map_or(0, Vec::len) as u64
            };
            length(&state.keys) * length(&own)
        });
        let shared = Rc::strong_count(&state.keys) > 1;
        let copied = if shared { work::of_map(&state.keys) } else { state.keys.len() as u64 };
        // Copied, and put together anew.
        self.work.spend(3 * copied + pairs.sum::<u64>() / 8)?;
        let keys = Rc::unwrap_or_clone(std::mem::take(&mut state.keys));
        state.keys = Rc::new(merge::merge(keys, own)?);
        Some(())
    }

    /// What goes in circles comes last, null late; what the text speaks of comes first.
    fn rank(&self, option: &Value, refs: &[Rc<str>]) -> Option<(bool, bool, Reverse<usize>)> {
        let target = option
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.checker.resolve(reference))
            .unwrap_or(option);
        // Only constants and titles are looked for in the text, about one value in four.
        let looks = work::of(target) * (1 + work::of_text(self.text) / 4);
        self.work.spend(looks + work::of(option) * (1 + refs.len() as u64 / 8))?;
        let circular = mentions_reference(option, refs);
        let null = option.get("type").is_some_and(|kind| kind == "null")
            || option.get("const").is_some_and(Value::is_null);
        Some((circular, null, Reverse(mention::constants(self.text, target))))
    }
}
