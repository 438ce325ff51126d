//! `/v1/responses`. Stateless: nothing of a response is kept.

mod input;
mod object;
mod write;

use serde_json::{Map, Value, json};

use super::bind::{Bound, INT, bind, fitted};
use super::go_json::{Shape, Type};
use super::{Surface, native, openai};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked, Tool};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{KeepAlive, Models};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Performance;

/// The tool that the server runs itself.
const WEB_SEARCH: &str = "web_search";

pub(super) static SURFACE: Surface = Surface {
    text: write::text,
    vectors: openai::no_vectors,
    refuse: openai::refuse,
    broken_off: write::broken_off,
};

static REQUEST: Shape = Shape {
    package: "openai",
    name: "ResponsesRequest",
    fields: &[
        ("model", Type::Text),
        ("background", Type::Flag),
        ("include", Type::List("[]string", &Type::Text)),
        ("input", Type::Any),
        ("instructions", Type::Text),
        ("max_output_tokens", INT),
        ("reasoning", Type::Struct(&REASONING)),
        ("temperature", Type::Real("float64")),
        ("text", Type::Struct(&TEXT)),
        ("top_p", Type::Real("float64")),
        ("truncation", Type::Text),
        ("tools", Type::List("[]openai.ResponsesTool", &Type::Struct(&TOOL))),
        ("stream", Type::Flag),
    ],
};

static REASONING: Shape = Shape {
    package: "openai",
    name: "ResponsesReasoning",
    fields: &[("effort", Type::Text), ("generate_summary", Type::Text), ("summary", Type::Text)],
};

static TEXT: Shape = Shape {
    package: "openai",
    name: "ResponsesText",
    fields: &[("format", Type::Struct(&TEXT_FORMAT))],
};

static TEXT_FORMAT: Shape = Shape {
    package: "openai",
    name: "ResponsesTextFormat",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("schema", Type::Any),
        ("strict", Type::Flag),
    ],
};

static TOOL: Shape = Shape {
    package: "openai",
    name: "ResponsesTool",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("description", Type::Text),
        ("strict", Type::Flag),
        ("parameters", Type::Map("map[string]interface {}", &Type::Any)),
        ("tools", Type::List("[]openai.ResponsesTool", &Type::Struct(&TOOL))),
    ],
};

/// Reads a request.
pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let (mut ask, schema) = asked(exchange)?;
    match admission::chat(&mut ask, KeepAlive::Default, models, stamp)? {
        Admitted::Run => {
            ask.format = native::format_of(schema.as_ref())?;
            Ok(Asked::Text(Box::new(ask)))
        }
        // Nothing to answer: a response with nothing in it.
        Admitted::Load | Admitted::Unload => {
            Ok(Asked::Done(write::text(&ask, &Performance::default(), stamp)))
        }
    }
}

/// What a request asks for, and the schema that it wants.
fn asked(exchange: &Exchange) -> Result<(Ask, Option<Value>), Refusal> {
    let mut fields = bind(exchange, &REQUEST)?;
    let items = input::items(fields.take("input"))?;
    let reasoning = fields.object("reasoning").unwrap_or_default();
    let format = fields.object("text").and_then(|mut text| text.object("format"));
    let tools = fields.list("tools");
    let ask = Ask {
        model: fields.text("model").to_owned(),
        messages: input::conversation(fields.some_text("instructions"), items)?,
        think: openai::effort(reasoning.text("effort"))?,
        options: options(&fields),
        stream: fields.flag("stream"),
        echo: echo(&fields, &reasoning, format.as_ref(), &tools),
        tools: flat(tools)?,
        ..Ask::default()
    };
    let schema = format
        .filter(|format| format.text("type") == "json_schema")
        .and_then(|mut format| format.take("schema"));
    Ok((ask, schema))
}

/// `top_p` has no default of its own here: that of the model stays.
fn options(fields: &Bound) -> Map<String, Value> {
    let mut options = Map::new();
    openai::number(&mut options, "temperature", fields, "temperature", Some(1.0));
    openai::number(&mut options, "top_p", fields, "top_p", None);
    openai::number(&mut options, "num_predict", fields, "max_output_tokens", None);
    options
}

/// What the response object repeats of the request.
fn echo(
    fields: &Bound,
    reasoning: &Bound,
    format: Option<&Bound>,
    tools: &[Bound],
) -> Map<String, Value> {
    let mut echo = Map::new();
    let mut set = |name: &str, value: Value| {
        echo.insert(name.to_owned(), value);
    };
    let number = |name| fields.number(name).map_or(json!(1.0), |number| json!(number));
    set("instructions", json!(fields.some_text("instructions")));
    set(
        "truncation",
        json!(fields.get("truncation").and_then(Value::as_str).unwrap_or("disabled")),
    );
    set("top_p", number("top_p"));
    set("temperature", number("temperature"));
    set("max_output_tokens", json!(fields.number("max_output_tokens")));
    set("background", json!(fields.flag("background")));
    set("reasoning", some_of(reasoning, &["effort", "summary"]).unwrap_or_default());
    set(
        "format",
        format
            .map(|format| {
                let mut shown = Map::new();
                shown.insert("type".to_owned(), json!(format.text("type")));
                for name in ["name", "schema", "strict"] {
                    shown.extend(format.get(name).map(|value| (name.to_owned(), value.clone())));
                }
                Value::Object(shown)
            })
            .unwrap_or_else(|| json!({ "type": "text" })),
    );
    set("tools", tools.iter().map(shown_tool).collect());
    if tools.iter().any(is_web_search) {
        set(WEB_SEARCH, json!(true));
    }
    echo
}

/// The texts among these fields that say something; `None` where none does.
fn some_of(fields: &Bound, names: &[&str]) -> Option<Value> {
    let said: Map<String, Value> = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(fields.some_text(name)?))))
        .collect();
    (!said.is_empty()).then_some(Value::Object(said))
}

fn shown_tool(tool: &Bound) -> Value {
    let mut parameters = tool.get("parameters").cloned().unwrap_or_default();
    parameters.sort_all_objects();
    let mut shown = json!({
        "type": tool.text("type"),
        "name": tool.text("name"),
        "description": tool.get("description"),
        "strict": tool.get("strict"),
        "parameters": parameters,
    });
    if let (Some(members), Value::Object(shown)) = (tool.get("tools"), &mut shown) {
        shown.insert("tools".to_owned(), members.clone());
    }
    shown
}

fn is_web_search(tool: &Bound) -> bool {
    tool.text("type").starts_with(WEB_SEARCH)
}

/// The tools that the model sees: those of a namespace under its name and theirs.
fn flat(tools: Vec<Bound>) -> Result<Vec<Tool>, Refusal> {
    let mut flat = Vec::new();
    for mut tool in tools {
        let name = tool.text("name").to_owned();
        if is_web_search(&tool) {
            flat.push(openai::web_search());
        } else if tool.text("type") == "namespace" {
            for member in tool.list("tools") {
                let name = format!("{name}.{}", member.text("name"));
                flat.push(function(name, member)?);
            }
        } else {
            flat.push(function(name, tool)?);
        }
    }
    Ok(flat)
}

fn function(name: String, mut tool: Bound) -> Result<Tool, Refusal> {
    let description = tool.text("description").to_owned();
    let parameters = tool.take("parameters").unwrap_or_else(|| json!({}));
    fitted(&parameters, &native::TOOL_PARAMETERS).map_err(|why| {
        Refusal::bad_request(format!("failed to unmarshal tool parameters: {why}"))
    })?;
    Ok(Tool { name, description, parameters })
}

#[cfg(test)]
mod tests;
