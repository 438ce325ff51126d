//! Changes to the text of `quarantine.toml`: what is not changed stays byte for byte.
//!
//! The document's own spans say where entries stand; the text is cut and pasted there, so that
//! comments, order and spacing are the reviewer's.

use std::ops::Range;

use chrono::NaiveDate;
use toml_edit::{Document, Item, Table, Value};

use super::model::{Entry, List, Rule};
use super::parse::{ListError, parse};

/// What a new file starts with.
pub(super) const HEADER: &str = "\
# Tests whose failures must not block a merge: code, reviewed like code.
# `flakedb quarantine update` proposes changes; comments and order are kept.
";

/// One change to the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Adds an entry, where [`List::place_for`] says.
    Add(Entry),
    /// Gives the entry at a place another end, and other numbers where there are any.
    Extend {
        /// The place of the entry in the list.
        at: usize,
        /// The new end.
        expires: NaiveDate,
        /// The new numbers.
        evidence: Option<String>,
    },
    /// Removes the entry at a place, with the comment above it.
    Remove(usize),
}

/// The text with all changes; places are those of the list before any.
///
/// # Errors
/// Where the text is no list.
///
/// ```
/// use flakedb::quarantine::list::{Edit, Entry, Target, edit};
/// let entry = Entry::new(Target::Test("cart::test_add".into()));
/// let text = edit("", &[Edit::Add(entry)]).unwrap();
/// assert!(text.ends_with("\n\n[[entry]]\ntest = \"cart::test_add\"\n"));
/// ```
pub fn edit(text: &str, edits: &[Edit]) -> Result<String, ListError> {
    let mut list = parse(text)?;
    let mut text = if text.trim().is_empty() { HEADER.to_owned() } else { text.to_owned() };
    for change in edits {
        if let Edit::Extend { at, expires, evidence } = change {
            text = extend(&text, *at, *expires, evidence.as_deref());
        }
    }
    let mut removed: Vec<usize> = edits
        .iter()
        .filter_map(|edit| if let Edit::Remove(at) = edit { Some(*at) } else { None })
        .collect();
    removed.sort_unstable();
    removed.dedup();
    let count = list.entries.len();
    for at in removed.into_iter().rev().filter(|at| *at < count) {
        text = remove(&text, at);
        list.entries.remove(at);
    }
    for change in edits {
        if let Edit::Add(entry) = change {
            let at = list.place_for(entry);
            text = insert(&text, at, &list, entry);
            list.entries.insert(at, entry.clone());
        }
    }
    // Nobody gets a file that does not say what was meant.
    parse(&text)?;
    Ok(text)
}

/// The text of a list that has no file yet.
#[must_use]
pub fn render(list: &List) -> String {
    let mut blocks = vec![HEADER.to_owned()];
    blocks.extend(list.entries.iter().map(entry_text));
    blocks.extend(list.always.iter().map(|rule| rule_text("always", rule)));
    blocks.extend(list.never.iter().map(|rule| rule_text("never", rule)));
    blocks.join("\n")
}

/// An entry as it stands in the file, keys in the order of the documentation.
#[must_use]
pub fn entry_text(entry: &Entry) -> String {
    let mut text =
        format!("[[entry]]\n{} = {}\n", entry.target.key(), quoted(entry.target.as_str()));
    let variant = (!entry.variant.is_empty()).then(|| entry.variant.to_string());
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!("{key} = {value}\n");
        }
    };
    let filled = |value: &Option<String>| value.as_deref().map(quoted);
    line("variant", filled(&variant));
    line("owner", filled(&entry.owner));
    line("reason", filled(&entry.reason));
    line("ticket", filled(&entry.ticket));
    line("since", entry.since.map(|day| day.to_string()));
    line("expires", entry.expires.map(|day| day.to_string()));
    line("fixed", filled(&entry.fixed));
    line("evidence", filled(&entry.evidence));
    text
}

fn rule_text(section: &str, rule: &Rule) -> String {
    let (key, target) = (rule.target.key(), quoted(rule.target.as_str()));
    format!("[[{section}]]\n{key} = {target}\nreason = {}\n", quoted(&rule.reason))
}

