//! Answers as rule files spell them, and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::fields::{Field, Fields, StubError};
use super::read_reply::read_reply;
use super::template;
use super::then::{Answer, Then};
use crate::testkit::mock_server::fault::FaultRule;
use crate::testkit::mock_server::headers::{BINARY, JSON, OWN, type_of};
use crate::testkit::mock_server::record::Tape;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Reply;
use crate::testkit::mock_server::timing::Timing;

/// Names of times: as they may be spelt, and as [`Timing`] has them.
const TIMES: [(&[&str], &str); 5] = [
    (&["latency", "latency_ms", "delay", "delay_ms"], "latency"),
    (&["first_token", "first_token_ms", "ttft", "ttft_ms"], "first_token"),
    (&["per_token", "per_token_ms", "token_delay_ms"], "per_token"),
    (&["tokens_per_second", "tps"], "tokens_per_second"),
    (&["jitter"], "jitter"),
];
/// Texts of errors that come without one.
const ERRORS: [(u16, &str); 8] = [
    (400, "bad request"),
    (401, "unauthorized"),
    (403, "forbidden"),
    (404, "not found"),
    (408, "request timeout"),
    (429, "too many requests"),
    (500, "internal server error"),
    (503, "server busy, please try again.  maximum pending requests exceeded"),
];

/// The error of a status, with this text or the usual one.
pub(super) fn refusal(status: u16, message: Option<String>) -> Refusal {
    let usual = || ERRORS.iter().find(|(known, _)| *known == status).map(|(_, text)| *text);
    Refusal::new(status, message.unwrap_or_else(|| usual().unwrap_or("error").to_owned()))
}

/// One answer: a text, or an object.
pub(super) fn read(field: &Field<'_>) -> Result<Then, StubError> {
    match field.value {
        Value::String(text) if text == "auto" => Ok(Then::default()),
        Value::String(text) => Ok(reply(Reply { text: text.clone(), ..Reply::default() })),
        Value::Object(_) => {
            let mut fields = field.fields()?;
            let then = read_fields(&mut fields)?;
            fields.finish()?;
            then.ok_or_else(|| {
                field.error(
                    "answers nothing; give `text`, `tool_calls`, `error`, `raw`, `template`, \
                     `embeddings`, a fault or a latency",
                )
            })
        }
        _ => Err(field.error("wants a text or an object")),
    }
}

fn reply(reply: Reply) -> Then {
    Then { answer: Answer::Reply(Box::new(reply)), ..Then::default() }
}

/// The answer that fields among others give; `None` where there is nothing of one.
pub(super) fn read_fields(fields: &mut Fields<'_>) -> Result<Option<Then>, StubError> {
    read_parts(fields, false)
}

/// What stands beside answers under a key of their own: headers, times and faults.
pub(super) fn read_beside(fields: &mut Fields<'_>) -> Result<Option<Then>, StubError> {
    read_parts(fields, true)
}

/// Names that `status` goes by.
const STATUS: [&str; 2] = ["status", "status_code"];
type Headers = Vec<(String, String)>;

/// An answer before `status` and `headers` beside it are its own.
enum Said {
    Whole(Answer),
    Reply(Reply),
    Error { status: Option<u16>, text: Option<String>, headers: Headers },
    Raw(RawParts),
}

#[derive(Default)]
struct RawParts {
    status: Option<u16>,
    headers: Headers,
    body: Vec<u8>,
    content_type: Option<&'static str>,
}

