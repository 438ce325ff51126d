//! ollama-rs against the mock.

use flakedb_clients::{Country, RAIN, SKY, url};
use ollama_rs::Ollama;
use ollama_rs::coordinator::Coordinator;
use ollama_rs::error::OllamaError;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::chat::{ChatMessage, ChatMessageResponse};
use ollama_rs::generation::completion::request::GenerationRequest;
use ollama_rs::generation::embeddings::request::GenerateEmbeddingsRequest;
use ollama_rs::generation::parameters::{FormatType, JsonStructure, KeepAlive, TimeUnit};
use ollama_rs::generation::tools::{Tool, ToolInfo};
use ollama_rs::models::ModelOptions;
use ollama_rs::models::create::CreateModelRequest;
use tokio_stream::StreamExt;

fn client() -> Ollama {
    Ollama::try_new(url()).unwrap()
}

fn ask(model: &str, text: &str) -> ChatMessageRequest {
    ChatMessageRequest::new(model.to_owned(), vec![ChatMessage::user(text.to_owned())])
}

async fn streamed(request: ChatMessageRequest) -> Vec<ChatMessageResponse> {
    let stream = client().send_chat_messages_stream(request).await.unwrap();
    stream.map(|part| part.expect("a part")).collect().await
}

fn text(parts: &[ChatMessageResponse]) -> String {
    parts.iter().map(|part| part.message.content.as_str()).collect()
}

#[tokio::test]
async fn chat() {
    let answer =
        client().send_chat_messages(ask("llama3.2", "Why is the sky blue?")).await.unwrap();
    assert_eq!(answer.message.content, SKY);
    assert!(answer.done);
    let data = answer.final_data.expect("metrics");
    assert!(data.eval_count > 0 && data.prompt_eval_count > 0);
    assert!(
        data.total_duration >= data.load_duration + data.prompt_eval_duration + data.eval_duration
    );
}

#[tokio::test]
async fn chat_stream() {
    let parts = streamed(ask("llama3.2", "Why is the sky blue?")).await;
    assert_eq!(text(&parts), SKY);
    assert!(parts.len() > 3 && parts.last().unwrap().done);
}

#[tokio::test]
async fn letters_of_several_bytes_arrive() {
    assert_eq!(text(&streamed(ask("llama3.2", "Say rain in Japanese.")).await), RAIN);
}

#[tokio::test]
async fn generate() {
    let request = || GenerationRequest::new("llama3.2".to_owned(), "Why is the sky blue?");
    let answer = client().generate(request()).await.unwrap();
    assert_eq!(answer.response, SKY);
    assert!(!answer.context.expect("context").0.is_empty());
    let mut stream = client().generate_stream(request()).await.unwrap();
    let mut heard = String::new();
    while let Some(parts) = stream.next().await {
        heard.extend(parts.unwrap().into_iter().map(|part| part.response));
    }
    assert_eq!(heard, SKY);
}

struct Weather;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    city: String,
}

impl Tool for Weather {
    type Params = Place;

    fn name() -> &'static str {
        "get_weather"
    }

    fn description() -> &'static str {
        "Tells the weather."
    }

    async fn call(
        &mut self,
        place: Place,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(format!("11 degrees in {}", place.city))
    }
}

#[tokio::test]
async fn tools() {
    let request = ask("llama3.2", "What is the weather in Toronto?")
        .tools(vec![ToolInfo::new::<Place, Weather>()]);
    let answer = client().send_chat_messages(request.clone()).await.unwrap();
    let [call] = &answer.message.tool_calls[..] else { panic!("one call: {answer:?}") };
    assert_eq!(call.function.name, "get_weather");
    assert_eq!(call.function.arguments, serde_json::json!({"city": "Toronto"}));
    let parts = streamed(request).await;
    assert_eq!(parts.iter().map(|part| part.message.tool_calls.len()).sum::<usize>(), 1);
}

#[tokio::test]
async fn the_coordinator_calls_the_tool_and_comes_back() {
    let mut coordinator =
        Coordinator::new(client(), "llama3.2".to_owned(), vec![]).add_tool(Weather);
    let question = ChatMessage::user("What is the weather in Toronto?".to_owned());
    let answer = coordinator.chat(vec![question]).await.unwrap();
    assert_eq!(answer.message.content, "It is 11 degrees in Toronto.");
}

#[tokio::test]
async fn structured_output() {
    let format = || FormatType::StructuredJson(Box::new(JsonStructure::new::<Country>()));
    let known = ask("llama3.2", "Describe Canada.").format(format());
    let answer = client().send_chat_messages(known).await.unwrap();
    assert_eq!(
        serde_json::from_str::<Country>(&answer.message.content).unwrap(),
        Country::canada()
    );
    let made = ask("llama3.2", "Describe any country.").format(format());
    let answer = client().send_chat_messages(made).await.unwrap();
    serde_json::from_str::<Country>(&answer.message.content).unwrap();
}

