//! `reasoning`: asks a model step by step, and verifies before it concludes.

mod chain;
mod dialogue;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod traps;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::asking::{added, failure, server};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{NodeConfig, RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::{MessageMetadata, Payload};
use crate::testkit::nodes::ollama::{Generate, Ollama, Options};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::tool::ToolRegistry;
use crate::testkit::nodes::violation::Violation;
use dialogue::Move;

pub use chain::{Chain, ChainError, QUERY_CHARS_MAX};
pub use state::State;
pub use step::{Conclusion, Step, StepKind, Thinking, Verdict};
pub use traps::{Trap, detect};

const STEP_TOKENS_MAX: u64 = 512;
const CHECK_TOKENS_MAX: u64 = 512;
const CONCLUSION_TOKENS_MAX: u64 = 1_024;
/// Checks are to be sober.
const CHECK_TEMPERATURE: f64 = 0.3;
const FAILED: &str = "Reasoning execution failed";

/// Asks a model step by step, and verifies before it concludes.
///
/// Each step is one line of the model's: `thought:`, `action: tool(a=b)`, `verify:` or `conclude:`;
/// anything else concludes where enough was verified, and is verified where not. Actions call the
/// tools of the environment for real. A verification counts where it names a claim and evidence and
/// its verdict is `verified`; a claim that was refuted, or left uncertain, verifies nothing. A
/// conclusion that comes too early is verified first; where the steps end before enough was
/// verified, the chain fails, and so it does where a step cannot follow the one before ([`State`]) or
/// takes the question apart more than `max_depth` times.
///
/// `timeout_ms` holds for each question to the model, `reasoning_timeout_ms` for the whole chain.
/// The result's `reasoning_chain` has every step.
#[derive(Debug)]
pub struct Reasoning {
    settings: Settings,
    server: Ollama,
    tools: Arc<ToolRegistry>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    model: String,
    max_steps: usize,
    max_depth: usize,
    require_verification: bool,
    min_verifications: usize,
    min_confidence: f64,
    trap_detection: bool,
    allow_uncertain: bool,
    temperature: f64,
    reasoning_timeout_ms: u64,
}

static SHAPE: Shape = Shape {
    name: "reasoning configuration",
    extra: Extra::Refused,
    fields: &[
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
        Field::default("model", Kind::Length(1, usize::MAX), Literal::Text("qwen2.5:3b")),
        Field::default("max_steps", Kind::Integer(1, 50), Literal::Integer(15)),
        Field::default("max_depth", Kind::Integer(1, 10), Literal::Integer(5)),
        Field::default("require_verification", Kind::Boolean, Literal::Boolean(true)),
        Field::default("min_verifications", Kind::Integer(0, 5), Literal::Integer(1)),
        Field::default("min_confidence", Kind::Number(0.0, 1.0), Literal::Number(0.6)),
        Field::default("trap_detection", Kind::Boolean, Literal::Boolean(true)),
        Field::default("allow_uncertain", Kind::Boolean, Literal::Boolean(true)),
        Field::default("temperature", Kind::Number(0.0, 2.0), Literal::Number(0.7)),
        Field::default(
            "reasoning_timeout_ms",
            Kind::Integer(5_000, 300_000),
            Literal::Integer(60_000),
        ),
    ],
};

/// A chain on its way.
struct Course<'a> {
    node: &'a Reasoning,
    config: &'a NodeConfig,
    chain: Chain,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
}

impl Behavior for Reasoning {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        Ok(Self {
            settings: settings::read(config)?,
            server: server(environment)?,
            tools: Arc::clone(&environment.tools),
        })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let query = turn.message.payload.question();
        if query.is_empty() {
            return Err(Failure::lasting("No query provided for reasoning"));
        }
        let trap = detect(query).filter(|_| self.settings.trap_detection);
        let chain = Chain::begin(query, trap);
        let chain = chain.map_err(|error| Failure::lasting(format!("{FAILED}: {error}")))?;
        let mut course =
            Course { node: self, config: turn.config, chain, tokens_in: None, tokens_out: None };
        let limit = Duration::from_millis(self.settings.reasoning_timeout_ms);
        let outcome = timeout(limit, course.run()).await.unwrap_or_else(|_| {
            let ms = self.settings.reasoning_timeout_ms;
            Err(Failure::passing(format!("{FAILED}: Timeout after {ms}ms")))
        });
        match outcome {
            Ok(conclusion) => Ok(course.said(turn, &conclusion)),
            Err(failure) => {
                course.chain.fail();
                let result = course.facts(NodeResult::default());
                Err(failure.with(result))
            }
        }
    }

    /// The chain and each of its questions have limits of their own.
    fn time_limit(&self, _: &NodeConfig) -> Option<Duration> {
        None
    }
}