fn read_parts(fields: &mut Fields<'_>, beside: bool) -> Result<Option<Then>, StubError> {
    let timing = timing(fields)?;
    let faults = faults(fields)?;
    let status = match fields.take(&STATUS)? {
        Some(field) => Some((field.status()?, field)),
        None => None,
    };
    let mut headers = headers(fields)?;
    let mut given = Vec::new();
    if let Some(field) = fields.take(&["auto"])?
        && field.boolean()?
    {
        given.push((field, Said::Whole(Answer::Auto)));
    }
    if let Some(field) = fields.take(&["replay"])? {
        let tape = serde_json::from_value(field.value.clone());
        let tape: Tape = tape.map_err(|error| field.error(error.to_string()))?;
        given.push((field, Said::Whole(Answer::Replay(Box::new(tape)))));
    }
    given.extend(raw(fields)?);
    given.extend(said(fields)?);
    match given.as_slice() {
        [(one, _), (other, _), ..] => {
            let text = format!("is another answer than `{}`; give one of them", one.name);
            return Err(other.error(text));
        }
        [(one, _)] if beside => {
            return Err(one.error("is an answer beside the one in `reply`; give one of them"));
        }
        _ => {}
    }
    let said = given.pop().map(|(_, said)| said);
    let empty = !beside && (status.is_some() || !headers.is_empty());
    let answer = match said {
        None if empty => Some(bare(status, &mut headers)),
        None => match status {
            Some((_, field)) => return Err(field.error("belongs into `reply`, not beside it")),
            None => None,
        },
        Some(said) => Some(with_status(said, status, &mut headers)?),
    };
    if let Some((name, _)) = headers.iter().find(|(name, _)| OWN.contains(&name.as_str())) {
        let message = format!("leave `{name}` to the server; `raw` may have it");
        return Err(StubError { path: fields.to("headers"), message });
    }
    let idle = timing == Timing::default() && faults.is_empty() && headers.is_empty();
    Ok(match answer {
        None if idle => None,
        answer => Some(Then { answer: answer.unwrap_or_default(), headers, timing, faults }),
    })
}

/// The answer of a status or headers alone: an error from 400, else no body.
fn bare(status: Option<(u16, Field<'_>)>, headers: &mut Headers) -> Answer {
    match status {
        Some((status, _)) if status >= 400 => Answer::Error(refusal(status, None)),
        status => plain_raw(
            RawParts { status: status.map(|(status, _)| status), ..RawParts::default() },
            headers,
        ),
    }
}

/// The answer with the status beside it, which no kind of answer leaves unheard; raw bytes take the
/// headers, too.
fn with_status(
    said: Said,
    status: Option<(u16, Field<'_>)>,
    headers: &mut Headers,
) -> Result<Answer, StubError> {
    let one_of = |own: Option<u16>| match (own, &status) {
        (Some(_), Some((_, field))) => Err(field.error("is in the answer as well; give one")),
        (own, status) => Ok(own.or(status.as_ref().map(|(status, _)| *status))),
    };
    match said {
        Said::Raw(mut parts) => {
            parts.status = one_of(parts.status)?;
            Ok(plain_raw(parts, headers))
        }
        Said::Error { status, text, headers: own } => {
            headers.splice(0..0, own);
            Ok(Answer::Error(refusal(one_of(status)?.unwrap_or(500), text)))
        }
        Said::Reply(reply) => match status {
            None | Some((200, _)) => Ok(Answer::Reply(Box::new(reply))),
            Some((status, _)) if status >= 400 && is_text(&reply) => {
                Ok(Answer::Error(refusal(status, Some(reply.text))))
            }
            Some((_, field)) => Err(field.error(
                "is 200 beside what the model says, or that of an error from 400 beside a \
                 `text` alone; `raw` has any",
            )),
        },
        Said::Whole(answer) => match status {
            None | Some((200, _)) => Ok(answer),
            Some((_, field)) => {
                Err(field.error("is the answer's own here; `error` and `raw` have any"))
            }
        },
    }
}

/// Whether a reply is a text and nothing else.
fn is_text(reply: &Reply) -> bool {
    *reply == Reply { text: reply.text.clone(), ..Reply::default() }
}

/// An error, a template, or what the model says: all that there are of them.
fn said<'a>(fields: &mut Fields<'a>) -> Result<Vec<(Field<'a>, Said)>, StubError> {
    let mut given = Vec::new();
    let mut message = None;
    match fields.take(&["error", "message"])? {
        Some(field) if field.name == "message" && !field.value.is_string() => {
            message = Some(field);
        }
        Some(field) => {
            let error = error_of(&field)?;
            given.push((field, error));
        }
        None => {}
    }
    let template = fields.take(&["template"])?;
    let mark = fields.known.len();
    let reply = read_reply(fields)?.zip(fields.found_since(mark));
    match (template, reply) {
        (Some(field), reply) => {
            let source = field.text()?;
            template::check(&source).map_err(|problem| field.error(problem))?;
            let rest = match reply {
                Some((reply, other)) if !reply.text.is_empty() || reply.chunks.is_some() => {
                    given.push((other, Said::Reply(reply)));
                    Box::default()
                }
                reply => Box::new(reply.map(|(reply, _)| reply).unwrap_or_default()),
            };
            given.push((field, Said::Whole(Answer::Template { source, rest })));
        }
        (None, Some((reply, field))) => given.push((field, Said::Reply(reply))),
        (None, None) => {}
    }
    if let Some(field) = message {
        let mut inner = field.fields()?;
        inner.take(&["role"])?;
        let reply = read_reply(&mut inner)?;
        inner.finish()?;
        given.push((field, Said::Reply(reply.unwrap_or_default())));
    }
    Ok(given)
}

/// The text of an error, or `{status, message, headers, retry_after}`.
fn error_of(field: &Field<'_>) -> Result<Said, StubError> {
    if field.value.is_string() {
        return Ok(Said::Error { status: None, text: Some(field.text()?), headers: Vec::new() });
    }
    let mut fields = field.fields()?;
    let status = fields.take(&["status", "status_code", "code"])?.map(|field| field.status());
    let text = fields.take(&["message", "text", "error"])?.map(|field| field.text());
    let headers = headers(&mut fields)?;
    fields.finish()?;
    Ok(Said::Error { status: status.transpose()?, text: text.transpose()?, headers })
}

/// `headers`, and `retry_after` as one of them; names in lower case.
fn headers(fields: &mut Fields<'_>) -> Result<Headers, StubError> {
    let mut headers = Vec::new();
    let mut add = |name: &str, value: &Field<'_>| {
        let name = name.to_ascii_lowercase();
        let text = match value.value {
            Value::Number(number) => number.to_string(),
            _ => value.text()?,
        };
        let fits = hyper::header::HeaderName::try_from(name.as_str()).is_ok()
            && hyper::header::HeaderValue::try_from(text.as_str()).is_ok();
        if !fits {
            return Err(value.error("is no header that HTTP can carry"));
        }
        headers.push((name, text));
        Ok(())
    };
    if let Some(field) = fields.take(&["headers"])? {
        for header in field.fields()?.all() {
            for value in header.items() {
                add(header.name, &value)?;
            }
        }
    }
    if let Some(field) = fields.take(&["retry_after"])? {
        add("retry-after", &field)?;
    }
    Ok(headers)
}

