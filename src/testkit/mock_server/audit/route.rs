//! Where a request went.

use super::{Finding, Seen};
use crate::testkit::mock_server::surface::{Found, ROUTES, find};
use crate::testkit::nearest::nearest;

/// Paths that other servers have, or that this one once had, and what became of them.
const GONE: [(&str, &str); 8] = [
    ("/v1/messages/count_tokens", "count tokens from the usage of an answer"),
    ("/v1/images/generations", "images are no longer made since July 2026"),
    ("/v1/images/edits", "images are no longer made since July 2026"),
    ("/v1/moderations", "ask a model for a judgement"),
    ("/v1/audio/speech", "there is no speech; only /v1/audio/transcriptions"),
    ("/v1/assistants", "there are no assistants; use /v1/responses or /v1/chat/completions"),
    ("/v1/engines", "list models with /v1/models"),
    ("/api/aliases", "aliases went in March 2026; copy the model with /api/copy"),
];

pub(super) fn unknown(seen: &Seen<'_>) -> Vec<Finding> {
    let path = seen.exchange.path.as_str();
    if !seen.route.is_empty() {
        return Vec::new();
    }
    match find(&seen.exchange.method, path) {
        Found::Route(..) | Found::OtherMethod(_) => Vec::new(),
        Found::Redirect(to) => vec![Finding::new(
            "",
            format!("{path} redirects to {to}; a client may drop the body on the way"),
            format!("call {to}"),
        )],
        Found::Nothing => {
            vec![Finding::new("", format!("there is no {path}: 404 page not found"), mend(path))]
        }
    }
}

fn mend(path: &str) -> String {
    let gone = GONE.iter().find(|(gone, _)| path.starts_with(gone));
    if let Some((_, mend)) = gone {
        return (*mend).to_owned();
    }
    if exists(&format!("/v1{path}")) {
        return format!("the base URL of the client must end in /v1, so that it calls /v1{path}");
    }
    if exists(&format!("/api{path}")) {
        return format!("the base URL of the client must end in /api, so that it calls /api{path}");
    }
    // A base URL with a path, and a client that adds its own.
    let doubled =
        ["/v1", "/api"].iter().find_map(|base| path.strip_prefix(base).filter(|rest| exists(rest)));
    if let Some(meant) = doubled {
        return format!("give the client the root as its base URL, so that it calls {meant}");
    }
    if path.contains("//") {
        let meant = single_slashes(path);
        return format!("take the slash from the end of the base URL, so that it calls {meant}");
    }
    match nearest(path, ROUTES.iter().map(|row| row.path)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "see the list of routes in docs/mock.md".to_owned(),
    }
}

fn exists(path: &str) -> bool {
    path != "/" && ROUTES.iter().any(|row| matches!(find(row.methods[0], path), Found::Route(..)))
}

fn single_slashes(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

pub(super) fn wrong_method(seen: &Seen<'_>) -> Vec<Finding> {
    let exchange = seen.exchange;
    match find(&exchange.method, &exchange.path) {
        Found::OtherMethod(allowed) if seen.route.is_empty() => vec![Finding::new(
            "",
            format!("{} does not take {}: 405", exchange.path, exchange.method),
            format!("use {}", allowed.join(" or ")),
        )],
        _ => Vec::new(),
    }
}

pub(super) fn cloud_model(seen: &Seen<'_>) -> Vec<Finding> {
    let name = seen.text("model").or_else(|| seen.text("name")).unwrap_or_default();
    Finding::when(
        name.ends_with(":cloud") || name.ends_with("-cloud"),
        "/model",
        "this name is passed on to ollama.com and needs an account there",
        "use a local model, or expect 401 where nobody is signed in",
    )
}

pub(super) fn legacy_embeddings(seen: &Seen<'_>) -> Vec<Finding> {
    Finding::when(
        seen.is_route(&["/api/embeddings"]),
        "",
        "/api/embeddings is superseded; its vectors are not normalised",
        "use /api/embed, which takes `input` and gives vectors of length 1",
    )
}
