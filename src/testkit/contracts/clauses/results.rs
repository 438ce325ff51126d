//! What an execution gives.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::testkit::contracts::clause::{Finding, Stop, broken};
use crate::testkit::contracts::subject::{Case, Executed, Scenario, Specimen, TRACE};
use crate::testkit::contracts::trial::{PATIENCE, Trial, shown};
use crate::testkit::nodes::field::Shape;
use crate::testkit::nodes::message::MESSAGE;
use crate::testkit::nodes::{NODE_RESULT, NodeResult, Violation};

pub(super) async fn result_parts(trial: Trial) -> Finding {
    let ran = trial.run(&trial.usual()?).await?;
    let result = &ran.done.result;
    for key in ["success", "output_messages", "next_nodes", "metadata", "latency_ms"] {
        if result.get(key).is_none_or(Value::is_null) {
            broken!("the result has no `{key}`: {}", shown(result));
        }
    }
    // What is wrong inside of messages is the next clause's matter.
    let outside = |violation: &Violation| !violation.at.starts_with("output_messages.");
    let found = NODE_RESULT.violations(result);
    match found.into_iter().find(outside) {
        Some(violation) => broken!("{violation}"),
        None => Ok(shown(result)),
    }
}

pub(super) async fn output_messages(trial: Trial) -> Finding {
    let ran = trial.spoken().await?;
    for (at, output) in ran.done.outputs().iter().enumerate() {
        if let Some(violation) = MESSAGE.violations(output).first() {
            broken!("output message {at}: {violation}");
        }
        // A reader would make them; a node knows them.
        let told = |key: &str| output.get(key).is_some_and(Value::is_string);
        if let Some(key) = ["message_id", "created_at"].into_iter().find(|key| !told(key)) {
            broken!("output message {at}: {key}: a message needs `{key}` (missing)");
        }
    }
    Ok(format!("messages: {}", ran.done.outputs().len()))
}

pub(super) async fn trace_id(trial: Trial) -> Finding {
    every_output_has(trial, "trace_id", &json!(TRACE)).await
}

pub(super) async fn source_node(trial: Trial) -> Finding {
    let id = json!(trial.profile().id());
    every_output_has(trial, "source_node", &id).await
}

async fn every_output_has(trial: Trial, key: &str, wanted: &Value) -> Finding {
    let ran = trial.spoken().await?;
    for (at, output) in ran.done.outputs().iter().enumerate() {
        let held = output.get(key).unwrap_or(&Value::Null);
        if held != wanted {
            broken!("output message {at}: `{key}` must be {wanted}, is {held}");
        }
    }
    Ok(format!("`{key}` is {wanted}; messages: {}", ran.done.outputs().len()))
}

pub(super) async fn next_nodes(trial: Trial) -> Finding {
    let ran = trial.run(&trial.usual()?).await?;
    let next = ran.done.result.get("next_nodes").unwrap_or(&Value::Null);
    match next.as_array() {
        None => broken!("`next_nodes` must be a list, is {next}"),
        Some(nodes) => match nodes.iter().find(|node| !node.is_string()) {
            Some(node) => broken!("`next_nodes` holds {node}, which is no text"),
            None => Ok(format!("next_nodes {next}")),
        },
    }
}

pub(super) async fn failure_says_why(trial: Trial) -> Finding {
    let ran = trial.run(&trial.case(Scenario::Failing)?).await?;
    if ran.done.succeeded() {
        return Err(Stop::NotExercised("the failing case succeeded".to_owned()));
    }
    match ran.done.error() {
        "" => broken!("the node failed and `error` is absent or empty"),
        error => Ok(error.to_owned()),
    }
}

pub(super) async fn succeeds(trial: Trial) -> Finding {
    let ran = trial.run(&trial.usual()?).await?;
    match (ran.done.succeeded(), ran.done.is_simulated()) {
        (true, false) => Ok("the usual case succeeded".to_owned()),
        (true, true) => broken!("the usual case is only simulated; simulated work is no success"),
        (false, _) => broken!("the usual case failed: {}", ran.done.error()),
    }
}

pub(super) async fn lineage(trial: Trial) -> Finding {
    const RUNS: usize = 3;
    let case = trial.usual()?;
    let mut ids = BTreeSet::new();
    let mut seen = 0;
    let specimen = trial.spoken().await?.specimen;
    for _ in 0..RUNS {
        let order = case.execution();
        let asked = order.message.get("message_id").cloned().unwrap_or_default();
        ids.insert(asked.to_string());
        seen += 1;
        for output in specimen.execute(&order).await?.outputs() {
            let parent = output.get("parent_id").unwrap_or(&Value::Null);
            if *parent != asked {
                broken!(
                    "an output's parent_id must be the input's message_id {asked}, is {parent}"
                );
            }
            ids.insert(output.get("message_id").unwrap_or(&Value::Null).to_string());
            seen += 1;
        }
    }
    if ids.len() < seen {
        broken!("{seen} messages share {} message_ids", ids.len());
    }
    Ok(format!("{seen} messages in {RUNS} runs, {} ids", ids.len()))
}

