//! What the admin API, the journal and verification say of requests that came over a socket.

use std::net::SocketAddr;

use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::stub::Stub;
use flakedb::testkit::mock_server::verify::Expect;
use serde_json::{Value, json};

use crate::wire;

/// Status, head and body of an answer known whole.
fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &Value,
) -> (u16, String, String) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = wire::request(method, path, &body);
    let request = request.replacen("\r\n", &format!("\r\n{header}"), 1);
    let heard = String::from_utf8(wire::ask(address, &request).bytes).unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

fn admin(address: SocketAddr, method: &str, path: &str, header: &str, body: &Value) -> Value {
    let (status, head, answer) = call(address, method, path, header, body);
    assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    assert!(head.contains("content-type: application/json"), "{head}");
    serde_json::from_str(&answer).unwrap()
}

fn chat(text: &str) -> Value {
    json!({"model": "llama3.2", "stream": false, "messages": [{"role": "user", "content": text}]})
}

#[test]
fn a_test_sees_only_its_own_namespace_however_it_names_it() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    let header = "X-Flakedb-Namespace: a\r\n";
    let key = "Authorization: Bearer ns:a\r\n";
    let stub = json!({"match": {"user": "Hi"}, "reply": "Hello from a."});
    admin(address, "POST", "/__admin/stubs", header, &stub);
    for (path, header) in [("/api/chat", header), ("/api/chat", key), ("/ns/a/api/chat", "")] {
        let (status, _, answer) = call(address, "POST", path, header, &chat("Hi"));
        assert!(status == 200 && answer.contains("Hello from a."), "{path} {header}: {answer}");
    }
    let (_, _, answer) = call(address, "POST", "/api/chat", "", &chat("Hi"));
    assert!(!answer.contains("Hello from a."), "{answer}");
    for (path, header) in
        [("/__admin/requests", header), ("/__admin/requests", key), ("/ns/a/__admin/requests", "")]
    {
        let journal = admin(address, "GET", path, header, &json!(null));
        let requests = journal["requests"].as_array().unwrap();
        let paths: Vec<&Value> = requests.iter().map(|request| &request["path"]).collect();
        assert_eq!(paths, ["/api/chat", "/api/chat", "/api/chat"], "{path} {header}");
    }
    assert_eq!(ollama.requests().len(), 1);
    let listed = admin(address, "GET", "/__admin/namespaces", "", &json!(null));
    assert_eq!(listed["namespaces"][1], json!({"name": "a", "stubs": 1, "requests": 3}));
}

#[test]
fn retries_against_a_fault_are_counted_and_shown() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    let fault = json!({"status": 503, "times": 2, "paths": ["/api/chat", "/v1/*"]});
    admin(address, "PUT", "/__admin/fault", "", &fault);
    // Each API has its own shape of the error.
    let busy = "server busy, please try again.  maximum pending requests exceeded";
    let (status, _, body) = call(address, "POST", "/api/chat", "", &chat("What is the weather?"));
    assert_eq!((status, body), (503, json!({ "error": busy }).to_string()));
    assert_eq!(call(address, "GET", "/api/version", "", &json!(null)).0, 200);
    let (status, _, body) =
        call(address, "POST", "/v1/chat/completions", "", &chat("What is the weather?"));
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &error["error"]["message"]), (503, &json!(busy)));
    assert_eq!(call(address, "POST", "/api/chat", "", &chat("What is the weather?")).0, 200);

    ollama.verify(Expect::requests().user_contains("weather").times(3)).unwrap();
    ollama.verify(Expect::requests().to("/api/chat").times(2)).unwrap();
    let order = ["/api/chat", "/api/version", "/v1/*", "/api/chat"];
    ollama.verify(Expect::in_order(order.map(|path| Expect::requests().to(path)))).unwrap();
    let error = ollama.verify(Expect::requests().user_contains("wether").once()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "wanted exactly 1 request with {\"user\":{\"contains\":\"wether\"}}, got 0\n  \
             request 1 differs in the user text: wants \"wether\", got \"weather\"\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("\n  1. POST /api/chat llama3.2 \"What is the weather?\" -> 503 (fault)\n"),
        "{text}"
    );
    let answers: Vec<Value> =
        admin(address, "GET", "/__admin/requests", "", &json!(null))["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|request| {
                json!([request["index"], request["decision"]["answer"], request["status"]])
            })
            .collect();
    let wanted =
        json!([[1, "fault", 503], [2, "service", 200], [3, "fault", 503], [4, "default", 200]]);
    assert_eq!(json!(answers), wanted);
}

