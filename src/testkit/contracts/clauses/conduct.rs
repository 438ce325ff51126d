//! How a node behaves under load, in haste and under attack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::counting::count;
use super::results::timed;
use crate::testkit::contracts::clause::{Finding, Stop, broken};
use crate::testkit::contracts::subject::{Case, Scenario, Specimen, Trouble};
use crate::testkit::contracts::trial::{PATIENCE, Trial, shown};
use crate::testkit::nodes::NODE_RESULT;

pub(super) async fn concurrent(trial: Trial) -> Finding {
    const AT_ONCE: usize = 5;
    let case = distinct(&trial).await?;
    let specimen = trial.make(&case(0).config).await?;
    let together: Vec<_> = (0..AT_ONCE)
        .map(|at| {
            let (specimen, order) = (Arc::clone(&specimen), case(at).execution());
            tokio::spawn(async move {
                let done = specimen.execute(&order).await;
                (order, done)
            })
        })
        .collect();
    // A node whose results differ anyway is another clause's matter.
    let alone = trial.run(&case(0)).await?.done;
    let steady = difference("", &alone.result, &trial.run(&case(0)).await?.done.result).is_none();
    for (at, ended) in join_all(together).await.into_iter().enumerate() {
        let Ok((order, done)) = ended else { broken!("one of five at once ended badly") };
        let done = done?;
        well_formed("one of five at once", &done.result)?;
        if !done.succeeded() {
            broken!("alone it succeeds; of five at once one failed: {}", done.error());
        }
        let asked = order.message.get("message_id");
        if done.outputs().iter().any(|output| output.get("parent_id") != asked) {
            broken!("of five executions at once, one answered another one's message");
        }
        let alone = trial.run(&case(at)).await?.done;
        match difference("", &alone.result, &done.result) {
            Some((place, one, other)) if steady => broken!(
                "a message that alone gives {} at {place} gave {} among five at once",
                shown(one),
                shown(other)
            ),
            _ => {}
        }
    }
    Ok(format!("{AT_ONCE} at once, each as alone"))
}

/// The usual case in any number of variants, each with a content of its own that succeeds alone: a
/// number behind it where the node takes that, else spaces, else only facts about the payload.
async fn distinct(trial: &Trial) -> Result<impl Fn(usize) -> Case, Stop> {
    let base = trial.usual()?;
    let payload = base.execution().message.get("payload").cloned().unwrap_or_default();
    let content = payload.get("content").and_then(Value::as_str).map(str::to_owned);
    let behind: [fn(usize) -> String; 3] =
        [|at| format!(" ({at})"), |at| " ".repeat(at + 1), |_| String::new()];
    let variant = move |behind: fn(usize) -> String, at: usize| {
        let mut payload = payload.clone();
        if let Some(payload) = payload.as_object_mut() {
            if let Some(content) = &content {
                payload.insert("content".to_owned(), format!("{content}{}", behind(at)).into());
            }
            let facts = payload.entry("metadata").or_insert_with(|| json!({}));
            if let Some(facts) = facts.as_object_mut() {
                facts.insert("contract_turn".to_owned(), at.into());
            }
        }
        base.clone().payload(payload)
    };
    for behind in behind {
        if trial.run(&variant(behind, 1)).await?.done.succeeded() {
            return Ok(move |at| variant(behind, at));
        }
    }
    // Then the usual case fails too, which says why.
    trial.success().await?;
    Err(Stop::NotExercised("the usual case fails with a fact in payload.metadata".to_owned()))
}

fn well_formed(what: &str, result: &Value) -> Result<(), Stop> {
    if let Some(violation) = NODE_RESULT.violations(result).first() {
        broken!("{what}: the result is wrong: {violation}");
    }
    let fails = result.get("success") != Some(&Value::Bool(true));
    if fails && result.get("error").and_then(Value::as_str).is_none_or(str::is_empty) {
        broken!("{what}: the node failed and does not say why");
    }
    Ok(())
}

pub(super) async fn input_unchanged(trial: Trial) -> Finding {
    let ran = trial.success().await?;
    for (what, before, after) in [
        ("message", &ran.order.message, &ran.done.message),
        ("context", &ran.order.context, &ran.done.context),
    ] {
        if normal(before) != normal(after) {
            broken!("the input {what} was {}, and is now {}", shown(before), shown(after));
        }
    }
    Ok("message and context are as they were".to_owned())
}

/// A value without nulls and empty parts, which writers may leave out, and without times, which
/// have several spellings.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key, normal(value)))
            .filter(|(key, value)| {
                let empty = value.is_null() || *value == json!({}) || *value == json!([]);
                !empty && !key.ends_with("_at") && *key != "start_time"
            })
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}

