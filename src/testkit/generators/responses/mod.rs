//! Answers of models: whole and in streams; below, chats with tools and vectors.

mod chats;
mod embeddings;

pub use chats::{Chats, Conversations};
pub use embeddings::Embeddings;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::generate::Generate;
use super::hostile::HostileTexts;
use super::invalid::{Checked, Invalid, of_kind, of_shape, with};
use super::source::Stream;
use super::words::{ANSWERS, one_of};
use crate::testkit::nodes::response::{
    GENERATE_RESPONSE, GENERATE_STREAM, GenerateResponse, Metrics,
};
use crate::testkit::nodes::{Rule, Violation};

/// The model that answers, where no other is asked for.
const MODEL: &str = "qwen2.5:3b";
const MILLISECOND: u64 = 1_000_000;
/// The most tokens of a question and of an answer: what they take is still a time of 64 bits.
const TOKENS_MAX: u64 = 1 << 38;

/// Answers of `/api/generate` whose counts and durations agree.
///
/// ```
/// use flakedb::testkit::generators::{Generate, Responses, Source};
///
/// let answer = Responses::new().text("The answer is 42.").one(&mut Source::seeded(7));
/// assert_eq!(answer.metrics.eval_count, Some(5), "four words and the token that ends them");
/// assert!(answer.metrics.overhead().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Responses {
    model: Option<String>,
    text: Option<String>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    hostile: Option<HostileTexts>,
}

/// Streams of `/api/generate`: a line for each token, and one that ends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseStreams(Responses);

/// Writes the settings of the answer for a generator that is one or has one inside.
macro_rules! answer_settings {
    ($($name:ident => |$this:ident| $answers:expr;)+) => {
        $(impl $name {
            /// By this model.
            #[must_use]
            pub fn model(mut self, model: impl Into<String>) -> Self {
                let $this = &mut self;
                $answers.model = Some(model.into());
                self
            }

            /// With this text.
            #[must_use]
            pub fn text(mut self, text: impl Into<String>) -> Self {
                let $this = &mut self;
                $answers.text = Some(text.into());
                self
            }

            /// With texts that programs get wrong.
            #[must_use]
            pub fn hostile(mut self, texts: HostileTexts) -> Self {
                let $this = &mut self;
                $answers.hostile = Some(texts);
                self
            }

            /// To a question of so many tokens, at most 2^38.
            #[must_use]
            pub fn prompt_tokens(mut self, tokens: u64) -> Self {
                let $this = &mut self;
                $answers.prompt_tokens = Some(tokens.min(TOKENS_MAX));
                self
            }
        })+
    };
}

use answer_settings;

answer_settings! {
    Responses => |this| this;
    ResponseStreams => |this| this.0;
}

impl Responses {
    /// One of a dozen answers of a small model.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// That counts so many tokens, 1 to 2^38; otherwise those of the text, and one for its end.
    #[must_use]
    pub fn completion_tokens(mut self, tokens: u64) -> Self {
        self.completion_tokens = Some(tokens.clamp(1, TOKENS_MAX));
        self
    }

    fn model_name(&self) -> String {
        self.model.clone().unwrap_or_else(|| MODEL.to_owned())
    }

    fn text_of(&self, stream: &mut Stream) -> String {
        match (&self.text, &self.hostile) {
            (Some(text), _) => text.clone(),
            (None, Some(hostile)) => hostile.generate(stream),
            (None, None) => one_of(stream, &ANSWERS).to_owned(),
        }
    }

    /// What an answer of so many tokens takes: every part for itself, then the whole.
    fn metrics(&self, stream: &mut Stream, tokens: u64) -> Metrics {
        let prompt = self.prompt_tokens.unwrap_or_else(|| 10 + stream.below(91));
        let load = duration(stream, 5, 20);
        // A token is read in a fifth to one millisecond, and written in three to twelve.
        let read = prompt.saturating_mul(duration(stream, 1, 5) / 5);
        let written = tokens.saturating_mul(duration(stream, 3, 12));
        let rest = duration(stream, 1, 5);
        let total = load.saturating_add(read).saturating_add(written).saturating_add(rest);
        Metrics {
            total_duration: Some(total),
            load_duration: Some(load),
            prompt_eval_count: Some(prompt),
            prompt_eval_duration: Some(read),
            eval_count: Some(tokens),
            eval_duration: Some(written),
        }
    }
}

/// A time of so many milliseconds, in nanoseconds.
fn duration(stream: &mut Stream, least_ms: u64, greatest_ms: u64) -> u64 {
    least_ms * MILLISECOND + stream.below((greatest_ms - least_ms) * MILLISECOND)
}

