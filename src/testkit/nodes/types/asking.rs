//! What all types that ask a model have in common.

use crate::testkit::nearest::hint;
use crate::testkit::nodes::behavior::Failure;
use crate::testkit::nodes::message::MessageMetadata;
use crate::testkit::nodes::ollama::{Ollama, OllamaError, Reply};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::shown::cut;

/// Bytes of an answer that are looked at where it is to name something: 8 KiB.
pub(super) const ANSWER_BYTES_READ: usize = 8 << 10;

/// The begin of an answer that is to name something; what follows is no name.
pub(super) fn beginning(answer: &str) -> &str {
    if answer.len() <= ANSWER_BYTES_READ {
        return answer;
    }
    // Not within a character.
    (0..=ANSWER_BYTES_READ).rev().find_map(|end| answer.get(..end)).unwrap_or_default()
}

/// An answer that fits nothing, as an error shows it.
pub(super) fn excerpt(answer: &str) -> String {
    const CHARS_MAX: usize = 200;
    answer.trim().chars().take(CHARS_MAX).collect()
}

/// The sum of two counts of which each may be unknown.
pub(super) fn added(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

/// The server of the environment.
pub(super) fn server(environment: &Environment) -> Result<Ollama, Vec<Violation>> {
    Ollama::new(&environment.ollama_url)
        .map_err(|error| vec![Violation::new(Rule::BadUrl, "", error.to_string())])
}

/// The prompt of an id.
pub(super) fn prompt(
    id: Option<&str>,
    environment: &Environment,
) -> Result<Option<String>, Vec<Violation>> {
    let Some(id) = id else { return Ok(None) };
    if let Some(prompt) = environment.prompts.get(id) {
        return Ok(Some(prompt.clone()));
    }
    let mend = hint(id, environment.prompts.keys().map(String::as_str));
    let message = format!("the environment has no prompt `{}`{mend}", cut(id));
    Err(vec![Violation::new(Rule::NotAChoice, "prompt_id", message)])
}

/// A failure of the server's, with what was tried in front.
pub(super) fn failure(tried: &str, error: &OllamaError) -> Failure {
    let text = format!("{tried}: {error}");
    match error.is_recoverable() {
        true => Failure::passing(text),
        false => Failure::lasting(text),
    }
}

/// Facts about a message that a model wrote.
pub(super) fn written_by(model: &str, reply: &Reply) -> MessageMetadata {
    MessageMetadata {
        latency_ms: reply.total_duration_ns.map(|ns| ns.div_ceil(1_000_000)),
        model_used: Some(model.to_owned()),
        tokens_in: reply.tokens_in,
        tokens_out: reply.tokens_out,
        ..MessageMetadata::default()
    }
}

/// Letters and digits alone, in lower case: how names are compared with what models write.
pub(super) fn folded(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names that a model could not tell apart, or that it could not say: a violation each, at
/// `key.index.name`.
pub(super) fn name_violations<'n>(
    key: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Vec<Violation> {
    let mut seen: Vec<(String, &str)> = Vec::new();
    let mut found = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let at = format!("{key}.{index}.name");
        let plain = folded(name);
        if plain.is_empty() {
            let message = format!("`{}` has neither a letter nor a digit", cut(name));
            found.push(Violation::new(Rule::BadIdentifier, at, message));
            continue;
        }
        match seen.iter().find(|(other, _)| *other == plain) {
            Some((_, other)) => {
                let (name, other) = (cut(name), cut(other));
                let message = format!("`{name}` cannot be told from `{other}`; rename one");
                found.push(Violation::new(Rule::Contradiction, at, message));
            }
            None => seen.push((plain, name)),
        }
    }
    found
}
