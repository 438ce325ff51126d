//! Runs several nodes on one message, and makes one answer of theirs.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Called, call, error_of, handed_on};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{NodeConfig, RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::{MessageMetadata, Payload};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::Violation;

/// Runs several nodes on one message, and makes one answer of theirs: the node type
/// `dynamic_fanout`.
///
/// A node may be a target twice, and is run twice then. Each target has `timeout_ms` of its own; at
/// most `max_parallel_branches` run at a time, one after another where `parallel` is false.
/// `aggregation_strategy` makes the answer: `all` puts the contents one under another, in the order
/// of the targets; `majority_vote` takes the content that most targets gave, whatever their case;
/// `best_score` the answer with the highest `score_field`; `first_success` the first one that came,
/// and does not wait for the others. With `fail_fast` the first failure ends it.
///
/// Other than in its original the targets are run for real, the answer is always this node's own,
/// `max_parallel_branches` holds for every strategy, and `fail_fast` for parallel targets too.
#[derive(Debug, Deserialize)]
pub struct Fanout {
    target_nodes: Vec<String>,
    aggregation_strategy: Strategy,
    parallel: bool,
    fail_fast: bool,
    require_all_success: bool,
    score_field: String,
    max_parallel_branches: Option<usize>,
}

/// How several answers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Strategy {
    FirstSuccess,
    All,
    MajorityVote,
    BestScore,
}

/// What became of one target.
struct Branch<'a> {
    at: usize,
    target: &'a str,
    outcome: Result<Answer, String>,
    latency_ms: u64,
}

/// What a target said last.
#[derive(Default)]
struct Answer {
    payload: Payload,
    metadata: MessageMetadata,
}

impl Answer {
    fn content(&self) -> &str {
        self.payload.content.as_deref().unwrap_or_default()
    }

    fn score(&self, field: &str) -> Option<f64> {
        let Payload { metadata, structured, extra, confidence, .. } = &self.payload;
        let own = match field {
            "quality_score" => self.metadata.quality_score,
            "confidence" => *confidence,
            _ => None,
        };
        let written = |map: &Map<String, Value>| map.get(field).and_then(Value::as_f64);
        written(metadata)
            .or_else(|| written(structured.as_ref()?))
            .or_else(|| written(extra))
            .or(own)
    }
}

impl Behavior for Fanout {
    const SHAPE: &'static Shape = &Shape {
        name: "configuration of a fan-out",
        extra: Extra::Refused,
        fields: &[
            Field::required("target_nodes", Kind::List(1, &Kind::Identifier)),
            Field::default(
                "aggregation_strategy",
                Kind::Choice(&["first_success", "all", "majority_vote", "best_score"]),
                Literal::Text("all"),
            ),
            Field::default("parallel", Kind::Boolean, Literal::Boolean(true)),
            Field::default("fail_fast", Kind::Boolean, Literal::Boolean(false)),
            Field::default("require_all_success", Kind::Boolean, Literal::Boolean(false)),
            Field::default("score_field", Kind::Text, Literal::Text("quality_score")),
            Field::optional("max_parallel_branches", Kind::Integer(1, i64::MAX)),
            TIMEOUT_MS,
            RETRY_COUNT,
            RETRY_DELAY_MS,
        ],
    };

    fn new(config: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        settings::read(config)
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let most = match self.parallel {
            true => self.max_parallel_branches.unwrap_or(self.target_nodes.len()),
            false => 1,
        };
        let branches = self.target_nodes.iter().enumerate();
        let branches: Vec<_> = branches.map(|(at, target)| branch(turn, at, target)).collect();
        let mut running =
            stream::iter(branches).buffer_unordered(most.min(self.target_nodes.len()));
        let mut done = Vec::with_capacity(self.target_nodes.len());
        while let Some(branch) = running.next().await {
            let branch = branch?;
            let is_last = match branch.outcome {
                Ok(_) => self.aggregation_strategy == Strategy::FirstSuccess,
                Err(_) => self.fail_fast,
            };
            done.push(branch);
            if is_last {
                break;
            }
        }
        drop(running);
        self.result(turn, done)
    }

    fn time_limit(&self, _: &NodeConfig) -> Option<Duration> {
        // Every target has the time of its own.
        None
    }
}

async fn branch<'a>(turn: &Turn<'_>, at: usize, target: &'a str) -> Result<Branch<'a>, Failure> {
    let asked = turn.answer().target(target).fact("fanout_target", target).build();
    let limit = Duration::from_millis(turn.config.timeout_ms);
    let (outcome, latency_ms) = match call(turn, target, &asked, limit).await? {
        Called::TimedOut => {
            (Err(format!("Timeout after {}ms", turn.config.timeout_ms)), turn.config.timeout_ms)
        }
        Called::Done(result) if result.success => {
            let said = result.output_messages.into_iter().next_back();
            let answer = said
                .map(|said| Answer { metadata: handed_on(said.metadata), payload: said.payload });
            (Ok(answer.unwrap_or_default()), result.latency_ms)
        }
        Called::Done(result) => (Err(error_of(&result)), result.latency_ms),
    };
    Ok(Branch { at, target, outcome, latency_ms })
}

