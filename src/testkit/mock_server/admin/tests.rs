#![expect(clippy::needless_pass_by_value, reason = "a test writes its JSON in the call")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::{Value, json};

use super::service::SCHEMA;
use super::{ENDPOINTS, PREFIX, parameter, respond};
use crate::testkit::mock_server::clock::Clock;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::namespace::Beginning;
use crate::testkit::mock_server::namespace::Responded;
use crate::testkit::mock_server::script::{Delivery, Script};
use crate::testkit::mock_server::settings::Settings;
use crate::testkit::mock_server::stub::Stubs;
use crate::testkit::mock_server::timing::Span;
use crate::testkit::mock_server::world::{Options, World};

fn noon() -> DateTime<Utc> {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

/// A server without a socket.
struct Server(World);

impl Server {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let beginning = Beginning {
            settings,
            models: Models::new(["llama3.2", "all-minilm"]),
            stubs: Stubs::default(),
        };
        let options = Options { body_bytes_max: 1 << 20, checks_host: false };
        Self(World::new(options, beginning, Clock::virtual_from(noon()), None))
    }

    fn exchange(method: &str, target: &str, body: &str) -> Exchange {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut exchange = Exchange::bare(method, path, body);
        exchange.query = query.to_owned();
        exchange.received_at = noon();
        exchange
    }

    fn script(&self, method: &str, target: &str, body: &str) -> Script {
        let exchange = Self::exchange(method, target, body);
        respond(&exchange, &self.0, &self.0.default_namespace())
    }

    /// Calls an endpoint, checks body and answer against the schema, and gives status and answer.
    fn admin(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let script = self.script(method, &format!("{PREFIX}{target}"), &text);
        let answer: Value = serde_json::from_slice(&script.bytes()).unwrap();
        check_against_schema(method, target, body, script.status, &answer);
        (script.status, answer)
    }

    /// The same where it must do what it was asked.
    fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let (status, answer) = self.admin(method, target, &body);
        assert!((200..300).contains(&status), "{method} {target} {body}: {status} {answer}");
        answer
    }

    /// The same where it must not; gives status and text.
    fn refused(&self, method: &str, target: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.admin(method, target, &body);
        assert!(status >= 400, "{method} {target} {body}: {status} {answer}");
        (status, answer["error"].as_str().unwrap().to_owned())
    }

    /// Sends a request to the server itself; gives status and body.
    fn send(&self, method: &str, target: &str, body: &Value) -> (u16, String) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        match self.0.default_namespace().respond(Self::exchange(method, target, &text), None) {
            Responded::Here(Delivery::Http(script)) => {
                (script.status, String::from_utf8(script.bytes()).unwrap())
            }
            _ => panic!("{method} {target}: not answered in HTTP"),
        }
    }

    fn chat(&self, text: &str) -> (u16, String) {
        let messages = json!([{"role": "user", "content": text}]);
        let body = json!({"model": "llama3.2", "stream": false, "messages": messages});
        self.send("POST", "/api/chat", &body)
    }
}

fn part(schema: &Value, reference: &Value) -> Value {
    json!({"$ref": reference["$ref"], "$defs": schema["$defs"]})
}

