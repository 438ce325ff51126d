//! Shards, planned and run, as Markdown.

use super::super::split;
use super::super::view::{RanView, ShardView, SplitReviewView, SplitView};
use super::document::{Document, code, text};

pub(super) fn plan(view: &SplitView, document: &mut Document) {
    document.heading(2, "Shards");
    let lines = [Some(split::headline(view)), split::by_count(view), split::sources(view)];
    for line in lines.into_iter().flatten() {
        document.paragraph(&text(&line));
    }
    let row = |shard: &ShardView| split::shard_cells(shard).map(|cell| text(&cell)).to_vec();
    let rows: Vec<Vec<String>> = view.shards.iter().map(row).collect();
    document.table(&["Shard", "Tests", "Predicted"], &rows, "shard");
    document.paragraph(&format!("Plan {}", code(&view.plan)));
    notes(&view.notes, document);
}

pub(super) fn review(view: &SplitReviewView, document: &mut Document) {
    document.heading(2, "Shards of the last run");
    document.paragraph(&text(&split::reviewed(view)));
    for line in split::hindsight(view) {
        document.paragraph(&text(&line));
    }
    let row = |ran: &RanView| {
        let off = split::surprise(ran).map(|(test, by)| format!("{} {}", code(test), text(&by)));
        let cells = split::ran_cells(ran).map(|cell| text(&cell));
        [vec![code(&ran.shard)], cells.to_vec(), vec![off.unwrap_or_default()]].concat()
    };
    let rows: Vec<Vec<String>> = view.shards.iter().map(row).collect();
    document.table(&["Shard", "Tests", "Took", "Predicted", "Off", "Most by"], &rows, "shard");
    notes(&view.notes, document);
}

fn notes(notes: &[String], document: &mut Document) {
    if !notes.is_empty() {
        let notes: Vec<String> = notes.iter().map(|note| text(note)).collect();
        document.list(&notes);
    }
}
