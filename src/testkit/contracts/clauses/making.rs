//! How a node is made, and what it says of itself.

use serde_json::{Value, json};

use crate::testkit::contracts::clause::{Finding, broken};
use crate::testkit::contracts::trial::{Trial, shown};

/// The settings that every node has.
const COMMON: [&str; 3] = ["timeout_ms", "retry_count", "retry_delay_ms"];
/// The counts that every node keeps.
const COUNTS: [&str; 5] = [
    "total_executions",
    "successful_executions",
    "failed_executions",
    "total_latency_ms",
    "expansion_count",
];

pub(super) async fn registered(trial: Trial) -> Finding {
    let profile = trial.profile();
    if !profile.types.contains(&profile.node_type) {
        let known: Vec<&str> = profile.types.iter().map(|known| known.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        broken!("`{}` is not registered; there are: {known}", profile.node_type);
    }
    Ok(format!("`{}` is registered; types: {}", profile.node_type, profile.types.len()))
}

pub(super) async fn made_as_defined(trial: Trial) -> Finding {
    let described = trial.make(&trial.usual()?.config).await?.describe().await?;
    let profile = trial.profile();
    for (key, wanted) in [("id", json!(profile.id())), ("type", json!(profile.node_type))] {
        if described.get(key) != Some(&wanted) {
            broken!("defined with {key} {wanted}, made with {}", part(&described, key));
        }
    }
    Ok(format!("id `{}`, type `{}`", profile.id(), profile.node_type))
}

pub(super) async fn all_parts(trial: Trial) -> Finding {
    let case = trial.usual()?;
    let described = trial.make(&case.config).await?.describe().await?;
    if part(&described, "name") != json!(trial.profile().id()) {
        broken!("a node without a name is called by its id, not {}", part(&described, "name"));
    }
    let mut definition = trial.profile().definition(&case.config);
    let given = [("name", json!("A name")), ("description", json!("What it is for"))];
    if let Some(definition) = definition.as_object_mut() {
        definition.extend(given.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    }
    let specimen = trial.subject.create(&definition).await?;
    let described = specimen.describe().await?;
    for (key, wanted) in given {
        if part(&described, key) != wanted {
            broken!("defined with {key} {wanted}, made with {}", part(&described, key));
        }
    }
    for key in ["id", "type", "config", "stats", "debug"] {
        if part(&described, key).is_null() {
            broken!("the node has no `{key}`");
        }
    }
    specimen.execute(&case.execution()).await?;
    specimen.update_stats(true, 1).await?;
    Ok("seven parts; it executes, and its statistics can be counted".to_owned())
}

pub(super) async fn common_settings(trial: Trial) -> Finding {
    let case = trial.usual()?;
    let described = trial.make(&case.config).await?.describe().await?;
    let config = part(&described, "config");
    for key in COMMON {
        let held = part(&config, key);
        if held.as_u64().is_none() {
            broken!("`config.{key}` must be a whole number from 0, is {held}");
        }
        match case.config.get(key) {
            Some(written) if *written != held => {
                broken!("`{key}` was written as {written} and is held as {held}")
            }
            _ => {}
        }
    }
    Ok(shown(&config))
}

pub(super) async fn stats_parts(trial: Trial) -> Finding {
    let described = trial.make(&trial.usual()?.config).await?.describe().await?;
    let stats = part(&described, "stats");
    for key in COUNTS {
        if part(&stats, key).as_u64().is_none() {
            broken!("`stats.{key}` must be a whole number from 0, is {}", part(&stats, key));
        }
    }
    Ok(shown(&stats))
}

pub(super) async fn stats_start_empty(trial: Trial) -> Finding {
    let described = trial.make(&trial.usual()?.config).await?.describe().await?;
    let stats = part(&described, "stats");
    for key in COUNTS {
        if part(&stats, key) != json!(0) {
            broken!("a new node begins with `{key}` {}, not 0", part(&stats, key));
        }
    }
    let last = part(&stats, "last_execution");
    if !last.is_null() {
        broken!("a new node has not run yet, but last_execution is {last}");
    }
    Ok("five counts at 0, no last execution".to_owned())
}

pub(super) async fn debug_text(trial: Trial) -> Finding {
    let described = trial.make(&trial.usual()?.config).await?.describe().await?;
    let text = part(&described, "debug");
    let text = text.as_str().unwrap_or_default();
    let profile = trial.profile();
    // The id does not hold the type, so only the type itself can.
    for wanted in [&profile.id(), profile.node_type.as_str()] {
        if !text.contains(wanted) {
            broken!("`{text}` does not hold `{wanted}`");
        }
    }
    Ok(text.to_owned())
}

fn part(value: &Value, key: &str) -> Value {
    value.get(key).cloned().unwrap_or_default()
}
