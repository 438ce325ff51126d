//! What nodes of one type promise beyond all nodes.

use serde_json::{Value, json};

use crate::testkit::contracts::clause::{Finding, broken};
use crate::testkit::contracts::trial::{Trial, shown};

pub(super) async fn names_its_model(trial: Trial) -> Finding {
    let settings = trial.settings().await?;
    if !settings.iter().any(|setting| setting.name == "model") {
        broken!("a model node has no setting `model`");
    }
    let ran = trial.success().await?;
    fact(&ran.done.result, "/metadata/model")
}

fn fact(result: &Value, pointer: &str) -> Finding {
    match result.pointer(pointer) {
        None | Some(Value::Null) => broken!("the result has no `{pointer}`: {}", shown(result)),
        Some(value) => Ok(format!("{pointer} {}", shown(value))),
    }
}

pub(super) async fn ends(trial: Trial) -> Finding {
    let ran = trial.success().await?;
    let next = ran.done.result.get("next_nodes").cloned().unwrap_or_default();
    if next != json!([]) {
        broken!("an exit goes on at {next}");
    }
    fact(&ran.done.result, "/metadata/exit_status")
}

pub(super) async fn passes_payload(trial: Trial) -> Finding {
    let ran = trial.spoken().await?;
    for key in ["task", "content"] {
        let asked = ran.order.message.pointer(&format!("/payload/{key}"));
        for output in ran.done.outputs() {
            if output.pointer(&format!("/payload/{key}")) != asked {
                broken!("the entry changed `{key}`: {}", shown(output));
            }
        }
    }
    Ok("task and content came through".to_owned())
}

pub(super) async fn goes_on(trial: Trial) -> Finding {
    let ran = trial.success().await?;
    match ran.done.result.get("next_nodes").and_then(Value::as_array) {
        Some(next) if !next.is_empty() => Ok(format!("goes on at {}", json!(next))),
        _ => broken!("it succeeded and does not say where to go on: {}", shown(&ran.done.result)),
    }
}

pub(super) async fn gives_output(trial: Trial) -> Finding {
    let ran = trial.spoken().await?;
    let calls = |output: &Value| {
        let calls = output.pointer("/payload/tool_calls").and_then(Value::as_array);
        calls.is_some_and(|calls| {
            calls.iter().any(|call| call.get("tool_id").is_some() && call.get("output").is_some())
        })
    };
    match ran.done.outputs().iter().any(calls) {
        true => Ok("the call and its output are in the message".to_owned()),
        false => broken!("no output message tells of the tool's call and output"),
    }
}

pub(super) async fn counts_turns(trial: Trial) -> Finding {
    let ran = trial.success().await?;
    match ran.done.result.pointer("/metadata/iterations").and_then(Value::as_u64) {
        Some(turns @ 1..) => Ok(format!("turns: {turns}")),
        _ => broken!("a loop says how many turns it took: `metadata.iterations`, 1 or more"),
    }
}

pub(super) async fn names_strategy(trial: Trial) -> Finding {
    fact(&trial.success().await?.done.result, "/metadata/strategy")
}

pub(super) async fn tells_time(trial: Trial) -> Finding {
    fact(&trial.success().await?.done.result, "/metadata/timeout/timed_out")
}

pub(super) async fn tells_steps(trial: Trial) -> Finding {
    fact(&trial.success().await?.done.result, "/metadata/transforms_applied")
}

pub(super) async fn shows_reasoning(trial: Trial) -> Finding {
    let ran = trial.spoken().await?;
    let Some(output) = ran.done.outputs().first() else { broken!("no output message") };
    for key in ["reasoning_chain_id", "reasoning_steps", "reasoning_confidence"] {
        fact(output, &format!("/payload/metadata/{key}"))?;
    }
    Ok("chain, steps and confidence are in the message".to_owned())
}
