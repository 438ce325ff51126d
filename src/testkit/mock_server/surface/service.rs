//! The routes about the server itself, and the experimental ones.

use serde::Serialize;
use serde_json::json;

use super::Surface;
use super::go_json::{Shape, Type, read as read_body};
use super::native;
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::{Models, VERSION, sha256};
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::script::Script;

/// What a search gives where it does not say how many.
const RESULTS: i64 = 5;
/// What a search gives at most.
const MOST_RESULTS: i64 = 10;

pub(super) fn root(
    _exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let text = "Ollama is running";
    Ok(Asked::Done(Script::whole(200, "text/plain; charset=utf-8", text)))
}

pub(super) fn version(
    _exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    Ok(native::done(&json!({"version": VERSION})))
}

pub(super) fn status(
    _exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    Ok(native::done(&json!({"cloud": {"disabled": false, "source": "none"}})))
}

/// What nobody who is not signed in gets.
#[derive(Debug, Serialize)]
struct Unauthorized {
    error: &'static str,
    signin_url: String,
}

pub(super) fn me(
    _exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let key = sha256(b"public key of the mock").replace("sha256:", "");
    let signin_url = format!("https://ollama.com/connect?name=mock&key={key}");
    Ok(Asked::Done(native::json(401, &Unauthorized { error: "unauthorized", signin_url })))
}

pub(super) fn signout(
    _exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    Err(Refusal::new(401, "you are not currently signed in"))
}

pub(super) fn delete_key(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    signout(exchange, models, stamp)
}

static SEARCH: Shape = Shape {
    package: "api",
    name: "WebSearchRequest",
    fields: &[("query", Type::Text), ("max_results", Type::Whole("int"))],
};

static FETCH: Shape =
    Shape { package: "api", name: "WebFetchRequest", fields: &[("url", Type::Text)] };

#[derive(Debug, Serialize)]
struct Results {
    results: Vec<Page>,
}

#[derive(Debug, Serialize)]
struct Page {
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Vec<String>>,
}

pub(super) fn web_search(
    exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &SEARCH)?;
    let query = fields.text("query");
    if query.is_empty() {
        return Err(Refusal::bad_request("query is required"));
    }
    let wanted = Some(fields.whole("max_results")).filter(|wanted| *wanted > 0);
    let results = (1..=wanted.unwrap_or(RESULTS).min(MOST_RESULTS))
        .map(|rank| Page {
            title: format!("{query} ({rank})"),
            url: format!("https://example.com/{rank}"),
            content: format!("Result {rank} of a search for {query}."),
            links: None,
        })
        .collect();
    Ok(native::done(&Results { results }))
}

pub(super) fn web_fetch(
    exchange: &Exchange,
    _models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &FETCH)?;
    let url = fields.text("url");
    if url.is_empty() {
        return Err(Refusal::bad_request("url is required"));
    }
    Ok(native::done(&Page {
        title: url.to_owned(),
        url: String::new(),
        content: format!("The page at {url}."),
        links: Some(vec!["https://example.com/".to_owned()]),
    }))
}

#[derive(Debug, Serialize)]
struct Recommendation {
    model: String,
    description: String,
    context_length: u64,
    max_output_tokens: u64,
    vram_bytes: u64,
    required_plan: &'static str,
}

pub(super) fn recommendations(
    _exchange: &Exchange,
    models: &mut Models,
    _stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let recommendations: Vec<Recommendation> = models
        .all()
        .iter()
        .map(|model| Recommendation {
            model: model.name.short(),
            description: format!("{} parameters, {}", model.parameter_size(), model.quantization),
            context_length: model.context_length,
            max_output_tokens: model.context_length,
            vram_bytes: model.weights.size,
            required_plan: "",
        })
        .collect();
    Ok(native::done(&json!({ "recommendations": recommendations })))
}

/// The surface of routes that are answered without a model.
pub(super) static NATIVE: Surface = Surface {
    text: |_, _, stamp| {
        native::refuse(&Refusal::new(500, "this route is not answered with text"), stamp)
    },
    vectors: |_, _, _, stamp| {
        native::refuse(&Refusal::new(500, "this route is not answered with vectors"), stamp)
    },
    refuse: native::refuse,
    broken_off: native::broken_off,
};

#[cfg(test)]
mod tests;