pub(super) async fn latency(trial: Trial) -> Finding {
    trial.success().await?;
    let case = trial.usual()?;
    let specimen = trial.make(&case.config).await?;
    let (done, took) = timed(&*specimen, &case).await?;
    let said = measured(&done, took)?;
    let Ok(slow) = trial.case(Scenario::Slow) else { return Ok(format!("latency_ms {said}")) };
    // What takes long tells a measured time from a constant.
    let least = trial.timeouts().await?.0;
    let slow = slow.with("timeout_ms", least).with("retry_count", 0);
    let specimen = trial.make(&slow.config).await?;
    let waited = tokio::time::timeout(PATIENCE / 2, timed(&*specimen, &slow)).await;
    let Ok(waited) = waited else {
        return Ok(format!("latency_ms {said}; the slow case had no end"));
    };
    let (done, took) = waited?;
    let waited = measured(&done, took)?;
    // A node that gave up early is another clause's matter.
    let whole = Duration::from_millis(least);
    if took >= whole && Duration::from_millis(waited) < whole - whole / 10 {
        broken!(
            "an execution took {} ms by the suite's clock, and says {waited}",
            took.as_millis()
        );
    }
    Ok(format!("latency_ms {said}, and {waited} where it took {} ms", took.as_millis()))
}

/// Runs a node and measures it with the suite's own clock.
pub(super) async fn timed(
    specimen: &dyn Specimen,
    case: &Case,
) -> Result<(Executed, Duration), Stop> {
    let order = case.execution();
    let since = Instant::now();
    let done = specimen.execute(&order).await?;
    Ok((done, since.elapsed()))
}

/// The latency that a result tells, held against the suite's own clock.
fn measured(done: &Executed, took: Duration) -> Result<u64, Stop> {
    let held = done.result.get("latency_ms").unwrap_or(&Value::Null);
    match held.as_u64() {
        Some(0) | None => broken!(
            "an execution took time (rounded up to milliseconds it is never 0), but latency_ms is \
             {held}"
        ),
        // Rounded up it is less than 1 ms more.
        Some(said) if said as f64 > took.as_secs_f64() * 1e3 + 1.0 => {
            broken!("latency_ms is {said}, but by the suite's clock it took {took:.1?}")
        }
        Some(said) => Ok(said),
    }
}

pub(super) async fn survives_json(trial: Trial) -> Finding {
    let ran = trial.success().await?;
    let again = written_again(&NODE_RESULT, &ran.done.result)?;
    if again != without_nulls(&NODE_RESULT.complete(&ran.done.result)) {
        broken!("read and written again, the result is {}", shown(&again));
    }
    Ok(format!("{} bytes", ran.done.result.to_string().len()))
}

fn written_again(shape: &Shape, result: &Value) -> Result<Value, Stop> {
    match shape.read::<NodeResult>(result) {
        Ok(read) => Ok(without_nulls(&json!(read))),
        Err(violations) => {
            let found: Vec<String> = violations.iter().map(ToString::to_string).collect();
            broken!("the result cannot be read: {}", found.join("; "))
        }
    }
}

/// The same without nulls, which mean absent; empty objects and lists stay. Times are left out:
/// one instant has several spellings.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, value)| !value.is_null() && *key != "created_at")
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

pub(super) async fn known_targets(trial: Trial) -> Finding {
    let case = trial.usual()?;
    let ran = trial.success().await?;
    let next = ran.done.result.get("next_nodes").and_then(Value::as_array);
    let mut targets = BTreeSet::new();
    targets.extend(case.targets);
    texts(&Value::Object(case.config), false, &mut targets);
    for node in next.into_iter().flatten().filter_map(Value::as_str) {
        if !targets.contains(node) {
            broken!("the node goes on at `{node}`, which its settings do not name as a target");
        }
    }
    match next.map_or(0, Vec::len) {
        0 => Ok("it goes on along the edges".to_owned()),
        count => Ok(format!("targets: {count}, all in the settings")),
    }
}

/// Every text in a value that stands under the key of a target: `target`, `default_target`,
/// `target_nodes`, `body_node`, `next`. What stands elsewhere, a name or a template, is none.
fn texts(value: &Value, is_target: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_target => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, is_target, found)),
        Value::Object(object) => {
            object.iter().for_each(|(key, item)| texts(item, names_a_target(key), found));
        }
        _ => {}
    }
}

fn names_a_target(key: &str) -> bool {
    let key = key.to_lowercase();
    let ends = ["node", "nodes", "node_id", "node_ids"];
    key.contains("target") || key.contains("next") || ends.iter().any(|end| key.ends_with(end))
}