#[tokio::test]
async fn thinking() {
    let answer =
        client().send_chat_messages(ask("qwen3", "What is 3^3?").think(true)).await.unwrap();
    assert_eq!(answer.message.thinking.as_deref(), Some("3 times 3 is 9, times 3 is 27."));
    assert_eq!(answer.message.content, "27");
}

#[tokio::test]
async fn logprobs_and_options() {
    let request = ask("llama3.2", "Why is the sky blue?")
        .logprobs(true)
        .options(ModelOptions::default().num_predict(3));
    let answer = client().send_chat_messages(request).await.unwrap();
    assert_eq!(answer.logprobs.expect("log probabilities").len(), 3);
}

#[tokio::test]
async fn embeddings() {
    let request = |texts: Vec<&str>| {
        GenerateEmbeddingsRequest::new("nomic-embed-text".to_owned(), texts.into())
    };
    let many =
        client().generate_embeddings(request(vec!["a cat", "a dog", "a cat"])).await.unwrap();
    let [one, two, three] = &many.embeddings[..] else { panic!("three vectors") };
    assert_eq!(one, three);
    assert_ne!(one, two);
    assert!((one.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-3);
}

#[tokio::test]
async fn an_unknown_model() {
    let refused = client().send_chat_messages(ask("nope", "Hello")).await.unwrap_err();
    assert!(refused.to_string().contains("model 'nope' not found"), "{refused}");
    let refused = client().send_chat_messages_stream(ask("nope", "Hello")).await.err().unwrap();
    assert!(refused.to_string().contains("model 'nope' not found"), "{refused}");
}

#[tokio::test]
async fn a_fault_of_the_server() {
    let refused = client().send_chat_messages(ask("llama3.2", "Fail.")).await.unwrap_err();
    assert!(refused.to_string().contains("model runner has unexpectedly stopped"), "{refused}");
}

/// The client takes a line that is no answer for nothing: what came before the error is all it tells.
#[tokio::test]
async fn an_error_in_mid_stream_is_swallowed_by_the_client() {
    let stream = client().send_chat_messages_stream(ask("llama3.2", "Break off.")).await.unwrap();
    let parts: Vec<ChatMessageResponse> = stream.filter_map(Result::ok).collect().await;
    assert_eq!(text(&parts), "One two three");
    assert!(!parts.iter().any(|part| part.done));
}

/// The client reads each chunk as whole lines. This is the bug that slices are there to find: if this
/// test fails because all of the text arrived, the client has been mended.
#[tokio::test]
async fn slices_lose_text_in_the_client() {
    let stream =
        client().send_chat_messages_stream(ask("llama3.2", "Slice the rain.")).await.unwrap();
    let parts: Vec<ChatMessageResponse> = stream.filter_map(Result::ok).collect().await;
    assert_ne!(text(&parts), RAIN);
}

#[tokio::test]
async fn the_life_cycle_of_a_model() {
    let client = client();
    let names = async || -> Vec<String> {
        let models = client.list_local_models().await.unwrap();
        models.into_iter().map(|model| model.name).collect()
    };
    assert!(names().await.contains(&"llama3.2:latest".to_owned()));
    let pull = client.pull_model_stream("phi4".to_owned(), false).await.unwrap();
    let statuses: Vec<String> = pull.map(|status| status.unwrap().message).collect().await;
    assert_eq!(statuses.first().map(String::as_str), Some("pulling manifest"));
    assert_eq!(statuses.last().map(String::as_str), Some("success"));
    assert!(names().await.contains(&"phi4:latest".to_owned()));
    let info = client.show_model_info("phi4".to_owned()).await.unwrap();
    assert!(info.capabilities.contains(&"completion".to_owned()));
    client.copy_model("phi4".to_owned(), "acme/phi:new".to_owned()).await.unwrap();
    let request = CreateModelRequest::new("acme/mario".to_owned()).from_model("phi4".to_owned());
    assert_eq!(client.create_model(request).await.unwrap().message, "success");
    let hour = KeepAlive::Until { time: 1, unit: TimeUnit::Hours };
    client.send_chat_messages(ask("phi4", "Hello").keep_alive(hour)).await.unwrap();
    for name in ["phi4", "acme/phi:new", "acme/mario"] {
        client.delete_model(name.to_owned()).await.unwrap();
    }
    assert!(!names().await.iter().any(|name| name.contains("phi") || name.contains("mario")));
    let gone = client.delete_model("phi4".to_owned()).await.unwrap_err();
    assert!(matches!(&gone, OllamaError::Other(text) if text.contains("model 'phi4' not found")));
}