/// Bytes as they are, where any of their fields is there.
fn raw<'a>(fields: &mut Fields<'a>) -> Result<Option<(Field<'a>, Said)>, StubError> {
    let whole = fields.take(&["raw"])?;
    let body = raw_body(fields)?;
    let Some(field) = whole else {
        return Ok(body.map(|(field, parts)| (field, Said::Raw(parts))));
    };
    if let Some((body, _)) = body {
        return Err(body.error("stands beside `raw`; give one of them"));
    }
    if let Value::String(text) = field.value {
        let parts = RawParts { body: text.clone().into_bytes(), ..RawParts::default() };
        return Ok(Some((field, Said::Raw(parts))));
    }
    let mut inner = field.fields()?;
    let status = inner.take(&STATUS)?.map(|field| field.status()).transpose()?;
    let headers = headers(&mut inner)?;
    let body = raw_body(&mut inner)?.map(|(_, parts)| parts).unwrap_or_default();
    inner.finish()?;
    Ok(Some((field, Said::Raw(RawParts { status, headers, ..body }))))
}

fn raw_body<'a>(fields: &mut Fields<'a>) -> Result<Option<(Field<'a>, RawParts)>, StubError> {
    let text = fields.take(&["body", "raw_body"])?;
    let json = fields.take(&["json", "json_body", "jsonBody"])?;
    let base64 = fields.take(&["body_base64", "base64_body", "base64Body"])?;
    let (field, body, content_type) = match (text, json, base64) {
        (None, None, None) => return Ok(None),
        (Some(field), None, None) => match field.value {
            Value::String(text) => (field.clone(), text.clone().into_bytes(), None),
            value => {
                let json = value.to_string().into_bytes();
                (field, json, Some(JSON))
            }
        },
        (None, Some(field), None) => {
            let json = field.value.to_string().into_bytes();
            (field, json, Some(JSON))
        }
        (None, None, Some(field)) => {
            let bytes = BASE64.decode(field.text()?).map_err(|e| field.error(e.to_string()))?;
            (field, bytes, Some(BINARY))
        }
        (Some(field), ..) | (_, Some(field), _) => {
            return Err(field.error("give one of `body`, `json` and `body_base64`"));
        }
    };
    Ok(Some((field, RawParts { body, content_type, ..RawParts::default() })))
}

