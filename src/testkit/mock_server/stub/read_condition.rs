//! Conditions as rule files spell them, and back.

use serde_json::{Map, Value, json};

use super::condition::{Condition, FormatMatch, ROUTE_NAMES, ThinkMatch};
use super::fields::{Field, Fields, StubError};
use super::text_match::{PatternError, TextMatch};
use crate::testkit::nearest::nearest;

/// A condition on a text: its names, and what it makes of a text.
struct OnText {
    names: &'static [&'static str],
    make: fn(TextMatch) -> Condition,
}

const ON_TEXTS: [OnText; 4] = [
    OnText {
        names: &[
            "user",
            "prompt",
            "last_user",
            "user_message",
            "userMessage",
            "last_user_message",
            "user_text",
            "input",
        ],
        make: Condition::User,
    },
    OnText { names: &["system", "system_prompt", "system_message"], make: Condition::System },
    OnText {
        names: &["any_message", "message_text", "messages"],
        make: |text| Condition::Message(None, text),
    },
    OnText {
        names: &["tool_result", "tool_result_text", "toolResult"],
        make: Condition::ToolResultText,
    },
];
const SUFFIXES: [(&str, &str); 9] = [
    ("contains", "contains"),
    ("starts_with", "starts_with"),
    ("prefix", "starts_with"),
    ("equals", "equals"),
    ("is", "equals"),
    ("exact", "equals"),
    ("regex", "regex"),
    ("matches", "regex"),
    ("pattern", "regex"),
];

/// Reads the conditions that an object names.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Vec<Condition>, StubError> {
    let mut conditions = Vec::new();
    if let Some(field) = fields.take(&["route", "path", "endpoint", "url", "urlPath", "routes"])? {
        conditions.extend(routes(&field)?);
    }
    if let Some(field) = fields.take(&["method"])? {
        conditions.push(Condition::Method(field.text()?));
    }
    if let Some(field) = fields.take(&["model"])? {
        conditions.push(Condition::Model(field.text()?));
    }
    for on_text in &ON_TEXTS {
        if let Some(field) = fields.take(on_text.names)? {
            match field.value {
                Value::Bool(wanted) if on_text.names.contains(&"tool_result") => {
                    conditions.push(Condition::ToolResult(*wanted));
                }
                _ => conditions.extend(text_matches(&field)?.into_iter().map(on_text.make)),
            }
        }
        for (suffix, kind) in SUFFIXES {
            let names: Vec<String> =
                on_text.names.iter().map(|name| format!("{name}_{suffix}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(field) = fields.take(&names)? {
                for item in field.items() {
                    conditions.push((on_text.make)(text_match(kind, &item)?));
                }
            }
        }
    }
    read_shapes(fields, &mut conditions)?;
    read_values(fields, &mut conditions)?;
    Ok(conditions)
}

/// Conditions on what kind of request it is.
fn read_shapes(fields: &mut Fields<'_>, into: &mut Vec<Condition>) -> Result<(), StubError> {
    if let Some(field) = fields.take(&["turn", "turn_index"])? {
        into.push(turn(&field)?);
    }
    if let Some(field) = fields.take(&["has_tool_result", "hasToolResult"])? {
        into.push(Condition::ToolResult(field.boolean()?));
    }
    if let Some(field) = fields.take(&["tool", "tool_name", "toolName", "offers_tool", "tools"])? {
        for item in field.items() {
            into.push(Condition::Tool(item.text()?));
        }
    }
    if let Some(field) = fields.take(&["format", "response_format"])? {
        into.push(Condition::Format(match field.value {
            Value::Bool(present) => FormatMatch::Present(*present),
            Value::String(kind) if kind == "json" => FormatMatch::Json,
            Value::String(kind) if kind == "schema" => FormatMatch::Schema,
            _ => return Err(field.error("wants true, false, \"json\" or \"schema\"")),
        }));
    }
    if let Some(field) = fields.take(&["images", "has_images", "image"])? {
        into.push(Condition::Images(field.boolean()?));
    }
    if let Some(field) = fields.take(&["think"])? {
        into.push(Condition::Think(match field.value {
            Value::Bool(wanted) => ThinkMatch::Thinks(*wanted),
            Value::String(level) => ThinkMatch::Level(level.clone()),
            _ => return Err(field.error("wants true, false or a level such as \"high\"")),
        }));
    }
    if let Some(field) = fields.take(&["stream", "streaming"])? {
        into.push(Condition::Stream(field.boolean()?));
    }
    Ok(())
}

