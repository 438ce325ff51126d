//! Screens for people: tables, sentences and hints, laid out for a width.

mod backtest;
mod compare;
mod gate;
mod hunt;
mod ingest;
mod order;
mod page;
mod quarantine;
mod quarantine_lint;
mod quarantine_simulation;
mod quarantine_update;
mod report;
mod sheet;
mod show;
mod show_failures;
mod show_runs;
mod split;
mod validate;
mod weighing;
mod workers;

use std::io::Write;

use page::Page;

use super::{RenderError, Screen, View};

/// Writes a view for a terminal, or for a pipe that people read.
///
/// # Errors
/// [`RenderError`] where the writer fails.
pub fn render(view: &View<'_>, screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let mut page = Page::new(screen);
    match view {
        View::Report(view) => report::lay_out(view, &mut page),
        View::Backtest(view) => backtest::lay_out(view, &mut page),
        View::Show(view) => show::lay_out(view, &mut page),
        View::Ingest(view) => ingest::lay_out(view, &mut page),
        View::Validate(view) => validate::lay_out(view, &mut page),
        View::Quarantine(view) => quarantine::lay_out(view, &mut page),
        View::QuarantineUpdate(view) => quarantine_update::lay_out(view, &mut page),
        View::QuarantineLint(view) => quarantine_lint::lay_out(view, &mut page),
        View::QuarantineSimulation(view) => quarantine_simulation::lay_out(view, &mut page),
        View::Compare(view) => compare::lay_out(view, &mut page),
        View::Gate(view) => gate::lay_out(view, &mut page),
        View::Hunt(view) => hunt::lay_out(view, &mut page),
        View::Workers(view) => workers::lay_out(view, &mut page),
        View::Split(view) => split::plan(view, &mut page),
        View::SplitReview(view) => split::review(view, &mut page),
        View::Order(view) => order::lay_out(view, &mut page),
        View::Dashboard(view) => report::lay_out(&view.report, &mut page),
        View::Question(view) => sheet::lay_out(&view.sheet(), &mut page),
    }
    out.write_all(page.finish().as_bytes()).map_err(RenderError::Write)
}
