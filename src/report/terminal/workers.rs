//! Who ran what, on a terminal.

use super::super::limits::NAME_CHARS_MAX;
use super::super::palette::Tone;
use super::super::view::{SharedView, WorkerView, WorkersView};
use super::super::{escape, sentence, worked};
use super::page::{Column, Fit, Grid, Page};

/// So many tests without a result are shown.
const WITHOUT_SHOWN: usize = 10;
/// So many of the slowest tests are shown.
const SLOWEST_SHOWN: usize = 5;

pub(super) fn lay_out(view: &WorkersView, page: &mut Page) {
    page.prose(&worked::headline(view));
    workers(&view.workers, page);
    if let Some(stopped) = &view.stopped {
        let said = format!("Ended early: {}", escape::line(stopped));
        let said = page.mark(Tone::Bad, &said);
        page.prose(&said);
    }
    for crashed in &view.crashed {
        let name = page.mark(Tone::Bad, &name(&crashed.test));
        let how = escape::line(&crashed.how);
        page.bullet(&format!("{name} took worker {} with it ({how})", crashed.worker));
    }
    without(&view.without_result, page);
    if let Some(shared) = &view.shared {
        share(shared, page);
    }
    slowest(view, page);
    for note in &view.notes {
        let note = page.mark(Tone::Faint, &escape::line(note));
        page.prose(&note);
    }
}

fn name(test: &str) -> String {
    escape::shortened(&escape::line(test), NAME_CHARS_MAX).into_owned()
}

fn workers(workers: &[WorkerView], page: &mut Page) {
    page.blank();
    let row = |worker: &WorkerView| {
        let failed = match worker.failed {
            0 => String::new(),
            failed => page.mark(Tone::Bad, &sentence::number(failed)),
        };
        vec![
            format!("{}{}", worker.worker, if worker.crashes > 0 { " †" } else { "" }),
            sentence::number(worker.tests),
            failed,
            worker.batches.to_string(),
            sentence::seconds(worker.test_seconds),
            sentence::seconds(worker.start_seconds),
            sentence::seconds(worker.idle_seconds),
        ]
    };
    let rows = workers.iter().map(row).collect();
    let columns = vec![
        Column("Worker", Fit::Content),
        Column("Tests", Fit::Number),
        Column("Failed", Fit::Number),
        Column("Batches", Fit::Number),
        Column("In tests", Fit::Number),
        Column("Starting", Fit::Number),
        Column("Idle", Fit::Number),
    ];
    page.grid(&Grid { columns, rows, ..Grid::default() });
    for worker in workers {
        if worker.crashes > 0 {
            let died = sentence::count(worker.crashes, "process");
            page.prose(&format!("† {died} of worker {} died", worker.worker));
        }
        if let Some(kept) = &worker.kept {
            page.whole(&format!("Worker {} had {}", worker.worker, escape::line(kept)));
        }
    }
}

fn without(tests: &[String], page: &mut Page) {
    if tests.is_empty() {
        return;
    }
    page.blank();
    let said = format!("No result of {}:", sentence::count(tests.len() as u64, "test"));
    let said = page.mark(Tone::Bad, &said);
    page.prose(&said);
    for test in tests.iter().take(WITHOUT_SHOWN) {
        page.bullet(&name(test));
    }
    let more = tests.len().saturating_sub(WITHOUT_SHOWN);
    if more > 0 {
        page.prose(&format!("and {}", sentence::count(more as u64, "more test")));
    }
}

fn share(shared: &SharedView, page: &mut Page) {
    page.blank();
    let said = page.mark(Tone::Unsteady, &worked::shared(shared));
    page.prose(&said);
    for evidence in &shared.evidence {
        page.bullet(&escape::line(evidence));
    }
    page.prose(&format!("To mend it, {}.", escape::line(&shared.mend)));
}

fn slowest(view: &WorkersView, page: &mut Page) {
    let some: Vec<_> = view.slowest.iter().take(SLOWEST_SHOWN).collect();
    if some.is_empty() {
        return;
    }
    page.blank();
    let rows = some
        .iter()
        .map(|slow| {
            vec![name(&slow.test), sentence::seconds(slow.seconds), slow.worker.to_string()]
        })
        .collect();
    let columns = vec![
        Column("Slowest", Fit::Name),
        Column("Took", Fit::Number),
        Column("Worker", Fit::Number),
    ];
    page.grid(&Grid { columns, rows, ..Grid::default() });
}
