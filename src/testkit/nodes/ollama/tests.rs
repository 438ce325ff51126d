use serde_json::json;

use super::*;
use crate::testkit::mock_server::MockOllama;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::stub::Stub;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn request(stream: bool) -> Generate {
    Generate {
        model: "qwen2.5:3b".to_owned(),
        prompt: "Why is the sky blue?".to_owned(),
        stream,
        ..Generate::default()
    }
}

fn generate(mock: &MockOllama, stream: bool) -> Result<Reply, OllamaError> {
    let client = Ollama::new(&mock.url()).unwrap();
    block_on(client.generate(&request(stream)))
}

#[test]
fn an_answer_is_the_same_whole_and_streamed() {
    let mock = MockOllama::start().unwrap();
    mock.stub(Stub::generate().reply("Because of Rayleigh scattering.").usage(9, 5));
    let whole = generate(&mock, false).unwrap();
    let streamed = generate(&mock, true).unwrap();
    assert_eq!(whole.text, "Because of Rayleigh scattering.");
    assert_eq!(whole.text, streamed.text);
    assert_eq!((whole.tokens_in, whole.tokens_out), (Some(9), Some(5)));
    assert_eq!((streamed.tokens_in, streamed.tokens_out), (Some(9), Some(5)));
    assert_eq!(streamed.done_reason.as_deref(), Some("stop"));
    assert!(mock.requests()[0].notes().is_empty(), "the audit finds nothing");
}

#[test]
fn a_conversation_has_tools() {
    let mock = MockOllama::start().unwrap();
    mock.stub(Stub::chat().offers_tool("add").calls_tool("add", json!({"a": 1})));
    mock.stub(Stub::chat().has_tool_result().reply("It is 3."));
    let client = Ollama::new(&mock.url()).unwrap();
    let chat = Chat {
        model: "qwen2.5:3b".to_owned(),
        messages: vec![ChatMessage::system("Add."), ChatMessage::user("1 + 2?")],
        ..Chat::default()
    };
    let mut chat = chat.offer("add", "Adds.", &json!({"type": "object"}));
    let asked = block_on(client.chat(&chat)).unwrap();
    let call = RequestedCall {
        name: "add".to_owned(),
        arguments: json!({"a": 1}).as_object().unwrap().clone(),
    };
    assert_eq!(asked.tool_calls, [call]);
    chat.messages.push(ChatMessage::assistant(asked.text, &asked.tool_calls));
    chat.messages.push(ChatMessage::tool("add", "3"));
    assert_eq!(block_on(client.chat(&chat)).unwrap().text, "It is 3.");
}

#[test]
fn tokens_have_probabilities_where_asked_for() {
    let mock = MockOllama::start().unwrap();
    mock.stub(Stub::generate().reply("one two three"));
    let client = Ollama::new(&mock.url()).unwrap();
    let sure = block_on(client.generate(&Generate { logprobs: true, ..request(false) })).unwrap();
    let confidence = sure.confidence().unwrap();
    assert!((0.5..1.0).contains(&confidence), "{confidence}");
    assert_eq!(generate(&mock, false).unwrap().confidence(), None);
}

