use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::played::{exchange, json_of, shown, stamp};
use super::*;

fn answered(read: super::super::Read, body: &str) -> Script {
    match read(&exchange(body.to_owned()), &mut Models::new(["llama3.2"]), &stamp()) {
        Ok(Asked::Done(script)) => script,
        Ok(other) => panic!("{other:?} is no finished answer"),
        Err(refusal) => (NATIVE.refuse)(&refusal, &stamp()),
    }
}

#[test]
fn the_server_about_itself() {
    let routes = [root, version, status, me, signout, delete_key, recommendations];
    let all: String = routes.into_iter().map(|read| shown(&answered(read, ""))).collect();
    assert_snapshot!(all);
}

#[test]
fn the_experimental_routes() {
    let found = json_of(&answered(web_search, r#"{"query": "rain", "max_results": 2}"#));
    assert_eq!(found["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["results"][1]["title"], "rain (2)");
    let count =
        |body: &str| json_of(&answered(web_search, body))["results"].as_array().map(Vec::len);
    assert_eq!(count(r#"{"query": "rain"}"#), Some(5));
    assert_eq!(count(r#"{"query": "rain", "max_results": 1000}"#), Some(10));
    let page = json_of(&answered(web_fetch, r#"{"url": "https://example.org"}"#));
    let keys: Vec<&String> = page.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["title", "content", "links"]);
    for (read, body, expected) in [
        (web_search as super::super::Read, "", "missing request body"),
        (web_search, "{}", "query is required"),
        (web_fetch, "{}", "url is required"),
    ] {
        assert_eq!(json_of(&answered(read, body)), json!({ "error": expected }));
    }
    let kinds: Vec<Value> =
        json_of(&answered(recommendations, ""))["recommendations"].as_array().unwrap().clone();
    assert_eq!(kinds[0]["model"], "llama3.2:latest");
}
