//! Answers of models.

use super::{Ordered, Setting, setting};
use crate::testkit::generators::order::{Order, OrderError};
use crate::testkit::generators::{
    COUNT_MAX, Chats, Conversations, Embeddings, HostileTexts, ResponseStreams, Responses,
};

const MODEL: Setting = setting("model", "the model that answers", "qwen2.5:3b");
const HOSTILE: Setting =
    setting("hostile", "with texts that break careless code: true or false", "false");
/// Tools to call.
const fn tools_setting(default: &'static str) -> Setting {
    setting("tools", "tools to call, with commas between", default)
}
/// Answers that differ in their types and agree in what they can be told.
macro_rules! answers {
    ($($name:ident $about:literal;)+) => {
        $(impl Ordered for $name {
            const ABOUT: &'static str = $about;
            const SETTINGS: &'static [Setting] = &[MODEL, HOSTILE];

            fn ordered(order: &Order) -> Result<Self, OrderError> {
                let mut answers = Self::new();
                if let Some(model) = order.text("model") {
                    answers = answers.model(model);
                }
                if order.flag("hostile")? {
                    answers = answers.hostile(HostileTexts::new());
                }
                Ok(answers)
            }
        })+
    };
}

answers! {
    Responses "a model's whole answer, with counts and durations that agree";
    ResponseStreams "a model's answer piece by piece, as a list";
}

fn tools(order: &Order) -> Option<Vec<&str>> {
    order.text("tools").map(|tools| tools.split(',').map(str::trim).collect())
}

impl Ordered for Chats {
    const ABOUT: &'static str = "a model's answer in a chat, calls of tools included";
    const SETTINGS: &'static [Setting] = &[tools_setting("no tool at all")];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        Ok(tools(order).map_or_else(Self::new, |tools| Self::new().calling(tools)))
    }
}

impl Ordered for Conversations {
    const ABOUT: &'static str = "a conversation of several turns";
    const SETTINGS: &'static [Setting] = &[
        setting("turns", "how many questions are answered", "one to four"),
        setting("system", "what the system says first", "nothing at all"),
        tools_setting("calculator"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let mut conversations = Self::new();
        if let Some(turns) = order.number("turns", 1, COUNT_MAX)? {
            conversations = conversations.turns(turns, turns);
        }
        if let Some(text) = order.text("system") {
            conversations = conversations.system(text);
        }
        if let Some(tools) = tools(order) {
            conversations = conversations.calling(tools, 0.5);
        }
        Ok(conversations)
    }
}

impl Ordered for Embeddings {
    const ABOUT: &'static str = "vectors of texts, of length 1";
    const SETTINGS: &'static [Setting] = &[
        setting("model", "the model that answers", "nomic-embed-text"),
        setting("texts", "how many texts", "1"),
        setting("dimension", "numbers in a vector", "8"),
    ];

    fn ordered(order: &Order) -> Result<Self, OrderError> {
        let mut embeddings = Self::new();
        if let Some(model) = order.text("model") {
            embeddings = embeddings.model(model);
        }
        if let Some(texts) = order.number("texts", 1, COUNT_MAX)? {
            embeddings = embeddings.texts(texts);
        }
        if let Some(dimension) = order.number("dimension", 1, COUNT_MAX)? {
            embeddings = embeddings.dimension(dimension);
        }
        Ok(embeddings)
    }
}