pub(super) async fn output_apart(trial: Trial) -> Finding {
    let ran = trial.spoken().await?;
    let mut order = trial.usual()?.execution();
    order.scribble = true;
    let done = ran.specimen.execute(&order).await?;
    let scribbled = |output: &Value| output.pointer("/payload/metadata/scribbled").is_some();
    if !done.outputs().iter().any(scribbled) {
        broken!("`scribble` was asked for, and no output message holds `scribbled`");
    }
    if done.message.to_string().contains("\"scribbled\"") {
        broken!("what was written into the output showed up in the input: they share a payload");
    }
    Ok("a mark in the output did not reach the input".to_owned())
}

pub(super) async fn cancel_safe(trial: Trial) -> Finding {
    const TIMES: u64 = 3;
    let slow = trial.case(Scenario::Slow)?;
    let (least, greatest) = trial.timeouts().await?;
    let slow = slow.with("timeout_ms", least.max(300).min(greatest)).with("retry_count", 0);
    let specimen = trial.make(&slow.config).await?;
    // What the first one begins and keeps, a connection for example, is no task left behind.
    cancelled(&*specimen, &slow).await?;
    let before = settled(&trial).await?;
    for _ in 0..TIMES {
        if let Err(Stop::NotExercised(at_once)) = cancelled(&*specimen, &slow).await {
            broken!("after a cancelled execution {at_once}");
        }
    }
    for key in ["total_executions", "successful_executions", "failed_executions"] {
        let counted = count(&*specimen, key).await?;
        if counted != 0 {
            broken!("cancelled executions were counted: `{key}` is {counted}");
        }
    }
    let since = Instant::now();
    while running(&trial).await? > before {
        if since.elapsed() > PATIENCE / 2 {
            let left = running(&trial).await?.saturating_sub(before);
            broken!("{TIMES} cancelled executions left tasks behind: {left}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    same_as_new(&trial, &*specimen, &slow).await?;
    let usual = trial.usual()?;
    let specimen = trial.make(&usual.config).await?;
    for wait in [0, 1, 5] {
        // It may be done before; then there is nothing to cancel.
        let order = usual.execution();
        let begun = specimen.execute(&order);
        drop(tokio::time::timeout(Duration::from_millis(wait), begun).await);
    }
    let order = usual.execution();
    // A model may take its time over the usual case.
    let Ok(done) = tokio::time::timeout(PATIENCE * 4, specimen.execute(&order)).await else {
        broken!("after cancelled executions the node hangs")
    };
    let done = done?;
    if !done.succeeded() {
        trial.success().await?;
        broken!("after cancelled executions the node fails: {}", done.error());
    }
    Ok("nothing counted, no task left, the next execution of the same node succeeds".to_owned())
}

/// Runs a slow case and drops it half way.
async fn cancelled(specimen: &dyn Specimen, slow: &Case) -> Result<(), Stop> {
    const LONG_ENOUGH: Duration = Duration::from_millis(30);
    let order = slow.execution();
    match tokio::time::timeout(LONG_ENOUGH, specimen.execute(&order)).await {
        Err(_) => Ok(()),
        Ok(done) => Err(Stop::NotExercised(format!(
            "the slow case was done at once: {}",
            shown(&done?.result)
        ))),
    }
}

/// How many tasks run where the nodes run.
async fn running(trial: &Trial) -> Result<u64, Stop> {
    let here = || tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64;
    match trial.subject.running().await {
        Ok(counted) => Ok(counted.unwrap_or_else(here)),
        Err(Trouble::Refused(reason)) => Err(Stop::NotExercised(format!(
            "nobody says how many executions run, so what is left behind cannot be told: {reason}"
        ))),
        Err(trouble) => Err(trouble.into()),
    }
}

/// The same once it no longer changes.
async fn settled(trial: &Trial) -> Result<u64, Stop> {
    const STEADY: u32 = 10;
    let since = Instant::now();
    let (mut held, mut steady) = (running(trial).await?, 0);
    while steady < STEADY && since.elapsed() < PATIENCE / 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = running(trial).await?;
        steady = if now == held { steady + 1 } else { 0 };
        held = now;
    }
    Ok(held)
}

/// A node whose executions were cancelled does what a new one does: it asks outside, and ends with
/// the same text. One that is busy for ever does not.
async fn same_as_new(trial: &Trial, used: &dyn Specimen, slow: &Case) -> Result<(), Stop> {
    let new = trial.make(&slow.config).await?;
    let new = to_its_end(trial, &*new, slow).await?;
    if new.0.is_none() {
        // A node that does not keep its timeout is another clause's matter.
        return Ok(());
    }
    let used = to_its_end(trial, used, slow).await?;
    let what = |(ended, asked): &(Option<String>, bool)| {
        let ended =
            ended.as_ref().map_or_else(|| "has no end".to_owned(), |e| format!("says `{e}`"));
        format!("{ended} and asks {}", if *asked { "outside" } else { "nobody" })
    };
    if new != used {
        broken!("a new node {}; one whose executions were cancelled {}", what(&new), what(&used));
    }
    Ok(())
}

/// How the slow case ends (its error without numbers, which may be times), and whether anything
/// outside was asked.
async fn to_its_end(
    trial: &Trial,
    specimen: &dyn Specimen,
    slow: &Case,
) -> Result<(Option<String>, bool), Stop> {
    let before = trial.subject.work().await?;
    let order = slow.execution();
    let ended = match tokio::time::timeout(PATIENCE, specimen.execute(&order)).await {
        Err(_) => None,
        Ok(done) => Some(done?.error().replace(|c: char| c.is_ascii_digit(), "")),
    };
    Ok((ended, trial.subject.work().await? > before))
}

/// Payloads that people and machines send by accident or on purpose.
fn hostile() -> Vec<(&'static str, Value)> {
    const MEGABYTE: usize = 1_000_000;
    let deep = (0..100).fold(json!(1), |inner, _| json!({"deeper": inner}));
    vec![
        ("nothing", json!({})),
        ("empty texts", json!({"task": "", "content": ""})),
        ("a megabyte", json!({"content": "x".repeat(MEGABYTE)})),
        ("NUL and control characters", json!({"content": "a\u{0}b\u{7}\u{1b}[2J\r\n"})),
        ("the replacement of a lone surrogate", json!({"content": "\u{fffd}\\ud800"})),
        ("right to left, joined, combining", json!({"content": "\u{202e}אב👩\u{200d}🔬e\u{301}"})),
        (
            "templates and format strings",
            json!({"content": "{{ 7 * 7 }} {content} %s ${x} {% if %}"}),
        ),
        (
            "a thousand keys",
            json!({"structured": (0..1000).map(|at| (format!("k{at}"), json!(at))).collect::<Map<_, _>>()}),
        ),
        ("a hundred levels", json!({"structured": {"deep": deep}})),
        (
            "great and small numbers",
            json!({"structured": {"n": [i64::MIN, u64::MAX, 1e308, -0.0]}}),
        ),
        ("keys of nobody", json!({"content": "x", "": 1, "__proto__": {}, "self": null})),
    ]
}

pub(super) async fn hostile_payloads(trial: Trial) -> Finding {
    let case = trial.usual()?;
    let specimen = trial.make(&case.config).await?;
    let mut succeeded = 0;
    let payloads = hostile();
    for (what, payload) in &payloads {
        let order = Case { ..case.clone() }.payload(payload.clone()).execution();
        match specimen.execute(&order).await {
            Ok(done) => {
                well_formed(what, &done.result)?;
                succeeded += usize::from(done.succeeded());
            }
            Err(trouble) => broken!("{what}: {trouble}"),
        }
    }
    let after = specimen.execute(&case.execution()).await?;
    if !after.succeeded() {
        broken!("after hostile payloads the usual one fails: {}", after.error());
    }
    Ok(format!(
        "{} payloads: {succeeded} succeeded, {} said why not",
        payloads.len(),
        payloads.len() - succeeded
    ))
}

pub(super) async fn deterministic(trial: Trial) -> Finding {
    const RUNS: usize = 3;
    let case = trial.usual()?;
    let first = trial.success().await?;
    // A node that counts shows on one node; one that draws lots when it is made, on two.
    let second = trial.make(&case.config).await?;
    for specimen in [&first.specimen, &second] {
        for _ in 1..RUNS {
            let again = specimen.execute(&case.execution()).await?;
            if let Some((at, one, two)) = difference("", &first.done.result, &again.result) {
                broken!("the same message gave {} at {at}, and then {}", shown(one), shown(two));
            }
        }
    }
    Ok("two nodes, several runs of each, one result, apart from ids and times".to_owned())
}

/// Where two results differ first, apart from ids and times, which differ from run to run.
fn difference<'a>(
    at: &str,
    one: &'a Value,
    two: &'a Value,
) -> Option<(String, &'a Value, &'a Value)> {
    const NONE: &Value = &Value::Null;
    match (one, two) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.filter(|key| lasts(key)).find_map(|key| {
                let at = format!("{at}/{key}");
                difference(&at, a.get(key).unwrap_or(NONE), b.get(key).unwrap_or(NONE))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (one, two))| difference(&format!("{at}/{index}"), one, two)),
        _ => (one != two).then(|| (at.to_owned(), one, two)),
    }
}

