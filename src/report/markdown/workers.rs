//! Who ran what, as Markdown.

use super::super::sentence;
use super::super::view::{SlowTestView, WorkerView, WorkersView};
use super::super::worked;
use super::document::{Document, code, text};

pub(super) fn write(view: &WorkersView, document: &mut Document) {
    document.heading(2, "Workers");
    document.paragraph(&text(&worked::headline(view)));
    let row = |worker: &WorkerView| {
        vec![
            worker.worker.to_string(),
            sentence::number(worker.tests),
            sentence::number(worker.failed),
            worker.batches.to_string(),
            text(&sentence::seconds(worker.test_seconds)),
            text(&sentence::seconds(worker.start_seconds)),
            text(&sentence::seconds(worker.idle_seconds)),
        ]
    };
    let rows: Vec<Vec<String>> = view.workers.iter().map(row).collect();
    let heads = ["Worker", "Tests", "Failed", "Batches", "In tests", "Starting", "Idle"];
    document.table(&heads, &rows, "worker");
    if let Some(stopped) = &view.stopped {
        document.paragraph(&text(&format!("Ended early: {stopped}")));
    }
    let crashed = view.crashed.iter().map(|crashed| {
        let how = text(&crashed.how);
        format!("{} took worker {} with it ({how})", code(&crashed.test), crashed.worker)
    });
    let without = view.without_result.iter().map(|test| format!("{} has no result", code(test)));
    let shared = view.shared.iter().flat_map(|shared| {
        let first = [text(&worked::shared(shared)), text(&format!("To mend it, {}", shared.mend))];
        first.into_iter().chain(shared.evidence.iter().map(|evidence| text(evidence)))
    });
    let notes = view.notes.iter().map(|note| text(note));
    let said: Vec<String> = crashed.chain(without).chain(shared).chain(notes).collect();
    if !said.is_empty() {
        document.list(&said);
    }
    let row = |slow: &SlowTestView| {
        vec![code(&slow.test), text(&sentence::seconds(slow.seconds)), slow.worker.to_string()]
    };
    let rows: Vec<Vec<String>> = view.slowest.iter().map(row).collect();
    if !rows.is_empty() {
        document.table(&["Slowest", "Took", "Worker"], &rows, "test");
    }
}
