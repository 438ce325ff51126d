//! TOML: the list as a `quarantine.toml` to start from.

use super::request::Request;
use super::{EmitEntry, Emitted, Format};

pub(super) const FORMAT: Format = Format {
    name: "toml",
    aliases: &[],
    summary: "a quarantine.toml to start from",
    usage: "flakedb quarantine --emit toml -o quarantine.toml",
    producers: &[],
    emit,
    only: None,
};

fn emit(request: &Request<'_>) -> Emitted {
    let tables: Vec<String> = request.entries.iter().map(|entry| table(entry)).collect();
    Emitted { text: tables.join("\n"), notes: Vec::new() }
}

fn table(entry: &EmitEntry) -> String {
    let mut out = String::from("[[entry]]\n");
    let mut line = |key: &str, value: String| out.push_str(&format!("{key} = {value}\n"));
    line("test", string(&entry.test.label));
    if !entry.variant.is_empty() {
        line("variant", string(&entry.variant));
    }
    if let Some(owner) = &entry.owner {
        line("owner", string(owner));
    }
    if !entry.reason.is_empty() {
        line("reason", string(&entry.reason));
    }
    if let Some(since) = entry.since {
        line("since", since.to_date());
    }
    if let Some(expires) = entry.expires {
        line("expires", expires.to_date());
    }
    out
}

/// A basic string on one line.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