/// Conditions on single values: options, headers, the body.
fn read_values(fields: &mut Fields<'_>, into: &mut Vec<Condition>) -> Result<(), StubError> {
    if let Some(field) = fields.take(&["options"])? {
        for option in field.fields()?.all() {
            into.push(Condition::Option(option.name.to_owned(), option.value.clone()));
        }
    }
    if let Some(field) = fields.take(&["header", "request_headers"])? {
        headers(&field, into)?;
    }
    if let Some(field) = fields.take(&["body_json", "request_body", "pointer", "json_pointer"])? {
        body(&field, into)?;
    }
    Ok(())
}

/// What only a `match` object holds, as outside of it these are the answer's.
pub(super) fn read_inside(fields: &mut Fields<'_>) -> Result<Vec<Condition>, StubError> {
    let mut conditions = Vec::new();
    if let Some(field) = fields.take(&["headers"])? {
        headers(&field, &mut conditions)?;
    }
    if let Some(field) = fields.take(&["body", "json"])? {
        body(&field, &mut conditions)?;
    }
    if let Some(field) = fields.take(&["message"])? {
        let texts = text_matches(&field)?;
        conditions.extend(texts.into_iter().map(|text| Condition::Message(None, text)));
    }
    if let Some(field) = fields.take(&["all"])? {
        for item in field.items() {
            let mut inner = item.fields()?;
            conditions.extend(read(&mut inner)?);
            conditions.extend(read_inside(&mut inner)?);
            inner.finish()?;
        }
    }
    if let Some(field) = fields.take(&["assistant"])? {
        let role = Some("assistant".to_owned());
        let texts = text_matches(&field)?;
        conditions.extend(texts.into_iter().map(|text| Condition::Message(role.clone(), text)));
    }
    Ok(conditions)
}

fn headers(field: &Field<'_>, into: &mut Vec<Condition>) -> Result<(), StubError> {
    for header in field.fields()?.all() {
        let name = header.name.to_ascii_lowercase();
        match header.value {
            Value::Bool(wanted) => into.push(Condition::HeaderPresent(name, *wanted)),
            _ => into.extend(
                text_matches(&header)?
                    .into_iter()
                    .map(|text| Condition::Header(name.clone(), text)),
            ),
        }
    }
    Ok(())
}

/// Keys are JSON pointers (`/options/seed`) or names of the root; values JSON or text conditions.
fn body(field: &Field<'_>, into: &mut Vec<Condition>) -> Result<(), StubError> {
    for place in field.fields()?.all() {
        let pointer = match place.name {
            "" => String::new(),
            name if name.starts_with('/') => name.to_owned(),
            name => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        };
        match place.value {
            Value::Object(map) if is_text_match(map) => into.extend(
                text_matches(&place)?
                    .into_iter()
                    .map(|text| Condition::BodyText(pointer.clone(), text)),
            ),
            value => into.push(Condition::Body(pointer, value.clone())),
        }
    }
    Ok(())
}

fn is_text_match(map: &Map<String, Value>) -> bool {
    let known = ["equals", "contains", "starts_with", "prefix", "regex", "ignore_case", "not"];
    !map.is_empty() && map.keys().all(|key| known.contains(&key.as_str()))
}

