//! A small graph that answers questions: sums with a calculator, all else with a model.
//!
//! ```text
//! OLLAMA_HOST=http://127.0.0.1:11434 cargo run --example answer -- "What is 6 * 7?"
//! ```
//!
//! `tests.rs` beside it is what this is for: the graph under the mock server, with generated messages,
//! in parallel, and its own type of node under contract (`cargo test --example answer`).

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the answer is its result")]

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use flakedb::testkit::nodes::{
    Behavior, BehaviorNode, Environment, Executor, Failure, GraphDefinition, NodeResult, NodeType,
    Registry, TaskPayload, Turn, Violation, config::NODE_CONFIG, field::Shape,
};
use serde_json::Value;

/// Takes the sum out of a question: `What is 6 * 7?` becomes `6 * 7`.
struct ExtractSum;

impl Behavior for ExtractSum {
    const SHAPE: &'static Shape = &NODE_CONFIG;

    fn new(_: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        Ok(Self)
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let mut question = turn.message.payload.question().to_owned();
        for (words, sign) in [("multiplied by", "*"), ("divided by", "/"), ("plus", "+")] {
            question = question.replace(words, sign);
        }
        let is_part = |c: char| c.is_ascii_digit() || "+-*/(). ".contains(c);
        let parts = question.split(|c| !is_part(c)).map(|part| part.trim());
        let sums = parts.filter(|part| part.contains(|c: char| c.is_ascii_digit()));
        match sums.max_by_key(|part| part.len()) {
            Some(sum) => Ok(NodeResult::said(turn.answer().content(sum).build())),
            None => Err(Failure::lasting(format!("no sum in `{question}`"))),
        }
    }
}

/// The built-in types, and ours.
fn registry(ollama_url: String) -> Registry {
    let mut registry = Registry::built_in(Environment { ollama_url, ..Environment::default() });
    registry.replace(NodeType::Custom("extract_sum".to_owned()), BehaviorNode::<ExtractSum>::make);
    registry
}

/// The graph, ready to be walked.
fn answers(ollama_url: String) -> Result<Executor, Box<dyn std::error::Error>> {
    let graph = serde_json::from_str(include_str!("graph.json"))?;
    let graph = GraphDefinition::from_value(&graph).map_err(|found| format!("{found:?}"))?;
    Ok(Executor::new(graph, &registry(ollama_url))?)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let question = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let ollama = std::env::var("OLLAMA_HOST").unwrap_or("http://127.0.0.1:11434".to_owned());
    let response = answers(ollama)?.respond(&TaskPayload::new(question)).await;
    match response.content.filter(|_| response.success) {
        Some(answer) => println!("{answer}"),
        None => {
            eprintln!("{}", response.error.unwrap_or_default());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
