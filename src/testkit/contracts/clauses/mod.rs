//! The clauses: every promise with its id, its reason and an example of breaking it.

mod conduct;
mod counting;
mod making;
mod ranges;
mod results;
mod table;
mod types;

use super::clause::{Clause, Scope};
use super::registry::REGISTRY_CLAUSES;
use crate::testkit::nodes::NodeType;

/// Every clause, by id: those of all nodes, of types, of registries.
pub fn clauses() -> impl Iterator<Item = &'static Clause> {
    table::NODE_CLAUSES
        .iter()
        .chain(table::ADDED_CLAUSES)
        .chain(table::TYPE_CLAUSES)
        .chain(REGISTRY_CLAUSES)
}

/// The clauses that bind nodes of a type.
pub fn clauses_of(node_type: &NodeType) -> impl Iterator<Item = &'static Clause> {
    clauses().filter(move |clause| match clause.scope {
        Scope::Nodes => true,
        Scope::Type(name) => name == node_type.as_str(),
        Scope::Registries => false,
    })
}

/// The clause of an id, `NC-10`, or of a name, `source_node`.
#[must_use]
pub fn clause(id_or_name: &str) -> Option<&'static Clause> {
    clauses().find(|clause| clause.id == id_or_name || clause.name == id_or_name)
}
