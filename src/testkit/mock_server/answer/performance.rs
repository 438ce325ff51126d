//! A reply becomes steps in time: cut, split, stamped and counted.

use std::time::Duration;

use serde_json::Value;

use super::{logprobs, tokens};
use crate::testkit::mock_server::ask::{Ask, EmbedAsk};
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::reply::{
    Finish, Metrics, Part, Performance, Piece, Reply, ToolCall,
};
use crate::testkit::mock_server::timing::Timing;

/// Reading a token of the prompt where no time is set: 2,000 tokens a second.
const PROMPT_TOKEN: Duration = Duration::from_micros(500);
/// Writing a token where no time is set: 100 tokens a second.
const TOKEN: Duration = Duration::from_millis(10);
/// Loading a model, or finding it loaded: the same, or whoever comes first would have another
/// answer.
const LOAD: Duration = Duration::from_millis(10);
/// What a chat template puts around each message, in tokens.
const MESSAGE_TOKENS: u64 = 4;
/// An image in tokens.
const IMAGE_TOKENS: u64 = 256;

/// Plays a reply: cuts it at `num_predict` and `stop`, splits it into tokens, gives times, ids and
/// log probabilities, counts. Without a time set, nothing is waited for; the metrics then come from
/// usual speeds.
pub(crate) fn perform(ask: &Ask, reply: Reply, timing: &Timing, chance: &Chance) -> Performance {
    // A prompt that is longer than the context is cut to it.
    let room = ask.room.unwrap_or(u64::MAX);
    let prompt = reply.prompt_tokens.unwrap_or_else(|| prompt_tokens(ask).min(room));
    let mut stage = Stage::new(ask, timing, chance);
    if ask.shift == Some(false) {
        // The token that does not fit any more is written before that is seen.
        stage.left = stage.left.min(room.saturating_sub(prompt).max(1));
    }
    if let Some(thinking) = reply.thinking.as_deref().filter(|_| ask.thinks) {
        stage.say(&single_tokens(thinking), Part::Thinking);
    }
    let (chunks, stopped) = until_stop(text_chunks(&reply), &stops(ask));
    stage.say(&chunks, Part::Text);
    if !stopped {
        for (index, call) in reply.tool_calls.into_iter().enumerate() {
            stage.call(call, index as u64);
        }
    }
    let finish = reply.finish.unwrap_or(if stage.cut { Finish::Length } else { Finish::Stop });
    let metrics = stage.metrics(prompt, reply.completion_tokens);
    // A hash a token: only for the one API that gives it back.
    let context = if ask.keeps_context { context(ask, &stage.pieces) } else { Vec::new() };
    Performance { ends_at: stage.clock.at, pieces: stage.pieces, finish, metrics, context }
}

/// What embedding the inputs took.
pub(crate) fn embed_metrics(ask: &EmbedAsk, timing: &Timing, chance: &Chance) -> Metrics {
    let prompt = ask.inputs.iter().map(|input| tokens::count(input)).sum();
    let clock = Clock::new(timing, chance);
    let mut metrics = clock.metrics(prompt, 0);
    metrics.total_duration -= metrics.eval_duration;
    metrics.eval_duration = 0;
    metrics
}

/// Nominal time as it passes token by token.
struct Clock<'a> {
    timing: &'a Timing,
    chance: &'a Chance,
    latency: Duration,
    first_token: Duration,
    /// Tokens written so far.
    tokens: u64,
    /// Now.
    at: Duration,
}

impl<'a> Clock<'a> {
    fn new(timing: &'a Timing, chance: &'a Chance) -> Self {
        let latency = timing.latency_of(chance);
        let first_token = timing.first_token_of(chance);
        let at = latency.saturating_add(first_token);
        Self { timing, chance, latency, first_token, tokens: 0, at }
    }

    /// Lets so many tokens pass.
    fn pass(&mut self, tokens: u64) {
        for _ in 0..tokens {
            if self.tokens > 0 && self.timing.per_token.is_some() {
                self.at = self.at.saturating_add(self.timing.token_of(self.chance, self.tokens));
            }
            self.tokens += 1;
        }
    }

