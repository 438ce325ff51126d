//! `/api/generate`.

use std::time::Duration;

use serde::Serialize;

use super::Surface;
use super::chat::reason;
use super::go_json::{Fields, Shape, Type, read as read_body, time, to_vec};
use super::native::{self, CallLine, DebugLine, MetricsLine};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked, Message};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Performance, TokenLogprob};
use crate::testkit::mock_server::script::Script;

static REQUEST: Shape = Shape {
    package: "api",
    name: "GenerateRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("suffix", Type::Text),
        ("system", Type::Text),
        ("template", Type::Text),
        ("context", Type::List("[]int", &Type::Whole("int"))),
        ("stream", native::FLAG_OR_NONE),
        ("raw", Type::Flag),
        ("format", Type::Raw),
        ("keep_alive", native::KEEP_ALIVE),
        ("images", native::IMAGES),
        ("options", native::OPTIONS),
        ("think", native::THINK),
        ("truncate", native::FLAG_OR_NONE),
        ("shift", native::FLAG_OR_NONE),
        ("_debug_render_only", Type::Flag),
        ("logprobs", Type::Flag),
        ("top_logprobs", Type::Whole("int")),
    ],
};

pub(super) fn read(
    exchange: &Exchange,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Asked, Refusal> {
    let fields = read_body(&exchange.body, &REQUEST)?;
    let mut ask = asked(&fields)?;
    let keep_alive = native::keep_alive(&fields);
    match admission::generate(&mut ask, keep_alive, models, stamp)? {
        Admitted::Run => {}
        Admitted::Load => return Ok(only(&ask, "load", stamp)),
        Admitted::Unload => return Ok(only(&ask, "unload", stamp)),
    }
    if fields.flag("_debug_render_only") == Some(true) {
        let debug = Some(DebugLine::of(&ask));
        return Ok(native::done(&Line { debug, ..Line::new(&ask, Duration::ZERO, stamp) }));
    }
    native::text_asked(ask, &fields)
}

fn asked(fields: &Fields) -> Result<Ask, Refusal> {
    let or_none = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let raw = fields.flag("raw").unwrap_or_default();
    let mut messages = Vec::new();
    if let Some(content) = or_none("system") {
        messages.push(Message { role: "system".to_owned(), content, ..Message::default() });
    }
    messages.push(Message {
        role: "user".to_owned(),
        content: fields.text("prompt").to_owned(),
        images: native::images(fields),
        ..Message::default()
    });
    Ok(Ask {
        model: fields.text("model").to_owned(),
        messages,
        suffix: or_none("suffix"),
        template: or_none("template"),
        think: native::think(fields),
        options: fields.map("options"),
        truncate: fields.flag("truncate"),
        shift: fields.flag("shift"),
        stream: fields.flag("stream").unwrap_or(true),
        raw,
        keeps_context: !raw,
        context: fields.list("context").iter().filter_map(serde_json::Value::as_i64).collect(),
        logprobs: native::logprobs(fields)?,
        ..Ask::default()
    })
}

/// An answer that only loads or unloads.
fn only(ask: &Ask, reason: &'static str, stamp: &Stamp) -> Asked {
    native::done(&Line {
        done: true,
        done_reason: Some(reason),
        ..Line::new(ask, Duration::ZERO, stamp)
    })
}

pub(super) static SURFACE: Surface = Surface {
    text,
    vectors: |_, _, _, stamp| {
        native::refuse(&Refusal::new(500, "a prompt is not answered with vectors"), stamp)
    },
    refuse: native::refuse,
    broken_off: native::broken_off,
};

#[derive(Debug, Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: String,
    response: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    context: &'a [i64],
    #[serde(flatten)]
    metrics: MetricsLine,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallLine<'a>>,
    #[serde(rename = "_debug_info", skip_serializing_if = "Option::is_none")]
    debug: Option<DebugLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a [TokenLogprob]>,
}

impl<'a> Line<'a> {
    fn new(ask: &'a Ask, at: Duration, stamp: &Stamp) -> Self {
        Self {
            model: &ask.model,
            created_at: time(stamp.moment(at)),
            response: "",
            thinking: "",
            done: false,
            done_reason: None,
            context: &[],
            metrics: MetricsLine::default(),
            tool_calls: Vec::new(),
            debug: None,
            logprobs: None,
        }
    }

    fn last(ask: &'a Ask, performance: &'a Performance, stamp: &Stamp) -> Self {
        Self {
            done: true,
            done_reason: Some(reason(performance.finish)),
            context: if ask.raw { &[] } else { &performance.context },
            metrics: MetricsLine::from(&performance.metrics),
            ..Self::new(ask, performance.ends_at, stamp)
        }
    }
}

fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    native::text(ask, performance, |said, at, is_last| {
        let line =
            if is_last { Line::last(ask, performance, stamp) } else { Line::new(ask, at, stamp) };
        to_vec(&Line {
            response: said.text,
            thinking: said.thinking,
            tool_calls: said.calls,
            logprobs: said.logprobs,
            ..line
        })
    })
}

#[cfg(test)]
mod tests;
