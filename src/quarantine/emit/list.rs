//! Plain list: one test for each line, as it is printed and typed.

use super::request::{Request, printable};
use super::{Emitted, Format};

pub(super) const FORMAT: Format = Format {
    name: "list",
    aliases: &["plain"],
    summary: "one test for each line",
    usage: "flakedb quarantine --emit list",
    producers: &[],
    emit,
    only: None,
};

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    for entry in &request.entries {
        let label = &entry.test.label;
        if label.chars().any(char::is_control) {
            emitted.notes.push(format!(
                "left out `{}`: its name has a control character; use the json format",
                printable(label)
            ));
            continue;
        }
        emitted.text.push_str(label);
        if !entry.variant.is_empty() {
            emitted.text.push_str(&format!(" [{}]", entry.variant));
        }
        emitted.text.push('\n');
    }
    emitted
}
