//! The list as code that a team reviews: `quarantine.toml`, or the policy's plan where there is
//! none.
//!
//! [`parse()`] reads the text of the file, [`List::cover`] says what the list makes of one test,
//! [`edit()`] changes the text. All are pure.

mod cover;
mod edit;
mod glob;
mod model;
mod parse;
mod past;

pub use cover::Cover;
pub use edit::{Edit, edit, entry_text, render};
pub use glob::Pattern;
pub use model::{Entry, List, Rule, Target};
pub use parse::{ListError, parse};
pub use past::{Happening, ListEvent, events};

/// The name of the list's file; it stands beside `flakedb.toml`.
pub const FILE_NAME: &str = "quarantine.toml";
