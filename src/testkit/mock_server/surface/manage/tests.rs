use bytes::Bytes;
use chrono::TimeDelta;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::played::{exchange, shown, stamp};
use super::super::{Found, find};
use super::*;
use crate::testkit::mock_server::models::sha256;
use crate::testkit::mock_server::script::Body;

/// A server of its own, asked through its routes.
struct Server {
    models: Models,
    stamp: Stamp,
}

impl Server {
    fn new(names: &[&str]) -> Self {
        Self { models: Models::new(names), stamp: stamp() }
    }

    fn later(&mut self, seconds: i64) {
        self.stamp.received_at += TimeDelta::seconds(seconds);
    }

    fn send(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> Script {
        let Found::Route(row, parameter) = find(method, path) else { panic!("no {method} {path}") };
        let exchange = Exchange { method: method.to_owned(), parameter, ..exchange(body) };
        match (row.read)(&exchange, &mut self.models, &self.stamp) {
            Ok(Asked::Done(script)) => script,
            Ok(_) => Script::whole(200, "", ""),
            Err(refusal) => (row.surface.refuse)(&refusal, &self.stamp),
        }
    }

    fn post(&mut self, path: &str, body: &Value) -> Script {
        self.send("POST", path, body.to_string())
    }

    fn get(&mut self, path: &str) -> Value {
        serde_json::from_slice(&self.send("GET", path, "").bytes()).unwrap()
    }

    fn shown(&mut self, model: &str) -> Value {
        let script = self.post("/api/show", &json!({ "model": model }));
        serde_json::from_slice(&script.bytes()).unwrap()
    }

    fn lines(&mut self, path: &str, body: &Value) -> Vec<Value> {
        let script = self.post(path, body);
        assert!(matches!(script.body, Body::Stream(_)), "{}", shown(&script));
        let text = String::from_utf8(script.bytes()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn names(&mut self, path: &str) -> Vec<String> {
        let listed = self.get(path);
        let models = listed["models"].as_array().unwrap().iter();
        models.map(|model| model["name"].as_str().unwrap().to_owned()).collect()
    }

    fn error(&mut self, method: &str, path: &str, body: &Value) -> String {
        let script = self.send(method, path, body.to_string());
        let text: Value = serde_json::from_slice(&script.bytes()).unwrap_or_default();
        format!("{}: {}", script.status, text["error"].as_str().unwrap_or_default())
    }
}

#[test]
fn listings() {
    let mut server = Server::new(&["llama3.2", "me/qwen3:0.6b", "all-minilm"]);
    server.post("/api/generate", &json!({"model": "LLAMA3.2", "keep_alive": "90s"}));
    server.post(
        "/api/chat",
        &json!({"model": "me/qwen3:0.6b", "keep_alive": -1, "options": {"num_ctx": 8192}}),
    );
    assert_snapshot!("tags", shown(&server.send("GET", "/api/tags", "")));
    assert_snapshot!("ps", shown(&server.send("GET", "/api/ps", "")));
    let mut cloud = Server::new(&["gpt-oss:120b-cloud"]);
    let listed = cloud.get("/api/tags");
    assert_eq!(listed["models"][0]["remote_model"], "gpt-oss:120b");
    assert_eq!(listed["models"][0]["remote_host"], "https://ollama.com:443");
    let chat = json!({"model": "gpt-oss:120b:cloud", "messages": []});
    assert_eq!(cloud.post("/api/chat", &chat).status, 200);
    let mut empty = Server::new(&[]);
    assert_eq!(empty.get("/api/tags"), json!({"models": []}));
    assert_eq!(empty.get("/api/ps"), json!({"models": []}));
}

#[test]
fn a_model_shown() {
    let mut server = Server::new(&["granite-code:3b", "llava"]);
    assert_snapshot!(
        "show",
        shown(&server.post("/api/show", &json!({"model": "Granite-Code:3b"})))
    );
    let body = json!({"name": "llava", "verbose": true, "system": "S", "options": {"seed": 5}});
    let bytes = server.post("/api/show", &body).bytes();
    let shown: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(shown["system"], "S");
    assert_eq!(shown["projector_info"]["general.architecture"], "clip");
    assert!(shown["tensors"].as_array().unwrap().len() > 10);
    assert!(shown["model_info"]["tokenizer.ggml.tokens"].is_array());
    assert!(shown["modelfile"].as_str().unwrap().contains("\nSYSTEM S\nPARAMETER stop <|im_start|>\nPARAMETER stop <|im_end|>\nPARAMETER seed 5\nLICENSE \"MIT"));
    assert!(!shown["parameters"].as_str().unwrap().contains("seed"));
}

/// Ollama-rs reads the first `PARAMETER stop` of this model.
#[test]
fn a_modelfile_quotes_only_what_needs_it() {
    let mut server = Server::new(&["llama2"]);
    let shown = server.shown("llama2:latest");
    let modelfile = shown["modelfile"].as_str().unwrap();
    let first = modelfile.lines().find(|line| line.starts_with("PARAMETER stop "));
    assert_eq!(first, Some("PARAMETER stop [INST]"));
    let parameters = shown["parameters"].as_str().unwrap();
    assert!(parameters.starts_with("stop                           \"[INST]\"\n"), "{parameters}");
    let body = json!({"model": "x", "from": "llama2", "parameters": {"stop": [" a", "b\n", "\" "], "seed": 5}});
    server.lines("/api/create", &body);
    let shown = server.shown("x");
    let expected = "\nPARAMETER stop \" a\"\nPARAMETER stop \"b\n\"\nPARAMETER stop \"\"\"\" \"\"\"\nPARAMETER seed 5\n";
    assert!(shown["modelfile"].as_str().unwrap().contains(expected), "{shown}");
}

#[test]
fn absurd_lengths_become_the_longest() {
    let mut server = Server::new(&["llama3.2"]);
    let info = json!({"context_length": u64::MAX, "embedding_length": 1_u64 << 32});
    let body = json!({"model": "huge", "from": "llama3.2", "info": info});
    assert_eq!(server.lines("/api/create", &body).last(), Some(&json!({"status": "success"})));
    let listed = server.get("/api/tags")["models"][0]["details"].clone();
    assert_eq!(listed["embedding_length"], 16_384);
    assert_eq!(listed["context_length"], 1 << 24);
    server.post("/api/generate", &json!({"model": "huge", "options": {"num_ctx": 1_u64 << 60}}));
    assert_eq!(server.get("/api/ps")["models"][0]["context_length"], 1 << 24);
    assert_eq!(server.shown("huge")["model_info"]["llama.feed_forward_length"], 65_536);
    // What was put there another way is not clamped, and nothing overflows.
    let mut model = server.models.all()[0].clone();
    (model.embedding_length, model.context_length) = (u64::MAX, u64::MAX);
    model.weights.size = u64::MAX;
    server.models.put(model);
    server.post("/api/generate", &json!({"model": "huge", "keep_alive": 0}));
    server.post("/api/generate", &json!({"model": "huge", "options": {"num_ctx": 1_u64 << 60}}));
    assert_eq!(server.get("/api/ps")["models"][0]["size"], u64::MAX);
    assert_eq!(server.get("/api/tags")["models"][0]["size"], u64::MAX);
    server.post("/api/show", &json!({"model": "huge", "verbose": true}));
}

#[test]
fn a_push_puts_a_model_in_the_registry() {
    let mut server = Server::new(&["mine"]);
    server.models.set_not_in_registry(["mine", "Gone:1b", "no name"]);
    assert_eq!(
        server.models.not_in_registry().collect::<Vec<_>>(),
        ["registry.ollama.ai/library/gone:1b", "registry.ollama.ai/library/mine:latest"]
    );
    let missing = "500: pull model manifest: file does not exist";
    let whole = |model: &str| json!({"model": model, "stream": false});
    assert_eq!(server.error("POST", "/api/pull", &whole("mine")), missing);
    let from = json!({"model": "x", "from": "gone:1b", "stream": false});
    assert_eq!(server.error("POST", "/api/create", &from), missing);
    server.lines("/api/push", &json!({"model": "MINE"}));
    assert_eq!(server.post("/api/pull", &whole("mine")).status, 200);
    assert_eq!(server.error("POST", "/api/push", &whole("gone:1b")), "500: file does not exist");
    assert_eq!(server.error("POST", "/api/pull", &whole("gone:1b")), missing);
}

#[test]
fn progress_streams() {
    let mut server = Server::new(&["phi3:mini"]);
    assert_snapshot!("pull", shown(&server.post("/api/pull", &json!({"model": "all-minilm"}))));
    assert_snapshot!(
        "pull_whole",
        shown(&server.post("/api/pull", &json!({"name": "all-minilm", "stream": false})))
    );
    assert_snapshot!("push", shown(&server.post("/api/push", &json!({"model": "all-minilm"}))));
    server.models.set_not_in_registry(["gone"]);
    assert_snapshot!("pull_gone", shown(&server.post("/api/pull", &json!({"model": "gone"}))));
    assert_snapshot!(
        "pull_gone_whole",
        shown(&server.post("/api/pull", &json!({"model": "Gone", "stream": false})))
    );
    assert_snapshot!(
        "push_gone_whole",
        shown(&server.post("/api/push", &json!({"model": "gone", "stream": false})))
    );
    let create = json!({"model": "mario", "from": "phi3:mini", "system": "You are Mario.", "parameters": {"temperature": 0.5}});
    assert_snapshot!("create", shown(&server.post("/api/create", &create)));
    assert_snapshot!(
        "create_from_nothing",
        shown(&server.post("/api/create", &json!({"model": "x"})))
    );
}

#[test]
fn digests_of_a_pull_agree_with_everything_else() {
    let mut server = Server::new(&[]);
    let lines = server.lines("/api/pull", &json!({"model": "qwen3:0.6b"}));
    let digests: Vec<&str> = lines.iter().filter_map(|line| line["digest"].as_str()).collect();
    for digest in &digests {
        assert_eq!(server.send("HEAD", &format!("/api/blobs/{digest}"), "").status, 200);
    }
    let total: u64 = lines
        .iter()
        .filter(|line| line["completed"] == line["total"])
        .filter_map(|line| line["total"].as_u64())
        .sum();
    let listed = server.get("/api/tags");
    assert_eq!(listed["models"][0]["size"], total);
    assert_eq!(listed["models"][0]["modified_at"], "2026-08-21T12:00:00Z");
    let bytes = server.post("/api/show", &json!({"model": "qwen3:0.6b"})).bytes();
    let shown: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(shown["modelfile"].as_str().unwrap().contains(&digests[0].replace(':', "-")));
    // A second pull finds every layer there.
    let again = server.lines("/api/pull", &json!({"model": "qwen3:0.6b"}));
    assert!(
        again.iter().all(|line| line.get("digest").is_none() || line["completed"] == line["total"])
    );
}

#[test]
fn a_models_life() {
    let mut server = Server::new(&["llama3.2"]);
    assert_eq!(
        server.error("POST", "/api/generate", &json!({"model": "phi3:mini"})),
        "404: model 'phi3:mini' not found"
    );
    server.lines("/api/pull", &json!({"model": "phi3:mini"}));
    assert_eq!(server.names("/api/tags"), ["phi3:mini", "llama3.2:latest"]);
    server.later(10);
    assert_eq!(
        server.post("/api/copy", &json!({"source": "PHI3:mini", "destination": "Mine"})).status,
        200
    );
    assert_eq!(server.names("/api/tags"), ["Mine:latest", "phi3:mini", "llama3.2:latest"]);
    let tags = server.get("/api/tags");
    assert_eq!(tags["models"][0]["digest"], tags["models"][1]["digest"]);
    server.post("/api/generate", &json!({"model": "mine", "keep_alive": "1m"}));
    assert_eq!(server.names("/api/ps"), ["Mine:latest"]);
    server.later(59);
    assert_eq!(server.names("/api/ps"), ["Mine:latest"]);
    server.later(1);
    assert!(server.names("/api/ps").is_empty());
    server.post("/api/chat", &json!({"model": "mine"}));
    assert_eq!(server.send("DELETE", "/api/delete", r#"{"model":"MINE"}"#).status, 200);
    assert!(server.names("/api/ps").is_empty());
    assert_eq!(server.names("/api/tags"), ["phi3:mini", "llama3.2:latest"]);
    assert_eq!(
        server.error("DELETE", "/api/delete", &json!({"name": "mine"})),
        "404: model 'mine' not found"
    );
}

#[test]
fn creations_lay_over_what_they_start_from() {
    let mut server = Server::new(&["granite-code:3b"]);
    let body = json!({
        "model": "coder", "from": "granite-code:3b", "system": "S", "license": ["A", "B"], "template": "{{ .Prompt }}{{ .Tools }}",
        "parameters": {"temperature": 0.5, "stop": ["x"]}, "messages": [{"role": "User", "content": "Hi"}], "quantize": "q8_0",
        "info": {"context_length": 1234}, "stream": false,
    });
    let script = server.post("/api/create", &body);
    assert_eq!(
        shown(&script),
        "@0ns 200\ncontent-type: application/json\n\n{\"status\":\"success\"}<end>\n"
    );
    let bytes = server.post("/api/show", &json!({"model": "coder"})).bytes();
    let coder: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(coder["capabilities"], json!(["completion", "tools"]));
    assert_eq!((&coder["license"], &coder["system"]), (&json!("A\nB"), &json!("S")));
    assert_eq!(coder["messages"], json!([{"role": "user", "content": "Hi"}]));
    assert_eq!(
        coder["parameters"],
        "stop                           \"x\"\ntemperature                    0.5"
    );
    assert_eq!(coder["details"]["quantization_level"], "Q8_0");
    assert_eq!(coder["details"]["parent_model"], "granite-code:3b");
    assert_eq!(coder["model_info"]["llama.context_length"], 1234);
    // What is not there is pulled first.
    let lines = server.lines("/api/create", &json!({"model": "new", "from": "smollm2"}));
    assert_eq!(lines[0], json!({"status": "pulling manifest"}));
    assert!(server.names("/api/tags").contains(&"smollm2:latest".to_owned()));
}

#[test]
fn files_are_uploaded_and_made_into_models() {
    let mut server = Server::new(&[]);
    let file = Bytes::from_static(b"GGUF and more");
    let digest = sha256(&file);
    let path = format!("/api/blobs/{digest}");
    assert_eq!(server.send("HEAD", &path, "").status, 404);
    assert_eq!(server.send("POST", &path, "other").status, 400);
    assert_eq!(server.send("POST", &path, file.clone()).status, 201);
    assert_eq!(server.send("POST", &path, file).status, 200);
    assert_eq!(server.send("HEAD", &path.replace(':', "-"), "").status, 200);
    let create = |files: Value| json!({"model": "mine", "files": files});
    let lines = server.lines("/api/create", &create(json!({"model.bin": digest})));
    let statuses: Vec<&str> = lines.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(statuses[..2], ["parsing GGUF", &format!("using existing layer {digest}")]);
    assert_eq!(statuses[statuses.len() - 2..], ["writing manifest", "success"]);
    assert_eq!(server.names("/api/tags"), ["mine:latest"]);
    let zeros = format!("sha256:{}", "0".repeat(64));
    for (files, expected) in [
        (json!({}), "400: no files provided to convert".to_owned()),
        (json!({"../x.gguf": digest}), "400: file path must be relative".to_owned()),
        (json!({"/x.gguf": digest}), "400: file path must be relative".to_owned()),
        (json!({"x.gguf": ""}), "400: invalid digest format".to_owned()),
        (json!({"x.gguf": "sha256:12"}), "400: invalid digest format".to_owned()),
        (
            json!({"x.gguf": zeros}),
            format!("400: blob not found for x.gguf (digest {zeros}): file does not exist"),
        ),
        (
            json!({"a.gguf": digest, "b.safetensors": digest}),
            "400: mixed model file types: found both gguf and safetensors inputs".to_owned(),
        ),
    ] {
        assert_eq!(server.error("POST", "/api/create", &create(files)), expected);
    }
    let text = Bytes::from_static(b"text");
    server.send("POST", &format!("/api/blobs/{}", sha256(&text)), text.clone());
    assert_eq!(
        server.error("POST", "/api/create", &create(json!({"x": sha256(&text)}))),
        "400: unknown type"
    );
}

#[test]
fn each_wrong_request_has_the_real_text() {
    let mut server = Server::new(&["llama3.2"]);
    let other = sha256(b"{}");
    for (method, path, body, expected) in [
        ("POST", "/api/show", json!({}), "400: model is required"),
        ("POST", "/api/show", json!({"model": "Gone"}), "404: model 'Gone:latest' not found"),
        ("POST", "/api/show", json!({"model": "a b"}), "400: invalid model name"),
        (
            "POST",
            "/api/show",
            json!({"verbose": 1}),
            "400: json: cannot unmarshal number into Go struct field ShowRequest.verbose of type bool",
        ),
        ("POST", "/api/pull", json!({}), "400: invalid model name"),
        ("POST", "/api/pull", json!({"model": "-"}), "400: invalid model name"),
        ("POST", "/api/push", json!({}), "400: model is required"),
        ("POST", "/api/create", json!({}), "400: invalid model name"),
        (
            "POST",
            "/api/create",
            json!({"model": "x"}),
            "400: neither 'from' or 'files' was specified",
        ),
        ("POST", "/api/create", json!({"model": "x", "from": "a b"}), "400: invalid model name"),
        (
            "POST",
            "/api/create",
            json!({"model": "x", "files": ["a"]}),
            "400: json: cannot unmarshal array into Go struct field CreateRequest.files of type map[string]string",
        ),
        (
            "POST",
            "/api/copy",
            json!({"source": "a b", "destination": "c"}),
            "400: source \"a b\" is invalid",
        ),
        (
            "POST",
            "/api/copy",
            json!({"source": "llama3.2", "destination": ""}),
            "400: destination \"\" is invalid",
        ),
        (
            "POST",
            "/api/copy",
            json!({"source": "Gone", "destination": "c"}),
            "404: model \"Gone\" not found",
        ),
        ("DELETE", "/api/delete", json!({"model": "Gone"}), "404: model 'Gone' not found"),
        ("DELETE", "/api/delete", json!({"model": "a b"}), "400: name \"a b\" is invalid"),
        ("DELETE", "/api/delete", json!({}), "400: model is required"),
        ("POST", "/api/blobs/sha256:12", json!({}), "400: invalid digest format"),
    ] {
        assert_eq!(server.error(method, path, &body), expected, "{method} {path} {body}");
    }
    let zeros = "0".repeat(64);
    assert_eq!(
        server.error("POST", &format!("/api/blobs/sha256:{zeros}"), &json!({})),
        format!("400: digest mismatch, expected \"sha256:{zeros}\", got \"{other}\"")
    );
    for path in ["/api/show", "/api/pull", "/api/push", "/api/create", "/api/copy"] {
        let script = server.send("POST", path, "");
        assert_eq!(script.bytes(), br#"{"error":"missing request body"}"#, "{path}");
    }
}
