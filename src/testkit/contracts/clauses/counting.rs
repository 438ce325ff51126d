//! How executions are counted.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::Value;

use crate::testkit::contracts::clause::{Finding, Stop, broken};
use crate::testkit::contracts::subject::{Specimen, Trouble};
use crate::testkit::contracts::trial::Trial;

async fn new(trial: &Trial) -> Result<Arc<dyn Specimen>, Stop> {
    trial.make(&trial.usual()?.config).await
}

/// One count of a node.
pub(super) async fn count(specimen: &dyn Specimen, key: &str) -> Result<u64, Stop> {
    let described = specimen.describe().await?;
    match described.pointer(&format!("/stats/{key}")).and_then(Value::as_u64) {
        Some(count) => Ok(count),
        None => broken!("`stats.{key}` is no count"),
    }
}

/// What every one of `updates` does to the count `key` of a new node, against `wanted`.
async fn counts(trial: &Trial, updates: &[(bool, i64)], key: &str, wanted: &[u64]) -> Finding {
    let specimen = new(trial).await?;
    for (at, (&(success, latency), &wanted)) in updates.iter().zip(wanted).enumerate() {
        specimen.update_stats(success, latency).await?;
        let held = count(&*specimen, key).await?;
        if held != wanted {
            let done = updates.get(..=at).unwrap_or_default();
            broken!(
                "after updates (success, latency) {done:?} `{key}` must be {wanted}, is {held}"
            );
        }
    }
    Ok(format!("after updates (success, latency) {updates:?} `{key}` was {wanted:?}"))
}

const UPDATES: &[(bool, i64)] = &[(true, 100), (false, 50), (true, 7)];

pub(super) async fn total(trial: Trial) -> Finding {
    counts(&trial, UPDATES, "total_executions", &[1, 2, 3]).await
}

pub(super) async fn successes(trial: Trial) -> Finding {
    counts(&trial, UPDATES, "successful_executions", &[1, 1, 2]).await
}

pub(super) async fn failures(trial: Trial) -> Finding {
    counts(&trial, UPDATES, "failed_executions", &[0, 1, 1]).await
}

pub(super) async fn latencies(trial: Trial) -> Finding {
    counts(&trial, UPDATES, "total_latency_ms", &[100, 150, 157]).await
}

pub(super) async fn last_execution(trial: Trial) -> Finding {
    let specimen = new(&trial).await?;
    // Clocks of two processes of one machine agree; one may round down to seconds.
    let begun = Utc::now() - TimeDelta::seconds(1);
    specimen.update_stats(true, 1).await?;
    let described = specimen.describe().await?;
    let held = described.pointer("/stats/last_execution").unwrap_or(&Value::Null);
    let Some(time) = held.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) else {
        broken!("after an update `last_execution` must be a time by RFC 3339, is {held}")
    };
    if time < begun || time > Utc::now() + TimeDelta::seconds(1) {
        broken!("`last_execution` must be the time of the update, is {time}");
    }
    Ok(format!("last_execution {time}"))
}

pub(super) async fn negative_latency(trial: Trial) -> Finding {
    let specimen = new(&trial).await?;
    match specimen.update_stats(true, -5).await {
        Ok(()) => broken!(
            "update_stats took a latency of -5 ms; total_latency_ms is now {}",
            specimen.describe().await?.pointer("/stats/total_latency_ms").unwrap_or(&Value::Null)
        ),
        Err(Trouble::Broken(trouble)) => broken!("{trouble}"),
        Err(Trouble::Refused(reason)) => match count(&*specimen, "total_executions").await? {
            0 => Ok(reason),
            counted => broken!("the latency was refused, and yet {counted} execution counted"),
        },
    }
}

pub(super) async fn parallel_updates(trial: Trial) -> Finding {
    /// As many as run at once: threads of the system, which share a node as an executor's do.
    const THREADS: usize = 8;
    let specimen = new(&trial).await?;
    let barrier = Arc::new(Barrier::new(THREADS));
    let threads = (0..THREADS).map(|_| {
        let (specimen, barrier) = (Arc::clone(&specimen), Arc::clone(&barrier));
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            barrier.wait();
            runtime.block_on(update_for_a_while(&*specimen))
        })
    });
    let mut wanted = 0;
    for ended in join_all(threads).await {
        match ended {
            Ok(updated) => wanted += updated?,
            Err(error) => broken!("an update ended badly: {error}"),
        }
    }
    for key in ["total_executions", "total_latency_ms"] {
        let held = count(&*specimen, key).await?;
        if held != wanted {
            broken!("after {wanted} updates at once `{key}` is {held}");
        }
    }
    let parts = count(&*specimen, "successful_executions").await?
        + count(&*specimen, "failed_executions").await?;
    if parts != wanted {
        broken!("successes and failures together are {parts}, not {wanted}");
    }
    Ok(format!("updates by {THREADS} threads at once, none lost: {wanted}"))
}

/// Updates until it is likely that some met others; how many. Another process is slower to ask
/// than a counter of this one, so time and number are bounded.
async fn update_for_a_while(specimen: &dyn Specimen) -> Result<u64, Trouble> {
    const LEAST: u64 = 25;
    const MOST: u64 = 1_000_000;
    const SPAN: Duration = Duration::from_millis(100);
    let since = Instant::now();
    let mut done = 0;
    while done < LEAST || (done < MOST && since.elapsed() < SPAN) {
        specimen.update_stats(done % 2 == 0, 1).await?;
        done += 1;
    }
    Ok(done)
}
