//! `model`: asks a model.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::asking::{added, failure, prompt, server, written_by};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn, milliseconds};
use crate::testkit::nodes::config::{NodeConfig, RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::Payload;
use crate::testkit::nodes::ollama::{Chat, ChatMessage, Generate, Ollama, Options, Reply};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::tool::{ToolError, ToolRegistry};
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::shown::{as_text, cut};

/// What a model is told where the settings say nothing.
const SYSTEM: &str = "You are a helpful assistant. Answer clearly and briefly.";
/// Tokens of an answer, at most, where the settings say nothing.
const TOKENS_MAX: u64 = 2_000;
/// Rounds of tool calls, at most.
const ROUNDS_MAX: usize = 8;
/// Tool calls in one round, at most.
const CALLS_MAX: usize = 32;
const FAILED: &str = "Model execution failed";

/// Asks a model: the task, else the content, goes to `POST /api/generate`; the answer is the new
/// content.
///
/// ```
/// use flakedb::testkit::mock_server::{MockOllama, stub::Stub};
/// use flakedb::testkit::nodes::{
///     Environment, ExecutionContext, Message, NodeDefinition, NodeType, Payload, Registry,
/// };
///
/// let ollama = MockOllama::builder().stub(Stub::generate().reply("Blue.")).start()?;
/// let environment = Environment { ollama_url: ollama.url(), ..Environment::default() };
/// let definition = NodeDefinition::new("answer", NodeType::Model);
/// let node = Registry::built_in(environment).create(&definition)?;
///
/// let asked = Message::new("trace-1", "user", Payload::task("What colour is the sky?"));
/// let context = ExecutionContext::new("trace-1", "graph");
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// let result = node.execute(&asked, &context).await;
/// assert_eq!(result.output_messages[0].payload.content.as_deref(), Some("Blue."));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With `tools_enabled` the model may call tools (`POST /api/chat`): those of `tool_ids`, or all
/// that are switched on. What a tool says goes back to the model, failures too, for 8 rounds of 32
/// calls at most; the tools of a round too many are not called.
///
/// With `enable_fallback` there are other models in reserve. `sequential` asks one after the other;
/// `fastest` asks all at once and takes the first answer; `load_balanced` begins at the one that the
/// question falls to, so that questions spread and the same one always goes to the same model. Then
/// `timeout_ms` holds for the model itself and `fallback_timeout_ms` for each in reserve.
/// `models_asked` says how many were asked, and `attempts` (of every node) how often all of this was
/// tried.
#[derive(Debug)]
pub struct Model {
    settings: Settings,
    system: String,
    server: Ollama,
    tools: Arc<ToolRegistry>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    model: String,
    prompt_id: Option<String>,
    system_prompt: Option<String>,
    temperature: f64,
    max_tokens: Option<u64>,
    stream: bool,
    tools_enabled: bool,
    tool_ids: Vec<String>,
    enable_fallback: bool,
    fallback_models: Vec<String>,
    fallback_strategy: Strategy,
    fallback_timeout_ms: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Strategy {
    Sequential,
    Fastest,
    LoadBalanced,
}

static SHAPE: Shape = Shape {
    name: "model configuration",
    extra: Extra::Refused,
    fields: &[
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
        Field::default("model", Kind::Length(1, usize::MAX), Literal::Text("qwen2.5:3b")),
        Field::optional("prompt_id", Kind::Text),
        Field::optional("system_prompt", Kind::Text),
        Field::default("temperature", Kind::Number(0.0, 2.0), Literal::Number(0.7)),
        Field::optional("max_tokens", Kind::Integer(1, 32_000)),
        Field::default("stream", Kind::Boolean, Literal::Boolean(false)),
        Field::default("tools_enabled", Kind::Boolean, Literal::Boolean(false)),
        Field::default("tool_ids", Kind::List(0, &Kind::Text), Literal::EmptyList),
        Field::default("enable_fallback", Kind::Boolean, Literal::Boolean(false)),
        Field::default(
            "fallback_models",
            Kind::List(0, &Kind::Length(1, usize::MAX)),
            Literal::EmptyList,
        ),
        Field::default(
            "fallback_strategy",
            Kind::Choice(&["sequential", "fastest", "load_balanced"]),
            Literal::Text("sequential"),
        ),
        Field::default(
            "fallback_timeout_ms",
            Kind::Integer(100, 120_000),
            Literal::Integer(30_000),
        ),
    ],
};

/// What came of asking.
struct Said {
    model: String,
    reply: Reply,
    /// The calls of tools on the way.
    calls: Vec<Map<String, Value>>,
    models_asked: usize,
}

impl Behavior for Model {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        let settings: Settings = settings::read(config)?;
        let written = prompt(settings.prompt_id.as_deref(), environment)?;
        if settings.enable_fallback && settings.fallback_models.is_empty() {
            let message = "`enable_fallback` needs a model in `fallback_models`";
            return Err(vec![Violation::new(Rule::MissingCompanion, "fallback_models", message)]);
        }
        let system = settings.system_prompt.clone().or(written);
        Ok(Self {
            system: system.unwrap_or_else(|| SYSTEM.to_owned()),
            server: server(environment)?,
            tools: Arc::clone(&environment.tools),
            settings,
        })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let question = turn.message.payload.question();
        if question.is_empty() {
            let why = "the message has neither a task nor a content to ask about";
            return Err(Failure::lasting(format!("{FAILED}: {why}")));
        }
        let begun = Instant::now();
        let said = match self.settings.enable_fallback {
            true => self.with_fallback(turn.config, question).await?,
            false => self.ask(&self.settings.model, question).await?,
        };
        Ok(self.result(turn, said, milliseconds(begun.elapsed())))
    }

    fn time_limit(&self, config: &NodeConfig) -> Option<Duration> {
        let limit = Duration::from_millis(config.timeout_ms);
        (!self.settings.enable_fallback).then_some(limit)
    }
}

impl Model {
    fn options(&self) -> Options {
        Options {
            temperature: Some(self.settings.temperature),
            num_predict: Some(self.settings.max_tokens.unwrap_or(TOKENS_MAX)),
        }
    }

    async fn ask(&self, model: &str, question: &str) -> Result<Said, Failure> {
        if self.settings.tools_enabled {
            return self.converse(model, question).await;
        }
        let request = Generate {
            model: model.to_owned(),
            prompt: question.to_owned(),
            system: Some(self.system.clone()),
            stream: self.settings.stream,
            options: self.options(),
            ..Generate::default()
        };
        let reply =
            self.server.generate(&request).await.map_err(|error| failure(FAILED, &error))?;
        Ok(Said { model: model.to_owned(), reply, calls: Vec::new(), models_asked: 1 })
    }

    /// Lets the model call tools until it has an answer.
    async fn converse(&self, model: &str, question: &str) -> Result<Said, Failure> {
        let wanted = &self.settings.tool_ids;
        if let Some(error) = wanted.iter().find_map(|id| self.tools.get(id).err()) {
            return Err(Failure::lasting(format!("{FAILED}: {error}")));
        }
        let mut chat = Chat {
            model: model.to_owned(),
            messages: vec![ChatMessage::system(&self.system), ChatMessage::user(question)],
            stream: self.settings.stream,
            options: self.options(),
            ..Chat::default()
        };
        for id in self.tools.ids().filter(|id| wanted.is_empty() || wanted.iter().any(|w| w == id))
        {
            if let Ok(tool) = self.tools.get(id) {
                chat = chat.offer(id, tool.description(), &tool.parameters());
            }
        }
        let (mut calls, mut spent) = (Vec::new(), (None, None));
        for round in 0..=ROUNDS_MAX {
            let reply = self.server.chat(&chat).await;
            let mut reply = reply.map_err(|error| failure(FAILED, &error))?;
            spent = (added(spent.0, reply.tokens_in), added(spent.1, reply.tokens_out));
            if reply.tool_calls.is_empty() {
                (reply.tokens_in, reply.tokens_out) = spent;
                return Ok(Said { model: model.to_owned(), reply, calls, models_asked: 1 });
            }
            let count = reply.tool_calls.len();
            if round == ROUNDS_MAX || count > CALLS_MAX {
                let why = match count > CALLS_MAX {
                    true => format!("the model called {count} tools at once, {CALLS_MAX} at most"),
                    false => format!("the model still called tools after {ROUNDS_MAX} rounds"),
                };
                return Err(Failure::lasting(format!("{FAILED}: {why}")));
            }
            chat.messages.push(ChatMessage::assistant(&reply.text, &reply.tool_calls));
            for call in &reply.tool_calls {
                let offered = wanted.is_empty() || wanted.contains(&call.name);
                let outcome = match offered {
                    true => self.tools.call(&call.name, &call.arguments).await,
                    false => {
                        let mend = format!("; there are {}", wanted.join(", "));
                        Err(ToolError::NotFound { id: cut(&call.name).into_owned(), mend })
                    }
                };
                let (output, told) = match outcome {
                    Ok(output) => (Some(output.clone()), as_text(&output)),
                    Err(error) => (None, error.to_string()),
                };
                let made = json!({
                    "tool_id": call.name,
                    "input": call.arguments,
                    "success": output.is_some(),
                    "output": output,
                });
                calls.extend(made.as_object().cloned());
                chat.messages.push(ChatMessage::tool(&call.name, told));
            }
        }
        let why = format!("the model still called tools after {ROUNDS_MAX} rounds");
        Err(Failure::lasting(format!("{FAILED}: {why}")))
    }

    async fn with_fallback(&self, config: &NodeConfig, question: &str) -> Result<Said, Failure> {
        let Settings { model, fallback_models, fallback_strategy, fallback_timeout_ms, .. } =
            &self.settings;
        let mut models = vec![(model, config.timeout_ms)];
        models.extend(fallback_models.iter().map(|model| (model, *fallback_timeout_ms)));
        let mut failures: Vec<Failure> = Vec::new();
        match fallback_strategy {
            Strategy::Fastest => {
                let count = models.len();
                let mut asked: FuturesUnordered<_> = models
                    .into_iter()
                    .map(|(model, limit)| self.ask_for(model, limit, question))
                    .collect();
                while let Some(outcome) = asked.next().await {
                    match outcome {
                        Ok(said) => return Ok(Said { models_asked: count, ..said }),
                        Err(failure) => failures.push(failure),
                    }
                }
            }
            Strategy::Sequential | Strategy::LoadBalanced => {
                if matches!(fallback_strategy, Strategy::LoadBalanced) {
                    let first = share(question, models.len());
                    models.rotate_left(first);
                }
                for (at, (model, limit)) in models.into_iter().enumerate() {
                    match self.ask_for(model, limit, question).await {
                        Ok(said) => return Ok(Said { models_asked: at + 1, ..said }),
                        Err(failure) => failures.push(failure),
                    }
                }
            }
        }
        let errors: Vec<&str> = failures.iter().map(|failure| failure.error.as_str()).collect();
        Err(Failure {
            error: format!("{FAILED}: no model answered: {}", errors.join("; ")),
            recoverable: failures.iter().any(|failure| failure.recoverable),
            result: Box::new(NodeResult::default().fact("models_asked", failures.len())),
        })
    }

    async fn ask_for(&self, model: &str, limit_ms: u64, question: &str) -> Result<Said, Failure> {
        let asked = timeout(Duration::from_millis(limit_ms), self.ask(model, question)).await;
        let late = |_| Failure::passing(format!("{FAILED}: Timeout after {limit_ms}ms"));
        asked.unwrap_or_else(|elapsed| Err(late(elapsed))).map_err(|failure| {
            let why = failure.error.strip_prefix(FAILED).unwrap_or(&failure.error);
            Failure { error: format!("{model}{why}"), ..failure }
        })
    }

    fn result(&self, turn: &Turn<'_>, said: Said, took_ms: u64) -> NodeResult {
        let Said { model, reply, calls, models_asked } = said;
        let asked = &turn.message.payload;
        let metadata = written_by(&model, &reply);
        let mut facts = asked.metadata.clone();
        let mut fact = |key: &str, value: Value| {
            facts.insert(key.to_owned(), value);
        };
        fact("model", model.as_str().into());
        for (key, count) in
            [("tokens_generated", reply.tokens_out), ("tokens_prompt", reply.tokens_in)]
        {
            if let Some(count) = count {
                fact(key, count.into());
            }
        }
        if !reply.thinking.is_empty() {
            fact("thinking", reply.thinking.as_str().into());
        }
        if self.settings.enable_fallback {
            fact("model_used", model.as_str().into());
            fact("fallback_occurred", (model != self.settings.model).into());
            fact("models_asked", models_asked.into());
            fact("total_latency_ms", took_ms.into());
        }
        let payload = Payload {
            task: asked.task.clone(),
            content: Some(reply.text),
            tool_calls: Some(calls).filter(|calls| !calls.is_empty()),
            metadata: facts,
            ..Payload::default()
        };
        let message = turn.answer().payload(payload).metadata(metadata).build();
        let mut result = NodeResult::said(message).fact("model", model);
        if let Some(tokens) = added(reply.tokens_in, reply.tokens_out) {
            result = result.fact("tokens", tokens);
        }
        match reply.eval_duration_ns {
            Some(ns) => result.fact("eval_duration_ms", ns as f64 / 1e6),
            None => result,
        }
    }
}

/// Which of `count` a question falls to, the same on every machine.
fn share(question: &str, count: usize) -> usize {
    let hash = blake3::hash(question.as_bytes());
    let mut bits = [0; 8];
    for (bit, byte) in bits.iter_mut().zip(hash.as_bytes()) {
        *bit = *byte;
    }
    let count = count.max(1) as u64;
    (u64::from_le_bytes(bits) % count) as usize
}
