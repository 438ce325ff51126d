//! pytest, exactly: a plugin file that removes the listed node ids and nothing else.

use super::pytest::node_id;
use super::{Emitted, Format, Request};

pub(super) const FORMAT: Format = Format {
    name: "pytest-plugin",
    summary: "a plugin file that removes exactly the listed tests (any pytest since 6)",
    usage: "write it to flakedb_quarantine.py, then: python -m pytest -p flakedb_quarantine",
    producers: &["pytest"],
    emit,
};

const HEAD: &str = "\
# Written by `flakedb quarantine --emit pytest-plugin`.
# Use: python -m pytest -p flakedb_quarantine
";

const BODY: &str = "

def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if item.nodeid in QUARANTINED]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item.nodeid not in QUARANTINED]
";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let ids = request.express(node_id, &mut emitted.notes);
    emitted.text.push_str(HEAD);
    // `{}` would be a dictionary; `set([...])` reads the same for none and many.
    emitted.text.push_str("QUARANTINED = set([\n");
    for id in ids.keys() {
        emitted.text.push_str(&format!("    {},\n", string_literal(id)));
    }
    emitted.text.push_str("])\n");
    emitted.text.push_str(BODY);
    emitted
}

/// A Python string literal; node ids have no control characters.
fn string_literal(text: &str) -> String {
    format!("\"{}\"", super::regex_text::escape(text, "\\\""))
}
