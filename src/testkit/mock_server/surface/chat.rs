//! `/api/chat`.

use serde::Serialize;
use std::time::Duration;

use super::Surface;
use super::go_json::{Shape, Type, read as read_body, time, to_vec};
use super::native::{self, CallLine, DebugLine, MetricsLine};
use crate::testkit::mock_server::admission::{self, Admitted};
use crate::testkit::mock_server::ask::{Ask, Asked};
use crate::testkit::mock_server::exchange::{Exchange, Stamp};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::{Finish, Performance, TokenLogprob};
use crate::testkit::mock_server::script::Script;

static REQUEST: Shape = Shape {
    package: "api",
    name: "ChatRequest",
    fields: &[
        ("model", Type::Text),
        ("messages", native::MESSAGES),
        ("stream", native::FLAG_OR_NONE),
        ("format", Type::Raw),
        ("keep_alive", native::KEEP_ALIVE),
        ("tools", native::TOOLS),
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
    let mut ask = Ask {
        model: fields.text("model").to_owned(),
        messages: native::messages(&fields),
        tools: native::tools(&fields),
        think: native::think(&fields),
        options: fields.map("options"),
        truncate: fields.flag("truncate"),
        shift: fields.flag("shift"),
        stream: fields.flag("stream").unwrap_or(true),
        logprobs: native::logprobs(&fields)?,
        ..Ask::default()
    };
    let keep_alive = native::keep_alive(&fields);
    match admission::chat(&mut ask, keep_alive, models, stamp)? {
        Admitted::Run => {}
        Admitted::Load => return Ok(only(&ask, "load", stamp)),
        Admitted::Unload => return Ok(only(&ask, "unload", stamp)),
    }
    if fields.flag("_debug_render_only") == Some(true) {
        let line = Line {
            debug: Some(DebugLine::of(&ask)),
            message: MessageLine::default(),
            ..Line::new(&ask, Duration::ZERO, stamp)
        };
        return Ok(native::done(&line));
    }
    native::text_asked(ask, &fields)
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
        native::refuse(&Refusal::new(500, "a chat is not answered with vectors"), stamp)
    },
    refuse: native::refuse,
    broken_off: native::broken_off,
};

#[derive(Debug, Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: String,
    message: MessageLine<'a>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'static str>,
    #[serde(rename = "_debug_info", skip_serializing_if = "Option::is_none")]
    debug: Option<DebugLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a [TokenLogprob]>,
    #[serde(flatten)]
    metrics: MetricsLine,
}

#[derive(Debug, Serialize, Default)]
struct MessageLine<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallLine<'a>>,
}

impl<'a> Line<'a> {
    fn new(ask: &'a Ask, at: Duration, stamp: &Stamp) -> Self {
        Self {
            model: &ask.model,
            created_at: time(stamp.moment(at)),
            message: MessageLine { role: "assistant", ..MessageLine::default() },
            done: false,
            done_reason: None,
            debug: None,
            logprobs: None,
            metrics: MetricsLine::default(),
        }
    }

    fn last(ask: &'a Ask, performance: &Performance, stamp: &Stamp) -> Self {
        Self {
            done: true,
            done_reason: Some(reason(performance.finish)),
            metrics: MetricsLine::from(&performance.metrics),
            ..Self::new(ask, performance.ends_at, stamp)
        }
    }
}

/// `done_reason` of an end.
pub(super) fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    native::text(ask, performance, |said, at, is_last| {
        let line =
            if is_last { Line::last(ask, performance, stamp) } else { Line::new(ask, at, stamp) };
        let message = MessageLine {
            content: said.text,
            thinking: said.thinking,
            tool_calls: said.calls,
            ..line.message
        };
        to_vec(&Line { message, logprobs: said.logprobs, ..line })
    })
}

#[cfg(test)]
mod tests;