fn check_against_schema(method: &str, target: &str, body: &Value, status: u16, answer: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let path = target.split('?').next().unwrap();
    let endpoint = ENDPOINTS
        .iter()
        .find(|endpoint| endpoint.method == method && parameter(endpoint.path, path).is_some());
    let (row, expected) = match (endpoint, status) {
        (Some(endpoint), 200..300) => {
            let row = &schema["x-endpoints"][format!("{method} {PREFIX}{}", endpoint.path)];
            assert_eq!(row["status"], status, "{method} {target}");
            (Some(row), row["response"].clone())
        }
        (_, 422) => (None, json!({"$ref": "#/$defs/failed_verification"})),
        _ => (None, json!({"$ref": "#/$defs/error"})),
    };
    let valid = |reference: &Value, value: &Value| {
        let validator = jsonschema::validator_for(&part(&schema, reference)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {target}: {errors:?} in {value:#}");
    };
    valid(&expected, answer);
    match row.and_then(|row| row.get("request")) {
        Some(request) if !body.is_null() => valid(request, body),
        _ => {}
    }
}

#[test]
fn the_schema_has_every_endpoint_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let described: Vec<&String> = schema["x-endpoints"].as_object().unwrap().keys().collect();
    let served: Vec<String> = ENDPOINTS
        .iter()
        .map(|endpoint| format!("{} {PREFIX}{}", endpoint.method, endpoint.path))
        .collect();
    for call in &served {
        assert!(described.contains(&call), "the schema lacks {call}");
    }
    assert_eq!(described.len(), served.len());
}

#[test]
fn the_documents_name_every_endpoint_and_every_rule_of_the_audit() {
    let documents = include_str!("../../../../docs/mock-admin.md");
    for endpoint in ENDPOINTS {
        let call = format!("{} {PREFIX}{}", endpoint.method, endpoint.path);
        assert!(documents.contains(&call), "docs/mock-admin.md lacks {call}");
    }
    for rule in crate::testkit::mock_server::audit::RULES {
        let row = format!("| `{}` | {} |", rule.code, rule.about);
        assert!(documents.contains(&row), "docs/mock-admin.md lacks {row}");
    }
}

#[test]
fn answers_are_indented_and_end_in_a_line_end() {
    let script = Server::new().script("GET", "/__admin/clock", "");
    assert_eq!(
        String::from_utf8(script.bytes()).unwrap(),
        "{\n  \"now\": \"2026-11-26T12:00:00.000000Z\",\n  \"virtual\": true\n}\n"
    );
    assert_eq!(script.headers[0].1, "application/json; charset=utf-8");
}

#[test]
fn settings_are_changed_one_by_one_or_not_at_all() {
    let server = Server::new();
    let before = server.ok("GET", "/settings", json!(null));
    insta::assert_json_snapshot!(before);
    let changes = json!({
        "latency_ms": 250, "default_model": "qwen3", "unknown_models": "allow",
        "default_replies": {"weather": "Sunny."}, "auto": true, "seed": 7,
        "faults": [{"status": 503, "first": 2, "paths": ["/api/chat"]}],
        "chaos": "framing,overload:0.2",
    });
    insta::assert_json_snapshot!(server.ok("PATCH", "/settings", changes));
    {
        let namespace = server.0.default_namespace();
        let state = namespace.state();
        let latency = Some(Span::Fixed(Duration::from_millis(250)));
        assert_eq!(state.settings.timing.latency, latency);
        assert_eq!(state.models.names()[0], "qwen3:latest");
        assert_eq!(state.settings.faults.len(), 3);
    }
    let (status, error) =
        server.refused("PATCH", "/settings", json!({"seed": 9, "unknown_models": "maybe"}));
    assert_eq!(
        (status, error.as_str()),
        (400, "`unknown_models` is \"allow\" or \"reject\", not \"maybe\"")
    );
    assert_eq!(server.ok("GET", "/settings", json!(null))["seed"], 7);
    let nulls: Value =
        before.as_object().unwrap().keys().map(|key| (key.clone(), Value::Null)).collect();
    assert_eq!(server.ok("PATCH", "/settings", nulls), before);
}

#[test]
fn latency_is_one_setting_under_two_names() {
    let server = Server::new();
    let change = |body: Value| {
        let shown = server.ok("PATCH", "/settings", body);
        (shown["latency_ms"].clone(), shown["timing"].clone())
    };
    change(json!({"latency_ms": 200}));
    let both = json!({"latency": 200, "per_token": 20});
    assert_eq!(change(json!({"timing": {"per_token": 20}})), (json!(200), both));
    assert_eq!(change(json!({"timing": {"latency": 30}})), (json!(30), json!({"latency": 30})));
    assert_eq!(change(json!({"timing": {"latency": 0}})), (json!(0), json!({})));
    change(json!({"latency_ms": 200, "timing": {"jitter": 0.5}}));
    assert_eq!(change(json!({"timing": null})), (json!(0), json!({})));
}

#[test]
fn what_was_read_can_be_sent_back() {
    let server = Server::new();
    server.ok(
        "PATCH",
        "/settings",
        json!({"latency_ms": {"lognormal": {"median": 200, "sigma": 0.4}},
               "timing": {"tokens_per_second": 50, "jitter": 0.1},
               "default_replies": [{"keyword": "a", "text": "b"}, ["c", "d"], {"e": "f"}],
               "faults": {"kind": "reset", "after_bytes": 40}, "chaos": ["flaky-network"]}),
    );
    let read = server.ok("GET", "/settings", json!(null));
    assert_eq!(read["default_replies"], json!({"a": "b", "c": "d", "e": "f"}));
    assert_eq!(server.ok("PATCH", "/settings", read.clone()), read);
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let server = Server::new();
    let errors: Vec<String> = [
        ("PATCH", "/settings", json!({"latncy_ms": 5})),
        ("PATCH", "/settings", json!({"latency_ms": "soon"})),
        ("PATCH", "/settings", json!({"latency_ms": -1})),
        ("PATCH", "/settings", json!({"default_replies": 5})),
        ("PATCH", "/settings", json!({"default_replies": {"a": 1}})),
        ("PATCH", "/settings", json!({"seed": 1.5})),
        ("PATCH", "/settings", json!({"strict": "yes"})),
        ("PATCH", "/settings", json!({"chaos": "earthquake"})),
        ("PATCH", "/settings", json!({"faults": [{"kind": "reset"}, 5]})),
        ("PATCH", "/settings", json!([])),
        ("POST", "/stubs", json!(null)),
        ("POST", "/stubs", json!({"match": {"usr": "Hi"}, "reply": "Hello"})),
        ("POST", "/stubs", json!([{"reply": "a"}, {"replyy": "b"}])),
        ("GET", "/stubs/9", json!(null)),
        ("PUT", "/fault", json!({})),
        ("PUT", "/fault", json!({"status": 9})),
        ("PUT", "/fault", json!({"status": 503, "times": -1})),
        ("PUT", "/fault", json!({"status": 503, "tmes": 1})),
        ("POST", "/models", json!({})),
        ("POST", "/models", json!({"name": "a b"})),
        ("POST", "/models", json!({"name": "a", "capabilities": ["flying"]})),
        ("DELETE", "/models", json!(null)),
        ("GET", "/requests?matchd=true", json!(null)),
        ("GET", "/requests?matched=maybe", json!(null)),
        ("GET", "/requests/1", json!(null)),
        ("POST", "/routes", json!({"status": 200})),
        ("POST", "/routes", json!({"path": "x"})),
        ("POST", "/routes", json!({"path": "/__admin/x"})),
        ("POST", "/routes", json!({"path": "/x", "headers": {"Content-Length": "5"}})),
        ("POST", "/routes", json!({"path": "/x", "headers": {"a b": "5"}})),
        ("POST", "/routes", json!({"path": "/x", "headers": {"a": "b\n"}})),
        ("POST", "/routes", json!({"path": "/x", "body": "a", "body_base64": "YQ=="})),
        ("POST", "/routes", json!({"path": "/x", "body_base64": "?"})),
        ("POST", "/routes", json!({"path": "/x?a=1"})),
        ("POST", "/routes", json!({"path": "/x", "method": "GET /"})),
        ("POST", "/stubs", json!({"settings": {}, "match": {}, "reply": "a"})),
        ("POST", "/stubs", json!({"models": ["a b"], "stubs": []})),
        ("PATCH", "/settings", json!({"not_in_registry": ["a b"]})),
        ("PUT", "/states", json!({"chekout": "paid"})),
        ("GET", "/requests?answer=foo", json!(null)),
        ("GET", "/journal", json!(null)),
        ("POST", "/clock", json!({"advance_ms": -1})),
        ("POST", "/verify", json!({"match": {"usr": "Hi"}})),
        ("POST", "/verify", json!({"times": 1, "never": true})),
        ("POST", "/verify", json!({"at_least": 3, "at_most": 2})),
        ("POST", "/verify", json!({"in_order": [{"times": 1}, 5]})),
        ("GET", "/setings", json!(null)),
        ("POST", "/health", json!(null)),
    ]
    .into_iter()
    .map(|(method, target, body)| {
        let (status, error) = server.refused(method, target, body.clone());
        format!("{method} {target} {body}\n  {status} {error}")
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_body_that_is_no_json_is_refused_everywhere() {
    let server = Server::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.method != "GET") {
        let path = format!("{PREFIX}{}", endpoint.path.replace("{id}", "1"));
        let script = server.script(endpoint.method, &path, "{\"a\":");
        let takes = !matches!(
            (endpoint.method, endpoint.path),
            (
                "DELETE",
                "/stubs" | "/stubs/{id}" | "/models/{name}" | "/fault" | "/requests" | "/routes"
            )
        );
        assert_eq!(script.status == 400, takes, "{} {path}", endpoint.method);
    }
}

#[test]
fn models_come_and_go() {
    let server = Server::new();
    let added = server.ok("POST", "/models", json!({"name": "qwen3:4b", "capabilities": "tools"}));
    assert_eq!(
        added,
        json!({"name": "qwen3:4b", "capabilities": ["tools"], "modified_at": "2026-11-26T12:00:00Z"})
    );
    server.ok("POST", "/models", json!({"model": "qwen3:4b"}));
    let names = |listed: &Value| -> Vec<String> {
        let models = listed["models"].as_array().unwrap();
        models.iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect()
    };
    let listed = server.ok("GET", "/models", json!(null));
    assert_eq!(names(&listed), ["qwen3:4b", "llama3.2:latest", "all-minilm:latest"]);
    let left = server.ok("DELETE", "/models?name=llama3.2", json!(null));
    assert_eq!(names(&left), ["qwen3:4b", "all-minilm:latest"]);
    assert_eq!(left["removed"], true);
    assert_eq!(server.ok("DELETE", "/models/qwen3:4b", json!(null))["removed"], true);
    server.ok("POST", "/models", json!({"name": "me/qwen3:4b"}));
    assert_eq!(server.ok("DELETE", "/models/me%2Fqwen3:4b", json!(null))["removed"], true);
    server.ok("POST", "/models", json!({"name": "qwen3:4b"}));
    server.ok("DELETE", "/models", json!({"name": "qwen3:4b"}));
    assert_eq!(server.ok("DELETE", "/models?name=qwen3:4b", json!(null))["removed"], false);
    server.ok("POST", "/reset", json!(null));
    let listed = server.ok("GET", "/models", json!(null));
    assert_eq!(names(&listed), ["llama3.2:latest", "all-minilm:latest"]);
}

#[test]
fn a_route_answers_in_place_of_the_api_and_the_journal_says_so() {
    let server = Server::new();
    assert_eq!(server.send("GET", "/x", &json!(null)).0, 404);
    server.ok("POST", "/routes", json!({"path": "/x", "body": "hello"}));
    server.ok(
        "POST",
        "/routes",
        json!([{"method": "post", "path": "/y/*", "status": 201, "body": {"a": 1},
                "headers": {"X-One": ["a", "b"], "X-Two": 2}},
               {"path": "/z", "json": "text", "content_type": "text/x"}]),
    );
    assert_eq!(server.send("GET", "/x", &json!(null)), (200, "hello".to_owned()));
    assert_eq!(server.send("POST", "/y/1", &json!(null)), (201, "{\"a\":1}".to_owned()));
    assert_eq!(server.send("GET", "/y/1", &json!(null)).0, 404);
    assert_eq!(server.send("GET", "/z", &json!(null)), (200, "\"text\"".to_owned()));
    // The same method and path again: the new answer is the only one.
    server.ok("POST", "/routes", json!({"path": "/x", "body_base64": "/w=="}));
    let listed = server.ok("GET", "/routes", json!(null));
    insta::assert_json_snapshot!(listed);
    let answers: Vec<Value> = server.ok("GET", "/requests", json!(null))["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| json!([request["path"], request["status"], request["decision"]["answer"]]))
        .collect();
    assert_eq!(
        json!(answers),
        json!([
            ["/x", 404, "refused"],
            ["/x", 200, "route"],
            ["/y/1", 201, "route"],
            ["/y/1", 404, "refused"],
            ["/z", 200, "route"]
        ])
    );
    assert_eq!(server.ok("DELETE", "/routes?path=/x", json!(null))["removed"], 1);
    assert_eq!(server.send("GET", "/x", &json!(null)).0, 404);
    assert_eq!(server.ok("DELETE", "/routes?path=/x", json!(null))["removed"], 0);
    server.ok("DELETE", "/routes", json!(null));
    assert_eq!(server.ok("GET", "/routes", json!(null)), json!({"routes": []}));
    let nested = json!({"method": "PUT", "path": "/r", "response": {"status": 202, "body": "ok"}});
    server.ok("POST", "/routes", nested);
    assert_eq!(server.send("PUT", "/r", &json!(null)), (202, "ok".to_owned()));
}

#[test]
fn a_fault_strikes_the_next_requests_on_its_paths() {
    let server = Server::new();
    for path in ["/a", "/b"] {
        server.ok("POST", "/routes", json!({"path": path, "body": "fine"}));
    }
    let fault = json!({"status": 503, "body": {"error": "later"}, "times": 2, "paths": ["/a"]});
    assert_eq!(server.ok("PUT", "/fault", fault.clone())["fault"]["times"], 2);
    let statuses: Vec<u16> = ["/b", "/a", "/b", "/a", "/a"]
        .iter()
        .map(|path| server.send("GET", path, &json!(null)).0)
        .collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200]);
    assert_eq!(server.ok("GET", "/fault", json!(null)), json!({"fault": null}));
    // Without `times` it lasts until it is taken away; null is as if absent.
    server.ok(
        "PUT",
        "/fault",
        json!({"status": 429, "body": "slow down", "times": null, "paths": null}),
    );
    for _ in 0..3 {
        assert_eq!(server.send("GET", "/b", &json!(null)), (429, "slow down".to_owned()));
    }
    server.ok("DELETE", "/fault", json!(null));
    assert_eq!(server.send("GET", "/b", &json!(null)).0, 200);
    let struck = server.ok("GET", "/requests?answer=fault", json!(null));
    assert_eq!(struck["requests"].as_array().unwrap().len(), 5);
    assert_eq!(struck["requests"][0]["decision"]["faults"][0]["status"], 503);
}

#[test]
fn any_fault_can_be_put_and_is_shown_as_it_was() {
    let server = Server::new();
    for fault in [
        json!({"kind": "cut", "after_bytes": 40, "times": null}),
        json!({"kind": "slice", "bytes": 7, "times": 3, "paths": ["/api/*"]}),
        json!({"faults": [{"kind": "crlf"}, {"kind": "bom"}], "times": null}),
        json!({"kind": "reset", "first": 2, "times": null}),
    ] {
        assert_eq!(server.ok("PUT", "/fault", fault.clone())["fault"], fault);
        assert_eq!(server.ok("GET", "/fault", json!(null))["fault"], fault);
    }
}

#[test]
fn a_reset_returns_to_how_the_server_started_and_to_nothing_else() {
    let settings = Settings {
        seed: 5,
        faults: vec![FaultRule::new(Fault::status(503)).first(1)],
        ..Settings::default()
    };
    let server = Server::with(settings);
    let door = json!({"scenario": "door", "state": "open", "match": {"user": "a"}, "reply": "b"});
    let read = || -> Vec<(&str, Value)> {
        let reading = ENDPOINTS.iter().filter(|row| row.method == "GET" && !row.path.contains('{'));
        // The clock and the list of namespaces are the server's.
        let reading = reading.filter(|row| row.path != "/clock" && row.path != "/namespaces");
        reading.map(|row| (row.path, server.ok("GET", row.path, json!(null)))).collect()
    };
    let first = read();
    server.ok(
        "PATCH",
        "/settings",
        json!({"seed": 6, "faults": [], "timing": {"per_token": 1}, "latency_ms": 1, "auto": true,
               "not_in_registry": ["gone"], "default_model": "phi4", "unknown_models": "allow",
               "default_replies": {"a": "b"}, "strict": true, "chaos": "framing"}),
    );
    server.ok("POST", "/stubs", door);
    server.ok("PUT", "/states", json!({"door": "open"}));
    server.ok("POST", "/models", json!({"name": "tiny:1b"}));
    server.ok("POST", "/routes", json!({"path": "/x"}));
    server.send("GET", "/x", &json!(null));
    server.send("POST", "/api/chat", &json!({"model": "llama3.2", "optoins": {}}));
    server.ok("PUT", "/fault", json!({"status": 503}));
    let changed = read();
    let pairs = first.iter().zip(&changed);
    let same: Vec<&str> =
        pairs.filter(|(before, now)| before == now).map(|((path, _), _)| *path).collect();
    assert_eq!(same, ["/", "/schema"], "everything else was changed");
    server.0.namespace("other").unwrap().state().settings.seed = 9;
    assert_eq!(server.ok("POST", "/reset", json!(null)), json!({"reset": ""}));
    let mut after = read();
    for (path, answer) in &mut after {
        if *path == "/health" {
            // Another namespace came, which is no part of this one.
            assert_eq!(answer["namespaces"].take(), 2);
            answer["namespaces"] = json!(1);
        }
    }
    assert_eq!(after, first);
    assert_eq!(server.0.namespace("other").unwrap().state().settings.seed, 9);
    let listed = server.ok("GET", "/namespaces", json!(null));
    assert_eq!(listed["namespaces"].as_array().unwrap().len(), 2);
    server.ok("POST", "/reset?all=true", json!(null));
    let listed = server.ok("GET", "/namespaces", json!(null));
    assert_eq!(listed["namespaces"].as_array().unwrap().len(), 1);
}

#[test]
fn a_virtual_clock_moves_and_the_machines_does_not() {
    let server = Server::new();
    let moved = server.ok("POST", "/clock", json!({"advance_ms": 1500.5}));
    assert_eq!(moved, json!({"now": "2026-11-26T12:00:01.500500Z", "virtual": true}));
    let beginning = Beginning {
        settings: Settings::default(),
        models: Models::default(),
        stubs: Stubs::default(),
    };
    let options = Options { body_bytes_max: 1, checks_host: false };
    let server = Server(World::new(options, beginning, Clock::system(), None));
    assert_eq!(server.refused("POST", "/clock", json!({"advance_ms": 1})).0, 409);
    assert_eq!(server.ok("GET", "/clock", json!(null))["virtual"], false);
}

#[test]
fn stubs_are_put_listed_and_removed() {
    let server = Server::new();
    let stub =
        json!({"name": "weather", "match": {"user": {"contains": "weather"}}, "reply": "Sunny."});
    let added = server.ok("POST", "/stubs", stub);
    assert_eq!((&added["id"], &added["matched"]), (&json!(1), &json!(0)));
    let more = json!({"stubs": [{"match": {"model": "tiny:1b"}, "reply": "b"}, {"reply": "c"}]});
    assert_eq!(server.ok("POST", "/stubs", more)["ids"], json!([2, 3]));
    // The model that a stub names is there.
    assert_eq!(server.ok("GET", "/models", json!(null))["models"][0]["name"], "tiny:1b");
    assert_eq!(server.ok("GET", "/stubs/weather", json!(null))["id"], 1);
    // What was read can be posted again.
    let read = server.ok("GET", "/stubs/2", json!(null));
    let again = server.ok("POST", "/stubs", read.clone());
    assert_eq!((&again["match"], &again["reply"]), (&read["match"], &read["reply"]));
    let left = server.ok("DELETE", "/stubs/2", json!(null));
    assert_eq!(left["stubs"].as_array().unwrap().len(), 3);
    server.ok("DELETE", "/stubs", json!(null));
    assert_eq!(server.ok("GET", "/stubs", json!(null)), json!({"stubs": []}));
}

#[test]
fn a_text_of_json_has_one_type_whoever_answers_with_it() {
    let server = Server::new();
    for (text, wanted) in [
        ("{\"a\":1}", "application/json"),
        ("later", "text/plain; charset=utf-8"),
        ("42", "text/plain; charset=utf-8"),
    ] {
        let raw = json!({"match": {"user": "Hi"}, "raw": {"status": 200, "body": text}});
        let puts = [
            ("POST", "/stubs", raw, "/api/chat"),
            ("POST", "/routes", json!({"path": "/x", "body": text}), "/x"),
            ("PUT", "/fault", json!({"status": 503, "body": text, "times": 1}), "/api/chat"),
        ];
        for (method, target, body, path) in puts {
            server.ok(method, target, body);
            let messages = json!([{"role": "user", "content": "Hi"}]);
            let asked = json!({"model": "llama3.2", "messages": messages}).to_string();
            let exchange = Server::exchange("POST", path, &asked);
            let Responded::Here(Delivery::Http(script)) =
                server.0.default_namespace().respond(exchange, None)
            else {
                panic!("{path}: not answered in HTTP")
            };
            let header = ("content-type".to_owned(), wanted.to_owned());
            assert!(script.headers.contains(&header), "{target} {text}: {:?}", script.headers);
            assert_eq!(script.bytes(), text.as_bytes());
        }
    }
}

#[test]
fn a_whole_rule_file_is_put_or_nothing_of_it() {
    let server = Server::new();
    let rules = json!({
        "models": ["tiny:1b", {"name": "qwen3"}],
        "settings": {"seed": 7, "unknown_models": "allow", "default_model": "phi4"},
        "chaos": ["overload"],
        "stubs": [{"reply": "a"}],
    });
    assert_eq!(server.ok("POST", "/stubs", rules.clone())["ids"], json!([1]));
    let settings = server.ok("GET", "/settings", json!(null));
    assert_eq!(settings["seed"], 7);
    assert_eq!(settings["unknown_models"], "allow");
    assert_eq!(settings["default_model"], "phi4");
    assert_eq!(settings["chaos"].as_array().unwrap().len(), 1);
    for text in ["old", "new"] {
        let replies = json!({"settings": {"default_replies": {"weather": text}}});
        server.ok("POST", "/stubs", replies);
    }
    let settings = server.ok("GET", "/settings", json!(null));
    assert_eq!(settings["default_replies"], json!({"weather": "new"}));
    let listed = server.ok("GET", "/models", json!(null)).to_string();
    assert!(["tiny:1b", "qwen3:latest", "phi4:latest"].iter().all(|name| listed.contains(name)));
    let server = Server::new();
    let before = server.ok("GET", "/settings", json!(null));
    for wrong in [json!(["a b"]), json!([5])] {
        let mut rules = rules.clone();
        rules["models"] = wrong;
        let script = server.script("POST", &format!("{PREFIX}/stubs"), &rules.to_string());
        assert_eq!(script.status, 400);
        assert_eq!(server.ok("GET", "/settings", json!(null)), before);
        assert_eq!(server.ok("GET", "/stubs", json!(null)), json!({"stubs": []}));
    }
}

#[test]
fn states_are_read_and_set() {
    let server = Server::new();
    server.ok(
        "POST",
        "/stubs",
        json!([{"scenario": "door", "state": "open", "match": {"user": "next"}, "reply": "Open."},
               {"state": "b", "match": {"user": "other"}, "reply": "b"}]),
    );
    let start = json!({"": "start", "door": "start"});
    assert_eq!(server.ok("GET", "/states", json!(null)), start);
    assert!(!server.chat("next").1.contains("Open."));
    let open = json!({"": "start", "door": "open"});
    assert_eq!(server.ok("PUT", "/states", json!({"door": "open"})), open);
    assert!(server.chat("next").1.contains("Open."));
    server.refused("PUT", "/states", json!({"door": "shut", "": "b", "dor": "open"}));
    assert_eq!(server.ok("GET", "/states", json!(null)), open);
    assert_eq!(server.ok("PUT", "/states", json!({"door": null})), start);
}

#[test]
fn a_pull_does_not_find_what_the_settings_say() {
    let server = Server::new();
    let set = server.ok("PATCH", "/settings", json!({"not_in_registry": ["gone", "a/b:1b"]}));
    assert_eq!(set["not_in_registry"], json!(["a/b:1b", "gone:latest"]));
    let pull =
        |model: &str| server.send("POST", "/api/pull", &json!({"model": model, "stream": false})).0;
    assert_eq!((pull("gone"), pull("here")), (500, 200));
    server.ok("PATCH", "/settings", json!({"not_in_registry": null}));
    assert_eq!(pull("gone"), 200);
}

#[test]
fn requests_are_filtered_by_model_in_any_spelling() {
    let server = Server::new();
    server.chat("Hi");
    for (model, count) in [("llama3.2", 1), ("llama3.2:latest", 1), ("LLAMA3.2", 1), ("x", 0)] {
        let listed = server.ok("GET", &format!("/requests?model={model}"), json!(null));
        assert_eq!(listed["requests"].as_array().unwrap().len(), count, "{model}");
    }
}

#[test]
fn the_journal_shows_what_matched_and_verification_what_did_not() {
    let server = Server::new();
    server.ok(
        "POST",
        "/stubs",
        json!({"match": {"user": {"contains": "weather"}}, "reply": "Sunny."}),
    );
    let (status, body) = server.chat("What is the weather?");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("Sunny."), "{body}");
    server.chat("What is the wether?");
    server.send(
        "POST",
        "/api/chat",
        &json!({"model": "nobody", "messages": [{"role": "user", "content": "Hi"}]}),
    );
    server.ok("PUT", "/fault", json!({"status": 503, "times": 1}));
    server.chat("And the weather now?");
    let requests = server.ok("GET", "/requests", json!(null));
    insta::assert_json_snapshot!(requests);
    assert_eq!(server.ok("GET", "/requests?matched=true", json!(null))["requests"][0]["index"], 1);
    assert_eq!(
        server.ok("GET", "/requests?after=2&limit=1", json!(null))["requests"][0]["index"],
        3
    );
    assert_eq!(server.ok("GET", "/requests/2", json!(null)), requests["requests"][1]);
    let audit = server.ok("GET", "/audit", json!(null));
    assert_eq!(audit["notes"][0]["code"], "default-stream");
    assert_eq!(audit["notes"][0]["requests"], json!([3]));

    // A request that a fault or a check answered counts as well.
    let weather = json!({"match": {"route": "chat", "user": {"contains": "weather"}}, "times": 2});
    let verified = server.ok("POST", "/verify", weather);
    assert_eq!(verified, json!({"verified": true, "count": 2, "requests": [1, 4], "dropped": 0}));
    server.ok("POST", "/verify", json!({"match": {"model": "nobody", "user": "Hi"}, "once": true}));
    let (status, error) = server.refused(
        "POST",
        "/verify",
        json!({"match": {"route": "/api/chat", "user": {"contains": "weather"}}, "times": {"at_least": 3}}),
    );
    assert_eq!(status, 422);
    insta::assert_snapshot!(error);
}

#[test]
fn admin_calls_are_not_in_the_journal() {
    let server = Server::new();
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.method == "GET") {
        server.script("GET", &format!("{PREFIX}{}", endpoint.path), "");
    }
    assert!(server.0.default_namespace().state().journal.is_empty());
}