/// Whether what is under a key is the same in every run: no id and no time.
fn lasts(key: &str) -> bool {
    const TIMES: [&str; 6] = ["_ms", "_at", "_duration", "_ns", "_time", "timestamp"];
    const SAME: [&str; 3] = ["trace_id", "tool_id", "graph_id"];
    let time = TIMES.iter().any(|end| key.ends_with(end));
    let id = (key == "id" || key.ends_with("_id")) && !SAME.contains(&key);
    !time && !id
}

pub(super) async fn real_work(trial: Trial) -> Finding {
    let Some(before) = trial.subject.work().await? else {
        return Err(Stop::NotApplicable(
            "the type works with nothing outside of itself".to_owned(),
        ));
    };
    let ran = trial.run(&trial.usual()?).await?;
    let after = trial.subject.work().await?.unwrap_or_default();
    match (ran.done.succeeded(), ran.done.is_simulated(), after.saturating_sub(before)) {
        (false, ..) => trial.require_success(&ran.done).map(|()| String::new()),
        (true, true, _) => Ok("simulated, and marked as such".to_owned()),
        (true, false, 0) => broken!(
            "the node says that it succeeded, and asked nobody; work that is simulated has \
             `metadata.simulated: true`"
        ),
        (true, false, asked) => Ok(format!("asked outside: {asked}")),
    }
}

