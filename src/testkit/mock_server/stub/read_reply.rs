//! What the model says, as rule files spell it.

use serde_json::{Map, Value};

use super::fields::{Field, Fields, StubError};
use crate::testkit::mock_server::reply::{Finish, Reply, ToolCall};

/// What the model says, where any of its fields is there.
pub(super) fn read_reply(fields: &mut Fields<'_>) -> Result<Option<Reply>, StubError> {
    let mut reply = Reply::default();
    let mut any = false;
    if let Some(field) = fields.take(&["text", "content", "say", "answer_text"])? {
        any = true;
        reply.text = match field.value {
            Value::String(text) => text.clone(),
            // An object is what a structured answer is to be.
            value => value.to_string(),
        };
    }
    if let Some(field) = fields.take(&["chunks", "pieces"])? {
        any = true;
        let chunks: Result<Vec<String>, StubError> =
            field.items().iter().map(Field::text).collect();
        let chunks = chunks?;
        reply.text = chunks.concat();
        reply.chunks = Some(chunks);
    }
    if let Some(field) = fields.take(&["tool_calls", "calls", "tool_call", "calls_tool"])? {
        any = true;
        reply.tool_calls = field.items().iter().map(tool_call).collect::<Result<_, _>>()?;
    }
    if let Some(field) = fields.take(&["thinking", "reasoning"])? {
        any = true;
        reply.thinking = Some(field.text()?);
    }
    if let Some(field) = fields.take(&["finish", "finish_reason", "done_reason"])? {
        any = true;
        reply.finish = Some(match field.text()?.as_str() {
            "stop" | "tool_calls" | "end_turn" | "tool_use" => Finish::Stop,
            "length" | "max_tokens" => Finish::Length,
            _ => return Err(field.error("wants \"stop\" or \"length\"")),
        });
    }
    if let Some(field) = fields.take(&["embeddings", "embedding", "vectors", "vector"])? {
        any = true;
        reply.embeddings = Some(embeddings(&field)?);
    }
    any |= usage(fields, &mut reply)?;
    if let Some(field) = fields.take(&["usage"])? {
        any = true;
        let mut inner = field.fields()?;
        usage(&mut inner, &mut reply)?;
        inner.take(&["total_tokens"])?;
        inner.finish()?;
    }
    Ok(any.then_some(reply))
}

fn usage(fields: &mut Fields<'_>, reply: &mut Reply) -> Result<bool, StubError> {
    let prompt = fields.take(&["prompt_tokens", "input_tokens", "prompt_eval_count"])?;
    let completion = fields.take(&["completion_tokens", "output_tokens", "eval_count"])?;
    let any = prompt.is_some() || completion.is_some();
    reply.prompt_tokens = prompt.map(|field| field.count(0)).transpose()?.or(reply.prompt_tokens);
    reply.completion_tokens =
        completion.map(|field| field.count(0)).transpose()?.or(reply.completion_tokens);
    Ok(any)
}

/// `{name, arguments}`, or within `function`; arguments also as a text of JSON.
fn tool_call(field: &Field<'_>) -> Result<ToolCall, StubError> {
    if let Value::String(name) = field.value {
        return Ok(ToolCall { name: name.clone(), arguments: Map::new(), id: None });
    }
    let mut fields = field.fields()?;
    let id = fields.take(&["id", "call_id", "tool_call_id"])?.map(|field| field.text());
    fields.take(&["type", "index"])?;
    let mut call = match fields.take(&["function"])? {
        Some(inner) => tool_call(&inner)?,
        None => {
            let Some(name) = fields.take(&["name", "tool"])? else {
                return Err(field.error("a tool call wants a `name`"));
            };
            let arguments = fields.take(&["arguments", "args", "input", "parameters"])?;
            let arguments = arguments.map(|field| arguments_of(&field)).transpose()?;
            ToolCall { name: name.text()?, arguments: arguments.unwrap_or_default(), id: None }
        }
    };
    fields.finish()?;
    call.id = id.transpose()?.or(call.id);
    Ok(call)
}

fn arguments_of(field: &Field<'_>) -> Result<Map<String, Value>, StubError> {
    match field.value {
        Value::Object(arguments) => Ok(arguments.clone()),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(arguments)) => Ok(arguments),
            Ok(_) => Err(field.error("wants a JSON object in its text")),
            Err(error) => Err(field.error(format!("its text is no JSON: {error}"))),
        },
        _ => Err(field.error("wants an object, or its JSON as a text")),
    }
}

/// One vector, or a list of them.
fn embeddings(field: &Field<'_>) -> Result<Vec<Vec<f32>>, StubError> {
    let vector = |field: &Field<'_>| -> Result<Vec<f32>, StubError> {
        field
            .items()
            .iter()
            .map(|number| match number.value.as_f64() {
                Some(number) => Ok(number as f32),
                None => Err(number.error("wants a number")),
            })
            .collect()
    };
    match field.value {
        Value::Array(items) if items.first().is_some_and(Value::is_array) => {
            field.items().iter().map(vector).collect()
        }
        Value::Array(items) if !items.is_empty() => Ok(vec![vector(field)?]),
        _ => Err(field.error("wants a list of numbers, or a list of such lists")),
    }
}
