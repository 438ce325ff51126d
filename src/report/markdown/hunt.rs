//! What a hunt found, as Markdown.

use super::super::view::{HuntView, HuntedTest};
use super::super::{excerpt, hunted};
use super::document::{Document, code, text};

pub(super) fn write(view: &HuntView, document: &mut Document) {
    document.heading(2, "Hunt for flakes");
    let (_, said) = hunted::headline(view);
    document.paragraph(&text(&said));
    document.paragraph(&code(&view.command));
    for line in [hunted::could_have_found(view), hunted::endings(view)].into_iter().flatten() {
        document.paragraph(&text(&line));
    }
    let row = |test: &HuntedTest| {
        let cells = hunted::test_cells(test).map(|cell| text(&cell));
        [vec![code(&test.test)], cells.to_vec(), vec![text(&test.failure)]].concat()
    };
    let rows: Vec<Vec<String>> = view.tests.iter().map(row).collect();
    document.table(&["Test", "Finding", "Failed", "Rate", "Why"], &rows, "test");
    if let Some(first) = &view.first_failure {
        document.paragraph(&format!("Run {} ({}):", first.run, text(&first.how)));
        document.fenced(&excerpt::of(&first.output, ""));
    }
    if !view.notes.is_empty() {
        let notes: Vec<String> = view.notes.iter().map(|note| text(note)).collect();
        document.list(&notes);
    }
}
