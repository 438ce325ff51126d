//! Answers of `/api/chat`, and whole conversations.

use serde_json::{Map, Value, json};

use super::super::generate::{COUNT_MAX, Generate, sizes};
use super::super::hostile::HostileTexts;
use super::super::invalid::{Checked, Invalid, of_shape, with};
use super::super::source::Stream;
use super::super::words::{TASKS, one_of};
use super::{Responses, TOKENS_MAX, answer_settings, count, exceeding, written};
use crate::testkit::nodes::response::{
    CHAT_RESPONSE, CONVERSATION, ChatFunction, ChatMessage, ChatResponse, ChatToolCall,
    Conversation, Role,
};
use crate::testkit::nodes::{Rule, Violation};

answer_settings! {
    Chats => |this| this.answers;
    Conversations => |this| this.answers;
}

/// Answers of `/api/chat`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chats {
    answers: Responses,
    tools: Option<Vec<String>>,
}

/// Conversations of several turns, some with calls of tools in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversations {
    answers: Responses,
    turns: (usize, usize),
    system: Option<String>,
    tools: Vec<String>,
    calls: f64,
}

impl Chats {
    /// One of a dozen answers of a small model.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A call of one of these tools in place of a text.
    #[must_use]
    pub fn calling(mut self, tools: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tools = Some(tools.into_iter().map(Into::into).collect());
        self
    }
}

/// A call of one of the tools: an expression for those that calculate, a question for the others.
fn call(stream: &mut Stream, tools: &[String]) -> Option<ChatToolCall> {
    let name = stream.pick(tools)?.clone();
    let (left, right) = (stream.integer(1, 99), stream.integer(1, 99));
    let (key, value) = match name.as_str() {
        "calculator" => ("expression", json!(format!("{left} * {right}"))),
        _ => ("query", json!(one_of(stream, &TASKS))),
    };
    let arguments = Map::from_iter([(key.to_owned(), value)]);
    Some(ChatToolCall { function: ChatFunction { name, arguments } })
}

fn said(role: Role, content: impl Into<String>) -> ChatMessage {
    ChatMessage { role, content: content.into(), tool_calls: Vec::new(), tool_name: None }
}

impl Generate for Chats {
    type Output = ChatResponse;
    const KIND: &'static str = "chat";

    fn generate(&self, stream: &mut Stream) -> ChatResponse {
        let called = self.tools.as_deref().and_then(|tools| call(stream, tools));
        let message = match called {
            Some(called) => ChatMessage { tool_calls: vec![called], ..said(Role::Assistant, "") },
            None => said(Role::Assistant, self.answers.text_of(stream)),
        };
        // A call is written in about as many tokens as its JSON has words.
        let tokens = count(&message.content) + 12 * message.tool_calls.len() as u64;
        ChatResponse {
            model: self.answers.model_name(),
            created_at: written(stream.moment()),
            message,
            done: true,
            done_reason: Some("stop".to_owned()),
            metrics: self.answers.metrics(stream, tokens),
        }
    }
}

impl Default for Conversations {
    /// One to four turns, half of them with a call of the calculator.
    fn default() -> Self {
        Self {
            answers: Responses::default(),
            turns: (1, 4),
            system: None,
            tools: vec!["calculator".to_owned()],
            calls: 0.5,
        }
    }
}

impl Conversations {
    /// One to four turns, half of them with a call of the calculator.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many turns, both ends included, 1 to [`COUNT_MAX`]: a question and its answer each.
    #[must_use]
    pub fn turns(mut self, least: usize, greatest: usize) -> Self {
        self.turns = sizes(least.max(1), greatest, COUNT_MAX);
        self
    }

    /// That begin with what the application says about how to answer.
    #[must_use]
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system = Some(text.into());
        self
    }

    /// With calls of these tools, in this share of the turns.
    #[must_use]
    pub fn calling<I>(mut self, tools: I, share: f64) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.tools = tools.into_iter().map(Into::into).collect();
        self.calls = share;
        self
    }
}

impl Generate for Conversations {
    type Output = Conversation;
    const KIND: &'static str = "conversation";

    fn generate(&self, stream: &mut Stream) -> Conversation {
        let mut messages = Vec::new();
        messages.extend(self.system.as_deref().map(|text| said(Role::System, text)));
        for _ in 0..stream.size(self.turns) {
            messages.push(said(Role::User, one_of(stream, &TASKS)));
            let called = stream.chance(self.calls).then(|| call(stream, &self.tools)).flatten();
            if let Some(called) = called {
                let answer = ChatMessage {
                    tool_name: Some(called.function.name.clone()),
                    ..said(Role::Tool, stream.integer(1, 9_801).to_string())
                };
                messages
                    .push(ChatMessage { tool_calls: vec![called], ..said(Role::Assistant, "") });
                messages.push(answer);
            }
            messages.push(said(Role::Assistant, self.answers.text_of(stream)));
        }
        Conversation { model: self.answers.model_name(), messages }
    }
}

impl Checked for Chats {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        ChatResponse::violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        of_shape(&CHAT_RESPONSE, good).into_iter().chain(exceeding(good)).collect()
    }
}

impl Checked for Conversations {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        Conversation::violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let mut found = of_shape(&CONVERSATION, good);
        let said = good.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let at = format!("messages.{}", said.len());
        let orphan = json!({"role": "assistant", "tool_calls": [{"function": {"name": "clock"}}]});
        let more = said.into_iter().chain([orphan]).collect();
        found.push(Invalid::new(Rule::WrongCount, at, with(good, "messages", more)));
        found
    }
}
