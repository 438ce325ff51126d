//! Every kind of data that can be ordered by name: a table.

mod ci;
mod nodes;
mod plain;
mod responses;

use serde::Serialize;

use super::invalid::Checked;
use super::order::{Format, GeneratedFile, Order, OrderError, Sink, items};
use super::{
    Alphanumerics, Booleans, Chats, Contexts, Conversations, Emails, Embeddings, Floats, Graphs,
    HostileTexts, Integers, Lists, Maps, Messages, Nodes, ResponseStreams, Responses, Strings,
    Timestamps, Urls,
};

type MakeFiles = fn(&Order) -> Result<Vec<GeneratedFile>, OrderError>;

/// A kind of data.
#[derive(Debug)]
pub struct Kind {
    /// The name under which it is ordered.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The formats that it is written in; the first is the usual one.
    pub formats: &'static [Format],
    /// What else it can be told.
    pub settings: &'static [Setting],
    /// True where there are invalid variants of it.
    pub has_invalid: bool,
    /// Looks at the settings of an order.
    pub(super) check: fn(&Order) -> Result<(), OrderError>,
    /// Writes the items of an order.
    pub(super) items: fn(&Order, &mut Sink<'_>) -> Result<(), OrderError>,
    /// Makes the files of an order in JUnit XML.
    pub(super) files: Option<MakeFiles>,
}

/// Something that a kind can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The name.
    pub name: &'static str,
    /// What it sets, in one line.
    pub about: &'static str,
    /// The value where it is not said.
    pub default: &'static str,
}

/// A setting.
const fn setting(name: &'static str, about: &'static str, default: &'static str) -> Setting {
    Setting { name, about, default }
}

/// All kinds, in the order in which they are listed.
pub const KINDS: &[Kind] = &[
    Kind::of::<Messages>(),
    Kind::of::<Nodes>(),
    Kind::of::<Graphs>(),
    Kind::of::<Contexts>(),
    Kind::of::<Responses>(),
    Kind::of::<ResponseStreams>(),
    Kind::of::<Chats>(),
    Kind::of::<Conversations>(),
    Kind::of::<Embeddings>(),
    ci::REPORT,
    ci::HISTORY,
    Kind::of::<Strings>(),
    Kind::of::<HostileTexts>(),
    Kind::of::<Alphanumerics>(),
    Kind::of::<Integers>(),
    Kind::of::<Floats>(),
    Kind::of::<Booleans>(),
    Kind::of::<Timestamps>(),
    Kind::of::<Emails>(),
    Kind::of::<Urls>(),
    Kind::of::<Maps>(),
    Kind::of::<Lists>(),
];

/// A generator that can be ordered by name.
trait Ordered: Checked + Sized {
    /// What it makes, in one line.
    const ABOUT: &'static str;
    /// What it can be told.
    const SETTINGS: &'static [Setting] = &[];

    /// The generator that an order asks for.
    fn ordered(order: &Order) -> Result<Self, OrderError>;
}

impl Kind {
    const LINES: &'static [Format] = &[Format::Json, Format::Jsonl];

    /// The kind of a generator.
    const fn of<G: Ordered>() -> Self {
        Self {
            name: G::KIND,
            about: G::ABOUT,
            formats: Self::LINES,
            settings: G::SETTINGS,
            has_invalid: true,
            check: |order| G::ordered(order).map(drop),
            items: |order, sink| {
                let generator = G::ordered(order)?;
                if !order.wants_invalid() {
                    return items(&generator, order, sink);
                }
                let mut source = order.source();
                for _ in 0..order.items() {
                    for invalid in generator.invalid(&mut source) {
                        sink.item(&invalid)?;
                    }
                }
                Ok(())
            },
            files: None,
        }
    }
}

#[cfg(test)]
mod tests;
