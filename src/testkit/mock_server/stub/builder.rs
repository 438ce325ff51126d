//! Stubs as a test writes them: `Stub::chat().user_contains("weather").reply("Sunny")`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::condition::{Condition, FormatMatch, ThinkMatch};
use super::read_then;
use super::text_match::TextMatch;
use super::then::{Answer, Then};
use super::{Counting, Exhausted, Stub};
use crate::testkit::mock_server::fault::FaultRule;
use crate::testkit::mock_server::refusal::STATUSES;
use crate::testkit::mock_server::reply::{Finish, Reply, ToolCall};
use crate::testkit::mock_server::timing::{Span, Timing};

/// # What it matches
impl Stub {
    /// Any request for text or vectors, on every API.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// A conversation, on every API that has them.
    #[must_use]
    pub fn chat() -> Self {
        Self::any().route("chat")
    }

    /// The completion of a prompt (`/api/generate`, `/v1/completions`).
    #[must_use]
    pub fn generate() -> Self {
        Self::any().route("generate")
    }

    /// Vectors, on every API that has them.
    #[must_use]
    pub fn embed() -> Self {
        Self::any().route("embed")
    }

    /// A route by its path, `*` for any text in it, or by a short name (`chat`, `v1.chat`, `tags`).
    #[must_use]
    pub fn route(self, route: impl Into<String>) -> Self {
        self.when(Condition::Route(vec![route.into()]))
    }

    /// The model, whatever the case; `*` stands for any text, `?` for a letter.
    #[must_use]
    pub fn model(self, model: impl Into<String>) -> Self {
        self.when(Condition::Model(model.into()))
    }

    /// The last text of the user (or a text to embed) is exactly this.
    #[must_use]
    pub fn user(self, text: impl Into<String>) -> Self {
        self.when(Condition::User(TextMatch::equals(text)))
    }

    /// The last text of the user (or a text to embed) starts with this.
    #[must_use]
    pub fn user_starts_with(self, text: impl Into<String>) -> Self {
        self.when(Condition::User(TextMatch::starts_with(text)))
    }

    /// The last text of the user (or a text to embed) has this in it.
    #[must_use]
    pub fn user_contains(self, text: impl Into<String>) -> Self {
        self.when(Condition::User(TextMatch::contains(text)))
    }

    /// The last text of the user has a match of this regular expression in it. One that cannot be
    /// read matches nothing, and the near misses say so; [`TextMatch::regex`] tells at once.
    #[must_use]
    pub fn user_matches(self, pattern: impl Into<String>) -> Self {
        self.when(match TextMatch::regex(pattern) {
            Ok(text) => Condition::User(text),
            Err(error) => Condition::Unreadable(error),
        })
    }

    /// The last text of the user is so.
    #[must_use]
    pub fn user_text(self, text: TextMatch) -> Self {
        self.when(Condition::User(text))
    }

    /// The system prompt has this in it.
    #[must_use]
    pub fn system_contains(self, text: impl Into<String>) -> Self {
        self.when(Condition::System(TextMatch::contains(text)))
    }

    /// Any message has this in it.
    #[must_use]
    pub fn any_message_contains(self, text: impl Into<String>) -> Self {
        self.when(Condition::Message(None, TextMatch::contains(text)))
    }

    /// The conversation has so many messages of the user: 1 is its first turn.
    #[must_use]
    pub fn turn(self, turn: usize) -> Self {
        self.when(Condition::Turn(turn, turn))
    }

    /// The newest message is a tool's result.
    #[must_use]
    pub fn has_tool_result(self) -> Self {
        self.when(Condition::ToolResult(true))
    }

    /// The newest message is a tool's result with this in it.
    #[must_use]
    pub fn tool_result_contains(self, text: impl Into<String>) -> Self {
        self.when(Condition::ToolResultText(TextMatch::contains(text)))
    }

    /// A tool of this name is on offer.
    #[must_use]
    pub fn offers_tool(self, name: impl Into<String>) -> Self {
        self.when(Condition::Tool(name.into()))
    }

    /// The answer is to have a format, JSON or a schema.
    #[must_use]
    pub fn has_format(self) -> Self {
        self.when(Condition::Format(FormatMatch::Present(true)))
    }

