//! L4: showing. Views are the published shape of what people ask for; renderers write them.
//!
//! A view is plain data, built by a pure function. A renderer gets a view, a [`Screen`] and a
//! writer, and knows neither the store nor a terminal. Everything that came from a report passes
//! through [`escape`] before a person sees it.

pub mod contrast;
pub mod course;
pub mod csv;
pub mod differing;
pub mod escape;
pub mod excerpt;
pub mod explanation;
pub mod format;
pub mod github;
pub mod hint;
pub mod html;
pub mod hunted;
pub mod json;
pub mod junit;
pub mod kind;
pub mod limits;
pub mod link;
pub mod listed;
pub mod location;
pub mod markdown;
pub mod ordered;
pub mod palette;
pub mod phrase;
pub mod prometheus;
pub mod sentence;
pub mod sheet;
pub mod simulation;
pub mod split;
pub mod standing;
pub mod strip;
pub mod terminal;
pub mod timeline;
pub mod trial;
pub mod view;
pub mod worked;

#[cfg(test)]
mod gate_screens;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_list;
#[cfg(test)]
mod sample_page;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod screens;

use std::io::{self, Write};

use serde::Serialize;

pub use format::Format;
pub use kind::Kind;
pub use palette::Palette;
pub use view::{
    BacktestView, CompareView, DashboardView, GateView, HuntView, IngestView, LintView, OrderView,
    QuarantineView, QuestionView, ReportView, ShowView, SimulationView, SplitReviewView, SplitView,
    UpdateView, ValidateView, WorkersView,
};

/// What a page is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Columns of the terminal; `None` where the output is not a terminal.
    pub width: Option<u16>,
    /// Whether it is styled.
    pub palette: Palette,
}

/// Any of the views, borrowed for rendering.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum View<'a> {
    /// The verdicts of a window.
    Report(&'a ReportView),
    /// The history under each of several rules.
    Backtest(&'a BacktestView),
    /// One test.
    Show(&'a ShowView),
    /// What an ingest did.
    Ingest(&'a IngestView),
    /// What is wrong with some reports.
    Validate(&'a ValidateView),
    /// The quarantine list.
    Quarantine(&'a QuarantineView),
    /// Changes to the quarantine list.
    QuarantineUpdate(&'a UpdateView),
    /// What is wrong with the quarantine list.
    QuarantineLint(&'a LintView),
    /// What the policy would have done to a history.
    QuarantineSimulation(&'a SimulationView),
    /// Several methods side by side.
    Compare(&'a CompareView),
    /// The decision on a run.
    Gate(&'a GateView),
    /// What a hunt found.
    Hunt(&'a HuntView),
    /// Who ran what.
    Workers(&'a WorkersView),
    /// A suite in shards.
    Split(&'a SplitView),
    /// What shards really took.
    SplitReview(&'a SplitReviewView),
    /// Which tests depend on which.
    Order(&'a OrderView),
    /// A whole window on one page.
    Dashboard(&'a DashboardView),
    /// The answer to a question.
    Question(&'a QuestionView),
}

/// Why a view could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The writer failed; a broken pipe is for the caller to forgive.
    #[error("the output could not be written")]
    Write(#[source] io::Error),
    /// The view has no such format.
    #[error("{view} cannot be written as {format}; there is {has}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What should have been written, in words.
        view: &'static str,
        /// The formats that there are, separated by commas.
        has: String,
    },
}

/// Writes a view in a format.
///
/// # Errors
/// [`RenderError::Write`] where the writer fails, [`RenderError::Unsupported`] where the view has no
/// such format.
pub fn render(
    view: View<'_>,
    format: Format,
    screen: Screen,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    format.check(view.kind())?;
    format.renderer()(&view, screen, out)
}
