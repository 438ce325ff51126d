//! go test: one pattern for `-skip`.
//!
//! go splits the pattern at every `/` and matches a test's name element by element, so each
//! element is anchored by itself. An empty pattern skips nothing.

use std::collections::BTreeSet;

use super::regex_text::escape;
use super::request::{Expressed, Request, Words, note_length};
use super::selected::{Place, Selected, Selection};
use super::{Emitted, Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "go",
    aliases: &[],
    summary: "a pattern for go test -skip (go 1.20 and later)",
    usage: "go test -skip \"$(cat FILE)\" ./...",
    producers: &["gotestsum"],
    emit,
    only: Some(Selection {
        make: only,
        place: Place::AfterPackages,
        not_with: &["-args", "--args"],
        usage: "xargs -d '\\n' -a FILE go test ./...",
    }),
};

/// The set of Go's `regexp.QuoteMeta`.
const SPECIAL: &str = r"\.+*?()|[]{}^$";
const PREFIXES: [&str; 4] = ["Test", "Example", "Fuzz", "Benchmark"];

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let words = request.express(pattern, &mut emitted.notes);
    let alternatives: Vec<&str> = words.by_word.keys().map(String::as_str).collect();
    if !alternatives.is_empty() {
        emitted.text = alternatives.join("|") + "\n";
    }
    note_length(&emitted.text, &mut emitted.notes);
    let why = "-skip knows no package; to keep them apart, call go test for each package";
    note_collateral(request, &words, why, &mut emitted.notes);
    emitted
}

fn only(request: &Request<'_>) -> Option<Selected> {
    let mut notes = Vec::new();
    let mut words = request.express(pattern, &mut notes);
    if words.by_word.is_empty() {
        return None;
    }
    let above: BTreeSet<&str> =
        words.by_word.values().flat_map(|test| parents(&test.name)).collect();
    // A parent fails with its sub-tests and runs with them; named, it would run the others, too.
    words.by_word.retain(|_, test| !above.contains(test.name.as_str()));
    let alternatives: Vec<&str> = words.by_word.keys().map(String::as_str).collect();
    let arguments = vec!["-run".to_owned(), alternatives.join("|")];
    note_collateral(request, &words, "-run knows no package", &mut notes);
    let is_above = |test: &TestName| is_go_test(&test.name) && above.contains(test.name.as_str());
    request.note_collateral(is_above, "a sub-test runs within its parent", &mut notes);
    let missing = words.missing.iter().map(|test| (*test).clone()).collect();
    Some(Selected { arguments, missing, notes, ..Selected::default() })
}

/// The names of the tests that a sub-test is within.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').filter_map(|(end, _)| name.get(..end))
}

fn note_collateral(request: &Request<'_>, words: &Words<'_>, why: &str, notes: &mut Vec<String>) {
    let names: BTreeSet<&str> = words.by_word.values().map(|test| test.name.as_str()).collect();
    let same = |test: &TestName| is_go_test(&test.name) && names.contains(test.name.as_str());
    request.note_collateral(same, why, notes);
    let below = |test: &TestName| {
        is_go_test(&test.name) && parents(&test.name).any(|parent| names.contains(parent))
    };
    request.note_collateral(below, "sub-tests go with their parent", notes);
}

fn is_go_test(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn pattern(test: &TestName) -> Expressed {
    if !is_go_test(&test.name) {
        return Expressed::Not("not a test of go: its name does not start with Test".to_owned());
    }
    if test.name.contains(['\n', '\r', '\0']) {
        return Expressed::Not("its name has a line break".to_owned());
    }
    let elements: Vec<String> =
        test.name.split('/').map(|element| format!("^{}$", escape(element, SPECIAL))).collect();
    Expressed::As(elements.join("/"))
}
