//! Runs another node again and again.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Called, call, content_of, error_of};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn, milliseconds};
use crate::testkit::nodes::config::{NodeConfig, RETRY_COUNT, RETRY_DELAY_MS};
use crate::testkit::nodes::expression::{Expression, Scope};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::{Message, MessageMetadata};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::{Rule, Violation};

/// The names that the condition of a loop can use.
pub const LOOP_NAMES: &[&str] = &[
    "iteration",
    "results",
    "last_result",
    "success_count",
    "failure_count",
    "last_success",
    "last_output",
    "last_error",
    "variables",
];

/// Runs its body again and again: the node type `loop`.
///
/// The body's first turn is given the message; every other the same, with what the last turn that
/// succeeded said as its content. `condition_type` says when it ends: `fixed_count` after that many
/// turns, `until_success` after the first that succeeds, `until_condition` after the first after
/// which `condition_expression` holds, `while_condition` before the first before which it does not
/// hold. It ends in any case after `max_iterations` turns, after `timeout_ms` (a turn that is going
/// on is dropped), and after a turn that failed, unless `continue_on_error` or `until_success` say
/// otherwise. A condition that cannot be evaluated does not hold, and `condition_error` says why.
///
/// It succeeds where any turn did, whatever ended it (`termination_reason` says what), and where
/// none was made because the condition did not hold. Where no turn succeeded it fails, and is tried
/// again as the settings say, unless its time ran out.
///
/// The result's metadata holds `loop_result`, with every turn (`all_iterations`) where
/// `collect_results` says so. The message holds it without the turns and without the final output,
/// which is its content: what a walk keeps stays small. All turns together are under no bound but
/// `max_iterations`; where they say much, do not collect them.
///
/// Other than in its original the body is run for real, a loop without one turn that succeeded
/// fails, the message that it is given is left alone, settings that do not agree are refused where
/// the node is made, and the content is there without `collect_results` too.
#[derive(Debug)]
pub struct Repeat {
    settings: Settings,
    condition: Option<Expression>,
    /// Whether the condition looks at all turns.
    looks_back: bool,
}

#[derive(Debug, Deserialize)]
struct Settings {
    body_node: String,
    condition_type: ConditionType,
    max_iterations: usize,
    fixed_count: Option<usize>,
    condition_expression: Option<String>,
    collect_results: bool,
    continue_on_error: bool,
    pass_iteration_number: bool,
}

/// When a loop ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConditionType {
    FixedCount,
    UntilSuccess,
    UntilCondition,
    WhileCondition,
}

/// Why a loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Termination {
    MaxIterationsReached,
    TimeoutExceeded,
    ConditionFalse,
    IterationFailed,
    FixedCountReached,
    SuccessAchieved,
    ConditionMet,
}

/// One turn.
#[derive(Debug, Serialize)]
struct Iteration {
    iteration: usize,
    success: bool,
    output: Value,
    metadata: Map<String, Value>,
    elapsed_ms: u64,
    error: Option<String>,
}

impl Behavior for Repeat {
    const SHAPE: &'static Shape = &Shape {
        name: "configuration of a loop",
        extra: Extra::Refused,
        fields: &[
            Field::required("body_node", Kind::Identifier),
            Field::default(
                "condition_type",
                Kind::Choice(&[
                    "fixed_count",
                    "until_success",
                    "until_condition",
                    "while_condition",
                ]),
                Literal::Text("fixed_count"),
            ),
            Field::default("max_iterations", Kind::Integer(1, 1_000), Literal::Integer(10)),
            Field::optional("fixed_count", Kind::Integer(1, 1_000)),
            Field::optional("condition_expression", Kind::Text),
            Field::default("collect_results", Kind::Boolean, Literal::Boolean(true)),
            Field::default("continue_on_error", Kind::Boolean, Literal::Boolean(false)),
            Field::default("pass_iteration_number", Kind::Boolean, Literal::Boolean(true)),
            Field::default("timeout_ms", Kind::Integer(1_000, 300_000), Literal::Integer(60_000)),
            RETRY_COUNT,
            RETRY_DELAY_MS,
        ],
    };

    fn new(config: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        let settings: Settings = settings::read(config)?;
        let mut found: Vec<Violation> = settings.disagreement().into_iter().collect();
        let parse = |source: &String| Expression::parse(source, LOOP_NAMES);
        let condition = match settings.condition_expression.as_ref().map(parse).transpose() {
            Ok(condition) => condition,
            Err(violation) => {
                found.push(violation.below("condition_expression"));
                None
            }
        };
        match found.is_empty() {
            true => {
                let looks_back = condition.as_ref().is_some_and(|it| it.uses("results"));
                Ok(Self { settings, condition, looks_back })
            }
            false => Err(found),
        }
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let mut course = Course::new(turn, self.settings.collect_results || self.looks_back);
        let termination = loop {
            if let Some(termination) = self.turn(turn, &mut course).await? {
                break termination;
            }
        };
        self.result(turn, course, termination)
    }

    fn time_limit(&self, _: &NodeConfig) -> Option<Duration> {
        // It keeps the time itself, to tell what was done by then.
        None
    }
}

