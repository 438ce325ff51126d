//! Registries under contract.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clause::{Check, Clause, Finding, Scope, Stop, broken};
use super::subject::id_without;
use crate::testkit::nodes::{Node, NodeDefinition, NodeError, NodeType, Registry};

/// What the suite must know of a registry.
pub trait RegistryFixture: Send + Sync + 'static {
    /// A new registry, as the application makes it.
    fn registry(&self) -> Registry;

    /// The types that it must know.
    fn expected(&self) -> Vec<NodeType> {
        NodeType::BUILT_IN.to_vec()
    }

    /// Settings with which a node of the type can be made.
    fn config(&self, node_type: &NodeType) -> Value;
}

/// A node that a registry made, as the clauses see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its type, as it says.
    pub node_type: NodeType,
    /// Its text for people.
    pub text: String,
    /// What is behind it: two types for which this is the same are one under two names. For a
    /// registry of this crate the Rust type and the settings that it takes.
    pub implementation: String,
}

impl Made {
    fn of(node: &dyn Node) -> Self {
        let settings: Vec<&str> = node.shape().fields.iter().map(|field| field.name).collect();
        Self {
            node_type: node.node_type().clone(),
            text: format!("{node:?}"),
            implementation: format!("{} ({})", node.implementation(), settings.join(", ")),
        }
    }
}

/// A registry under contract, as the clauses see it.
pub trait RegistrySubject {
    /// Its types, in its order.
    fn types(&self) -> Vec<NodeType>;

    /// Makes a node.
    ///
    /// # Errors
    /// Why not, as people read it.
    fn create(&self, definition: &NodeDefinition) -> Result<Made, String>;

    /// Registers a type anew, with a factory that refuses everything.
    ///
    /// # Errors
    /// Why not, as people read it.
    fn register(&mut self, node_type: NodeType) -> Result<(), String>;

    /// Puts a factory that refuses everything in the place of another, on purpose.
    fn replace(&mut self, node_type: NodeType);
}

impl RegistrySubject for Registry {
    fn types(&self) -> Vec<NodeType> {
        Self::types(self).cloned().collect()
    }

    fn create(&self, definition: &NodeDefinition) -> Result<Made, String> {
        match Self::create(self, definition) {
            Ok(node) => Ok(Made::of(&*node)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn register(&mut self, node_type: NodeType) -> Result<(), String> {
        Self::register(self, node_type, |definition, _| Err(refused(definition)))
            .map_err(|error| error.to_string())
    }

    fn replace(&mut self, node_type: NodeType) {
        Self::replace(self, node_type, |definition, _| Err(refused(definition)));
    }
}

fn refused(definition: &NodeDefinition) -> NodeError {
    NodeError::Invalid { id: definition.id.clone(), violations: Vec::new() }
}

/// What a check of a registry is given.
pub(crate) struct RegistryTrial<'a> {
    /// Makes the registry anew.
    pub(crate) make: &'a dyn Fn() -> Box<dyn RegistrySubject>,
    pub(crate) expected: Vec<NodeType>,
    pub(crate) config: &'a dyn Fn(&NodeType) -> Value,
}

impl RegistryTrial<'_> {
    fn definition(&self, node_type: &NodeType) -> NodeDefinition {
        NodeDefinition::new(id_without(node_type), node_type.clone())
            .config((self.config)(node_type))
    }

    fn known(&self) -> Result<NodeType, Stop> {
        let types = (self.make)().types();
        let nothing = || Stop::NotExercised("the registry knows no type".to_owned());
        types.into_iter().next().ok_or_else(nothing)
    }
}

fn unknown() -> NodeType {
    NodeType::Custom("contract.no_such_type".to_owned())
}

fn all_registered(trial: &RegistryTrial<'_>) -> Finding {
    let types = (trial.make)().types();
    match trial.expected.iter().find(|wanted| !types.contains(wanted)) {
        Some(wanted) => broken!("`{wanted}` is not registered"),
        None if trial.expected.is_empty() => {
            Err(Stop::NotExercised("the fixture expects no type".to_owned()))
        }
        None => Ok(format!("types: {}, all registered", trial.expected.len())),
    }
}

fn makes_nodes(trial: &RegistryTrial<'_>) -> Finding {
    let registry = (trial.make)();
    let types = registry.types();
    for node_type in &types {
        let made = create(trial, &*registry, node_type)?.node_type;
        if made != *node_type {
            broken!("asked for `{node_type}`, the registry made a `{made}`");
        }
    }
    match types.is_empty() {
        true => Err(Stop::NotExercised("the registry knows no type".to_owned())),
        false => Ok(format!("types: {}, a node of each", types.len())),
    }
}

fn create(
    trial: &RegistryTrial<'_>,
    registry: &dyn RegistrySubject,
    node_type: &NodeType,
) -> Result<Made, Stop> {
    registry
        .create(&trial.definition(node_type))
        .map_err(|error| Stop::Fail(format!("no node of type `{node_type}`: {error}")))
}

fn types_differ(trial: &RegistryTrial<'_>) -> Finding {
    let registry = (trial.make)();
    let types = registry.types();
    let mut seen: BTreeMap<String, &NodeType> = BTreeMap::new();
    for (at, one) in types.iter().enumerate() {
        let Made { text, implementation, .. } = create(trial, &*registry, one)?;
        // The id does not hold the type, so only the type itself can.
        if !text.contains(one.as_str()) {
            broken!("a `{one}` calls itself {text}");
        }
        if let Some(other) = seen.get(&implementation).filter(|other| **other != one) {
            broken!("`{other}` and `{one}` have one implementation: {implementation}");
        }
        seen.insert(implementation, one);
        if types.iter().skip(at + 1).any(|other| other == one) {
            broken!("`{one}` is listed twice");
        }
    }
    match types.len() {
        0 | 1 => Err(Stop::NotExercised("there are no two types to tell apart".to_owned())),
        count => Ok(format!("{count} types, each its own")),
    }
}

fn second_registration(trial: &RegistryTrial<'_>) -> Finding {
    let known = trial.known()?;
    let mut registry = (trial.make)();
    match registry.register(known.clone()) {
        Ok(()) => broken!("`{known}` was registered a second time, silently"),
        Err(error) if error.contains(known.as_str()) => {
            create(trial, &*registry, &known)?;
            Ok(error)
        }
        Err(error) => broken!("the error does not name `{known}`: {error}"),
    }
}

fn unknown_type(trial: &RegistryTrial<'_>) -> Finding {
    let registry = (trial.make)();
    match registry.create(&NodeDefinition::new("test.unknown", unknown())) {
        Ok(made) => {
            broken!("a node of a type that nobody registered is a `{}`", made.node_type)
        }
        Err(error) => {
            let types = registry.types();
            let mut names = types.iter().map(NodeType::as_str).chain([unknown_name()]);
            match names.find(|name| !error.contains(name)) {
                Some(name) => broken!("the error does not name `{name}`: {error}"),
                None => Ok(error),
            }
        }
    }
}

const fn unknown_name() -> &'static str {
    "contract.no_such_type"
}

