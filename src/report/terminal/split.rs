//! Shards, planned and run, on a terminal.

use super::super::limits::NAME_CHARS_MAX;
use super::super::palette::Tone;
use super::super::view::{RanView, ShardView, SplitReviewView, SplitView};
use super::super::{escape, sentence, split};
use super::page::{Column, Fit, Grid, Page};

pub(super) fn plan(view: &SplitView, page: &mut Page) {
    let head = page.mark(Tone::Heading, &split::headline(view));
    page.prose(&head);
    for line in [split::by_count(view), split::sources(view)].into_iter().flatten() {
        page.prose(&line);
    }
    if let Some(longest) = &view.longest {
        let unit = escape::line(&longest.unit);
        let unit = escape::shortened(&unit, NAME_CHARS_MAX);
        page.prose(&format!("Longest: {unit}, {}", sentence::seconds(longest.seconds)));
    }
    page.blank();
    let row = |shard: &ShardView| split::shard_cells(shard).to_vec();
    let columns = vec![
        Column("Shard", Fit::Content),
        Column("Tests", Fit::Number),
        Column("Predicted", Fit::Number),
    ];
    page.grid(&Grid { columns, rows: view.shards.iter().map(row).collect(), ..Grid::default() });
    page.blank();
    let plan = page.mark(
        Tone::Faint,
        &format!("Plan {}: every node must say the same", escape::line(&view.plan)),
    );
    page.prose(&plan);
    notes(&view.notes, page);
}

pub(super) fn review(view: &SplitReviewView, page: &mut Page) {
    let build = view.build.as_ref().map(|build| format!("build {}, ", escape::line(build)));
    let revision = view
        .revision
        .as_deref()
        .map(|revision| format!("revision {}, ", escape::line(&sentence::revision(revision))));
    let of = [build, revision].into_iter().flatten().collect::<String>();
    page.prose(&format!("Shards of {of}started {}", view.started));
    let head = page.mark(Tone::Heading, &split::reviewed(view));
    page.prose(&head);
    for line in split::hindsight(view) {
        page.prose(&line);
    }
    page.blank();
    let row = |ran: &RanView| {
        let name = escape::line(&ran.shard);
        let mut name = escape::shortened(&name, NAME_CHARS_MAX).into_owned();
        if let Some((test, by)) = split::surprise(ran) {
            let test = escape::line(test);
            let test = escape::shortened(&test, NAME_CHARS_MAX);
            name += &format!("\n{}", page.mark(Tone::Faint, &format!("{test}: {by}")));
        }
        [vec![name], split::ran_cells(ran).to_vec()].concat()
    };
    let rows = view.shards.iter().map(row).collect();
    let columns = vec![
        Column("Shard", Fit::Name),
        Column("Tests", Fit::Number),
        Column("Took", Fit::Number),
        Column("Predicted", Fit::Number),
        Column("Off", Fit::Number),
    ];
    page.grid(&Grid { columns, rows, ..Grid::default() });
    notes(&view.notes, page);
}

fn notes(notes: &[String], page: &mut Page) {
    if !notes.is_empty() {
        page.blank();
    }
    for note in notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
}
