//! What the real server would treat oddly in a request that it takes, or turn down with a text that
//! does not name the mistake: one row a rule, each with a stable code, a text and the mend.

mod conversation;
mod fields;
mod limits;
mod options;
mod route;
#[cfg(test)]
mod tests;

pub(super) use options::kind_of;

use serde::Serialize;
use serde_json::{Map, Value};

use super::exchange::Exchange;

/// An oddity in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Which rule found it; stays the same from version to version.
    pub code: &'static str,
    /// Where in the body, as a JSON Pointer; empty where it is no one place.
    pub at: String,
    /// What the real server does.
    pub text: String,
    /// What to do about it.
    pub mend: String,
}

/// A rule of the audit.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The code of its notes.
    pub code: &'static str,
    /// What it looks for, in a few words.
    pub about: &'static str,
    look: fn(&Seen<'_>) -> Vec<Finding>,
}

/// What a rule found.
struct Finding {
    at: String,
    text: String,
    mend: String,
}

impl Finding {
    fn new(at: impl Into<String>, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { at: at.into(), text: text.into(), mend: mend.into() }
    }

    /// One finding, or none.
    fn when(found: bool, at: &str, text: &str, mend: &str) -> Vec<Self> {
        if found { vec![Self::new(at, text, mend)] } else { Vec::new() }
    }
}

/// A request as the rules see it.
struct Seen<'a> {
    exchange: &'a Exchange,
    /// The path of its route; empty where it has none.
    route: &'static str,
    /// The body, where it is a JSON object; else empty.
    body: &'a Map<String, Value>,
}

impl Seen<'_> {
    /// A field that is there and not null, found as Go finds it: in any case.
    fn field(&self, name: &str) -> Option<&Value> {
        let exact = self.body.get(name);
        exact
            .or_else(|| {
                self.body
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value)
            })
            .filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    /// The elements of a field that is a list.
    fn list(&self, name: &str) -> &[Value] {
        self.field(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether the native API answers it.
    fn native(&self) -> bool {
        self.route.starts_with("/api/")
    }

    fn is_route(&self, routes: &[&str]) -> bool {
        routes.contains(&self.route)
    }
}

/// Every rule, in the order in which its notes come.
pub static RULES: &[Rule] = &[
    rule("unknown-route", "a path that the server does not have", route::unknown),
    rule("wrong-method", "a path that exists for other methods", route::wrong_method),
    rule("cloud-model", "a model that runs on ollama.com", route::cloud_model),
    rule("legacy-embeddings", "the old route for vectors", route::legacy_embeddings),
    rule("unknown-field", "a field that the route does not read", fields::unknown),
    rule("ignored-field", "a field of the other vendor's API that is not read", fields::ignored),
    rule("misplaced-option", "an option beside `options` instead of in it", fields::misplaced),
    rule("deprecated-name", "`name` in place of `model`", fields::deprecated_name),
    rule("deprecated-context", "`context` of generate", fields::deprecated_context),
    rule("dead-field", "a field that once worked", fields::dead),
    rule("unknown-option", "an option that is only logged", options::unknown),
    rule("removed-option", "an option of older versions", options::removed),
    rule("option-type", "an option of the wrong type", options::wrong_type),
    rule("default-stream", "`stream` left to its default, true", limits::default_stream),
    rule("usage-without-stream", "`stream_options` without a stream", limits::usage_alone),
    rule("num-ctx", "a prompt longer than the context", limits::num_ctx),
    rule("keep-alive-unit", "a duration without a unit", limits::keep_alive_unit),
    rule("top-logprobs-alone", "`top_logprobs` without `logprobs`", limits::top_logprobs_alone),
    rule("top-p-zero", "`top_p` of 0 in completions", limits::top_p_zero),
    rule("think-value", "a word that `think` does not know", limits::think_value),
    rule("raw-template", "`raw` together with what only a template uses", limits::raw_template),
    rule("format-string", "`format` as a word other than json", limits::format_string),
    rule("format-unprompted", "JSON wanted, and the prompt does not say so", limits::unprompted),
    rule("response-format", "a `response_format` that is not read", limits::response_format),
    rule("loads-only", "an empty prompt, which only loads the model", conversation::loads_only),
    rule("image-data-uri", "an image as a data URI", conversation::image_data_uri),
    rule("image-url", "an image by its address", conversation::image_url),
    rule(
        "content-parts",
        "content in parts on a route that takes text",
        conversation::parts_on_native,
    ),
    rule("dropped-block", "a block of content that is dropped", conversation::dropped_block),
    rule("unknown-role", "a role that templates do not know", conversation::unknown_role),
    rule("system-twice", "more than one system prompt", conversation::system_twice),
    rule("system-late", "a system prompt after other messages", conversation::system_late),
    rule("tool-result-orphan", "a tool's result without its call", conversation::orphan),
    rule("tool-arguments", "arguments of a tool in the other API's form", conversation::arguments),
];

const fn rule(
    code: &'static str,
    about: &'static str,
    look: fn(&Seen<'_>) -> Vec<Finding>,
) -> Rule {
    Rule { code, about, look }
}

/// Audits a request: its route's path, where it has one, and its body as JSON, where it is.
#[must_use]
pub fn audit(exchange: &Exchange, route: Option<&'static str>, json: Option<&Value>) -> Vec<Note> {
    let none = Map::new();
    let body = json.and_then(Value::as_object).unwrap_or(&none);
    let seen = Seen { exchange, route: route.unwrap_or_default(), body };
    RULES
        .iter()
        .flat_map(|rule| {
            (rule.look)(&seen).into_iter().map(|found| Note {
                code: rule.code,
                at: found.at,
                text: found.text,
                mend: found.mend,
            })
        })
        .collect()
}

/// A place in the body as a JSON Pointer.
fn pointer(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}