/// Runs a `curl` of the documents; gives what it prints.
fn curl(server: &Server, command: &str) -> String {
    const URL: &str = "http://127.0.0.1:11434";
    let (before, body) = match command.split_once(" -d '") {
        Some((before, body)) => (before, body.strip_suffix('\'').unwrap()),
        None => (command, ""),
    };
    let words: Vec<&str> = before.split(' ').map(|word| word.trim_matches('\'')).collect();
    let silent = words.starts_with(&["curl", "-o", "/dev/null"]);
    let words = if silent { [&words[..1], &words[3..]].concat() } else { words };
    let (method, url) = match words.as_slice() {
        ["curl", "-X", method, url] => (*method, *url),
        ["curl", url] => (if body.is_empty() { "GET" } else { "POST" }, *url),
        other => panic!("{other:?}"),
    };
    let target = url.strip_prefix(URL).unwrap();
    match target.starts_with(PREFIX) {
        true => String::from_utf8(server.script(method, target, body).bytes()).unwrap(),
        false => {
            let body = serde_json::from_str(body).unwrap_or_default();
            let answer = server.send(method, target, &body).1;
            if silent { String::new() } else { format!("{answer}\n") }
        }
    }
}

#[test]
fn the_documents_show_what_the_calls_really_give() {
    let documents = include_str!("../../../../docs/mock-admin.md");
    let server = Server::new();
    let mut shown = String::new();
    let mut calls = 0;
    let mut in_answer = false;
    for line in documents.lines() {
        in_answer &= line != "```";
        if in_answer {
            continue;
        }
        shown.push_str(line);
        shown.push('\n');
        if let Some(command) = line.strip_prefix("$ ") {
            shown.push_str(&curl(&server, command));
            calls += 1;
            in_answer = true;
        }
    }
    assert!(calls > 20, "{calls} calls");
    assert!(shown == documents, "docs/mock-admin.md is out of date; it would be:\n{shown}");
}

