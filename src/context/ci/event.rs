//! The event file of GitHub Actions and of those that speak its language.

use serde_json::Value;

use super::{Detected, World, branch, is_commit};
use crate::model::Lane;

/// Completes what the variables said with the event that started the workflow.
///
/// `GITHUB_SHA` is a synthetic merge on pull requests and the default branch's head on
/// `workflow_run`; the event has the commit that was really meant
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>).
pub(super) fn complete(world: &World<'_>, detected: &mut Detected) {
    let event = world
        .get("GITHUB_EVENT_PATH")
        .and_then(|path| (world.read_file)(&path))
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(event) = event else { return };
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let context = &mut detected.context;
    detected.default_branch = text("/repository/default_branch").or(detected.default_branch.take());

    if let Some(run) = event.get("workflow_run").filter(|run| run.is_object()) {
        complete_from_run(run, detected);
    } else if event.get("pull_request").is_some_and(Value::is_object) {
        let commit = text("/pull_request/head/sha").filter(|commit| is_commit(commit));
        context.revision = commit.or(context.revision.take());
        context.branch = text("/pull_request/head/ref").or(context.branch.take());
        context.lane = Some(Lane::Change);
    } else if let Some(reference) = text("/merge_group/head_ref") {
        context.branch = branch(&reference).or(context.branch.take());
        context.lane = Some(Lane::Change);
    }
}

/// A workflow that follows another one handles that one's reports, so they belong to that run.
fn complete_from_run(run: &Value, detected: &mut Detected) {
    let text = |name: &str| run.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| run.get(name).and_then(Value::as_u64);
    let context = &mut detected.context;
    context.revision =
        text("head_sha").filter(|commit| is_commit(commit)).or(context.revision.take());
    context.branch = text("head_branch").or(context.branch.take());
    context.build = number("id").map(|id| id.to_string()).or(context.build.take());
    context.attempt = number("run_attempt")
        .and_then(|attempt| u32::try_from(attempt).ok().filter(|&attempt| attempt > 0))
        .or(context.attempt);
    context.url = text("html_url").or(context.url.take());
    context.job = text("name").or(context.job.take());
    let by_change = text("event")
        .is_some_and(|event| event.starts_with("pull_request") || event == "merge_group");
    context.lane = by_change.then_some(Lane::Change);
}