impl Settings {
    fn disagreement(&self) -> Option<Violation> {
        let companion = |at: &str, message: &str| {
            Some(Violation::new(Rule::MissingCompanion, at, message.to_owned()))
        };
        match (self.condition_type, self.fixed_count, &self.condition_expression) {
            (ConditionType::FixedCount, None, _) => companion(
                "fixed_count",
                "condition_type `fixed_count` requires 'fixed_count' parameter",
            ),
            (ConditionType::FixedCount, Some(count), _) if count > self.max_iterations => {
                let message = format!(
                    "fixed_count ({count}) exceeds max_iterations ({})",
                    self.max_iterations
                );
                Some(Violation::new(Rule::Contradiction, "fixed_count", message))
            }
            (ConditionType::UntilCondition, _, None) => companion(
                "condition_expression",
                "condition_type `until_condition` requires 'condition_expression' parameter",
            ),
            (ConditionType::WhileCondition, _, None) => companion(
                "condition_expression",
                "condition_type `while_condition` requires 'condition_expression' parameter",
            ),
            _ => None,
        }
    }
}

/// How far a loop has come.
struct Course {
    begun: Instant,
    limit: Duration,
    /// Turns made.
    count: usize,
    /// Whether all turns are kept.
    keeps_all: bool,
    /// The turns that are kept: all, or the last one.
    kept: Vec<Iteration>,
    succeeded: usize,
    /// What the last turn that succeeded said.
    last: Option<Message>,
    condition_error: Option<String>,
}

impl Course {
    fn new(turn: &Turn<'_>, keeps_all: bool) -> Self {
        Self {
            begun: Instant::now(),
            limit: Duration::from_millis(turn.config.timeout_ms),
            count: 0,
            keeps_all,
            kept: Vec::new(),
            succeeded: 0,
            last: None,
            condition_error: None,
        }
    }

    fn add(&mut self, iteration: Iteration) {
        if !self.keeps_all {
            self.kept.clear();
        }
        self.count += 1;
        self.kept.push(iteration);
    }

    fn holds(&mut self, condition: &Expression, looks_back: bool, turn: &Turn<'_>) -> bool {
        let last = self.kept.last();
        let mut names = json!({
            "iteration": self.count,
            "last_result": last,
            "success_count": self.succeeded,
            "failure_count": self.count - self.succeeded,
            "last_success": last.is_some_and(|last| last.success),
            "last_output": last.map(|last| &last.output),
            "last_error": last.and_then(|last| last.error.as_deref()),
            "variables": turn.context.variables,
        });
        if looks_back {
            names["results"] = json!(self.kept);
        }
        let outcome = names.as_object().map(|names| condition.holds(&Scope::new(names)));
        match outcome {
            Some(Ok(holds)) => holds,
            Some(Err(error)) => {
                self.condition_error = Some(error.to_string());
                false
            }
            None => false,
        }
    }

    /// Why the loop fails: where no turn succeeded, and at least one should have been made.
    fn error(&self, turn: &Turn<'_>, termination: Termination) -> Option<String> {
        if self.succeeded > 0 {
            return None;
        }
        let count = self.count;
        let last = self.kept.last().and_then(|last| last.error.as_deref()).unwrap_or_default();
        match termination {
            Termination::TimeoutExceeded => Some(format!(
                "Timeout after {}ms, in iteration {}",
                turn.config.timeout_ms,
                count + 1
            )),
            Termination::IterationFailed => Some(format!("Iteration {count} failed: {last}")),
            _ if count > 0 => Some(format!("None of {count} iterations succeeded: {last}")),
            _ => None,
        }
    }
}

