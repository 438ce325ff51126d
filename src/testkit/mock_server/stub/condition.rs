//! What a request must be for a stub to answer it: one condition a keyword, all of which hold.

use std::borrow::Cow;

use serde_json::Value;

use super::nearness;
use super::text_match::{PatternError, TextMatch};
use crate::testkit::mock_server::ask::{Ask, Asked, Format, Think};
use crate::testkit::mock_server::exchange::Exchange;

/// Short names of routes; each stands for all paths after it.
pub(crate) const ROUTE_NAMES: [(&str, &[&str]); 26] = [
    ("any", &["*"]),
    ("chat", &["/api/chat", "/v1/chat/completions", "/v1/responses", "/v1/messages"]),
    ("generate", &["/api/generate", "/v1/completions"]),
    ("embed", &["/api/embed", "/api/embeddings", "/v1/embeddings"]),
    ("embeddings", &["/api/embed", "/api/embeddings", "/v1/embeddings"]),
    ("native", &["/api/*"]),
    ("openai", &["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]),
    ("anthropic", &["/v1/messages"]),
    ("api.chat", &["/api/chat"]),
    ("api.generate", &["/api/generate"]),
    ("api.embed", &["/api/embed"]),
    ("api.embeddings", &["/api/embeddings"]),
    ("v1.chat", &["/v1/chat/completions"]),
    ("v1.completions", &["/v1/completions"]),
    ("v1.embeddings", &["/v1/embeddings"]),
    ("v1.responses", &["/v1/responses"]),
    ("v1.messages", &["/v1/messages"]),
    ("v1.models", &["/v1/models"]),
    ("v1.transcriptions", &["/v1/audio/transcriptions"]),
    ("completions", &["/v1/completions"]),
    ("responses", &["/v1/responses"]),
    ("messages", &["/v1/messages"]),
    ("tags", &["/api/tags"]),
    ("show", &["/api/show"]),
    ("ps", &["/api/ps"]),
    ("pull", &["/api/pull"]),
];

/// The request as conditions see it.
pub(super) struct Seen<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) route: &'a str,
    pub(super) asked: &'a Asked,
}

impl<'a> Seen<'a> {
    pub(super) fn ask(&self) -> Option<&'a Ask> {
        match self.asked {
            Asked::Text(ask) => Some(ask),
            _ => None,
        }
    }

    /// The texts that the user gave: the last, and all that was said with it; or every input of
    /// vectors.
    pub(super) fn users(&self) -> Vec<Cow<'a, str>> {
        match self.asked {
            Asked::Text(ask) => {
                let (last, whole) = (ask.last_user(), ask.last_user_whole());
                let more = (whole != last).then_some(Cow::Owned(whole));
                std::iter::once(Cow::Borrowed(last)).chain(more).collect()
            }
            Asked::Vectors(ask) => {
                ask.inputs.iter().map(|input| Cow::Borrowed(input.as_str())).collect()
            }
            Asked::Done(_) => Vec::new(),
        }
    }

    pub(super) fn model(&self) -> &'a str {
        match self.asked {
            Asked::Text(ask) => &ask.model,
            Asked::Vectors(ask) => &ask.model,
            Asked::Done(_) => {
                let body = self.exchange.json.as_ref();
                let named = |key| body.and_then(|body| body.get(key)).and_then(Value::as_str);
                named("model").or_else(|| named("name")).unwrap_or_default()
            }
        }
    }

    fn option(&self, name: &str) -> Option<&'a Value> {
        match self.asked {
            Asked::Text(ask) => ask.options.get(name),
            Asked::Vectors(ask) => ask.options.get(name),
            Asked::Done(_) => None,
        }
    }

    fn body(&self, pointer: &str) -> Option<&'a Value> {
        self.exchange.json.as_ref()?.pointer(pointer)
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// The route is one of these: a path, `*` for any text in it, or a short name.
    Route(Vec<String>),
    Method(String),
    /// The model, `*` and `?` for any text and letter.
    Model(String),
    User(TextMatch),
    System(TextMatch),
    /// The text of any message, of this role where it says.
    Message(Option<String>, TextMatch),
    /// From the first to the second message of the user.
    Turn(usize, usize),
    ToolResult(bool),
    ToolResultText(TextMatch),
    /// A tool of this name is on offer.
    Tool(String),
    Format(FormatMatch),
    Images(bool),
    Option(String, Value),
    Think(ThinkMatch),
    Stream(bool),
    Header(String, TextMatch),
    HeaderPresent(String, bool),
    /// The JSON body at a pointer is this value; `null` is also absent.
    Body(String, Value),
    BodyText(String, TextMatch),
    /// Never holds: its pattern cannot be read.
    Unreadable(PatternError),
}

