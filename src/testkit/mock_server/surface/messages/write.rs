//! Writing answers of `/v1/messages`.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::go_json::to_line;
use super::super::openai::{arguments, call_id, whole};
use super::super::sse;
use super::{ESTIMATE, WEB_SEARCH};
use crate::testkit::mock_server::ask::Ask;
use crate::testkit::mock_server::exchange::Stamp;
use crate::testkit::mock_server::reply::{Finish, Metrics, Part, Performance, ToolCall};
use crate::testkit::mock_server::script::{Frame, Script};

#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<&'static str>,
    usage: Usage,
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: &'a Map<String, Value> },
    ServerToolUse { id: &'a str, name: &'static str, input: Query<'a> },
    WebSearchToolResult { tool_use_id: &'a str, content: [(); 0] },
    Thinking { thinking: &'a str },
}

/// What a search on the web looks for.
#[derive(Serialize)]
struct Query<'a> {
    query: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: usize, content_block: Block<'a> },
    ContentBlockDelta { index: usize, delta: Delta<'a> },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Stopped, usage: Usage },
    MessageStop,
}

#[derive(Serialize)]
struct Stopped {
    stop_reason: &'static str,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

/// An answer of text.
pub(super) fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    ending(ask, performance, stop_reason(ask, performance), stamp)
}

/// The answer to a request that only loads the model: a reason to stop that this API does not know
/// is taken for a text that stops.
pub(super) fn loaded(ask: &Ask, stamp: &Stamp) -> Script {
    ending(ask, &Performance::default(), "stop_sequence", stamp)
}

fn ending(
    ask: &Ask,
    performance: &Performance,
    stop_reason: &'static str,
    stamp: &Stamp,
) -> Script {
    let id = format!("msg_{}", stamp.chance.hex("msg", 0, 24));
    if ask.stream {
        let events = Events::of(ask, performance, stop_reason, &id);
        let mut script = Script::stream(sse::CONTENT_TYPE, events.frames);
        script.headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        return script;
    }
    let (text, thinking) = (performance.text(), performance.thinking());
    let searches: Vec<Search<'_>> = searches(ask, performance, &id).collect();
    let mut content = Vec::new();
    for search in &searches {
        content.extend(search.blocks());
    }
    if !thinking.is_empty() {
        content.push(Block::Thinking { thinking: &thinking });
    }
    if !text.is_empty() {
        content.push(Block::Text { text: &text });
    }
    content.extend(performance.calls().filter(|call| !is_search(ask, call)).map(|call| {
        Block::ToolUse { id: call_id(call), name: &call.name, input: &call.arguments }
    }));
    let message = Message {
        id: &id,
        r#type: "message",
        role: "assistant",
        model: &ask.model,
        content,
        stop_reason: Some(stop_reason),
        usage: Usage::from(&performance.metrics),
    };
    whole(performance.ends_at, to_line(&message))
}

/// An error in mid-stream ends the stream, and that is all that the real server does of it.
pub(super) fn broken_off(_: &str, _: &Ask, _: &Stamp) -> Bytes {
    Bytes::new()
}

impl From<&Metrics> for Usage {
    fn from(metrics: &Metrics) -> Self {
        Self { input_tokens: metrics.prompt_eval_count, output_tokens: metrics.eval_count }
    }
}

fn stop_reason(ask: &Ask, performance: &Performance) -> &'static str {
    if performance.calls().any(|call| !is_search(ask, call)) {
        return "tool_use";
    }
    match performance.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
    }
}

/// A search on the web that the server does itself; without an account it finds nothing.
struct Search<'a> {
    id: String,
    query: &'a str,
}

impl Search<'_> {
    fn blocks(&self) -> [Block<'_>; 2] {
        [
            Block::ServerToolUse {
                id: &self.id,
                name: WEB_SEARCH,
                input: Query { query: self.query },
            },
            Block::WebSearchToolResult { tool_use_id: &self.id, content: [] },
        ]
    }
}

/// Whether the server answers a call itself, not the client.
fn is_search(ask: &Ask, call: &ToolCall) -> bool {
    call.name == WEB_SEARCH && ask.echo.contains_key(WEB_SEARCH)
}

fn search<'a>(call: &'a ToolCall, id: &str, nth: usize) -> Search<'a> {
    let base = id.trim_start_matches("msg_");
    let id = match nth {
        0 => format!("srvtoolu_{base}"),
        _ => format!("srvtoolu_{base}_{}", nth + 1),
    };
    Search { id, query: call.arguments.get("query").and_then(Value::as_str).unwrap_or_default() }
}

