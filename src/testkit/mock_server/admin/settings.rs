//! Settings: how a namespace answers where no stub says.

use std::time::Duration;

use serde_json::{Value, json};

use super::input::{Fields, kind_of, whole, wrong_kind};
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::fault::{FaultRule, chaos};
use crate::testkit::mock_server::models::{Models, Name, UnknownModels};
use crate::testkit::mock_server::namespace::State;
use crate::testkit::mock_server::settings::Settings;
use crate::testkit::mock_server::stub::{DefaultReplies, default_replies};
use crate::testkit::mock_server::timing::{Span, Timing};

const KNOWN: [&str; 11] = [
    "latency_ms",
    "timing",
    "default_model",
    "unknown_models",
    "not_in_registry",
    "default_replies",
    "strict",
    "auto",
    "seed",
    "faults",
    "chaos",
];

/// What the latency is called in `timing`.
const LATENCY_NAMES: [&str; 2] = ["latency", "latency_ms"];
/// The same as no latency.
const NONE: Span = Span::Fixed(Duration::ZERO);

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(shown(&call.namespace.state())?)
}

fn shown(state: &State) -> Result<Value, Problem> {
    let settings = &state.settings;
    let unshown = |error| Problem {
        status: 500,
        error: format!("the settings cannot be shown: {error}"),
        details: Vec::new(),
    };
    let latency = match &settings.timing.latency {
        None => json!(0),
        Some(Span::Fixed(span)) if span.subsec_nanos() % 1_000_000 == 0 => {
            json!(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
        }
        Some(Span::Fixed(span)) => json!(span.as_secs_f64() * 1000.0),
        Some(span) => serde_json::to_value(span).map_err(unshown)?,
    };
    let rules: Vec<Value> = settings
        .faults
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()
        .map_err(unshown)?;
    let (chaos, faults): (Vec<Value>, Vec<Value>) = rules.into_iter().partition(is_chaos);
    Ok(json!({
        "latency_ms": latency,
        "timing": settings.timing,
        "default_model": state.models.default_model(),
        "unknown_models": state.models.unknown_models(),
        "not_in_registry": shown_names(&state.models),
        "default_replies": shown_replies(settings),
        "strict": !settings.default_replies,
        "auto": settings.auto,
        "seed": settings.seed,
        "faults": faults,
        "chaos": chaos,
    }))
}

fn is_chaos(rule: &Value) -> bool {
    rule.get("kind").is_some_and(|kind| kind == "chaos")
}

fn shown_replies(settings: &Settings) -> Value {
    if settings.keyword_replies.is_empty() {
        return json!(settings.default_replies);
    }
    let replies = settings.keyword_replies.iter();
    Value::Object(replies.map(|(word, text)| (word.clone(), json!(text))).collect())
}

/// Changes what the body names; null is the value that the server started with. All of it, or
/// nothing where something is wrong.
pub(super) fn change(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&KNOWN)?;
    let first = &call.world.beginning().settings;
    let first_models = &call.world.beginning().models;
    let mut state = call.namespace.state();
    let mut settings = state.settings.clone();
    if let Some(value) = fields.take("timing") {
        settings.timing = match value {
            Value::Null => first.timing.clone(),
            value => {
                // `latency_ms` is the same setting under a shorter name: it stays unless named here.
                let names_it = LATENCY_NAMES.iter().any(|name| value.get(name).is_some());
                let timing = read_timing(value)?;
                let latency = if names_it { timing.latency } else { settings.timing.latency };
                Timing { latency: latency.filter(|span| *span != NONE), ..timing }
            }
        };
    }
    if let Some(value) = fields.take("latency_ms") {
        settings.timing.latency = match value {
            Value::Null => first.timing.latency.clone(),
            value => read_latency(value)?,
        };
    }
    change_answers(&mut fields, &mut settings, first)?;
    change_faults(&mut fields, &mut settings, first)?;
    let unknown = match fields.take("unknown_models") {
        None => state.models.unknown_models(),
        Some(Value::Null) => first_models.unknown_models(),
        Some(value) => serde_json::from_value::<UnknownModels>(value.clone())
            .map_err(|_| wrong_kind("unknown_models", &value, "\"allow\" or \"reject\""))?,
    };
    let gone = match fields.take("not_in_registry") {
        None => None,
        Some(Value::Null) => Some(shown_names(first_models)),
        Some(value) => Some(read_names(&value)?),
    };
    let default_model = match fields.take("default_model") {
        None => state.models.default_model().map(str::to_owned),
        Some(Value::Null) => first_models.default_model().map(str::to_owned),
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(other) => return Err(wrong_kind("default_model", &other, "a model's name")),
    };
    add_default(&mut state, default_model.as_deref(), call)?;
    state.models.set_unknown_models(unknown);
    if let Some(gone) = gone {
        state.models.set_not_in_registry(gone);
    }
    state.models.set_default_model(default_model);
    state.settings = settings;
    Answer::ok(shown(&state)?)
}

/// The default model is there, whoever asks for it.
fn add_default(state: &mut State, name: Option<&str>, call: &Call<'_>) -> Result<(), Problem> {
    let Some(name) = name.filter(|name| state.models.default_model() != Some(*name)) else {
        return Ok(());
    };
    state
        .models
        .add_unless_listed(name, call.world.clock().now())
        .map_err(|error| Problem::wrong(format!("`default_model`: {error}")))?;
    Ok(())
}