#[test]
fn the_journal_keeps_no_secret() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    for header in
        ["Authorization: Bearer sk-secret\r\n", "X-Api-Key: sk-secret\r\nCookie: a=sk-secret\r\n"]
    {
        call(address, "POST", "/api/chat?api_key=sk-secret", header, &chat("Hi"));
    }
    let (_, _, journal) = call(address, "GET", "/__admin/requests", "", &json!(null));
    assert!(journal.contains("Bearer ***") && !journal.contains("sk-secret"), "{journal}");
}

#[test]
fn a_broken_connection_has_no_status() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    admin(address, "PUT", "/__admin/fault", "", &json!({"kind": "empty", "times": 1}));
    let request = wire::request("POST", "/api/chat", &chat("Hi").to_string());
    assert!(wire::ask(address, &request).bytes.is_empty());
    let journal = admin(address, "GET", "/__admin/requests", "", &json!(null));
    let entry = &journal["requests"][0];
    assert_eq!((&entry["status"], &entry["decision"]["answer"]), (&json!(null), &json!("fault")));
}

#[test]
fn admin_errors_say_what_to_do_and_head_has_no_body() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    let (status, head, body) = call(address, "PUT", "/__admin/health", "", &json!(null));
    assert_eq!((status, head.contains("\r\nallow: get")), (405, true), "{head}");
    assert!(body.contains("use GET"), "{body}");
    assert_eq!(call(address, "GET", "/__admin/nothing", "", &json!(null)).0, 404);
    assert_eq!(call(address, "POST", "/__admin/stubs", "", &json!({"replly": 1})).0, 400);
    let (status, _, body) = call(address, "HEAD", "/__admin/health", "", &json!(null));
    assert_eq!((status, body.as_str()), (200, ""));
    for path in ["/__admin", "/__admin/", "/__admin/health/"] {
        assert_eq!(call(address, "GET", path, "", &json!(null)).0, 200, "{path}");
    }
}

#[test]
fn handles_stay_good_over_a_reset_however_it_is_said() {
    let ollama = MockOllama::start().unwrap();
    let address = ollama.address();
    let mine = ollama.namespace("mine").unwrap();
    let others = ollama.namespace("others").unwrap();
    let ask = |namespace: &str| {
        call(address, "POST", &format!("/ns/{namespace}/api/chat"), "", &chat("Hi")).2
    };
    let resets: [(bool, &dyn Fn()); 4] = [
        (false, &|| mine.reset()),
        (false, &|| drop(admin(address, "POST", "/ns/mine/__admin/reset", "", &json!(null)))),
        (true, &|| ollama.reset()),
        (true, &|| drop(admin(address, "POST", "/__admin/reset?all=true", "", &json!(null)))),
    ];
    for (all, reset) in resets {
        for handle in [&mine, &others] {
            handle.stub(Stub::chat().user("Hi").reply("Before."));
        }
        assert!(ask("mine").contains("Before.") && ask("others").contains("Before."));
        reset();
        assert!(mine.requests().is_empty() && !ask("mine").contains("Before."));
        assert_eq!(ask("others").contains("Before."), !all);
        // What the handle does afterwards is what the socket sees, and the other way round.
        mine.stub(Stub::chat().user("Hi").reply("After."));
        assert!(ask("mine").contains("After."));
        mine.verify(Expect::requests().to("/api/chat").times(2)).unwrap();
        others.verify(Expect::requests().to("/api/chat").times(if all { 1 } else { 2 })).unwrap();
        ollama.reset();
    }
}