fn routes(field: &Field<'_>) -> Result<Vec<Condition>, StubError> {
    let mut conditions = Vec::new();
    let mut routes = Vec::new();
    for item in field.items() {
        let text = item.text()?;
        // `POST /api/chat` names the method as well.
        let route = match text.split_once(' ') {
            Some((method, path)) if path.trim_start().starts_with('/') => {
                conditions.push(Condition::Method(method.to_owned()));
                path.trim().to_owned()
            }
            _ => text.trim().to_owned(),
        };
        let route = if route == "*" { "any".to_owned() } else { route };
        let known = ROUTE_NAMES.iter().map(|(name, _)| *name);
        if !route.starts_with('/') && !known.clone().any(|name| name == route) {
            let mend = nearest(&route, known.clone()).map_or_else(
                || format!("; known are {}", known.collect::<Vec<_>>().join(", ")),
                |near| format!("; did you mean `{near}`?"),
            );
            let message = format!("no route is called {route:?}, and a path starts with `/`{mend}");
            return Err(item.error(message));
        }
        routes.push(route);
    }
    conditions.push(Condition::Route(routes));
    Ok(conditions)
}

fn turn(field: &Field<'_>) -> Result<Condition, StubError> {
    let index = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if !field.value.is_object() {
        let turn = index(field.count(1)?);
        return Ok(Condition::Turn(turn, turn));
    }
    let mut fields = field.fields()?;
    let from = fields.take(&["from", "min", "at_least"])?.map(|field| field.count(1));
    let to = fields.take(&["to", "max", "at_most"])?.map(|field| field.count(1));
    fields.finish()?;
    let from = from.transpose()?.map_or(1, index);
    Ok(Condition::Turn(from, to.transpose()?.map_or(usize::MAX, index)))
}

fn pattern_error(field: &Field<'_>) -> impl Fn(PatternError) -> StubError {
    move |error| field.error(error.to_string())
}

fn text_match(kind: &str, field: &Field<'_>) -> Result<TextMatch, StubError> {
    let text = field.text()?;
    match kind {
        "contains" => Ok(TextMatch::contains(text)),
        "starts_with" => Ok(TextMatch::starts_with(text)),
        "regex" => TextMatch::regex(text).map_err(pattern_error(field)),
        _ => Ok(TextMatch::equals(text)),
    }
}

/// A text, or an object of conditions that all must hold.
fn text_matches(field: &Field<'_>) -> Result<Vec<TextMatch>, StubError> {
    if !field.value.is_object() {
        return Ok(vec![text_match("equals", field)?]);
    }
    let mut fields = field.fields()?;
    let mut found = Vec::new();
    for (kind, names) in [
        ("equals", &["equals", "exact", "is", "equal_to", "equalTo", "eq"][..]),
        ("contains", &["contains", "includes", "substring", "has"]),
        ("starts_with", &["starts_with", "startsWith", "prefix"]),
        ("regex", &["regex", "matches", "pattern", "regexp"]),
    ] {
        if let Some(field) = fields.take(names)? {
            for item in field.items() {
                found.push(text_match(kind, &item)?);
            }
        }
    }
    if let Some(not) = fields.take(&["not"])? {
        found.extend(text_matches(&not)?.into_iter().map(TextMatch::negated));
    }
    let ignore_case = fields.take(&["ignore_case", "case_insensitive", "ignoreCase"])?;
    fields.finish()?;
    if found.is_empty() {
        return Err(field.error("wants one of `equals`, `contains`, `starts_with`, `regex`, `not`"));
    }
    if ignore_case.map(|field| field.boolean()).transpose()? == Some(true) {
        let loosened: Result<Vec<TextMatch>, PatternError> =
            found.into_iter().map(TextMatch::ignoring_case).collect();
        return loosened.map_err(pattern_error(field));
    }
    Ok(found)
}

/// Conditions as a `match` object spells them. Several on one text become one object; what has no
/// place beside the others goes into objects of its own under `all`.
pub(super) fn write(conditions: &[Condition]) -> Map<String, Value> {
    let mut objects: Vec<Map<String, Value>> = vec![Map::new()];
    for condition in conditions {
        if !objects.iter_mut().any(|object| place(object, condition)) {
            let mut object = Map::new();
            place(&mut object, condition);
            objects.push(object);
        }
    }
    let mut rest = objects.split_off(1);
    let mut first = objects.pop().unwrap_or_default();
    rest.retain(|object| !object.is_empty());
    if !rest.is_empty() {
        first.insert("all".to_owned(), json!(rest));
    }
    first
}