    /// There are images.
    #[must_use]
    pub fn has_images(self) -> Self {
        self.when(Condition::Images(true))
    }

    /// An option, under its native name, has this value; `null` is also absent.
    #[must_use]
    pub fn option(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.when(Condition::Option(name.into(), value.into()))
    }

    /// The model is to think, or not to.
    #[must_use]
    pub fn thinks(self, thinks: bool) -> Self {
        self.when(Condition::Think(ThinkMatch::Thinks(thinks)))
    }

    /// The answer streams, or does not.
    #[must_use]
    pub fn streams(self, streams: bool) -> Self {
        self.when(Condition::Stream(streams))
    }

    /// A header has exactly this value.
    #[must_use]
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into().to_ascii_lowercase();
        self.when(Condition::Header(name, TextMatch::equals(value)))
    }

    /// The JSON body has this value at a pointer (`/options/seed`).
    #[must_use]
    pub fn body(self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.when(Condition::Body(pointer.into(), value.into()))
    }

    /// The scenario is in this state; before any `then_state` it is in `start`.
    #[must_use]
    pub fn when_state(mut self, state: impl Into<String>) -> Self {
        self.when_state = Some(state.into());
        self
    }

    /// The scenario that the states belong to, where there are several.
    #[must_use]
    pub fn scenario(mut self, scenario: impl Into<String>) -> Self {
        self.scenario = scenario.into();
        self
    }

    fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

/// # What it answers
impl Stub {
    /// This text.
    #[must_use]
    pub fn reply(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.say(|reply| {
            reply.text = text;
            reply.chunks = None;
        })
    }

