//! async-openai against the mock.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{CreateChatCompletionRequest, CreateChatCompletionStreamResponse};
use flakedb_clients::{Country, RAIN, SKY, url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

fn client() -> Client<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(format!("{}/v1", url())).with_api_key("ollama");
    Client::with_config(config)
}

/// A request of the client's own type.
fn typed<T: DeserializeOwned>(request: Value) -> T {
    serde_json::from_value(request).expect("a request")
}

fn ask(text: &str, more: &Value) -> CreateChatCompletionRequest {
    let mut request = json!({"model": "llama3.2", "messages": [{"role": "user", "content": text}]});
    for (key, value) in more.as_object().expect("an object") {
        request[key] = value.clone();
    }
    typed(request)
}

fn weather() -> Value {
    json!([{"type": "function", "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }}])
}

async fn streamed(
    request: CreateChatCompletionRequest,
) -> Vec<Result<CreateChatCompletionStreamResponse, OpenAIError>> {
    client().chat().create_stream(request).await.expect("a stream").collect().await
}

fn text(chunks: &[CreateChatCompletionStreamResponse]) -> String {
    let choices = chunks.iter().filter_map(|chunk| chunk.choices.first());
    choices.filter_map(|choice| choice.delta.content.as_deref()).collect()
}

#[tokio::test]
async fn chat() {
    let answer = client().chat().create(ask("Why is the sky blue?", &json!({}))).await.unwrap();
    let choice = serde_json::to_value(&answer.choices[0]).unwrap();
    assert_eq!(choice["message"]["content"], SKY);
    assert_eq!(choice["finish_reason"], "stop");
    let usage = answer.usage.expect("usage");
    assert_eq!(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
}

#[tokio::test]
async fn chat_stream() {
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let chunks: Vec<_> = streamed(ask("Why is the sky blue?", &more)).await;
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| chunk.expect("a chunk")).collect();
    assert_eq!(text(&chunks), SKY);
    assert!(chunks.last().unwrap().usage.is_some());
    assert!(chunks.iter().rev().nth(1).unwrap().choices[0].finish_reason.is_some());
}

#[tokio::test]
async fn slices_lose_nothing() {
    let chunks = streamed(ask("Slice the rain.", &json!({"stream": true}))).await;
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| chunk.expect("a chunk")).collect();
    assert_eq!(text(&chunks), RAIN);
}

#[tokio::test]
async fn tools() {
    let question = "What is the weather in Toronto?";
    let request = ask(question, &json!({"tools": weather()}));
    let answer = client().chat().create(request).await.unwrap();
    let choice = serde_json::to_value(&answer.choices[0]).unwrap();
    assert_eq!(choice["finish_reason"], "tool_calls");
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "get_weather");
    let arguments = call["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"city": "Toronto"}));
    let messages = json!([
        {"role": "user", "content": question},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "11 degrees in Toronto"},
    ]);
    let second = ask("", &json!({"tools": weather(), "messages": messages}));
    let answer = client().chat().create(second).await.unwrap();
    assert_eq!(answer.choices[0].message.content.as_deref(), Some("It is 11 degrees in Toronto."));
}

#[tokio::test]
async fn structured_output() {
    let schema = serde_json::to_value(schemars::schema_for!(Country)).unwrap();
    let format =
        json!({"type": "json_schema", "json_schema": {"name": "country", "schema": schema}});
    for question in ["Describe Canada.", "Describe any country."] {
        let request = ask(question, &json!({"response_format": format}));
        let answer = client().chat().create(request).await.unwrap();
        let text = answer.choices[0].message.content.clone().unwrap();
        let country: Country = serde_json::from_str(&text).unwrap();
        assert_eq!(question == "Describe Canada.", country == Country::canada());
    }
}

#[tokio::test]
async fn embeddings() {
    let request = json!({"model": "nomic-embed-text", "input": ["a cat", "a dog"]});
    let plain = client().embeddings().create(typed(request.clone())).await.unwrap();
    let mut packed = request;
    packed["encoding_format"] = json!("base64");
    let packed = client().embeddings().create_base64(typed(packed)).await.unwrap();
    assert_eq!(plain.data.len(), 2);
    assert_ne!(plain.data[0].embedding, plain.data[1].embedding);
    let unpacked: Vec<f32> = packed.data[0].embedding.clone().into();
    let pairs = unpacked.iter().zip(&plain.data[0].embedding);
    assert!(pairs.clone().count() == plain.data[0].embedding.len());
    assert!(pairs.into_iter().all(|(left, right)| (left - right).abs() < 1e-6));
}

#[tokio::test]
async fn models() {
    let models = client().models().list().await.unwrap().data;
    assert!(models.iter().any(|model| model.id == "llama3.2:latest"));
    assert_eq!(client().models().retrieve("llama3.2").await.unwrap().owned_by, "library");
}

#[tokio::test]
async fn completions() {
    let request = typed(json!({"model": "llama3.2", "prompt": "Why is the sky blue?"}));
    let answer = client().completions().create(request).await.unwrap();
    assert_eq!(answer.choices[0].text, SKY);
}

#[tokio::test]
async fn responses() {
    let request = json!({"model": "llama3.2", "input": "Why is the sky blue?"});
    let answer = client().responses().create(typed(request.clone())).await.unwrap();
    assert_eq!(answer.output_text().as_deref(), Some(SKY));
    let mut streaming = request;
    streaming["stream"] = json!(true);
    let events = client().responses().create_stream(typed(streaming)).await.unwrap();
    let events: Vec<Value> =
        events.map(|event| serde_json::to_value(event.expect("an event")).unwrap()).collect().await;
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(deltas.filter_map(|event| event["delta"].as_str()).collect::<String>(), SKY);
    assert_eq!(events.last().unwrap()["type"], "response.completed");
}

#[tokio::test]
async fn an_unknown_model() {
    let request = ask("Hello", &json!({"model": "nope"}));
    let refused = client().chat().create(request).await.unwrap_err();
    let OpenAIError::ApiError(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.status_code.as_u16(), 404);
    assert_eq!(error.api_error.message, "model 'nope' not found");
    assert_eq!(error.api_error.r#type.as_deref(), Some("not_found_error"));
}

/// The client tries again by itself after a 500, until its patience ends: one try is enough here.
#[tokio::test]
async fn a_fault_of_the_server() {
    let refused = client().chat().create(ask("Fail once.", &json!({}))).await;
    assert_eq!(refused.unwrap().choices[0].message.content.as_deref(), Some("Better now."));
}

#[tokio::test]
async fn an_error_in_mid_stream() {
    // As the real server has it: the error is lost, the stream ends early.
    let chunks = streamed(ask("Break off.", &json!({"stream": true}))).await;
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| chunk.expect("a chunk")).collect();
    assert_eq!(text(&chunks), "One two three");
    assert!(!chunks.iter().any(|chunk| chunk.choices[0].finish_reason.is_some()));
}
