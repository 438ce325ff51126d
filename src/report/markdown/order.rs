//! What a search for order dependence found, as Markdown.

use super::super::ordered;
use super::super::view::{OrderCaseView, OrderView};
use super::document::{Document, code, text};

pub(super) fn write(view: &OrderView, document: &mut Document) {
    document.heading(2, "Search for order dependence");
    let (_, said) = ordered::headline(view);
    document.paragraph(&text(&said));
    document.paragraph(&code(&view.command));
    document.paragraph(&text(&ordered::effort(view)));
    let row = |case: &OrderCaseView| {
        let said = [Some(ordered::verdict(case)), ordered::confirmed(case)];
        let said = said.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let order = case.words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" ");
        let order = if case.needed.is_empty() { String::new() } else { order };
        vec![code(&case.test), text(&said), order, text(&case.failure)]
    };
    let rows: Vec<Vec<String>> = view.cases.iter().map(row).collect();
    document.table(&["Test", "Finding", "To see it, in this order", "Why"], &rows, "test");
    for (title, tests) in [
        ("Failed in one order and passed in another, not looked into", &view.open),
        ("Failed in every order", &view.failing),
    ] {
        let rows: Vec<Vec<String>> = tests.iter().map(|test| vec![code(test)]).collect();
        document.table(&[title], &rows, "test");
    }
    if !view.notes.is_empty() {
        let notes: Vec<String> = view.notes.iter().map(|note| text(note)).collect();
        document.list(&notes);
    }
}
