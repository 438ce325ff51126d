//! JSON: the view as it is, indented, with a newline at the end.

use std::io::Write;

use super::{RenderError, Screen, View};

/// Writes a view as JSON.
///
/// # Errors
/// [`RenderError`] where the writer fails.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    serde_json::to_writer_pretty(&mut *out, view)
        .map_err(|source| RenderError::Write(source.into()))?;
    out.write_all(b"\n").map_err(RenderError::Write)
}