/// A text as TOML writes it, on one line.
fn quoted(text: &str) -> String {
    let written = Value::from(text).to_string();
    match written.contains('\n') {
        false => written.trim().to_owned(),
        // Values of several lines are hard to review.
        true => format!("\"{}\"", escaped(text)),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

/// Where a table of the file stands.
struct Block {
    /// From the comment right above it, or its header.
    start: usize,
    /// To the end of the line of its last value.
    end: usize,
}

/// Where all tables stand, in the order of the text, entries with their place.
fn blocks(text: &str) -> Vec<(Option<usize>, Block)> {
    let Ok(document) = Document::parse(text) else { return Vec::new() };
    let mut found = Vec::new();
    for (section, item) in document.as_table() {
        let Item::ArrayOfTables(tables) = item else { continue };
        for (place, table) in tables.iter().enumerate() {
            let place = (section == "entry").then_some(place);
            found.extend(block(text, table).map(|block| (place, block)));
        }
    }
    found.sort_by_key(|(_, block)| block.start);
    found
}

fn block(text: &str, table: &Table) -> Option<Block> {
    let header = table.span()?;
    let values = table.iter().filter_map(|(_, item)| item.span());
    let last = values.map(|span| span.end).max().unwrap_or(0).max(header.end.min(text.len()));
    let end = line_end(text, last.max(header.start));
    let mut start = line_start(text, header.start);
    while let Some(above) = line_above(text, start) {
        if !text.get(above..start)?.trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    // What stands at the very top is about the file.
    if start == 0 && text.get(..header.start)?.contains('#') {
        start = line_start(text, header.start);
    }
    Some(Block { start, end })
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// Behind the newline that ends the line.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).and_then(|rest| rest.find('\n'));
    rest.map_or(text.len(), |newline| at + newline + 1)
}

/// The start of the line above the one that starts at `start`.
fn line_above(text: &str, start: usize) -> Option<usize> {
    (start > 0).then(|| line_start(text, start - 1))
}

fn block_of(text: &str, at: usize) -> Option<Block> {
    blocks(text).into_iter().find(|(place, _)| *place == Some(at)).map(|(_, block)| block)
}

fn remove(text: &str, at: usize) -> String {
    let Some(Block { start, end }) = block_of(text, at) else { return text.to_owned() };
    let before = text.get(..start).unwrap_or("");
    let mut after = text.get(end..).unwrap_or("");
    // The blank lines below go along: those above set apart what follows now.
    if before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n") {
        while let Some((blank, rest)) = after.split_once('\n') {
            if !blank.trim().is_empty() {
                break;
            }
            after = rest;
        }
    }
    match after.is_empty() {
        true => with_newline(before.trim_end()),
        false => format!("{before}{after}"),
    }
}

fn with_newline(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// Puts an entry at a place, one blank line around it.
fn insert(text: &str, at: usize, list: &List, entry: &Entry) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let new = entry_text(entry).replace('\n', newline);
    let place = match at.checked_sub(1) {
        Some(before) => block_of(text, before).map(|block| block.end),
        None if list.entries.is_empty() => None,
        None => block_of(text, 0).map(|block| block.start),
    };
    let (before, after) = text.split_at_checked(place.unwrap_or(text.len())).unwrap_or((text, ""));
    let before = before.trim_end();
    let after = after.trim_start_matches(['\r', '\n']);
    let mut out = String::with_capacity(text.len() + new.len() + 4);
    if !before.is_empty() {
        out += before;
        out += newline;
        out += newline;
    }
    out += &new;
    if !after.is_empty() {
        out += newline;
        out += after;
    }
    out
}

fn extend(text: &str, at: usize, expires: NaiveDate, evidence: Option<&str>) -> String {
    let text = set(text, at, "expires", &expires.to_string());
    match evidence {
        Some(evidence) => set(&text, at, "evidence", &quoted(evidence)),
        None => text,
    }
}

/// Sets one key of an entry: its value alone where it is there, else a line of its own.
fn set(text: &str, at: usize, key: &str, value: &str) -> String {
    let Ok(document) = Document::parse(text) else { return text.to_owned() };
    let tables = document.as_table().get("entry").and_then(Item::as_array_of_tables);
    let Some(table) = tables.and_then(|tables| tables.get(at)) else { return text.to_owned() };
    let span = table.get(key).and_then(Item::span);
    let replaced = |Range { start, end }: Range<usize>, new: &str| {
        let (before, after) = (text.get(..start)?, text.get(end..)?);
        Some(format!("{before}{new}{after}"))
    };
    let changed = match (span, block(text, table)) {
        (Some(span), _) => replaced(span, value),
        (None, Some(Block { end, .. })) => {
            let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let ended = text.get(..end).is_some_and(|before| before.ends_with('\n'));
            let first = if ended { "" } else { newline };
            replaced(end..end, &format!("{first}{key} = {value}{newline}"))
        }
        (None, None) => None,
    };
    changed.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests;
