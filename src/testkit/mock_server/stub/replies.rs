//! `default_replies`, as rule files and the admin API spell them.

use serde_json::Value;

use super::fields::{Field, Fields, Step, StubError};

/// What answers requests without a stub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DefaultReplies {
    /// Whether the usual replies do.
    Usual(bool),
    /// Texts by a word of the user's text, and the usual replies where none is in it.
    Keywords(Vec<(String, String)>),
}

/// Reads `default_replies` on their own.
///
/// # Errors
/// [`StubError`] that says where it is wrong.
pub(crate) fn default_replies(value: &Value) -> Result<DefaultReplies, StubError> {
    let name = "default_replies";
    read(&Field { value, path: vec![Step::Key(name.to_owned())], name })
}

pub(super) fn read(field: &Field<'_>) -> Result<DefaultReplies, StubError> {
    match field.value {
        Value::Bool(wanted) => Ok(DefaultReplies::Usual(*wanted)),
        Value::Object(_) => Ok(DefaultReplies::Keywords(map(&mut field.fields()?)?)),
        Value::Array(_) => {
            let mut replies = Vec::new();
            for item in field.items() {
                match item.value {
                    Value::Object(_) => replies.extend(object(&item)?),
                    Value::Array(_) => replies.push(pair(&item)?),
                    _ => return Err(item.error("wants {\"keyword\", \"text\"}, or a pair of them")),
                }
            }
            Ok(DefaultReplies::Keywords(replies))
        }
        _ => Err(field.error(
            "wants true, false, an object of keywords and texts, or a list of \
             {\"keyword\", \"text\"}",
        )),
    }
}

fn map(fields: &mut Fields<'_>) -> Result<Vec<(String, String)>, StubError> {
    fields.all().iter().map(|reply| Ok((reply.name.to_owned(), reply.text()?))).collect()
}

fn pair(item: &Field<'_>) -> Result<(String, String), StubError> {
    match item.items().as_slice() {
        [word, text] => Ok((word.text()?, text.text()?)),
        _ => Err(item.error("wants a keyword and a text")),
    }
}

/// One `{keyword, text}`, or keywords and their texts.
fn object(item: &Field<'_>) -> Result<Vec<(String, String)>, StubError> {
    let mut fields = item.fields()?;
    let word = fields.take(&["keyword", "match", "contains", "prompt"])?;
    let text = fields.take(&["text", "reply", "response", "content"])?;
    match (word, text) {
        (Some(word), Some(text)) => {
            fields.finish()?;
            Ok(vec![(word.text()?, text.text()?)])
        }
        _ => map(&mut item.fields()?),
    }
}