/// A text in pieces as a model writes them: a word with the blank before it, long ones in two.
fn tokens(text: &str) -> Vec<&str> {
    const LONG: usize = 8;
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |end| word + end);
        let (piece, others) = rest.split_at(end);
        match piece.char_indices().nth(LONG) {
            Some((middle, _)) => {
                let (first, second) = piece.split_at(middle);
                pieces.extend([first, second]);
            }
            None => pieces.push(piece),
        }
        rest = others;
    }
    pieces
}

fn count(text: &str) -> u64 {
    tokens(text).len() as u64 + 1
}

/// A time as Ollama writes it.
fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

impl Generate for Responses {
    type Output = GenerateResponse;
    const KIND: &'static str = "response";

    fn generate(&self, stream: &mut Stream) -> GenerateResponse {
        let response = self.text_of(stream);
        let tokens = self.completion_tokens.unwrap_or_else(|| count(&response));
        GenerateResponse {
            model: self.model_name(),
            created_at: written(stream.moment()),
            response,
            done: true,
            done_reason: Some("stop".to_owned()),
            metrics: self.metrics(stream, tokens),
        }
    }
}

impl ResponseStreams {
    /// One of a dozen answers of a small model.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Generate for ResponseStreams {
    type Output = Vec<GenerateResponse>;
    const KIND: &'static str = "stream";

    fn generate(&self, stream: &mut Stream) -> Vec<GenerateResponse> {
        let text = self.0.text_of(stream);
        let pieces = tokens(&text);
        let metrics = self.0.metrics(stream, pieces.len() as u64 + 1);
        let begun = stream.moment();
        let line = |at: usize, piece: &str| GenerateResponse {
            model: self.0.model_name(),
            created_at: written(begun + metrics.until(at)),
            response: piece.to_owned(),
            done: false,
            done_reason: None,
            metrics: Metrics::default(),
        };
        let mut lines: Vec<_> =
            pieces.iter().enumerate().map(|(at, piece)| line(at, piece)).collect();
        lines.push(GenerateResponse {
            done: true,
            done_reason: Some("stop".to_owned()),
            metrics,
            ..line(pieces.len(), "")
        });
        lines
    }
}

impl Metrics {
    /// From the question to the token of this index.
    fn until(&self, at: usize) -> TimeDelta {
        let of = |part: Option<u64>| part.unwrap_or_default();
        let each = of(self.eval_duration) / of(self.eval_count).max(1);
        let before = of(self.load_duration).saturating_add(of(self.prompt_eval_duration));
        let whole = before.saturating_add(each.saturating_mul(at as u64 + 1));
        TimeDelta::nanoseconds(i64::try_from(whole).unwrap_or(i64::MAX))
    }
}

/// A good answer whose parts take one nanosecond more than the whole.
fn exceeding(good: &Value) -> Option<Invalid> {
    let parts = ["load_duration", "prompt_eval_duration", "eval_duration"];
    let parts = parts.iter().filter_map(|part| good.get(*part)?.as_u64());
    let whole = parts.fold(0, u64::saturating_add).checked_sub(1)?;
    let value = with(good, "total_duration", json!(whole));
    Some(Invalid::new(Rule::PartsExceedWhole, "total_duration", value))
}

impl Checked for Responses {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        GenerateResponse::violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        of_shape(&GENERATE_RESPONSE, good).into_iter().chain(exceeding(good)).collect()
    }
}

impl Checked for ResponseStreams {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        GenerateResponse::stream_violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let mut found = of_kind(&GENERATE_STREAM, good);
        let lines = good.as_array().map(Vec::as_slice).unwrap_or_default();
        let Some((end, before)) = lines.split_last() else { return found };
        let last = before.len();
        let ending = |end: Value| before.iter().cloned().chain([end]).collect::<Value>();
        let mut spoil = |rule, key: &str, value| {
            let value = ending(with(end, key, value));
            found.push(Invalid::new(rule, format!("{last}.{key}"), value));
        };
        spoil(Rule::Contradiction, "done", json!(false));
        spoil(Rule::WrongCount, "eval_count", json!(lines.len() + 1));
        found.extend(exceeding(end).map(|one| one.below(&last.to_string(), ending)));
        if let Some((first, others)) = lines.split_first().filter(|(_, others)| !others.is_empty())
        {
            let early = [with(first, "done", json!(true))];
            let value = early.into_iter().chain(others.iter().cloned()).collect();
            found.push(Invalid::new(Rule::Contradiction, "0.done", value));
        }
        found
    }
}
