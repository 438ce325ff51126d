//! JSON: the view as it is, indented, with a newline at the end.

use std::borrow::Cow;
use std::io::Write;

use super::{RenderError, Screen, View, escape};

/// Writes a view as JSON.
///
/// # Errors
/// [`RenderError`] where the writer fails.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let text =
        serde_json::to_string_pretty(view).map_err(|source| RenderError::Write(source.into()))?;
    out.write_all(inert(&text).as_bytes()).map_err(RenderError::Write)?;
    out.write_all(b"\n").map_err(RenderError::Write)
}

/// The same document, spelt so that nothing in it acts on a terminal or in the log of a CI system: what
/// does stands within strings only, where an escape means the same.
fn inert(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| c != '\n' && escape::is_hidden(c);
    if !text.contains("##") && !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for (at, c) in text.char_indices() {
        let commands = || escape::is_bracketed_command(text.get(at..).unwrap_or_default());
        if hidden(c) || (c == '#' && commands()) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_spelt_otherwise_and_means_the_same() {
        let value = serde_json::json!({ "a ##[x": "###vso[task.x]\\##", "b": "# ## [ \u{9b}\u{202e}\u{e0001}" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let inert = inert(&text);
        assert!(!inert.contains("##[") && !inert.contains("##vso["), "{inert}");
        assert!(inert.contains(r"# ## [ \u009b\u202e\udb40\udc01"), "{inert}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&inert).unwrap(), value);
    }
}