    /// These texts, one a request; see [`Stub::on_exhausted`] for what comes after the last.
    #[must_use]
    pub fn replies<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.answers = texts
            .into_iter()
            .map(|text| Then::from(Reply { text: text.into(), ..Reply::default() }))
            .collect();
        self
    }

    /// After the answer so far, this text the next time: `.reply("a").then_reply("b")`.
    #[must_use]
    pub fn then_reply(mut self, text: impl Into<String>) -> Self {
        self.answers.push(Then::from(Reply { text: text.into(), ..Reply::default() }));
        self
    }

    /// After the answer so far, this error the next time.
    #[must_use]
    pub fn then_status(mut self, status: u16, message: impl Into<String>) -> Self {
        let answer = error(status, message.into());
        self.answers.push(Then { answer, ..Then::default() });
        self
    }

    /// This text, streaming in these pieces.
    #[must_use]
    pub fn chunks<T: Into<String>>(self, pieces: impl IntoIterator<Item = T>) -> Self {
        let pieces: Vec<String> = pieces.into_iter().map(Into::into).collect();
        self.say(|reply| {
            reply.text = pieces.concat();
            reply.chunks = Some(pieces);
        })
    }

    /// A call of a tool; `arguments` is a JSON object. Once more for another call.
    #[must_use]
    pub fn calls_tool(self, name: impl Into<String>, arguments: impl Into<Value>) -> Self {
        let arguments = match arguments.into() {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        let call = ToolCall { name: name.into(), arguments, id: None };
        self.say(|reply| reply.tool_calls.push(call))
    }

    /// Thinking before the text.
    #[must_use]
    pub fn thinking(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.say(|reply| reply.thinking = Some(text))
    }

    /// Why it ends, whatever the request's limits.
    #[must_use]
    pub fn finish(self, finish: Finish) -> Self {
        self.say(|reply| reply.finish = Some(finish))
    }

    /// How many tokens prompt and answer have.
    #[must_use]
    pub fn usage(self, prompt_tokens: u64, completion_tokens: u64) -> Self {
        self.say(|reply| {
            reply.prompt_tokens = Some(prompt_tokens);
            reply.completion_tokens = Some(completion_tokens);
        })
    }

    /// These vectors, one an input; from the first again where there are more inputs.
    #[must_use]
    pub fn embeddings(self, vectors: impl IntoIterator<Item = Vec<f32>>) -> Self {
        let vectors: Vec<Vec<f32>> = vectors.into_iter().collect();
        self.say(|reply| reply.embeddings = Some(vectors).filter(|vectors| !vectors.is_empty()))
    }

    /// A text made from the request: `You said {{ user }}`. An error in it is the answer's.
    #[must_use]
    pub fn template(mut self, source: impl Into<String>) -> Self {
        let source = source.into();
        let last = self.last();
        let rest = match std::mem::take(&mut last.answer) {
            Answer::Reply(rest) | Answer::Template { rest, .. } => rest,
            _ => Box::default(),
        };
        last.answer = Answer::Template { source, rest };
        self
    }

    /// An error in the API's own shape; the status is from 200 to 999, else the answer is a 500 that
    /// says so.
    #[must_use]
    pub fn status(mut self, status: u16, message: impl Into<String>) -> Self {
        self.last().answer = error(status, message.into());
        self
    }

    /// These bytes; the status is from 200 to 999, else the answer is a 500 that says so.
    #[must_use]
    pub fn raw(mut self, status: u16, content_type: &str, body: impl Into<bytes::Bytes>) -> Self {
        if !STATUSES.contains(&status) {
            self.last().answer = error(status, String::new());
            return self;
        }
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        self.last().answer = Answer::Raw { status, headers, body: body.into() };
        self
    }

    /// The answer that there would be without this stub; for its times and faults.
    #[must_use]
    pub fn auto(mut self) -> Self {
        self.last().answer = Answer::Auto;
        self
    }

    /// How long before anything of the answer: a `Duration` or a distribution.
    #[must_use]
    pub fn latency(mut self, latency: impl Into<Span>) -> Self {
        self.timing.latency = Some(latency.into());
        self
    }

    /// How long from there to the first token.
    #[must_use]
    pub fn first_token(mut self, span: impl Into<Span>) -> Self {
        self.timing.first_token = Some(span.into());
        self
    }

    /// How fast tokens come; a rate below one in 1,000 seconds counts as that one.
    #[must_use]
    pub fn tokens_per_second(mut self, rate: f64) -> Self {
        const RATE_MIN: f64 = 0.001;
        // `max` of what is no number is the other.
        let rate = rate.max(RATE_MIN);
        let span = Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
        self.timing.per_token = Some(span.into());
        self
    }

    /// How long the parts of the answer take.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How it breaks. Once more for another fault.
    #[must_use]
    pub fn fault(mut self, fault: impl Into<FaultRule>) -> Self {
        self.faults.push(fault.into());
        self
    }

    /// Brings the scenario into this state.
    #[must_use]
    pub fn then_state(mut self, state: impl Into<String>) -> Self {
        self.then_state = Some(state.into());
        self
    }

    /// Changes what is said by the last answer so far.
    fn say(mut self, change: impl FnOnce(&mut Reply)) -> Self {
        let last = self.last();
        match &mut last.answer {
            Answer::Reply(reply) | Answer::Template { rest: reply, .. } => change(reply),
            other => {
                let mut reply = Reply::default();
                change(&mut reply);
                *other = Answer::Reply(Box::new(reply));
            }
        }
        self
    }

    fn last(&mut self) -> &mut Then {
        if self.answers.is_empty() {
            self.answers.push(Then::default());
        }
        let last = self.answers.len() - 1;
        &mut self.answers[last]
    }
}

/// # When it answers
impl Stub {
    /// 1 comes first; 5 unless told otherwise. Of equals, the newest.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// What near misses and the journal call it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only so often; then the next stub that matches answers.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Counts `times` and `replies` for each request apart, by what it says: then the order in
    /// which different requests arrive makes no difference.
    #[must_use]
    pub fn per_request(mut self) -> Self {
        self.counting = Counting::Request;
        self
    }

    /// What comes after the last of several replies.
    #[must_use]
    pub fn on_exhausted(mut self, exhausted: Exhausted) -> Self {
        self.exhausted = exhausted;
        self
    }
}

/// An error, or the error that its status is none.
fn error(status: u16, message: String) -> Answer {
    if STATUSES.contains(&status) {
        return Answer::Error(read_then::refusal(status, Some(message)));
    }
    let message = format!("the stub's status is from 200 to 999, not {status}");
    Answer::Error(read_then::refusal(500, Some(message)))
}

impl From<Reply> for Then {
    fn from(reply: Reply) -> Self {
        Self { answer: Answer::Reply(Box::new(reply)), ..Self::default() }
    }
}