fn searches<'a>(
    ask: &'a Ask,
    performance: &'a Performance,
    id: &'a str,
) -> impl Iterator<Item = Search<'a>> {
    performance
        .calls()
        .filter(|call| is_search(ask, call))
        .enumerate()
        .map(move |(nth, call)| search(call, id, nth))
}

/// Which block is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    Thinking,
    Text,
}

/// The events of a stream, and what its blocks have come to.
struct Events {
    frames: Vec<Frame>,
    at: Duration,
    index: usize,
    open: Open,
    /// Thinking has ended; what is thought later is not shown.
    thought: bool,
}

impl Events {
    fn of(ask: &Ask, performance: &Performance, stop_reason: &'static str, id: &str) -> Self {
        let frames = Vec::with_capacity(performance.pieces.len() + 6);
        let at = performance.pieces.first().map_or(performance.ends_at, |piece| piece.at);
        let mut events = Self { frames, at, index: 0, open: Open::None, thought: false };
        events.start(ask, performance, id);
        let mut sent = HashSet::new();
        // What is found is there before what is said of it.
        let mut searches = searches(ask, performance, id);
        for piece in &performance.pieces {
            events.at = piece.at;
            match &piece.part {
                Part::Thinking(thinking) => events.thinking(thinking),
                Part::Text(text) => {
                    searches.by_ref().for_each(|search| events.search(&search));
                    events.text(text);
                }
                Part::Call(call) if is_search(ask, call) => {
                    searches.next().iter().for_each(|search| events.search(search));
                }
                Part::Call(call) if sent.insert(call_id(call)) => events.call(call),
                Part::Call(_) => {}
            }
        }
        events.at = performance.ends_at;
        events.close();
        let delta = Stopped { stop_reason };
        events.push(&Event::MessageDelta { delta, usage: Usage::from(&performance.metrics) });
        events.push(&Event::MessageStop);
        events
    }

    fn push(&mut self, event: &Event<'_>) {
        self.frames.push(Frame { at: self.at, bytes: sse::event(event.name(), event) });
    }

    /// Until the last line the tokens of the prompt are an estimate.
    fn start(&mut self, ask: &Ask, performance: &Performance, id: &str) {
        let estimate = ask.echo.get(ESTIMATE).and_then(Value::as_u64).unwrap_or_default();
        let input_tokens = if performance.pieces.is_empty() {
            performance.metrics.prompt_eval_count
        } else {
            estimate
        };
        let message = Message {
            id,
            r#type: "message",
            role: "assistant",
            model: &ask.model,
            content: Vec::new(),
            stop_reason: None,
            usage: Usage { input_tokens, output_tokens: 0 },
        };
        self.push(&Event::MessageStart { message });
    }

    fn open(&mut self, kind: Open, content_block: Block<'_>) {
        if self.open != kind {
            self.close();
            self.push(&Event::ContentBlockStart { index: self.index, content_block });
            self.open = kind;
        }
    }

    fn close(&mut self) {
        if self.open != Open::None {
            self.thought |= self.open == Open::Thinking;
            self.push(&Event::ContentBlockStop { index: self.index });
            self.index += 1;
            self.open = Open::None;
        }
    }

    fn thinking(&mut self, thinking: &str) {
        if !thinking.is_empty() && !self.thought {
            self.open(Open::Thinking, Block::Thinking { thinking: "" });
            let delta = Delta::Thinking { thinking };
            self.push(&Event::ContentBlockDelta { index: self.index, delta });
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.open(Open::Text, Block::Text { text: "" });
            let delta = Delta::Text { text };
            self.push(&Event::ContentBlockDelta { index: self.index, delta });
        }
    }

    fn call(&mut self, call: &ToolCall) {
        self.close();
        let index = self.index;
        let content_block =
            Block::ToolUse { id: call_id(call), name: &call.name, input: &Map::new() };
        self.push(&Event::ContentBlockStart { index, content_block });
        let delta = Delta::InputJson { partial_json: &arguments(call) };
        self.push(&Event::ContentBlockDelta { index, delta });
        self.push(&Event::ContentBlockStop { index });
        self.index += 1;
    }

    fn search(&mut self, search: &Search<'_>) {
        self.close();
        for content_block in search.blocks() {
            let index = self.index;
            self.push(&Event::ContentBlockStart { index, content_block });
            self.push(&Event::ContentBlockStop { index });
            self.index += 1;
        }
    }
}
