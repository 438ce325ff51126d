//! Raw answers to any method and path: the server as a plain HTTP stub.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::input::{Fields, wrong_kind};
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::headers::{BINARY, JSON, OWN, type_of};
use crate::testkit::mock_server::refusal::STATUSES;
use crate::testkit::mock_server::settings::CustomRoute;

const KNOWN: [&str; 8] =
    ["method", "path", "status", "headers", "content_type", "body", "body_base64", "json"];

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(listed(&call.namespace.state().settings.routes))
}

fn listed(routes: &[CustomRoute]) -> Value {
    let shown: Vec<Value> = routes.iter().map(shown).collect();
    json!({ "routes": shown })
}

fn shown(route: &CustomRoute) -> Value {
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in &route.headers {
        match headers.get_mut(name) {
            None => {
                headers.insert(name.clone(), json!(value));
            }
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(first) => *first = json!([first, value]),
        }
    }
    let (field, body) = match std::str::from_utf8(&route.body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_base64", STANDARD.encode(&route.body)),
    };
    json!({
        "method": route.method,
        "path": route.path,
        "status": route.status,
        "headers": headers,
        field: body,
    })
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Problem> {
    let wanted = "an object such as {\"path\": \"/x\", \"status\": 200, \"body\": \"hello\"}";
    let several = match call.body()?.value(wanted)? {
        Value::Array(routes) => routes,
        Value::Object(mut fields) => match fields.shift_remove("routes") {
            Some(Value::Array(routes)) if fields.is_empty() => routes,
            Some(other) => return Err(wrong_kind("routes", &other, "a list, and stands alone")),
            None => vec![Value::Object(fields)],
        },
        other => return Err(wrong_kind("the body", &other, wanted)),
    };
    let added = several.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let shown = listed(&added);
    let mut state = call.namespace.state();
    for route in added {
        // The new answer stands in the place of an old one.
        state
            .settings
            .routes
            .retain(|old| (&old.method, &old.path) != (&route.method, &route.path));
        state.settings.routes.push(route);
    }
    Answer::created(shown)
}

fn read(value: Value) -> Result<CustomRoute, Problem> {
    let Value::Object(fields) = value else {
        return Err(wrong_kind("a route", &value, "an object"));
    };
    let mut fields = Fields(flat(fields)?).known(&KNOWN)?;
    let path = fields
        .text("path")?
        .ok_or_else(|| Problem::wrong("`path` is missing: the path to answer, such as \"/x\""))?;
    if !path.starts_with('/') {
        return Err(Problem::wrong(format!("`path` begins with a slash, not {path:?}")));
    }
    if path.starts_with("/__admin") {
        return Err(Problem::wrong("`path` cannot be under /__admin, which is the admin API"));
    }
    if path.contains(['?', '#']) {
        return Err(Problem::wrong(format!(
            "`path` is without a query, not {path:?}; a route answers whatever the query is"
        )));
    }
    let method = fields.text("method")?.map(|method| method.to_uppercase());
    let method = method.filter(|method| method != "*" && method != "ANY");
    if let Some(method) =
        method.as_ref().filter(|method| Method::from_bytes(method.as_bytes()).is_err())
    {
        return Err(Problem::wrong(format!(
            "`method` is a word such as GET, or *, not {method:?}"
        )));
    }
    let status = fields.number("status")?.unwrap_or(200);
    let status = u16::try_from(status)
        .ok()
        .filter(|status| STATUSES.contains(status))
        .ok_or_else(|| Problem::wrong(format!("`status` is from 200 to 999, not {status}")))?;
    let (mut headers, own_type) = read_headers(&mut fields)?;
    let (body, content_type) = read_body(&mut fields)?;
    let content_type = fields.text("content_type")?.or_else(|| content_type.map(str::to_owned));
    if let Some(content_type) = content_type.filter(|_| !own_type) {
        check_header("content-type", &content_type)?;
        headers.push(("content-type".to_owned(), content_type));
    }
    Ok(CustomRoute { method, path, status, headers, body })
}

/// The fields of a `response` among those of the route, as other stub servers have them.
fn flat(mut fields: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    match fields.shift_remove("response") {
        None | Some(Value::Null) => Ok(fields),
        Some(Value::Object(response)) => {
            for (name, value) in response {
                if fields.insert(name.clone(), value).is_some() {
                    let text = format!("`{name}` stands in `response` and beside it; send one");
                    return Err(Problem::wrong(text));
                }
            }
            Ok(fields)
        }
        Some(other) => Err(wrong_kind("response", &other, "an object")),
    }
}

/// The headers, and whether `content-type` is among them.
fn read_headers(fields: &mut Fields) -> Result<(Vec<(String, String)>, bool), Problem> {
    let given = match fields.given("headers") {
        None => Map::new(),
        Some(Value::Object(given)) => given,
        Some(other) => {
            return Err(wrong_kind("headers", &other, "an object of names and values"));
        }
    };
    let mut headers = Vec::new();
    for (name, value) in given {
        let values = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                other => {
                    return Err(wrong_kind(&format!("headers.{name}"), &other, "a string"));
                }
            };
            check_header(&name, &text)?;
            headers.push((name.to_ascii_lowercase(), text));
        }
    }
    let own_type = headers.iter().any(|(name, _)| name == "content-type");
    Ok((headers, own_type))
}

fn check_header(name: &str, value: &str) -> Result<(), Problem> {
    let lower = name.to_ascii_lowercase();
    if OWN.contains(&lower.as_str()) {
        return Err(Problem::wrong(format!(
            "`headers.{name}` is the server's own; leave it out, it is set as the body has it"
        )));
    }
    if HeaderName::try_from(&lower).is_err() {
        return Err(Problem::wrong(format!("`headers` has {name:?}, which is no header's name")));
    }
    if HeaderValue::try_from(value).is_err() {
        return Err(Problem::wrong(format!(
            "`headers.{name}` has a value that no header can have: {value:?}"
        )));
    }
    Ok(())
}

/// The body and the type that it has where nobody says: text as it is, anything else as JSON.
fn read_body(fields: &mut Fields) -> Result<(Bytes, Option<&'static str>), Problem> {
    let (body, json, base64) =
        (fields.given("body"), fields.take("json"), fields.text("body_base64")?);
    if [body.is_some(), json.is_some(), base64.is_some()].iter().filter(|set| **set).count() > 1 {
        return Err(Problem::wrong("`body`, `json` and `body_base64` are one body; send one"));
    }
    if let Some(text) = base64 {
        let bytes = STANDARD
            .decode(&text)
            .map_err(|error| Problem::wrong(format!("`body_base64` is no base64: {error}")))?;
        return Ok((bytes.into(), Some(BINARY)));
    }
    Ok(match (body, json) {
        (Some(Value::String(text)), _) => {
            let kind = type_of(text.as_bytes());
            (text.into(), Some(kind))
        }
        (Some(value), _) | (None, Some(value)) => (value.to_string().into(), Some(JSON)),
        (None, None) => (Bytes::new(), None),
    })
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Problem> {
    let (path, method) = (call.query("path"), call.query("method"));
    let mut state = call.namespace.state();
    let before = state.settings.routes.len();
    state.settings.routes.retain(|route| {
        let here = path.as_ref().is_none_or(|path| *path == route.path)
            && method
                .as_ref()
                .is_none_or(|method| route.method.as_ref() == Some(&method.to_uppercase()));
        !here
    });
    let mut answer = listed(&state.settings.routes);
    answer["removed"] = json!(before - state.settings.routes.len());
    Answer::ok(answer)
}