/// Names in full, as a change takes them.
fn shown_names(models: &Models) -> Vec<String> {
    let names = models.not_in_registry();
    names.map(|key| Name::parse(key).map_or_else(|_| key.to_owned(), |name| name.short())).collect()
}

fn read_names(value: &Value) -> Result<Vec<String>, Problem> {
    let wrong = || wrong_kind("not_in_registry", value, "a list of models' names");
    let names = value.as_array().ok_or_else(wrong)?;
    names
        .iter()
        .map(|name| {
            let name = name.as_str().ok_or_else(wrong)?;
            Name::parse(name)
                .map_err(|error| Problem::wrong(format!("`not_in_registry`: {error}")))?;
            Ok(name.to_owned())
        })
        .collect()
}

fn read_latency(value: Value) -> Result<Option<Span>, Problem> {
    let shown = value.clone();
    if value.as_f64() == Some(0.0) {
        return Ok(None);
    }
    serde_json::from_value::<Span>(value).map(Some).map_err(|error| {
        let Problem { status, error: text, details } =
            wrong_kind("latency_ms", &shown, "a number of milliseconds");
        Problem { status, error: format!("{text}: {error}"), details }
    })
}

fn read_timing(value: Value) -> Result<Timing, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::wrong(format!("`timing`: {error}")))
}

fn change_answers(
    fields: &mut Fields,
    settings: &mut Settings,
    first: &Settings,
) -> Result<(), Problem> {
    if let Some(value) = fields.take("default_replies") {
        match value {
            Value::Null => {
                settings.default_replies = first.default_replies;
                settings.keyword_replies = first.keyword_replies.clone();
            }
            value => {
                let replies = default_replies(&value);
                match replies.map_err(|error| Problem::wrong(error.to_string()))? {
                    DefaultReplies::Usual(wanted) => {
                        settings.default_replies = wanted;
                        settings.keyword_replies = Vec::new();
                    }
                    DefaultReplies::Keywords(replies) => {
                        settings.keyword_replies = replies;
                        settings.default_replies = true;
                    }
                }
            }
        }
    }
    match fields.take("strict") {
        None => {}
        Some(Value::Null) => settings.default_replies = first.default_replies,
        Some(Value::Bool(strict)) => settings.default_replies = !strict,
        Some(other) => return Err(wrong_kind("strict", &other, "true or false")),
    }
    match fields.take("auto") {
        None => {}
        Some(Value::Null) => settings.auto = first.auto,
        Some(Value::Bool(auto)) => settings.auto = auto,
        Some(other) => return Err(wrong_kind("auto", &other, "true or false")),
    }
    match fields.take("seed") {
        None => {}
        Some(Value::Null) => settings.seed = first.seed,
        Some(value) => {
            settings.seed =
                whole(&value).ok_or_else(|| wrong_kind("seed", &value, "a whole number from 0"))?;
        }
    }
    Ok(())
}

fn change_faults(
    fields: &mut Fields,
    settings: &mut Settings,
    first: &Settings,
) -> Result<(), Problem> {
    let of = |rules: &[FaultRule], wanted_chaos: bool| -> Vec<FaultRule> {
        let kind = |rule: &FaultRule| serde_json::to_value(rule).is_ok_and(|rule| is_chaos(&rule));
        rules.iter().filter(|rule| kind(rule) == wanted_chaos).cloned().collect()
    };
    if let Some(value) = fields.take("faults") {
        let rules = match value {
            Value::Null => of(&first.faults, false),
            value => read_rules(value)?,
        };
        settings.faults = rules.into_iter().chain(of(&settings.faults, true)).collect();
    }
    if let Some(value) = fields.take("chaos") {
        let rules = match value {
            Value::Null => of(&first.faults, true),
            Value::Bool(false) => Vec::new(),
            Value::String(text) if text.is_empty() || text == "none" => Vec::new(),
            Value::String(text) => read_chaos(&text)?,
            Value::Array(items) => {
                let mut rules = Vec::new();
                for item in items {
                    match item {
                        Value::String(text) => rules.extend(read_chaos(&text)?),
                        item if is_chaos(&item) => rules.extend(read_rules(item)?),
                        other => return Err(wrong_kind("chaos", &other, CHAOS)),
                    }
                }
                rules
            }
            other => return Err(wrong_kind("chaos", &other, CHAOS)),
        };
        settings.faults = of(&settings.faults, false).into_iter().chain(rules).collect();
    }
    Ok(())
}

const CHAOS: &str = "a text such as \"framing,overload:0.2\", a list of them, or null";

fn read_chaos(text: &str) -> Result<Vec<FaultRule>, Problem> {
    chaos(text).map_err(|error| Problem::wrong(format!("`chaos`: {error}")))
}

fn read_rules(value: Value) -> Result<Vec<FaultRule>, Problem> {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    items
        .into_iter()
        .enumerate()
        .map(|(at, item)| match item {
            Value::Object(fields) => FaultRule::try_from(fields)
                .map_err(|error| Problem::wrong(format!("`faults[{at}]`: {error}"))),
            other => Err(Problem::wrong(format!(
                "`faults[{at}]` is an object such as {{\"kind\": \"reset\", \"first\": 2}}, not {}",
                kind_of(&other)
            ))),
        })
        .collect()
}