/// Puts a condition into an object; false where its place is taken.
fn place(map: &mut Map<String, Value>, condition: &Condition) -> bool {
    match condition {
        Condition::Route(routes) => insert(map, "route", listed(routes)),
        Condition::Method(method) => insert(map, "method", json!(method)),
        Condition::Model(model) => insert(map, "model", json!(model)),
        Condition::User(text) => write_text(map, "user", text),
        Condition::System(text) => write_text(map, "system", text),
        Condition::Message(role, text) => {
            write_text(map, role.as_deref().unwrap_or("any_message"), text)
        }
        Condition::Turn(from, to) if from == to => insert(map, "turn", json!(from)),
        Condition::Turn(from, usize::MAX) => insert(map, "turn", json!({"from": from})),
        Condition::Turn(from, to) => insert(map, "turn", json!({"from": from, "to": to})),
        Condition::ToolResult(has) => insert(map, "has_tool_result", json!(has)),
        Condition::ToolResultText(text) => write_text(map, "tool_result", text),
        Condition::Tool(name) => match map.get_mut("tool") {
            Some(Value::Array(names)) => {
                names.push(json!(name));
                true
            }
            _ => insert(map, "tool", json!([name])),
        },
        Condition::Format(FormatMatch::Present(has)) => insert(map, "format", json!(has)),
        Condition::Format(FormatMatch::Json) => insert(map, "format", json!("json")),
        Condition::Format(FormatMatch::Schema) => insert(map, "format", json!("schema")),
        Condition::Images(has) => insert(map, "images", json!(has)),
        Condition::Option(name, value) => {
            within(map, "options", |options| insert(options, name, value.clone()))
        }
        Condition::Think(ThinkMatch::Thinks(does)) => insert(map, "think", json!(does)),
        Condition::Think(ThinkMatch::Level(level)) => insert(map, "think", json!(level)),
        Condition::Stream(does) => insert(map, "stream", json!(does)),
        Condition::Header(name, text) => {
            within(map, "header", |headers| write_text(headers, name, text))
        }
        Condition::HeaderPresent(name, has) => {
            within(map, "header", |headers| insert(headers, name, json!(has)))
        }
        Condition::Body(pointer, value) => {
            within(map, "body", |body| insert(body, pointer, value.clone()))
        }
        Condition::BodyText(pointer, text) => within(map, "body", |body| {
            // A value there may be an object of any keys.
            let is_value = |there: &Value| !there.as_object().is_some_and(is_text_match);
            !body.get(pointer).is_some_and(is_value) && write_text(body, pointer, text)
        }),
        Condition::Unreadable(error) => insert(map, "user", json!({ "regex": error.pattern })),
    }
}

/// False where the key is taken.
fn insert(map: &mut Map<String, Value>, key: &str, value: Value) -> bool {
    let free = !map.contains_key(key);
    if free {
        map.insert(key.to_owned(), value);
    }
    free
}

fn listed(texts: &[String]) -> Value {
    match texts {
        [only] => json!(only),
        texts => json!(texts),
    }
}

/// Changes the object under a key; false where something else is there.
fn within(
    map: &mut Map<String, Value>,
    key: &str,
    change: impl FnOnce(&mut Map<String, Value>) -> bool,
) -> bool {
    match map.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(inner) => change(inner),
        _ => false,
    }
}

/// Texts share an object where they are alike in whether the case counts.
fn write_text(map: &mut Map<String, Value>, key: &str, text: &TextMatch) -> bool {
    let (kind, wanted, ignore_case, negated) = text.spelt();
    let add = |object: &mut Map<String, Value>| match object.get_mut(kind) {
        Some(Value::Array(all)) => {
            all.push(json!(wanted));
            true
        }
        Some(one) => {
            *one = json!([one.clone(), wanted]);
            true
        }
        None => insert(object, kind, json!(wanted)),
    };
    within(map, key, |object| {
        let ignores_case = object.get("ignore_case") == Some(&Value::Bool(true));
        if !object.is_empty() && ignores_case != ignore_case {
            return false;
        }
        if ignore_case {
            object.insert("ignore_case".to_owned(), Value::Bool(true));
        }
        if negated { within(object, "not", add) } else { add(object) }
    })
}
