//! What the real server checks of a request once an API has read it, in its order; every API that
//! leads to a model goes through here.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::answer::{count_tokens, first_tokens, prompt_tokens};
use super::ask::{Ask, EmbedAsk, Message, Think};
use super::exchange::Stamp;
use super::models::{
    Capability, DEFAULT_CONTEXT_LENGTH, KeepAlive, Model, Models, Name, NameError,
};
use super::refusal::Refusal;
use super::surface::go_json::quoted;

/// Numbers in all vectors of an answer, at most.
const FLOATS_MAX: usize = 1 << 24;

/// A request that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// The model is to answer.
    Run,
    /// Only load it.
    Load,
    /// Only unload it.
    Unload,
}

/// Checks a chat: the model's name, that it is there, its capabilities; loads it. Sets `loads` and
/// `thinks` of `ask`, and its model where it names none and a default is set.
///
/// # Errors
/// As the real `ChatHandler`.
pub(crate) fn chat(
    ask: &mut Ask,
    keep_alive: KeepAlive,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Admitted, Refusal> {
    take_default(&mut ask.model, models);
    let name = named(&ask.model, |_| Refusal::bad_request("model is required"))?;
    let model = present(&name, &ask.model, models)?;
    if ask.messages.is_empty() && keep_alive.is_zero() {
        models.loads_mut().unload(&name);
        return Ok(Admitted::Unload);
    }
    think(ask, &model)?;
    if !model.can(Capability::Completion) {
        return Err(lacks(&ask.model, "chat"));
    }
    if !ask.tools.is_empty() && !model.can(Capability::Tools) {
        return Err(does_not_support(&model, "tools"));
    }
    let context_length = context_length(&ask.options, &model)?;
    let system = model.system.clone();
    ask.room = Some(room(context_length, &model));
    ask.loads = models.load(&name, keep_alive, context_length, stamp.received_at);
    if ask.messages.is_empty() {
        return Ok(Admitted::Load);
    }
    begin_with(system, ask);
    Ok(Admitted::Run)
}

/// The same for generate.
///
/// # Errors
/// As the real `GenerateHandler`.
pub(crate) fn generate(
    ask: &mut Ask,
    keep_alive: KeepAlive,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<Admitted, Refusal> {
    take_default(&mut ask.model, models);
    let name = named(&ask.model, |sent| Refusal::not_found(format!("model '{sent}' not found")))?;
    let model = present(&name, &ask.model, models)?;
    let prompt_is_empty = ask.last_user().is_empty();
    if prompt_is_empty && keep_alive.is_zero() {
        models.loads_mut().unload(&name);
        return Ok(Admitted::Unload);
    }
    if model.can(Capability::Image) {
        return Err(Refusal::bad_request("image generation models are not currently supported"));
    }
    let has_more = ask.template.is_some() || !ask.system().is_empty() || !ask.context.is_empty();
    if ask.raw && has_more {
        return Err(Refusal::bad_request("raw mode does not support template, system, or context"));
    }
    think(ask, &model)?;
    if !model.can(Capability::Completion) {
        return Err(lacks(&ask.model, "generate"));
    }
    if ask.suffix.is_some() && !model.can(Capability::Insert) {
        return Err(does_not_support(&model, "insert"));
    }
    let context_length = context_length(&ask.options, &model)?;
    let system = model.system.clone();
    let one_image = model.architecture == "mllama";
    ask.room = Some(room(context_length, &model));
    ask.loads = models.load(&name, keep_alive, context_length, stamp.received_at);
    if prompt_is_empty {
        return Ok(Admitted::Load);
    }
    let images: usize = ask.messages.iter().map(|message| message.images.len()).sum();
    if one_image && images > 1 {
        return Err(Refusal::bad_request(
            "this model only supports one image while more than one image requested",
        ));
    }
    if !ask.raw {
        begin_with(system, ask);
    }
    Ok(Admitted::Run)
}

/// The same for vectors (`/api/embed`, `/v1/embeddings`).
///
/// # Errors
/// As the real `EmbedHandler`.
pub(crate) fn embed(
    ask: &mut EmbedAsk,
    keep_alive: KeepAlive,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<(), Refusal> {
    embed_name(&mut ask.model, models)?;
    let room = embed_named(ask, keep_alive, models, stamp)?;
    check_size(ask)?;
    cut(ask, room)
}

/// Refuses what would fill the memory: the real server has no such limit, but a request's time.
fn check_size(ask: &EmbedAsk) -> Result<(), Refusal> {
    let (texts, length) = (ask.inputs.len(), ask.length.unwrap_or_default());
    if texts.saturating_mul(length) <= FLOATS_MAX {
        return Ok(());
    }
    let fit = FLOATS_MAX / length.max(1);
    Err(Refusal::bad_request(format!(
        "the input has {texts} texts, and a vector has {length} numbers: more than {FLOATS_MAX} \
         numbers in all; send at most {fit} texts at once (flakedb mock)"
    )))
}

/// Cuts the inputs that are longer than the model attends to.
fn cut(ask: &mut EmbedAsk, room: u64) -> Result<(), Refusal> {
    /// Tokens that begin and end each input.
    const MARKS: u64 = 2;
    let room = room.saturating_sub(MARKS);
    for input in &mut ask.inputs {
        // A token has at least one byte, so most inputs need not be counted.
        if input.len() as u64 <= room || count_tokens(input) <= room {
            continue;
        }
        if ask.truncate == Some(false) {
            return Err(too_long());
        }
        if room == 0 {
            let text = "input after truncation exceeds maximum context length";
            return Err(Refusal::bad_request(text));
        }
        let kept = first_tokens(input, usize::try_from(room).unwrap_or(usize::MAX)).len();
        input.truncate(kept);
    }
    Ok(())
}

/// The first of the checks of [`embed`]: the name alone. The real server looks at the input between
/// this one and the others.
///
/// # Errors
/// As the real `EmbedHandler`.
pub(crate) fn embed_name(model: &mut String, models: &Models) -> Result<(), Refusal> {
    take_default(model, models);
    named(model, |sent| Refusal::not_found(format!("model '{sent}' not found"))).map(drop)
}

/// The checks for vectors where an empty name is a wrong request (`/api/embeddings`).
///
/// # Errors
/// As the real `EmbeddingsHandler`.
pub(crate) fn embed_legacy(
    ask: &mut EmbedAsk,
    keep_alive: KeepAlive,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<(), Refusal> {
    take_default(&mut ask.model, models);
    named(&ask.model, |_| Refusal::bad_request("model is required"))?;
    embed_named(ask, keep_alive, models, stamp).map(drop)
}

/// The name of a request's model.
///
/// # Errors
/// 400 where it is not valid; where it is empty, what `empty` makes of it.
pub(crate) fn named(model: &str, empty: impl FnOnce(&str) -> Refusal) -> Result<Name, Refusal> {
    Name::of_request(model).map_err(|error| match error {
        NameError::Empty => empty(model),
        NameError::TwoSources(_) | NameError::Invalid => Refusal::bad_request(error.to_string()),
    })
}

/// Fills in the default model where a request names none.
fn take_default(model: &mut String, models: &Models) {
    if model.is_empty()
        && let Some(default) = models.default_model()
    {
        default.clone_into(model);
    }
}

fn present<'a>(name: &Name, sent: &str, models: &'a Models) -> Result<Cow<'a, Model>, Refusal> {
    models.find(name).ok_or_else(|| Refusal::not_found(format!("model '{sent}' not found")))
}

/// Finds the model and loads it; how many tokens it attends to.
fn embed_named(
    ask: &mut EmbedAsk,
    keep_alive: KeepAlive,
    models: &mut Models,
    stamp: &Stamp,
) -> Result<u64, Refusal> {
    let missing = || {
        let sent = quoted(&ask.model);
        Refusal::not_found(format!("model {sent} not found, try pulling it first"))
    };
    let name = Name::of_request(&ask.model).map_err(|_| missing())?;
    let model = models.find(&name).ok_or_else(missing)?;
    let context_length = context_length(&ask.options, &model)?;
    let room = room(context_length, &model);
    ask.length = usize::try_from(model.embedding_length).ok();
    ask.loads = models.load(&name, keep_alive, context_length, stamp.received_at);
    Ok(room)
}

/// Decides whether the model thinks: an unset `think` is true where it can.
fn think(ask: &mut Ask, model: &Model) -> Result<(), Refusal> {
    let wanted = ask.think.as_ref().map(|think| *think != Think::Off);
    let can = model.can(Capability::Thinking);
    if wanted == Some(true) && !can && !ask.relaxed_think {
        return Err(lacks(&ask.model, "thinking"));
    }
    ask.thinks = can && wanted.unwrap_or(true);
    Ok(())
}

/// Checks the options; the context length that they, or the model's own, want.
fn context_length(options: &Map<String, Value>, model: &Model) -> Result<Option<u64>, Refusal> {
    check_options(options)?;
    Ok(options
        .get("num_ctx")
        .or_else(|| model.parameters.get("num_ctx"))
        .and_then(Value::as_f64)
        .filter(|length| *length >= 1.0)
        .map(|length| length as u64))
}

/// Tokens that a model attends to that is loaded for so many.
fn room(context_length: Option<u64>, model: &Model) -> u64 {
    context_length.unwrap_or(DEFAULT_CONTEXT_LENGTH).min(model.context_length)
}

/// Checks that the prompt fits, where it is not to be cut; the last of all checks.
///
/// # Errors
/// As the real runner.
pub(crate) fn fits(ask: &Ask) -> Result<(), Refusal> {
    let is_whole = ask.truncate == Some(false);
    match ask.room.filter(|room| is_whole && prompt_tokens(ask) > *room) {
        Some(_) => Err(too_long()),
        None => Ok(()),
    }
}

fn too_long() -> Refusal {
    Refusal::bad_request("the input length exceeds the context length")
}

/// What type an option has.
#[derive(Clone, Copy)]
pub(super) enum OptionType {
    Integer,
    Float,
    Boolean,
    Texts,
}

/// The options that the real server knows.
pub(super) const OPTIONS: &[(&str, OptionType)] = &[
    ("num_ctx", OptionType::Integer),
    ("num_batch", OptionType::Integer),
    ("num_gpu", OptionType::Integer),
    ("main_gpu", OptionType::Integer),
    ("use_mmap", OptionType::Boolean),
    ("num_thread", OptionType::Integer),
    ("draft_num_predict", OptionType::Integer),
    ("num_keep", OptionType::Integer),
    ("seed", OptionType::Integer),
    ("num_predict", OptionType::Integer),
    ("top_k", OptionType::Integer),
    ("top_p", OptionType::Float),
    ("min_p", OptionType::Float),
    ("typical_p", OptionType::Float),
    ("repeat_last_n", OptionType::Integer),
    ("temperature", OptionType::Float),
    ("repeat_penalty", OptionType::Float),
    ("presence_penalty", OptionType::Float),
    ("frequency_penalty", OptionType::Float),
    ("stop", OptionType::Texts),
];

/// Checks the types of the options; unknown ones are passed over. Go takes a map in any order, so
/// of two wrong options the real server names either; here it is the first.
fn check_options(options: &Map<String, Value>) -> Result<(), Refusal> {
    for (key, value) in options {
        let known = OPTIONS.iter().find(|(name, _)| name == key);
        let Some((_, wanted)) = known.filter(|_| !value.is_null()) else { continue };
        let fault = match (wanted, value) {
            (OptionType::Integer | OptionType::Float, Value::Number(_))
            | (OptionType::Boolean, Value::Bool(_)) => continue,
            (OptionType::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => {
                continue;
            }
            (OptionType::Texts, Value::Array(_)) => "an array of strings",
            (OptionType::Integer, _) => "type integer",
            (OptionType::Float, _) => "type float32",
            (OptionType::Boolean, _) => "type boolean",
            (OptionType::Texts, _) => "type array",
        };
        return Err(Refusal::new(500, format!("option {} must be of {fault}", quoted(key))));
    }
    Ok(())
}

/// Puts the model's own system prompt first where the request begins with none.
fn begin_with(system: String, ask: &mut Ask) {
    let begins = ask.messages.first().is_some_and(|message| message.role == "system");
    if !begins && !system.is_empty() {
        let message = Message { role: "system".to_owned(), content: system, ..Message::default() };
        ask.messages.insert(0, message);
    }
}

/// `"x" does not support chat`, the name as sent.
fn lacks(sent: &str, what: &str) -> Refusal {
    Refusal::bad_request(format!("{} does not support {what}", quoted(sent)))
}

/// The same with the full name, as the scheduler says it.
fn does_not_support(model: &Model, what: &str) -> Refusal {
    Refusal::bad_request(format!("{} does not support {what}", model.name))
}

#[cfg(test)]
mod tests;