#[test]
fn trouble_is_told_and_whether_another_try_may_help() {
    let cases: [(&str, bool, Fault); 9] = [
        ("overloaded", false, Fault::overloaded()),
        ("an internal error", false, Fault::status(500)),
        ("a bad request", false, Fault::status(400)),
        ("a reset", false, Fault::reset()),
        ("nothing", false, Fault::Empty {}),
        ("garbage", false, Fault::Garbage { bytes: Some(16), seed: Some(1) }),
        ("a cut", true, Fault::cut_after_frames(2)),
        ("an error in mid-stream", true, Fault::error_line(2)),
        ("broken JSON", true, Fault::MalformedJson { after_frames: Some(1) }),
    ];
    let mut said = Vec::new();
    for (name, stream, fault) in cases {
        let mock = MockOllama::start().unwrap();
        mock.stub(Stub::generate().chunks(["one ", "two ", "three ", "four"]));
        mock.fault(FaultRule::new(fault));
        let error = generate(&mock, stream).unwrap_err();
        let text = error.to_string().replace(&mock.url(), "URL");
        // The number of an error of the system is the system's own.
        let text = text.split(" (os error").next().unwrap_or_default().to_owned();
        let again = if error.is_recoverable() { "again" } else { "never" };
        said.push(format!("{name} ({again}): {text}"));
        assert_eq!(mock.requests().len(), 1, "{name}: the client asks once");
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_unknown_model_is_not_asked_for_again() {
    let mock = MockOllama::start().unwrap();
    let client = Ollama::new(&mock.url()).unwrap();
    let unknown = Generate { model: "nope".to_owned(), ..request(false) };
    let error = block_on(client.generate(&unknown)).unwrap_err();
    assert!(matches!(error, OllamaError::Status { status: 404, .. }), "{error}");
    assert!(!error.is_recoverable());
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let url = {
        let mock = MockOllama::start().unwrap();
        mock.url()
    };
    let error = block_on(Ollama::new(&url).unwrap().generate(&request(false))).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot reach {url}: ")), "{error}");
    assert!(error.is_recoverable());
}

#[cfg(feature = "https")]
#[test]
fn a_server_without_tls_is_an_error_and_no_panic() {
    let mock = MockOllama::start().unwrap();
    let client = Ollama::new(&mock.url().replace("http:", "https:")).unwrap();
    let error = block_on(client.generate(&request(false))).unwrap_err();
    assert!(matches!(error, OllamaError::Connect { .. }), "{error}");
    assert!(generate(&mock, false).is_ok(), "and http goes on as before");
}

#[test]
fn a_request_that_is_dropped_leaves_nothing_running() {
    let mock = MockOllama::start().unwrap();
    mock.fault(FaultRule::new(Fault::stall()));
    let client = Ollama::new(&mock.url()).unwrap();
    block_on(async {
        let limit = std::time::Duration::from_millis(50);
        let request = request(false);
        assert!(tokio::time::timeout(limit, client.generate(&request)).await.is_err());
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        // Ends when the tasks have; the connection sees first that nobody waits for it.
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn counts_may_be_missing() {
    let mock = MockOllama::start().unwrap();
    let body = json!({"model": "m", "response": "text", "done": true}).to_string();
    mock.stub(Stub::generate().raw(200, "application/json", body));
    let reply = generate(&mock, false).unwrap();
    assert_eq!((reply.text.as_str(), reply.tokens_in, reply.tokens_out), ("text", None, None));
}

#[test]
fn an_answer_is_read_up_to_its_bound() {
    let mock = MockOllama::start().unwrap();
    mock.stub(Stub::generate().raw(200, "application/json", vec![b' '; ANSWER_BYTES_MAX + 1]));
    assert!(matches!(generate(&mock, false), Err(OllamaError::TooLarge { .. })));
    mock.stub(Stub::generate().raw(502, "text/html", "<html>proxy</html>"));
    let error = generate(&mock, false).unwrap_err();
    assert!(error.to_string().ends_with("answers 502: <html>proxy</html>"), "{error}");
}

#[test]
fn answers_of_others_are_no_answers() {
    for body in
        ["[]", "{}", "\"text\"", "{\"done\": true}", "nonsense", "", "{\"response\": \"a\"}"]
    {
        let error = reply::read(body.as_bytes(), "URL").unwrap_err();
        let expected =
            matches!(error, OllamaError::NotOllama { .. } | OllamaError::Unfinished { .. });
        assert!(expected, "{body}: {error}");
    }
}

#[test]
fn urls_are_read_or_refused() {
    for (text, url) in [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://localhost/", "http://localhost:11434"),
        ("http://[::1]:9/ns/a%2Fb/", "http://[::1]:9/ns/a%2Fb"),
    ] {
        assert_eq!(Ollama::new(text).unwrap().url(), url);
    }
    for text in [
        "",
        "localhost:11434",
        "ftp://a",
        "http://",
        "/path",
        "http://host:99999",
        "http://host:abc",
        "http://host:",
        "http://host:0",
    ] {
        let error = Ollama::new(text).unwrap_err();
        assert_eq!(error, AddressError::NotAUrl(text.to_owned()));
    }
    for text in [
        "http://user:word@host",
        "https://user:word@host",
        "http://user:w@rd@host:abc",
        "http://user:wo rd@host",
        "user:word@host",
    ] {
        let error = Ollama::new(text).unwrap_err().to_string();
        assert!(error.contains("…@host") && !error.contains("user"), "{error}");
    }
    let error = Ollama::new(&"x".repeat(1 << 20)).unwrap_err().to_string();
    assert!(error.len() < 200, "{}", error.len());
    match Ollama::new("https://models.example.org") {
        Ok(client) => assert_eq!(client.url(), "https://models.example.org:443"),
        Err(error) => assert!(error.to_string().contains("feature `https`"), "{error}"),
    }
}

#[test]
fn refusals_are_shown_at_their_begin() {
    let mock = MockOllama::start().unwrap();
    mock.stub(Stub::generate().status(400, "no ".repeat(100_000)));
    let error = generate(&mock, false).unwrap_err().to_string();
    assert!(error.contains("no no no") && error.len() < 700, "{}", error.len());
    let gave_up = json!({"error": "no ".repeat(100_000)}).to_string();
    let error = reply::read(gave_up.as_bytes(), "URL").unwrap_err().to_string();
    assert!(error.starts_with("URL gave up: no no") && error.len() < 700, "{}", error.len());
}
