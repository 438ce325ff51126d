//! Writing answers of `/v1/responses`.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::go_json::to_line;
use super::super::openai::{arguments, whole};
use super::super::sse;
use super::object::{
    Progress, function_call, is_search, message, number, output_text, reasoning, response,
    response_id, search,
};
use crate::testkit::mock_server::ask::Ask;
use crate::testkit::mock_server::exchange::Stamp;
use crate::testkit::mock_server::reply::{Part, Performance, ToolCall};
use crate::testkit::mock_server::script::{Frame, Script};

/// An answer of text.
pub(super) fn text(ask: &Ask, performance: &Performance, stamp: &Stamp) -> Script {
    if ask.stream {
        let frames = Events::of(ask, performance, stamp).frames;
        let mut script = Script::stream(sse::CONTENT_TYPE, frames);
        script.headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        return script;
    }
    let id = response_id(&stamp.chance);
    let at = stamp.moment(performance.ends_at);
    let output = output(ask, performance, stamp, &id);
    let progress = Progress::Done { at, metrics: &performance.metrics, output };
    whole(performance.ends_at, to_line(&response(ask, &id, at, progress)))
}

/// An error in mid-stream: the real server takes it for a message with nothing in it, which makes
/// no event, and stops.
pub(super) fn broken_off(_: &str, _: &Ask, _: &Stamp) -> Bytes {
    Bytes::new()
}

/// The items of an answer known whole: thinking, searches, then either calls or a message.
fn output(ask: &Ask, performance: &Performance, stamp: &Stamp, id: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let thinking = performance.thinking();
    if !thinking.is_empty() {
        items.push(reasoning(&format!("rs_{id}"), &thinking));
    }
    let (searches, calls): (Vec<_>, Vec<_>) =
        performance.calls().partition(|call| is_search(ask, call));
    for (nth, call) in (0..).zip(searches) {
        let id = format!("ws_{}", number(&stamp.chance, "ws", nth));
        items.push(search(&id, call, "completed"));
    }
    if calls.is_empty() {
        let id = format!("msg_{}", number(&stamp.chance, "msg", 0));
        items.push(message(&id, Some(&performance.text())));
    }
    for (nth, call) in calls.into_iter().enumerate() {
        items.push(function_call(&format!("fc_{id}_{nth}"), call, "completed"));
    }
    items
}

/// The item that is being written.
enum Open {
    None,
    Reasoning { id: String, text: String },
    Message { id: String, text: String },
}

/// The events of a stream, in order.
struct Events<'a> {
    ask: &'a Ask,
    stamp: &'a Stamp,
    id: String,
    frames: Vec<Frame>,
    at: Duration,
    /// Of the next event.
    sequence_number: u64,
    open: Open,
    /// Items done so far; the next one has their count as its index.
    items: Vec<Value>,
    /// Calls of the client's tools so far. No text comes after one.
    calls: u64,
}

impl<'a> Events<'a> {
    fn of(ask: &'a Ask, performance: &Performance, stamp: &'a Stamp) -> Self {
        let mut events = Self {
            ask,
            stamp,
            id: response_id(&stamp.chance),
            frames: Vec::with_capacity(performance.pieces.len() + 12),
            at: performance.pieces.first().map_or(performance.ends_at, |piece| piece.at),
            sequence_number: 0,
            open: Open::None,
            items: Vec::new(),
            calls: 0,
        };
        events.progress("response.created", Progress::Begun);
        events.progress("response.in_progress", Progress::Begun);
        // What is found is there before what is said of it.
        let mut searches = performance.calls().filter(|call| is_search(ask, call));
        for piece in &performance.pieces {
            events.at = piece.at;
            match &piece.part {
                Part::Thinking(thinking) => events.thinking(thinking),
                Part::Text(text) => {
                    searches.by_ref().for_each(|call| events.search(call));
                    events.text(text);
                }
                Part::Call(call) if is_search(ask, call) => {
                    searches.next().iter().for_each(|call| events.search(call));
                }
                Part::Call(call) => events.call(call),
            }
        }
        events.at = performance.ends_at;
        events.close();
        let mut output = std::mem::take(&mut events.items);
        if events.calls > 0 {
            output.retain(|item| item["type"] != "message");
        }
        let at = stamp.moment(performance.ends_at);
        let progress = Progress::Done { at, metrics: &performance.metrics, output };
        events.progress("response.completed", progress);
        events
    }

    /// The index of the item being written.
    fn index(&self) -> usize {
        self.items.len()
    }

    /// Sends an event. The real server makes events of maps, which Go writes in order of keys.
    fn send(&mut self, name: &str, data: Value) {
        self.send_with(name, data, |_| ());
    }

    fn send_with(&mut self, name: &str, mut data: Value, after_sorting: impl Fn(&mut Value)) {
        if let Value::Object(fields) = &mut data {
            fields.insert("type".to_owned(), json!(name));
            fields.insert("sequence_number".to_owned(), json!(self.sequence_number));
        }
        data.sort_all_objects();
        after_sorting(&mut data);
        self.sequence_number += 1;
        self.frames.push(Frame { at: self.at, bytes: sse::event(name, &data) });
    }