/// What `format` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatMatch {
    Present(bool),
    Json,
    Schema,
}

/// What `think` must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ThinkMatch {
    /// The model thinks, or does not.
    Thinks(bool),
    Level(String),
}

impl Condition {
    pub(super) fn holds(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Route(routes) => routes.iter().any(|route| is_route(route, seen)),
            Self::Method(method) => method.eq_ignore_ascii_case(&seen.exchange.method),
            Self::Model(pattern) => is_model(pattern, seen.model()),
            Self::User(text) => seen.users().iter().any(|user| text.holds(user)),
            Self::System(text) => seen.ask().is_some_and(|ask| text.holds(&ask.system())),
            Self::Message(role, text) => messages(seen, role.as_deref()).any(|m| text.holds(m)),
            Self::Turn(from, to) => {
                seen.ask().is_some_and(|ask| (*from..=*to).contains(&ask.turn()))
            }
            Self::ToolResult(wanted) => tool_result(seen).is_some() == *wanted,
            Self::ToolResultText(text) => tool_result(seen).is_some_and(|found| text.holds(found)),
            Self::Tool(name) => offered(seen).any(|offered| offered == name),
            Self::Format(wanted) => seen.ask().is_some_and(|ask| wanted.holds(&ask.format)),
            Self::Images(wanted) => seen.ask().is_some_and(|ask| has_images(ask) == *wanted),
            Self::Option(name, wanted) => {
                seen.option(name).map_or(wanted.is_null(), |value| same(wanted, value))
            }
            Self::Think(wanted) => seen.ask().is_some_and(|ask| wanted.holds(ask)),
            Self::Stream(wanted) => streams(seen) == *wanted,
            Self::Header(name, text) => {
                seen.exchange.header(name).is_some_and(|value| text.holds(value))
            }
            Self::HeaderPresent(name, wanted) => seen.exchange.header(name).is_some() == *wanted,
            Self::Body(pointer, wanted) => {
                seen.body(pointer).map_or(wanted.is_null(), |value| same(wanted, value))
            }
            Self::BodyText(pointer, text) => {
                seen.body(pointer).is_some_and(|value| text.holds(&as_text(value)))
            }
            Self::Unreadable(_) => false,
        }
    }

    /// Where it fails: how near the request came (0 to 1), and how it differs, in words that go
    /// behind a stub's name.
    pub(super) fn difference(&self, seen: &Seen<'_>) -> (f64, String) {
        match self {
            Self::User(text) => {
                let users = seen.users();
                let users = users.iter().map(AsRef::as_ref);
                best(text, users, "differs in the user text", "wants a user text")
            }
            Self::System(text) => {
                let system = seen.ask().map(Ask::system).filter(|system| !system.is_empty());
                let system = system.as_deref();
                best(text, system, "differs in the system prompt", "wants a system prompt")
            }
            Self::Message(role, text) => {
                let texts = messages(seen, role.as_deref());
                best(text, texts, "differs in every message", "wants a message")
            }
            Self::ToolResultText(text) => {
                best(text, tool_result(seen), "differs in the tool result", "wants a tool result")
            }
            Self::Model(pattern) => {
                let model = seen.model();
                let near = nearness::likeness(pattern, model);
                (near, format!("wants model {pattern:?}, got {model:?}"))
            }
            Self::Turn(from, to) => {
                let turn = seen.ask().map_or(0, Ask::turn);
                let wanted = match (from, to) {
                    (from, to) if from == to => format!("turn {from}"),
                    (from, &usize::MAX) => format!("turn {from} or later"),
                    (from, to) => format!("turns {from} to {to}"),
                };
                (0.6, format!("wanted {wanted}, this is turn {turn}"))
            }
            Self::Route(routes) => {
                let route = seen.route;
                (0.1, format!("wants route {}, this is {route}", routes.join(" or ")))
            }
            Self::Method(method) => (0.1, format!("wants {method}, got {}", seen.exchange.method)),
            Self::Header(name, text) => best(
                text,
                seen.exchange.header(name),
                &format!("differs in header {name}"),
                &format!("wants header {name}"),
            ),
            Self::BodyText(pointer, text) => {
                let value = seen.body(pointer).map(as_text);
                let place = shown_pointer(pointer);
                best(
                    text,
                    value.as_deref(),
                    &format!("differs in the body at {place}"),
                    &format!("wants the body to have {place}"),
                )
            }
            other => (0.5, other.plain_difference(seen)),
        }
    }

    /// How near the request came, at a glance: by this, stubs are chosen to be worked out.
    pub(super) fn nearness(&self, seen: &Seen<'_>) -> f64 {
        let nearest = |wanted: &TextMatch, texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| wanted.nearness(text)).fold(0.0, f64::max)
        };
        match self {
            Self::User(text) => nearest(text, &mut seen.users().iter().map(AsRef::as_ref)),
            Self::System(text) => {
                let system = seen.ask().map(Ask::system);
                nearest(text, &mut system.as_deref().into_iter())
            }
            Self::Message(role, text) => nearest(text, &mut messages(seen, role.as_deref())),
            Self::ToolResultText(text) => nearest(text, &mut tool_result(seen).into_iter()),
            Self::Header(name, text) => nearest(text, &mut seen.exchange.header(name).into_iter()),
            Self::BodyText(pointer, text) => {
                let value = seen.body(pointer).map(as_text);
                nearest(text, &mut value.as_deref().into_iter())
            }
            other => other.difference(seen).0,
        }
    }

    /// Differences that are not of texts.
    fn plain_difference(&self, seen: &Seen<'_>) -> String {
        match self {
            Self::ToolResult(true) => "wanted a tool result, the newest message is none".to_owned(),
            Self::ToolResult(false) => "wants no tool result, the newest message is one".to_owned(),
            Self::Tool(name) => {
                let offered: Vec<&str> = offered(seen).collect();
                let got = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
                format!("wants tool {name:?} on offer, got {got}")
            }
            Self::Format(wanted) => format!("wants {}", wanted.describe()),
            Self::Images(true) => "wants an image, there is none".to_owned(),
            Self::Images(false) => "wants no image, there is one".to_owned(),
            Self::Option(name, wanted) => {
                let got = seen.option(name).map_or("absent".to_owned(), Value::to_string);
                format!("wants option {name} to be {wanted}, it is {got}")
            }
            Self::Think(wanted) => {
                let got = match seen.ask().and_then(|ask| ask.think.as_ref()) {
                    None => "absent".to_owned(),
                    Some(Think::Off) => "false".to_owned(),
                    Some(Think::On) => "true".to_owned(),
                    Some(Think::Level(level)) => format!("{level:?}"),
                };
                format!("wants think to be {}, it is {got}", wanted.describe())
            }
            Self::Stream(wanted) => {
                format!("wants stream to be {wanted}, it is {}", streams(seen))
            }
            Self::HeaderPresent(name, true) => format!("wants header {name}, there is none"),
            Self::HeaderPresent(name, false) => format!("wants no header {name}, there is one"),
            Self::Body(pointer, wanted) => {
                let got = seen.body(pointer).map_or("absent".to_owned(), Value::to_string);
                let place = shown_pointer(pointer);
                let (wanted, got) = (wanted.to_string(), nearness::shown(&got));
                format!("differs in the body at {place}: wants {wanted}, got {got}")
            }
            Self::Unreadable(error) => format!("can never match: {error}"),
            _ => "differs".to_owned(),
        }
    }
}

