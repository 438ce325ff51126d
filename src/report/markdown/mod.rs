//! GitHub Markdown for job summaries and comments: short, and inert whatever names contain.

mod backtest;
mod compare;
mod document;
mod gate;
mod hunt;
mod lists;
mod order;
mod quarantine;
mod report;
mod sheet;
mod show;
mod split;
mod workers;

use std::io::Write;

use document::Document;

use super::{RenderError, Screen, View};

/// Writes a view as Markdown, within the limit of a GitHub comment.
///
/// # Errors
/// [`RenderError`] where the writer fails.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let mut document = Document::default();
    match view {
        View::Report(view) => report::write(view, &mut document),
        View::Backtest(view) => backtest::write(view, &mut document),
        View::Show(view) => show::write(view, &mut document),
        View::Ingest(view) => lists::ingest(view, &mut document),
        View::Validate(view) => lists::validate(view, &mut document),
        View::Quarantine(view) => quarantine::list(view, &mut document),
        View::QuarantineUpdate(view) => quarantine::update(view, &mut document),
        View::QuarantineLint(view) => quarantine::lint(view, &mut document),
        View::QuarantineSimulation(view) => quarantine::simulated(view, &mut document),
        View::Compare(view) => compare::write(view, &mut document),
        View::Gate(view) => gate::write(view, &mut document),
        View::Hunt(view) => hunt::write(view, &mut document),
        View::Workers(view) => workers::write(view, &mut document),
        View::Split(view) => split::plan(view, &mut document),
        View::SplitReview(view) => split::review(view, &mut document),
        View::Order(view) => order::write(view, &mut document),
        View::Dashboard(view) => report::write(&view.report, &mut document),
        View::Question(view) => sheet::write(&view.sheet(), &mut document),
    }
    out.write_all(document.finish().as_bytes()).map_err(RenderError::Write)
}