impl Fanout {
    /// One result of all branches, given in the order in which they ended.
    fn result(&self, turn: &Turn<'_>, mut done: Vec<Branch<'_>>) -> Result<NodeResult, Failure> {
        let stopped = match done.last() {
            Some(Branch { target, outcome: Err(why), .. }) if self.fail_fast => {
                Some(format!("Target '{target}' failed: {why}"))
            }
            _ => None,
        };
        // Only the first success is asked for where it stopped at one, so the order tells no more.
        done.sort_by_key(|branch| branch.at);
        let mut succeeded = Vec::new();
        let mut failed = Vec::new();
        for branch in &done {
            match &branch.outcome {
                Ok(answer) => succeeded.push((branch.target, answer)),
                Err(why) => failed.push(format!("{}: {why}", branch.target)),
            }
        }
        let result = self.told(&done);
        let error = match (stopped, succeeded.is_empty()) {
            (Some(stopped), _) => Some(stopped),
            (None, true) => {
                Some(format!("No successful results from any target: {}", failed.join("; ")))
            }
            (None, false) if self.require_all_success && !failed.is_empty() => Some(format!(
                "Required all targets to succeed but {} failed: {}",
                failed.len(),
                failed.join("; ")
            )),
            _ => None,
        };
        if let Some(error) = error {
            return Err(Failure::passing(error).with(result));
        }
        let said = self.aggregate(turn, &succeeded);
        Ok(NodeResult { success: true, output_messages: vec![said], ..result })
    }

    fn told(&self, done: &[Branch<'_>]) -> NodeResult {
        let targets = |success: bool| {
            let of = done.iter().filter(|branch| branch.outcome.is_ok() == success);
            of.map(|branch| branch.target).collect::<Vec<_>>()
        };
        let branches: Value = done
            .iter()
            .map(|branch| {
                json!({
                    "target": branch.target,
                    "success": branch.outcome.is_ok(),
                    "content": branch.outcome.as_ref().ok().map(Answer::content),
                    "error": branch.outcome.as_ref().err(),
                    "latency_ms": branch.latency_ms,
                })
            })
            .collect();
        NodeResult::default()
            .fact("fanout_result", branches)
            .fact("strategy", json!(self.aggregation_strategy))
            .fact("successful_targets", json!(targets(true)))
            .fact("failed_targets", json!(targets(false)))
    }

    /// One message of answers in the order of their targets; there is at least one.
    fn aggregate(
        &self,
        turn: &Turn<'_>,
        answers: &[(&str, &Answer)],
    ) -> crate::testkit::nodes::Message {
        let chosen = |(target, answer): &(&str, &Answer)| {
            let child = turn.answer().payload(answer.payload.clone());
            child.metadata(answer.metadata.clone()).fact("fanout_source", *target)
        };
        let first = answers.first();
        let child = match self.aggregation_strategy {
            Strategy::All => {
                let blocks: Vec<String> = answers
                    .iter()
                    .map(|(target, answer)| format!("[{target}]: {}", answer.content()))
                    .collect();
                let all: Value = answers
                    .iter()
                    .map(|(target, answer)| json!({"target": target, "content": answer.content()}))
                    .collect();
                turn.answer()
                    .content(blocks.join("\n\n"))
                    .fact("fanout_all_results", all)
                    .fact("target_count", answers.len())
            }
            Strategy::FirstSuccess => first.map_or_else(|| turn.answer(), chosen),
            Strategy::BestScore => {
                let best = best(answers, &self.score_field);
                match best {
                    Some((answer, score)) => chosen(answer).fact("fanout_score", json!(score)),
                    None => turn.answer(),
                }
            }
            Strategy::MajorityVote => match most_voted(answers) {
                Some((answer, votes)) => chosen(answer)
                    .fact("fanout_vote_count", votes)
                    .fact("fanout_total_votes", answers.len()),
                None => turn.answer(),
            },
        };
        child.build()
    }
}

/// The answer with the highest score, the first of several; an answer without one comes last.
fn best<'a, 'b>(
    answers: &'b [(&'a str, &'a Answer)],
    field: &str,
) -> Option<(&'b (&'a str, &'a Answer), Option<f64>)> {
    let scored = answers.iter().map(|answer| (answer, answer.1.score(field)));
    scored.reduce(|best, next| match (best.1, next.1) {
        (None, Some(_)) => next,
        (Some(best_score), Some(score)) if score > best_score => next,
        _ => best,
    })
}

/// The first answer with the content that most gave, and how many gave it.
fn most_voted<'a, 'b>(
    answers: &'b [(&'a str, &'a Answer)],
) -> Option<(&'b (&'a str, &'a Answer), usize)> {
    let vote = |answer: &Answer| answer.content().trim().to_lowercase();
    let mut votes: HashMap<String, usize> = HashMap::new();
    for (_, answer) in answers {
        *votes.entry(vote(answer)).or_default() += 1;
    }
    let counted = answers.iter().map(|answer| (answer, votes.get(&vote(answer.1)).copied()));
    let counted = counted.map(|(answer, votes)| (answer, votes.unwrap_or(0)));
    counted.reduce(|most, next| if next.1 > most.1 { next } else { most })
}
