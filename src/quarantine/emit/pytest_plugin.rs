//! pytest, exactly: a plugin file that removes the listed node ids and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::pytest::node_id;
use super::request::{Purpose, Request};
use super::selected::{Place, Selected, SelectedFile, Selection};
use super::{Emitted, Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "pytest-plugin",
    aliases: &[],
    summary: "a plugin file that removes exactly the listed tests (any pytest since 6)",
    usage: "write it to flakedb_quarantine.py, then: python -m pytest -p flakedb_quarantine",
    producers: &["pytest"],
    emit,
    only: Some(ONLY),
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

/// Node ids on the command line add tests to the paths that stand there, so a plugin it is.
pub(super) const ONLY: Selection = Selection {
    make: only,
    place: Place::BeforeDashes,
    not_with: &[],
    usage: "write it to flakedb_only.py, then: python -m pytest -p flakedb_only",
};

const ONLY_HEAD: &str = "\
# Written by flakedb: runs only the listed tests.
# Use: python -m pytest -p flakedb_only
";

const ONLY_BODY: &str = "

def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if item.nodeid not in SELECTED]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item.nodeid in SELECTED]
";

/// One process, since several have no order. Whatever else orders the tests (fixtures, plugins)
/// comes first.
const ORDER_BODY: &str = "
PLACES = dict((nodeid, place) for place, nodeid in enumerate(SELECTED))


@pytest.hookimpl(hookwrapper=True)
def pytest_cmdline_main(config):
    if getattr(config.option, 'numprocesses', None):
        config.option.numprocesses = 0
        config.option.tx = []
        config.option.dist = 'no'
    yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if item.nodeid not in PLACES]
    if gone:
        config.hook.pytest_deselected(items=gone)
    chosen = [item for item in items if item.nodeid in PLACES]
    items[:] = sorted(chosen, key=lambda item: PLACES[item.nodeid])
";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let ids = request.express(node_id, &mut emitted.notes);
    emitted.text = format!("{HEAD}{}{BODY}", python_set("QUARANTINED", ids.by_word.keys()));
    emitted
}

fn only(request: &Request<'_>) -> Option<Selected> {
    let mut selected = Selected::default();
    let ids = request.express(node_id, &mut selected.notes);
    if ids.by_word.is_empty() {
        return None;
    }
    let text = match request.purpose {
        Purpose::InOrder => {
            let order = in_order(request, &ids.by_word);
            let imports = "import pytest\n\n";
            let list = python_list("SELECTED", order.iter().map(|(id, _)| id));
            selected.order = Some(order);
            format!("{ONLY_HEAD}{imports}{list}{ORDER_BODY}")
        }
        _ => format!("{ONLY_HEAD}{}{ONLY_BODY}", python_set("SELECTED", ids.by_word.keys())),
    };
    selected.arguments = vec!["-p".to_owned(), "flakedb_only".to_owned()];
    selected.file =
        Some(SelectedFile { name: "flakedb_only.py", text, path_variable: Some("PYTHONPATH") });
    selected.missing = ids.missing.into_iter().cloned().collect();
    Some(selected)
}

/// The node ids in the order of the request, each once.
fn in_order(
    request: &Request<'_>,
    by_word: &BTreeMap<String, &TestName>,
) -> Vec<(String, TestName)> {
    let words: BTreeMap<&TestName, &String> =
        by_word.iter().map(|(word, test)| (*test, word)).collect();
    let named = request.entries.iter().filter_map(|entry| {
        let word = words.get(&entry.test)?;
        Some(((*word).clone(), entry.test.clone()))
    });
    let mut met = BTreeSet::new();
    named.filter(|(word, _)| met.insert(word.clone())).collect()
}

/// A variable with a list of strings.
fn python_list<'a>(name: &str, ids: impl Iterator<Item = &'a String>) -> String {
    let lines: String = ids.map(|id| format!("    {},\n", string_literal(id))).collect();
    format!("{name} = [\n{lines}]\n")
}

/// A variable with a set of strings.
///
/// `{}` would be a dictionary; `set([...])` reads the same for none and many.
pub(super) fn python_set<'a>(name: &str, ids: impl Iterator<Item = &'a String>) -> String {
    let lines: String = ids.map(|id| format!("    {},\n", string_literal(id))).collect();
    format!("{name} = set([\n{lines}])\n")
}

/// A Python string literal; node ids have no control characters.
fn string_literal(text: &str) -> String {
    format!("\"{}\"", super::regex_text::escape(text, "\\\""))
}