/// The text that comes nearest, or what is wanted where there is no text at all.
fn best<'a>(
    wanted: &TextMatch,
    texts: impl IntoIterator<Item = &'a str>,
    differs: &str,
    absent: &str,
) -> (f64, String) {
    texts
        .into_iter()
        .map(|text| wanted.difference(text))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map_or_else(
            || (0.0, format!("{absent} that is {}, there is none", wanted.describe())),
            |(near, text)| (near, format!("{differs}: {text}")),
        )
}

impl FormatMatch {
    fn holds(self, format: &Format) -> bool {
        match self {
            Self::Present(wanted) => (*format != Format::None) == wanted,
            Self::Json => *format == Format::Json,
            Self::Schema => matches!(format, Format::Schema(_)),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Present(true) => "a format, the request has none",
            Self::Present(false) => "no format, the request has one",
            Self::Json => "format \"json\", the request has another or none",
            Self::Schema => "a JSON Schema as format, the request has none",
        }
    }
}

impl ThinkMatch {
    fn holds(&self, ask: &Ask) -> bool {
        match self {
            Self::Thinks(wanted) => ask.thinks == *wanted,
            Self::Level(wanted) => {
                matches!(&ask.think, Some(Think::Level(level)) if level == wanted)
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Thinks(wanted) => wanted.to_string(),
            Self::Level(level) => format!("{level:?}"),
        }
    }
}

fn messages<'a>(seen: &Seen<'a>, role: Option<&str>) -> impl Iterator<Item = &'a str> {
    let messages = seen.ask().map(|ask| ask.messages.as_slice()).unwrap_or_default();
    messages
        .iter()
        .filter(move |message| role.is_none_or(|role| message.role == role))
        .map(|message| message.content.as_str())
}