    fn metrics(&self, prompt: u64, tokens: u64) -> Metrics {
        let started = self.latency.saturating_add(self.first_token);
        let or_usual = |configured: Duration, usual: Duration, tokens: u64| {
            let span = if configured.is_zero() {
                nanos(usual).saturating_mul(tokens)
            } else {
                nanos(configured)
            };
            span.max(1)
        };
        let load = nanos(LOAD);
        let prompt_eval = or_usual(self.first_token, PROMPT_TOKEN, prompt);
        let eval = or_usual(self.at.saturating_sub(started), TOKEN, tokens);
        let parts = [nanos(self.latency), load, prompt_eval, eval];
        Metrics {
            total_duration: parts.into_iter().fold(0, u64::saturating_add),
            load_duration: load,
            prompt_eval_count: prompt,
            prompt_eval_duration: prompt_eval,
            eval_count: tokens,
            eval_duration: eval,
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The pieces so far, and how many tokens may still come.
struct Stage<'a> {
    clock: Clock<'a>,
    pieces: Vec<Piece>,
    /// Tokens that may still be written.
    left: u64,
    /// Something did not fit.
    cut: bool,
    top_logprobs: Option<u8>,
}

impl<'a> Stage<'a> {
    fn new(ask: &Ask, timing: &'a Timing, chance: &'a Chance) -> Self {
        Self {
            clock: Clock::new(timing, chance),
            pieces: Vec::new(),
            // The real server takes 0 as "no limit" as well.
            left: ask.num_predict().filter(|limit| *limit > 0).unwrap_or(u64::MAX),
            cut: false,
            top_logprobs: ask.logprobs,
        }
    }

    /// Says texts one after the other, as far as they fit.
    fn say(&mut self, chunks: &[&str], part: fn(String) -> Part) {
        for chunk in chunks {
            if self.cut {
                return;
            }
            let all = tokens::split(chunk);
            let fitting = all.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let said = &all[..fitting];
            self.cut = fitting < all.len();
            self.left -= fitting as u64;
            let first = self.clock.tokens;
            self.clock.pass(fitting as u64);
            if said.is_empty() && !all.is_empty() {
                return;
            }
            let logprobs = match self.top_logprobs {
                None => Vec::new(),
                Some(top) => (first..)
                    .zip(said)
                    .map(|(index, token)| logprobs::of(token, index, top, self.clock.chance))
                    .collect(),
            };
            self.pieces.push(Piece { part: part(said.concat()), at: self.clock.at, logprobs });
        }
    }

    /// Makes a call, whole once it could begin: half a call is none.
    fn call(&mut self, mut call: ToolCall, index: u64) {
        if self.cut || self.left == 0 {
            self.cut = true;
            return;
        }
        let arguments = Value::Object(call.arguments.clone()).to_string();
        let size = (tokens::count(&call.name) + tokens::count(&arguments)).min(self.left);
        self.left -= size;
        self.clock.pass(size);
        let chance = self.clock.chance;
        call.id.get_or_insert_with(|| format!("call_{}", chance.letters("call", index, 8)));
        let at = self.clock.at;
        self.pieces.push(Piece { part: Part::Call(call), at, logprobs: Vec::new() });
    }

    fn metrics(&self, prompt: u64, completion: Option<u64>) -> Metrics {
        // Even an empty answer has the token that ends it.
        self.clock.metrics(prompt, completion.unwrap_or(self.clock.tokens.max(1)))
    }
}

fn single_tokens(text: &str) -> Vec<&str> {
    tokens::split(text)
}

/// The steps in which a reply's text streams.
fn text_chunks(reply: &Reply) -> Vec<&str> {
    match &reply.chunks {
        Some(chunks) => chunks.iter().map(String::as_str).collect(),
        None => single_tokens(&reply.text),
    }
}

/// The texts at which the answer ends.
fn stops(ask: &Ask) -> Vec<&str> {
    let stops = match ask.options.get("stop") {
        Some(Value::String(stop)) => vec![stop.as_str()],
        Some(Value::Array(stops)) => stops.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    stops.into_iter().filter(|stop| !stop.is_empty()).collect()
}

/// The chunks before the first stop text, and whether there was one.
fn until_stop<'a>(chunks: Vec<&'a str>, stops: &[&str]) -> (Vec<&'a str>, bool) {
    if stops.is_empty() {
        return (chunks, false);
    }
    let text = chunks.concat();
    let Some(end) = stops.iter().filter_map(|stop| text.find(stop)).min() else {
        return (chunks, false);
    };
    let mut left = end;
    let mut kept = Vec::new();
    for chunk in chunks {
        // `end` is a boundary of characters in the joined text, so it is one in the chunk.
        let taken = chunk.get(..left).unwrap_or(chunk);
        left -= taken.len();
        if !taken.is_empty() {
            kept.push(taken);
        }
        if left == 0 {
            break;
        }
    }
    (kept, true)
}

/// The tokens of everything that the model reads, before a cut.
pub(crate) fn prompt_tokens(ask: &Ask) -> u64 {
    let messages = ask.messages.iter().map(|message| {
        let calls = message.tool_calls.iter().map(|call| {
            tokens::count(&call.name)
                + tokens::count(&Value::Object(call.arguments.clone()).to_string())
        });
        MESSAGE_TOKENS
            + tokens::count(&message.content)
            + message.thinking.as_deref().map_or(0, tokens::count)
            + message.images.len() as u64 * IMAGE_TOKENS
            + calls.sum::<u64>()
    });
    let tools = ask.tools.iter().map(|tool| {
        tokens::count(&tool.name)
            + tokens::count(&tool.description)
            + tokens::count(&tool.parameters.to_string())
    });
    let suffix = ask.suffix.as_deref().map_or(0, tokens::count);
    (messages.sum::<u64>() + tools.sum::<u64>() + suffix + ask.context.len() as u64).max(1)
}

/// The ids of all tokens so far: the context handed in, the prompt, the answer.
fn context(ask: &Ask, pieces: &[Piece]) -> Vec<i64> {
    let said = pieces.iter().filter_map(|piece| match &piece.part {
        Part::Thinking(text) | Part::Text(text) => Some(text.as_str()),
        Part::Call(_) => None,
    });
    let read = ask.messages.iter().map(|message| message.content.as_str());
    let new = read.chain(said).flat_map(tokens::split).map(tokens::id);
    ask.context.iter().copied().chain(new).collect()
}

#[cfg(test)]
mod tests;
