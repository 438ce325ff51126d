//! Maps and lists of primitives.

use serde_json::{Map, Value};

use super::generate::{Generate, LENGTH_MAX, sizes};
use super::invalid::{Checked, Invalid, of_kind};
use super::primitives::{LETTERS, checked};
use super::source::Stream;
use crate::testkit::nodes::Violation;
use crate::testkit::nodes::field::Kind;

checked! {
    Maps => |_this| Kind::Map;
    Lists => |this| Kind::List(this.length.0, this.items.kind());
}

/// What lists hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// Texts of eight letters.
    String,
    /// Whole numbers from 0 to 1,000.
    Integer,
    /// Numbers from 0 to 1.
    Float,
    /// True or false.
    Boolean,
    /// Any of those, drawn for each item.
    Mixed,
}

impl ItemKind {
    /// What a field of such items holds.
    const fn kind(self) -> &'static Kind {
        match self {
            Self::String => &Kind::Text,
            Self::Integer => &Kind::Integer(0, 1_000),
            Self::Float => &Kind::Number(0.0, 1.0),
            Self::Boolean => &Kind::Boolean,
            Self::Mixed => &Kind::Any,
        }
    }

    fn item(self, stream: &mut Stream) -> Value {
        match self {
            Self::String => stream.text(LETTERS, 8).into(),
            Self::Integer => stream.integer(0, 1_000).into(),
            Self::Float => stream.uniform().into(),
            Self::Boolean => stream.chance(0.5).into(),
            Self::Mixed => match stream.below(4) {
                0 => Self::String.item(stream),
                1 => Self::Integer.item(stream),
                2 => Self::Float.item(stream),
                _ => Self::Boolean.item(stream),
            },
        }
    }
}

/// Objects with texts, numbers and truths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maps {
    keys: Vec<String>,
}

impl Default for Maps {
    /// The keys `key0` to `key4`.
    fn default() -> Self {
        Self { keys: (0..5).map(|at| format!("key{at}")).collect() }
    }
}

impl Maps {
    /// The keys `key0` to `key4`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These keys.
    #[must_use]
    pub fn keys(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect() }
    }
}

impl Generate for Maps {
    type Output = Map<String, Value>;
    const KIND: &'static str = "map";

    fn generate(&self, stream: &mut Stream) -> Map<String, Value> {
        self.keys.iter().map(|key| (key.clone(), ItemKind::Mixed.item(stream))).collect()
    }
}

/// Lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    length: (usize, usize),
    items: ItemKind,
}

impl Default for Lists {
    /// Five texts.
    fn default() -> Self {
        Self { length: (5, 5), items: ItemKind::String }
    }
}

impl Lists {
    /// Five texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many items, both ends included, at most [`LENGTH_MAX`].
    #[must_use]
    pub fn length(mut self, least: usize, greatest: usize) -> Self {
        self.length = sizes(least, greatest, LENGTH_MAX);
        self
    }

    /// Items of this kind.
    #[must_use]
    pub fn of(mut self, items: ItemKind) -> Self {
        self.items = items;
        self
    }
}

impl Generate for Lists {
    type Output = Vec<Value>;
    const KIND: &'static str = "list";

    fn generate(&self, stream: &mut Stream) -> Vec<Value> {
        (0..stream.size(self.length)).map(|_| self.items.item(stream)).collect()
    }
}