    fn progress(&mut self, name: &str, progress: Progress<'_>) {
        let mut object = response(self.ask, &self.id, self.stamp.received_at, progress);
        if let Some(Value::Object(reasoning)) = object.get_mut("reasoning") {
            for part in ["effort", "summary"] {
                reasoning.entry(part).or_insert(Value::Null);
            }
        }
        // A schema is passed on as it came.
        let schema = object
            .get_mut("text")
            .and_then(|text| text.pointer_mut("/format/schema"))
            .map(|schema| schema.clone());
        self.send_with(name, json!({ "response": object }), |data| {
            let sorted = data.pointer_mut("/response/text/format/schema");
            if let (Some(sorted), Some(schema)) = (sorted, &schema) {
                *sorted = schema.clone();
            }
        });
    }

    /// Sends an event about the item being written.
    fn about(&mut self, name: &str, id: &str, more: &[(&str, Value)]) {
        let mut data = Map::new();
        data.insert("item_id".to_owned(), json!(id));
        data.insert("output_index".to_owned(), json!(self.index()));
        data.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.send(name, Value::Object(data));
    }

    fn added(&mut self, item: &Value) {
        let output_index = self.index();
        self.send(
            "response.output_item.added",
            json!({ "output_index": output_index, "item": item }),
        );
    }

    fn done(&mut self, item: Value) {
        let output_index = self.index();
        self.send(
            "response.output_item.done",
            json!({ "output_index": output_index, "item": &item }),
        );
        self.items.push(item);
    }

    fn thinking(&mut self, thinking: &str) {
        if thinking.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Reasoning { .. }) {
            self.close();
            let nth = self.index() as u64;
            let id = format!("rs_{}", number(&self.stamp.chance, "rs", nth));
            self.added(&json!({ "id": id, "type": "reasoning", "summary": [] }));
            self.open = Open::Reasoning { id, text: String::new() };
        }
        let Open::Reasoning { id, text } = &mut self.open else { return };
        text.push_str(thinking);
        let id = id.clone();
        self.about(
            "response.reasoning_summary_text.delta",
            &id,
            &[("summary_index", json!(0)), ("delta", json!(thinking))],
        );
    }

    fn text(&mut self, more: &str) {
        if more.is_empty() || self.calls > 0 {
            return;
        }
        if !matches!(self.open, Open::Message { .. }) {
            self.close();
            let nth = self.items.iter().filter(|item| item["type"] == "message").count() as u64;
            let id = format!("msg_{}", number(&self.stamp.chance, "msg", nth));
            self.added(&message(&id, None));
            self.about(
                "response.content_part.added",
                &id,
                &[("content_index", json!(0)), ("part", output_text(""))],
            );
            self.open = Open::Message { id, text: String::new() };
        }
        let Open::Message { id, text } = &mut self.open else { return };
        text.push_str(more);
        let id = id.clone();
        self.about(
            "response.output_text.delta",
            &id,
            &[("content_index", json!(0)), ("delta", json!(more)), ("logprobs", json!([]))],
        );
    }

    /// Ends the item being written, if one is.
    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None => {}
            Open::Reasoning { id, text } => {
                self.about(
                    "response.reasoning_summary_text.done",
                    &id,
                    &[("summary_index", json!(0)), ("text", json!(text))],
                );
                self.done(reasoning(&id, &text));
            }
            Open::Message { id, text } => {
                self.about(
                    "response.output_text.done",
                    &id,
                    &[("content_index", json!(0)), ("text", json!(text)), ("logprobs", json!([]))],
                );
                self.about(
                    "response.content_part.done",
                    &id,
                    &[("content_index", json!(0)), ("part", output_text(&text))],
                );
                self.done(message(&id, Some(&text)));
            }
        }
    }

    fn call(&mut self, call: &ToolCall) {
        self.close();
        let id = format!("fc_{}_0", number(&self.stamp.chance, "fc", self.calls));
        self.calls += 1;
        self.added(&function_call(&id, call, "in_progress"));
        let arguments = json!(arguments(call));
        self.about("response.function_call_arguments.delta", &id, &[("delta", arguments.clone())]);
        self.about("response.function_call_arguments.done", &id, &[("arguments", arguments)]);
        self.done(function_call(&id, call, "completed"));
    }

    fn search(&mut self, call: &ToolCall) {
        self.close();
        let nth = self.items.iter().filter(|item| item["type"] == "web_search_call").count() as u64;
        let id = format!("ws_{}", number(&self.stamp.chance, "ws", nth));
        self.added(&search(&id, call, "in_progress"));
        for step in ["in_progress", "searching", "completed"] {
            self.about(&format!("response.web_search_call.{step}"), &id, &[]);
        }
        self.done(search(&id, call, "completed"));
    }
}