/// The bytes, with the headers beside them and the type that they seem to have.
fn plain_raw(parts: RawParts, more: &mut Headers) -> Answer {
    let RawParts { status, mut headers, body, content_type } = parts;
    headers.append(more);
    if !headers.iter().any(|(name, _)| name == "content-type") && !body.is_empty() {
        let usual = content_type.unwrap_or_else(|| type_of(&body));
        headers.push(("content-type".to_owned(), usual.to_owned()));
    }
    Answer::Raw { status: status.unwrap_or(200), headers, body: Bytes::from(body) }
}

/// Times of an answer, flat or within `timing`.
pub(super) fn timing(fields: &mut Fields<'_>) -> Result<Timing, StubError> {
    let mut spelt = Map::new();
    let mut path = fields.path().to_vec();
    let mut outer = fields.take(&["timing", "delays"])?.map(|field| field.fields()).transpose()?;
    for (names, known) in TIMES {
        let inner = outer.as_mut().map(|fields| fields.take(names)).transpose()?.flatten();
        if let Some(field) = fields.take(names)?.or(inner) {
            path.clone_from(&field.path);
            spelt.insert(known.to_owned(), field.value.clone());
        }
    }
    if let Some(fields) = outer {
        fields.finish()?;
    }
    serde_json::from_value(Value::Object(spelt))
        .map_err(|error| StubError { path, message: error.to_string() })
}

/// Faults of an answer; a text is a kind.
pub(super) fn faults(fields: &mut Fields<'_>) -> Result<Vec<FaultRule>, StubError> {
    let Some(field) = fields.take(&["faults", "fault"])? else { return Ok(Vec::new()) };
    field
        .items()
        .iter()
        .map(|item| {
            let value = match item.value {
                Value::String(kind) => json!({ "kind": kind }),
                value => value.clone(),
            };
            serde_json::from_value(value).map_err(|error| item.error(error.to_string()))
        })
        .collect()
}

/// An answer as a rule file spells it.
pub(super) fn write(then: &Then) -> Map<String, Value> {
    let mut map = match &then.answer {
        Answer::Auto => Map::from_iter([("auto".to_owned(), json!(true))]),
        Answer::Reply(reply) => write_reply(reply),
        Answer::Replay(tape) => Map::from_iter([("replay".to_owned(), json!(tape))]),
        Answer::Template { source, rest } => {
            let mut map = write_reply(rest);
            map.shift_remove("text");
            map.insert("template".to_owned(), json!(source));
            map
        }
        Answer::Error(Refusal { status, message, .. }) => {
            Map::from_iter([("error".to_owned(), json!({ "status": status, "message": message }))])
        }
        Answer::Raw { status, headers, body } => {
            let shown = write_headers(headers);
            let (key, text) = match std::str::from_utf8(body) {
                Ok(text) => ("body", text.to_owned()),
                Err(_) => ("body_base64", BASE64.encode(body)),
            };
            let raw = json!({ "status": status, "headers": shown, key: text });
            Map::from_iter([("raw".to_owned(), raw)])
        }
    };
    if !then.headers.is_empty() {
        map.insert("headers".to_owned(), Value::Object(write_headers(&then.headers)));
    }
    if let Ok(Value::Object(times)) = serde_json::to_value(&then.timing) {
        map.extend(times.into_iter().filter(|(_, value)| !value.is_null()));
    }
    if !then.faults.is_empty() {
        map.insert("faults".to_owned(), json!(then.faults));
    }
    map
}

fn write_headers(headers: &[(String, String)]) -> Map<String, Value> {
    let mut shown: Map<String, Value> = Map::new();
    for (name, value) in headers {
        match shown.get_mut(name) {
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first.clone(), value]),
            None => {
                shown.insert(name.clone(), json!(value));
            }
        }
    }
    shown
}

fn write_reply(reply: &Reply) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    match &reply.chunks {
        Some(chunks) => put("chunks", json!(chunks)),
        None if reply.text.is_empty() && reply.embeddings.is_some() => {}
        None => put("text", json!(reply.text)),
    }
    if let Some(thinking) = &reply.thinking {
        put("thinking", json!(thinking));
    }
    if !reply.tool_calls.is_empty() {
        put("tool_calls", json!(reply.tool_calls));
    }
    if let Some(finish) = reply.finish {
        put("finish", json!(finish));
    }
    if let Some(tokens) = reply.prompt_tokens {
        put("prompt_tokens", json!(tokens));
    }
    if let Some(tokens) = reply.completion_tokens {
        put("completion_tokens", json!(tokens));
    }
    if let Some(embeddings) = &reply.embeddings {
        put("embeddings", json!(embeddings));
    }
    map
}