fn sorted(trial: &RegistryTrial<'_>) -> Finding {
    let types = (trial.make)().types();
    match types.is_sorted() {
        true => Ok(types.iter().map(NodeType::as_str).collect::<Vec<_>>().join(", ")),
        false => broken!("the types are not sorted by their text: {types:?}"),
    }
}

fn apart(trial: &RegistryTrial<'_>) -> Finding {
    let mut one = (trial.make)();
    if let Err(error) = one.register(unknown()) {
        broken!("a new type cannot be registered: {error}");
    }
    match (trial.make)().types().contains(&unknown()) {
        true => broken!("what is registered in one registry shows in another"),
        false => Ok("two registries share nothing".to_owned()),
    }
}

fn replaces_on_purpose(trial: &RegistryTrial<'_>) -> Finding {
    let known = trial.known()?;
    let mut registry = (trial.make)();
    registry.replace(known.clone());
    match registry.create(&trial.definition(&known)) {
        Ok(_) => broken!("after `replace`, `{known}` is still made by the old factory"),
        Err(_) => Ok(format!("`{known}` is made by the new factory")),
    }
}

macro_rules! registry_clauses {
    ($($id:literal $name:ident, $promise:literal, $reason:literal, $violation:literal;)+) => {
        /// What registries promise.
        pub(super) static REGISTRY_CLAUSES: &[Clause] = &[$(Clause {
            id: $id,
            name: stringify!($name),
            promise: $promise,
            reason: $reason,
            violation: $violation,
            scope: Scope::Registries,
            check: Check::Registry($name),
        },)+];
    };
}

registry_clauses! {
    "RC-01" all_registered,
        "Every expected type is registered.",
        "A type that is missing shows only when a graph with it is loaded.",
        "`timeout` was forgotten.";
    "RC-02" makes_nodes,
        "A node made of a type is of that type.",
        "Two names that were swapped are found nowhere else.",
        "`gate` makes a router.";
    "RC-03" types_differ,
        "No type serves for another: each is listed once, has an implementation or settings of its own, \
         and its nodes call themselves by it.",
        "Two types with one implementation are one type under two names.",
        "`exit` is registered with the factory of `entry`.";
    "RC-04" second_registration,
        "A second registration of a type is an error that names it, and changes nothing.",
        "Which of the two wins would depend on the order of imports.",
        "The second factory takes the place of the first, silently.";
    "RC-05" unknown_type,
        "The error for an unknown type names it and all that are known.",
        "It is most often a slip of the hand.",
        "`KeyError`.";
    "RC-06" sorted,
        "Types are listed in the order of their text.",
        "Listings are compared and shown.",
        "They come in the order of a hash.";
    "RC-07" apart,
        "Two registries share nothing.",
        "A registry of the process makes one test depend on another.",
        "Types are kept in a global.";
    "RC-08" replaces_on_purpose,
        "A type can be replaced by saying so.",
        "Tests put a fake in the place of the real one.",
        "`replace` keeps the old factory.";
}
