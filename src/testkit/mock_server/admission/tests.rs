use std::time::Duration;

use serde_json::json;

use super::*;
use crate::testkit::mock_server::ask::Tool;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::models::UnknownModels;

fn stamp() -> Stamp {
    let received_at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    Stamp { received_at, chance: Chance::of(&[b"test"]) }
}

fn user(text: &str) -> Message {
    Message { role: "user".to_owned(), content: text.to_owned(), ..Message::default() }
}

fn ask(model: &str) -> Ask {
    Ask { model: model.to_owned(), messages: vec![user("Hi")], ..Ask::default() }
}

fn tool() -> Tool {
    Tool { name: "f".to_owned(), description: String::new(), parameters: json!({}) }
}

fn text(outcome: Result<Admitted, Refusal>) -> String {
    match outcome {
        Ok(admitted) => format!("{admitted:?}"),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn chats_are_checked_in_the_real_order() {
    let with_tools = |model| Ask { tools: vec![tool()], ..ask(model) };
    let thinking = |model, think| Ask { think: Some(think), ..ask(model) };
    let with_options =
        |options: Value| Ask { options: options.as_object().unwrap().clone(), ..ask("llama3.2") };
    for (ask, expected) in [
        (ask(""), "400: model is required"),
        (ask("a b"), "400: invalid model name"),
        (ask("x:cloud:local"), "400: use either :local or :cloud, not both: \"x:cloud:local\""),
        (ask("No/Such"), "404: model 'No/Such' not found"),
        (thinking("llama3.2", Think::On), "400: \"llama3.2\" does not support thinking"),
        (
            thinking("llama3.2", Think::Level("low".to_owned())),
            "400: \"llama3.2\" does not support thinking",
        ),
        (
            thinking("nomic-embed-text", Think::On),
            "400: \"nomic-embed-text\" does not support thinking",
        ),
        (thinking("llama3.2", Think::Off), "Run"),
        (thinking("qwen3", Think::On), "Run"),
        (ask("nomic-embed-text"), "400: \"nomic-embed-text\" does not support chat"),
        (
            with_tools("PHI3:mini"),
            "400: registry.ollama.ai/library/phi3:mini does not support tools",
        ),
        (with_tools("llama3.2"), "Run"),
        (
            with_options(json!({"temperature": "hot"})),
            "500: option \"temperature\" must be of type float32",
        ),
        (
            with_options(json!({"num_ctx": "big"})),
            "500: option \"num_ctx\" must be of type integer",
        ),
        (with_options(json!({"use_mmap": 1})), "500: option \"use_mmap\" must be of type boolean"),
        (with_options(json!({"stop": "x"})), "500: option \"stop\" must be of type array"),
        (with_options(json!({"stop": [1]})), "500: option \"stop\" must be of an array of strings"),
        (with_options(json!({"seed": null, "mirostat": "x", "top_k": 1.5})), "Run"),
        (Ask { messages: Vec::new(), ..ask("llama3.2") }, "Load"),
    ] {
        let mut ask = ask;
        let outcome = chat(&mut ask, KeepAlive::Default, &mut Models::default(), &stamp());
        assert_eq!(text(outcome), expected, "{ask:?}");
    }
}

#[test]
fn prompts_are_checked_in_the_real_order() {
    let raw = Ask { raw: true, ..ask("llama3.2") };
    let system =
        Message { role: "system".to_owned(), content: "S".to_owned(), ..Message::default() };
    let no_raw = "400: raw mode does not support template, system, or context";
    let two_images = Message { images: vec![vec![1], vec![2]], ..user("See") };
    for (ask, expected) in [
        (ask(""), "404: model '' not found"),
        (ask("-"), "400: invalid model name"),
        (ask("gone"), "404: model 'gone' not found"),
        (Ask { template: Some("t".to_owned()), ..raw.clone() }, no_raw),
        (Ask { context: vec![1], ..raw.clone() }, no_raw),
        (Ask { messages: vec![system, user("Hi")], ..raw.clone() }, no_raw),
        (raw, "Run"),
        (ask("nomic-embed-text"), "400: \"nomic-embed-text\" does not support generate"),
        (
            Ask { suffix: Some("}".to_owned()), ..ask("llama3.2") },
            "400: registry.ollama.ai/library/llama3.2:latest does not support insert",
        ),
        (Ask { suffix: Some("}".to_owned()), ..ask("granite-code:3b") }, "Run"),
        (Ask { messages: vec![user("")], ..ask("llama3.2") }, "Load"),
        (
            Ask { messages: vec![two_images], ..ask("llama3.2-vision") },
            "400: this model only supports one image while more than one image requested",
        ),
    ] {
        let mut ask = ask;
        let mut models =
            Models::new(["llama3.2", "granite-code:3b", "nomic-embed-text", "llama3.2-vision"]);
        let outcome = generate(&mut ask, KeepAlive::Default, &mut models, &stamp());
        assert_eq!(text(outcome), expected, "{ask:?}");
    }
}

#[test]
fn vectors_want_a_model_that_is_there() {
    let mut models = Models::default();
    let mut outcome = |model: &str| {
        let mut ask = EmbedAsk { model: model.to_owned(), ..EmbedAsk::default() };
        embed(&mut ask, KeepAlive::Default, &mut models, &stamp())
            .map_err(|refusal| refusal.to_string())
    };
    assert_eq!(outcome(""), Err("404: model '' not found".to_owned()));
    assert_eq!(
        outcome("gone"),
        Err("404: model \"gone\" not found, try pulling it first".to_owned())
    );
    assert_eq!(outcome("a b"), Err("400: invalid model name".to_owned()));
    assert_eq!(outcome("nomic-embed-text"), Ok(()));
    assert_eq!(outcome("llama3.2"), Ok(()));
    let mut ask = EmbedAsk::default();
    let refusal = embed_legacy(&mut ask, KeepAlive::Default, &mut models, &stamp()).unwrap_err();
    assert_eq!(refusal.to_string(), "400: model is required");
}

#[test]
fn a_model_is_loaded_once_and_thinks_unless_told_not_to() {
    let mut models = Models::default();
    let mut first = ask("qwen3");
    chat(&mut first, KeepAlive::Default, &mut models, &stamp()).unwrap();
    assert!(first.loads && first.thinks);
    let mut second = Ask { think: Some(Think::Off), ..ask("QWEN3:latest") };
    chat(&mut second, KeepAlive::Default, &mut models, &stamp()).unwrap();
    assert!(!second.loads && !second.thinks);
    let mut unload = Ask { messages: Vec::new(), ..ask("qwen3") };
    let now = KeepAlive::For(Duration::ZERO);
    assert_eq!(chat(&mut unload, now, &mut models, &stamp()), Ok(Admitted::Unload));
    assert!(models.loads().at(stamp().received_at).is_empty());
}

#[test]
fn settings_admit_unknown_models_and_name_a_default() {
    let mut models = Models::new(["phi3:mini"]);
    models.set_default_model(Some("phi3:mini".to_owned()));
    let mut nameless = ask("");
    assert_eq!(chat(&mut nameless, KeepAlive::Default, &mut models, &stamp()), Ok(Admitted::Run));
    assert_eq!(nameless.model, "phi3:mini");
    models.set_unknown_models(UnknownModels::Allow);
    assert_eq!(text(chat(&mut ask("anything"), KeepAlive::Default, &mut models, &stamp())), "Run");
    assert_eq!(models.names(), ["phi3:mini"]);
}

#[test]
fn the_models_own_system_prompt_comes_first() {
    let mut models = Models::new(["phi3:mini"]);
    let mut model = models.all()[0].clone();
    model.system = "Be brief.".to_owned();
    models.put(model);
    let mut plain = ask("phi3:mini");
    chat(&mut plain, KeepAlive::Default, &mut models, &stamp()).unwrap();
    assert_eq!(plain.system(), "Be brief.");
    let system =
        Message { role: "system".to_owned(), content: "Rant.".to_owned(), ..Message::default() };
    let mut other = Ask { messages: vec![system, user("Hi")], ..ask("phi3:mini") };
    chat(&mut other, KeepAlive::Default, &mut models, &stamp()).unwrap();
    assert_eq!(other.system(), "Rant.");
}