/// Values of a part of the schema, most of them as it has them and some not.
fn values(schema: &Value, part: &Value, depth: u32) -> BoxedStrategy<Value> {
    let odd = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-10.0..1e300).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["/api/*", "a b", "*", "chat", "stub", "1.5s", "/x", "llama3.2"])
            .prop_map(Value::from),
        Just(json!([[{"a": null}], {}])),
        Just(json!({})),
    ];
    match if depth == 0 { None } else { fitting(schema, part, depth) } {
        Some(fitting) => prop_oneof![6 => fitting, 1 => odd].boxed(),
        None => odd.boxed(),
    }
}

/// Values that a part of the schema allows, near enough.
fn fitting(schema: &Value, part: &Value, depth: u32) -> Option<BoxedStrategy<Value>> {
    if let Some(name) = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return Some(values(schema, &schema["$defs"][name], depth));
    }
    if let Some(properties) = part["properties"].as_object() {
        let fields = properties.iter().map(|(name, part)| {
            let (name, value) = (name.clone(), values(schema, part, depth - 1));
            prop::option::weighted(0.3, value.prop_map(move |value| (name.clone(), value))).boxed()
        });
        let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = fields.collect();
        let object = |fields: Vec<Option<_>>| Value::Object(fields.into_iter().flatten().collect());
        return Some(fields.prop_map(object).boxed());
    }
    if let Some(parts) = part["anyOf"].as_array() {
        return Some(Union::new(parts.iter().map(|part| values(schema, part, depth))).boxed());
    }
    if let Some(allowed) = part["enum"].as_array() {
        return Some(prop::sample::select(allowed.clone()).boxed());
    }
    if let Some(items) = part.get("items") {
        let items = values(schema, items, depth - 1);
        return Some(prop::collection::vec(items, 0..3).prop_map(Value::from).boxed());
    }
    if part["additionalProperties"].is_object() {
        let value = values(schema, &part["additionalProperties"], depth - 1);
        let pairs = prop::collection::vec(("[a-z*]{0,4}", value), 0..3);
        return Some(pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed());
    }
    let kind = part["type"].as_str().or_else(|| part["type"][0].as_str());
    match kind {
        Some("integer") => Some((0..1000u64).prop_map(Value::from).boxed()),
        Some("number") => Some((0.0..2.0).prop_map(Value::from).boxed()),
        Some("boolean") => Some(any::<bool>().prop_map(Value::from).boxed()),
        Some("string") => Some("[ -~]{0,8}".prop_map(Value::from).boxed()),
        _ => part.get("const").map(|value| Just(value.clone()).boxed()),
    }
}