impl Course<'_> {
    async fn run(&mut self) -> Result<Conclusion, Failure> {
        let system = dialogue::system(&self.chain, &self.node.tools);
        for n in 1..=self.node.settings.max_steps {
            let temperature = self.node.settings.temperature;
            let prompt = dialogue::next_step(&self.chain);
            let text = self.ask(&system, prompt, temperature, STEP_TOKENS_MAX).await?;
            let done = match dialogue::read_move(&text) {
                Move::Think(thinking, content) => {
                    self.think(n, thinking, &content)?;
                    false
                }
                Move::Act(tool, input) => {
                    let action = self.chain.act(&tool, input.clone());
                    let action = action.map_err(|error| stopped(n, &error.to_string()))?;
                    let (content, success) = match self.node.tools.call(&tool, &input).await {
                        Ok(Value::String(text)) => (text, true),
                        Ok(output) => (output.to_string(), true),
                        Err(error) => (error.to_string(), false),
                    };
                    let observed = self.chain.observe(&action, &content, success);
                    observed.map_err(|error| stopped(n, &error.to_string()))?;
                    false
                }
                Move::Verify(claim) => {
                    self.check(n, &claim).await?;
                    false
                }
                Move::Conclude(_) | Move::Other(_) if self.is_verified() => true,
                Move::Conclude(content) | Move::Other(content) => {
                    self.check(n, &content).await?;
                    false
                }
            };
            if done {
                return self.conclude(n, &system).await;
            }
        }
        let n = self.node.settings.max_steps;
        match self.is_verified() {
            true => self.conclude(n, &system).await,
            false => {
                let (found, needed) = (self.chain.verifications(), self.needed());
                Err(stopped(n, &format!("{found} verifications, needs {needed}")))
            }
        }
    }

    fn think(&mut self, n: usize, thinking: Thinking, content: &str) -> Result<(), Failure> {
        let deepest = self.node.settings.max_depth;
        if thinking == Thinking::Decompose && self.chain.depth() >= deepest {
            return Err(stopped(n, &format!("the question was taken apart {deepest} times")));
        }
        self.chain.think(thinking, content).map_err(|error| stopped(n, &error.to_string()))
    }

    /// Has a claim checked; a check without claim or evidence comes to nothing.
    async fn check(&mut self, n: usize, claim: &str) -> Result<(), Failure> {
        self.chain.verify().map_err(|error| stopped(n, &error.to_string()))?;
        let system = "You check claims soberly.";
        // A model that said nothing is asked about all of it.
        let claim = if claim.is_empty() { "the reasoning so far" } else { claim };
        let prompt = dialogue::check(&self.chain, claim);
        let text = self.ask(system, prompt, CHECK_TEMPERATURE, CHECK_TOKENS_MAX).await?;
        let Some(check) = dialogue::read_check(&text) else { return Ok(()) };
        let dialogue::Check { claim, evidence, verdict, reasoning } = check;
        let added = self.chain.verified(&claim, evidence, verdict, &reasoning);
        added.map_err(|error| stopped(n, &error.to_string()))
    }

    async fn conclude(&mut self, n: usize, system: &str) -> Result<Conclusion, Failure> {
        let Settings { temperature, min_confidence, allow_uncertain, .. } = self.node.settings;
        // Whether it can be concluded is known before the model is asked.
        self.chain.go(State::Concluding).map_err(|error| stopped(n, &error.to_string()))?;
        let prompt = dialogue::conclude(&self.chain);
        let text = self.ask(system, prompt, temperature, CONCLUSION_TOKENS_MAX).await?;
        let mut conclusion = dialogue::read_conclusion(&text)
            .ok_or_else(|| Failure::passing(format!("{FAILED}: the model gives no answer")))?;
        let sure = conclusion.confidence;
        if sure < min_confidence && conclusion.uncertain.is_none() {
            conclusion.uncertain = Some(format!("confidence {sure} is below {min_confidence}"));
        }
        if let Some(reason) = conclusion.uncertain.as_ref().filter(|_| !allow_uncertain) {
            return Err(stopped(n, &format!("the conclusion is uncertain: {reason}")));
        }
        let concluded = self.chain.conclude(conclusion.clone());
        concluded.map_err(|error| stopped(n, &error.to_string()))?;
        Ok(conclusion)
    }

    fn needed(&self) -> usize {
        let Settings { require_verification, min_verifications, .. } = self.node.settings;
        if require_verification { min_verifications } else { 0 }
    }

    fn is_verified(&self) -> bool {
        self.chain.verifications() >= self.needed()
    }

    async fn ask(
        &mut self,
        system: &str,
        prompt: String,
        temperature: f64,
        tokens: u64,
    ) -> Result<String, Failure> {
        let request = Generate {
            model: self.node.settings.model.clone(),
            prompt,
            system: Some(system.to_owned()),
            options: Options { temperature: Some(temperature), num_predict: Some(tokens) },
            ..Generate::default()
        };
        let ms = self.config.timeout_ms;
        let asked = timeout(Duration::from_millis(ms), self.node.server.generate(&request)).await;
        let late = |_| Failure::passing(format!("{FAILED}: Timeout after {ms}ms"));
        let reply = asked.map_err(late)?.map_err(|error| failure(FAILED, &error))?;
        self.tokens_in = added(self.tokens_in, reply.tokens_in);
        self.tokens_out = added(self.tokens_out, reply.tokens_out);
        Ok(reply.text)
    }

    fn said(&self, turn: &Turn<'_>, conclusion: &Conclusion) -> NodeResult {
        let mut content = conclusion.answer.clone();
        if !conclusion.caveats.is_empty() {
            content.push_str("\n\nCaveats:");
            for caveat in &conclusion.caveats {
                content.push_str("\n- ");
                content.push_str(caveat);
            }
        }
        if let Some(reason) = &conclusion.uncertain {
            content = format!("[Uncertain: {reason}] {content}");
        }
        if let Some(trap) = self.chain.trap() {
            content = format!("[Detected: {trap}] {content}");
        }
        let asked = &turn.message.payload;
        let mut metadata = asked.metadata.clone();
        for (key, value) in self.told() {
            metadata.insert(key.to_owned(), value);
        }
        let payload = Payload {
            task: asked.task.clone(),
            content: Some(content),
            confidence: Some(self.chain.confidence()),
            metadata,
            ..Payload::default()
        };
        let written = MessageMetadata {
            model_used: Some(self.node.settings.model.clone()),
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            ..MessageMetadata::default()
        };
        self.facts(NodeResult::said(turn.answer().payload(payload).metadata(written).build()))
    }

    fn facts(&self, result: NodeResult) -> NodeResult {
        let result =
            self.told().into_iter().fold(result, |result, (key, value)| result.fact(key, value));
        result.fact("reasoning_chain", json!(self.chain))
    }

    fn told(&self) -> [(&'static str, Value); 5] {
        let traps: Vec<&str> = self.chain.trap().into_iter().map(Trap::as_str).collect();
        [
            ("reasoning_chain_id", self.chain.id().into()),
            ("reasoning_steps", self.chain.steps().len().into()),
            ("reasoning_confidence", self.chain.confidence().into()),
            ("reasoning_traps_detected", json!(traps)),
            ("reasoning_verified", (self.chain.verifications() > 0 && self.is_verified()).into()),
        ]
    }
}

/// The chain went wrong at its `n`-th step; the model may do better another time.
fn stopped(n: usize, why: &str) -> Failure {
    Failure::passing(format!("Reasoning stopped at step {n}: {why}"))
}
