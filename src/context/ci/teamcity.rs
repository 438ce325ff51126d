//! The property files of `TeamCity`, which hold most of what it knows.

use std::collections::HashMap;

use super::{Detected, World, branch, is_commit};
use crate::context::remote::project_of_url;
use crate::model::Lane;

/// Completes what the variables said with the build's and the configuration's properties
/// (<https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html>).
pub(super) fn complete(world: &World<'_>, detected: &mut Detected) {
    let read = |path: &str| (world.read_file)(path).map(|bytes| properties(&bytes));
    let Some(build) = world.get("TEAMCITY_BUILD_PROPERTIES_FILE").and_then(|path| read(&path))
    else {
        return;
    };
    let configuration =
        build.get("teamcity.configuration.properties.file").and_then(|path| read(path));
    let get = |name: &str| {
        let found =
            configuration.as_ref().and_then(|all| all.get(name)).or_else(|| build.get(name));
        found.filter(|value| !value.is_empty()).cloned()
    };
    let context = &mut detected.context;
    context.build = get("teamcity.build.id").or(context.build.take());
    context.project =
        get("vcsroot.url").and_then(|url| project_of_url(&url)).or(context.project.take());
    context.revision =
        get("build.vcs.number").filter(|commit| is_commit(commit)).or(context.revision.take());
    let named = get("teamcity.pullRequest.source.branch").or_else(|| get("teamcity.build.branch"));
    context.branch = named.and_then(|name| branch(&name)).filter(|name| name != "<default>");
    let is_default = get("teamcity.build.branch.is_default").is_some_and(|value| value == "true");
    if get("teamcity.pullRequest.number").is_some() {
        context.lane = Some(Lane::Change);
    } else if is_default {
        detected.default_branch =
            context.branch.clone().or_else(|| get("vcsroot.branch").and_then(|name| branch(&name)));
        context.branch = context.branch.take().or_else(|| detected.default_branch.clone());
    }
    if let (None, Some(server), Some(build)) =
        (&context.url, get("teamcity.serverUrl"), &context.build)
    {
        context.url = Some(format!("{}/build/{build}", server.trim_end_matches('/')));
    }
}

/// The pairs of a Java properties file; escapes other than `\uXXXX` are undone.
pub(super) fn properties(bytes: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(property).collect()
}

fn property(line: &str) -> Option<(String, String)> {
    let line = line.trim_start();
    if line.starts_with(['#', '!']) {
        return None;
    }
    let (mut key, mut value) = (String::new(), String::new());
    let (mut in_value, mut escaped) = (false, false);
    for c in line.chars() {
        match (escaped, c, in_value) {
            (false, '\\', _) => {
                escaped = true;
                continue;
            }
            (false, '=' | ':', false) => in_value = true,
            (_, _, true) => value.push(c),
            (_, _, false) => key.push(c),
        }
        escaped = false;
    }
    in_value.then(|| (key.trim().to_owned(), value.trim().to_owned()))
}