pub(super) async fn timeout_honoured(trial: Trial) -> Finding {
    /// How far two timeouts are apart; what a busy machine takes longer is less.
    const APART: u64 = 600;
    const TRIES: usize = 3;
    let case = trial.case(Scenario::Slow)?.with("retry_count", 0);
    let (least, greatest) = trial.timeouts().await?;
    let other = least.saturating_add(APART).min(greatest);
    let mut tries = 0;
    loop {
        let (short, long) =
            tokio::try_join!(timed_out(&trial, &case, least), timed_out(&trial, &case, other))?;
        // A timeout that is fixed strikes at one time, whatever the setting.
        let between = long.1.saturating_sub(short.1);
        if between >= Duration::from_millis((other - least) / 2) {
            return Ok(format!("timeout_ms {least} and {other}: {}", short.0));
        }
        tries += 1;
        if tries == TRIES {
            broken!(
                "timeout_ms {least} and {other} make no difference: the node gave up after {} and \
                 {} ms",
                short.1.as_millis(),
                long.1.as_millis()
            );
        }
    }
}

/// A slow case that a timeout must end: its error, and how long it took by the suite's clock.
async fn timed_out(
    trial: &Trial,
    case: &Case,
    timeout_ms: u64,
) -> Result<(String, Duration), Stop> {
    let patience = PATIENCE + Duration::from_millis(timeout_ms);
    let case = case.clone().with("timeout_ms", timeout_ms);
    let specimen = trial.make(&case.config).await?;
    let Ok(done) = tokio::time::timeout(patience, timed(&*specimen, &case)).await else {
        broken!("with timeout_ms {timeout_ms} the node still waits after {} s", patience.as_secs())
    };
    let (done, wall) = done?;
    if done.succeeded() {
        broken!(
            "work that takes much longer than timeout_ms {timeout_ms} is said to have succeeded"
        );
    }
    let said = done.result.get("latency_ms").and_then(Value::as_u64).unwrap_or_default();
    // Clocks and roundings differ by less than a tenth.
    let took = wall.min(Duration::from_millis(said));
    if took < Duration::from_millis(timeout_ms - timeout_ms / 10) {
        let took = took.as_millis();
        broken!("with timeout_ms {timeout_ms} the node gave up after {took} ms: {}", done.error());
    }
    Ok((done.error().to_owned(), wall))
}

pub(super) async fn retries_honoured(trial: Trial) -> Finding {
    let case = trial.case(Scenario::Troubled)?;
    for retries in [0, 2] {
        let case = case.clone().with("retry_count", retries).with("retry_delay_ms", 0);
        let specimen = trial.make(&case.config).await?;
        let Some(before) = trial.subject.work().await? else {
            return Err(Stop::NotExercised(
                "the fixture does not count work, so tries cannot be told".to_owned(),
            ));
        };
        let done = specimen.execute(&case.execution()).await?;
        let tries = trial.subject.work().await?.unwrap_or_default().saturating_sub(before);
        if done.succeeded() {
            return Err(Stop::NotExercised("the troubled case succeeded".to_owned()));
        }
        if tries != retries + 1 {
            broken!("with retry_count {retries} the tries were {tries}, not {}", retries + 1);
        }
    }
    Ok("1 try without retries, 3 tries with 2".to_owned())
}