impl Repeat {
    /// One turn; gives back why it was the last one, if it was.
    async fn turn(
        &self,
        turn: &Turn<'_>,
        course: &mut Course,
    ) -> Result<Option<Termination>, Failure> {
        let Settings { body_node, condition_type, max_iterations, fixed_count, .. } =
            &self.settings;
        let left = course.limit.saturating_sub(course.begun.elapsed());
        if course.count >= *max_iterations {
            return Ok(Some(Termination::MaxIterationsReached));
        }
        if left.is_zero() {
            return Ok(Some(Termination::TimeoutExceeded));
        }
        if let (ConditionType::WhileCondition, Some(condition)) = (condition_type, &self.condition)
            && !course.holds(condition, self.looks_back, turn)
        {
            return Ok(Some(Termination::ConditionFalse));
        }
        let begun = Instant::now();
        let asked = self.asked(turn, course);
        let Called::Done(result) = call(turn, body_node, &asked, left).await? else {
            return Ok(Some(Termination::TimeoutExceeded));
        };
        let success = result.success;
        course.add(Iteration {
            iteration: course.count + 1,
            success,
            output: content_of(&result),
            error: (!success).then(|| error_of(&result)),
            metadata: result.metadata,
            elapsed_ms: milliseconds(begun.elapsed()),
        });
        if success {
            course.succeeded += 1;
            course.last = result.output_messages.into_iter().next_back().or(course.last.take());
        }
        let go_on =
            self.settings.continue_on_error || *condition_type == ConditionType::UntilSuccess;
        Ok(match (condition_type, &self.condition) {
            _ if !success && !go_on => Some(Termination::IterationFailed),
            (ConditionType::FixedCount, _) => {
                (Some(course.count) >= *fixed_count).then_some(Termination::FixedCountReached)
            }
            (ConditionType::UntilSuccess, _) => success.then_some(Termination::SuccessAchieved),
            (ConditionType::UntilCondition, Some(condition)) => {
                course.holds(condition, self.looks_back, turn).then_some(Termination::ConditionMet)
            }
            _ => None,
        })
    }

    fn asked(&self, turn: &Turn<'_>, course: &Course) -> Message {
        let iteration = course.count + 1;
        let mut child = turn.answer().target(&self.settings.body_node);
        if let Some(content) = course.last.as_ref().and_then(|last| last.payload.content.as_ref()) {
            child = child.content(content);
        }
        if self.settings.pass_iteration_number {
            child = child.fact("iteration", iteration).metadata(MessageMetadata {
                iteration: Some(iteration as u64),
                ..MessageMetadata::default()
            });
        }
        child.build()
    }

    fn result(
        &self,
        turn: &Turn<'_>,
        course: Course,
        termination: Termination,
    ) -> Result<NodeResult, Failure> {
        let error = course.error(turn, termination);
        let Course { begun, count, kept, succeeded, last, condition_error, .. } = course;
        let rate = (count > 0).then(|| succeeded as f64 / count as f64);
        let content = last.and_then(|last| last.payload.content);
        let told = json!({
            "success": error.is_none(),
            "iterations_executed": count,
            "termination_reason": termination,
            "total_elapsed_ms": milliseconds(begun.elapsed()),
            "success_rate": rate,
        });
        let mut whole = told.clone();
        whole["final_output"] = json!(content);
        if self.settings.collect_results {
            whole["all_iterations"] = json!(kept);
        }
        let mut result = NodeResult::default()
            .fact("loop_result", whole)
            .fact("iterations", count)
            .fact("success_rate", json!(rate));
        if let Some(why) = condition_error {
            result = result.fact("condition_error", why);
        }
        if let Some(error) = error {
            let failure = match termination {
                Termination::TimeoutExceeded => Failure::lasting(error),
                _ => Failure::passing(error),
            };
            return Err(failure.with(result));
        }
        let mut answer = turn.answer();
        if let Some(content) = content {
            answer = answer.content(content);
        }
        let answer = answer
            .fact("loop_result", told)
            .fact("iterations", count)
            .fact("termination", json!(termination));
        result.success = true;
        result.output_messages.push(answer.build());
        Ok(result)
    }
}
