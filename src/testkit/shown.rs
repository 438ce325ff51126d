//! How values are shown in texts: whole where they are the matter, cut where they are an example.

use std::borrow::Cow;

use serde_json::Value;

/// Characters of another's text in a message of ours, at most.
const CHARS_MAX: usize = 80;

/// The begin of a text that somebody else wrote: a message about 50 MB is no 50 MB long.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    cut_to(CHARS_MAX, text)
}

/// The first `chars` characters of a text, and a sign that there were more.
pub(crate) fn cut_to(chars: usize, text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// A text as it is, anything else as JSON.
pub(crate) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What is at a path of keys and indices with dots between: `items.0.name`.
///
/// # Errors
/// The first key that there is nothing at.
pub(crate) fn at_path<'v>(value: &'v Value, path: &str) -> Result<&'v Value, String> {
    path.split('.').try_fold(value, |value, key| {
        let found = match value {
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(key),
        };
        found.ok_or_else(|| format!("no `{}` of path `{}`", cut(key), cut(path)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(cut(&"ü".repeat(80)), "ü".repeat(80));
        assert_eq!(cut(&"ü".repeat(81)), format!("{}…", "ü".repeat(80)));
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let value = json!({"items": [{"name": "a"}], "text": "b"});
        assert_eq!(at_path(&value, "items.0.name"), Ok(&json!("a")));
        assert_eq!(at_path(&value, "items.1"), Err("no `1` of path `items.1`".to_owned()));
        assert_eq!(at_path(&value, "text.0"), Err("no `0` of path `text.0`".to_owned()));
    }
}