/// A writing call, with a body that looks like what the schema has for it.
fn writing() -> BoxedStrategy<(&'static str, String, Value)> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let calls = ENDPOINTS.iter().filter(|endpoint| endpoint.method != "GET").map(|endpoint| {
        let row = &schema["x-endpoints"][format!("{} {PREFIX}{}", endpoint.method, endpoint.path)];
        let body = match row.get("request") {
            Some(request) => values(&schema, request, 5),
            None => Just(Value::Null).boxed(),
        };
        let path = endpoint.path.replace("{id}", "1").replace("{name}", "llama3.2");
        body.prop_map(move |body| (endpoint.method, path.clone(), body)).boxed()
    });
    Union::new(calls).boxed()
}

fn is_known(status: u16) -> bool {
    matches!(status, 200 | 201 | 400 | 404 | 405 | 409 | 422)
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_looks_like_the_schema_never_makes_it_panic(
        calls in prop::collection::vec(writing(), 1..12),
        text in "\\PC{0,12}",
    ) {
        let server = Server::new();
        let messages = json!([{"role": "user", "content": text}]);
        let chat = json!({"model": "llama3.2", "stream": false, "messages": messages}).to_string();
        for (method, path, body) in &calls {
            let script = server.script(method, &format!("{PREFIX}{path}"), &body.to_string());
            prop_assert!(is_known(script.status), "{} {} {}", method, path, body);
            // What was set answers, and is shown.
            server.0.default_namespace().respond(Server::exchange("POST", "/api/chat", &chat), None);
            for read in ENDPOINTS.iter().filter(|endpoint| endpoint.method == "GET") {
                let script = server.script("GET", &format!("{PREFIX}{}", read.path), "");
                prop_assert!(is_known(script.status), "GET {} after {}", read.path, body);
            }
        }
    }

    #[test]
    fn nothing_sent_to_the_admin_api_makes_it_panic(
        method in proptest::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "X"]),
        endpoint in proptest::sample::select(ENDPOINTS.iter().map(|e| e.path).collect::<Vec<_>>()),
        query in "[a-z_=&%+?0-9]{0,20}",
        body in "\\PC{0,60}",
    ) {
        let server = Server::new();
        let script = server.script(method, &format!("{PREFIX}{endpoint}?{query}"), &body);
        let answer: Value = serde_json::from_slice(&script.bytes()).unwrap();
        proptest::prop_assert!(answer.is_object());
        proptest::prop_assert!(is_known(script.status));
    }
}