fn tool_result<'a>(seen: &Seen<'a>) -> Option<&'a str> {
    Some(seen.ask()?.tool_result()?.content.as_str())
}

fn offered<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a str> {
    let tools = seen.ask().map(|ask| ask.tools.as_slice()).unwrap_or_default();
    tools.iter().map(|tool| tool.name.as_str())
}

fn has_images(ask: &Ask) -> bool {
    ask.messages.iter().any(|message| !message.images.is_empty())
}

fn streams(seen: &Seen<'_>) -> bool {
    match seen.asked {
        Asked::Text(ask) => ask.stream,
        Asked::Vectors(_) => false,
        Asked::Done(_) => seen.body("/stream") != Some(&Value::Bool(false)),
    }
}

fn is_route(wanted: &str, seen: &Seen<'_>) -> bool {
    if wanted.starts_with('/') {
        return glob(wanted, seen.route) || glob(wanted, &seen.exchange.path);
    }
    ROUTE_NAMES
        .iter()
        .filter(|(name, _)| *name == wanted)
        .flat_map(|(_, paths)| paths.iter())
        .any(|path| glob(path, seen.route))
}

/// Model names as the real server compares them: `latest` is the tag of a name without one.
fn is_model(pattern: &str, model: &str) -> bool {
    let (pattern, model) = (pattern.to_lowercase(), model.to_lowercase());
    let plain = |name: &str| name.strip_suffix(":latest").unwrap_or(name).to_owned();
    glob(&pattern, &model) || glob(&plain(&pattern), &plain(&model))
}

/// Whether a text is like a pattern with `*` (any text) and `?` (any letter).
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(letter) if *letter == '?' || text.get(in_text) == Some(letter) => {
                at += 1;
                in_text += 1;
            }
            _ => match &mut star {
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at, in_text) = (*star_at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

/// Equality of JSON values where 1 is 1.0; of an object only the keys wanted count.
fn same(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Number(wanted), Value::Number(got)) => {
            // 32-bit floats of the request (0.1) are near the number in a rule, not equal.
            wanted == got
                || wanted.as_f64().zip(got.as_f64()).is_some_and(|(wanted, got)| {
                    (wanted - got).abs() <= f64::from(f32::EPSILON) * wanted.abs()
                })
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(one, other)| same(one, other))
        }
        (Value::Object(wanted), Value::Object(got)) => wanted
            .iter()
            .all(|(key, value)| got.get(key).map_or(value.is_null(), |got| same(value, got))),
        (wanted, got) => wanted == got,
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn shown_pointer(pointer: &str) -> &str {
    if pointer.is_empty() { "its root" } else { pointer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_and_models_are_matched() {
        for (pattern, text, expected) in [
            ("llama*", "llama3.2", true),
            ("*:1b", "llama3.2:1b", true),
            ("l?ama*2", "llama3.2", true),
            ("*", "", true),
            ("a*b*c", "axxbxxc", true),
            ("a*b*c", "axxbxx", false),
            ("llama", "llama3", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
        assert!(is_model("Llama3.2", "llama3.2:latest"));
        assert!(is_model("llama3.2:latest", "LLAMA3.2"));
        assert!(!is_model("llama3.2", "llama3.2:1b"));
    }

    #[test]
    fn json_is_compared_by_value() {
        use serde_json::json;
        assert!(same(&json!(0.1), &json!(f64::from(0.1_f32))));
        assert!(same(&json!({"a": 1}), &json!({"a": 1.0, "b": 2})));
        assert!(!same(&json!({"a": 1, "b": 2}), &json!({"a": 1})));
        assert!(!same(&json!([1]), &json!([1, 2])));
    }
}
