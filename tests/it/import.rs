//! Histories and reports of other formats, brought along by `flakedb ingest`.

use crate::command::{Sandbox, report};

/// Every test with its executions and failures.
fn tests(sandbox: &Sandbox) -> Vec<String> {
    let said = sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
    let one = |test: &serde_json::Value| {
        let name = test["test"].as_str().unwrap();
        format!("{name} {}/{}", test["failures"], test["executions"])
    };
    let mut tests: Vec<String> = said["tests"].as_array().unwrap().iter().map(one).collect();
    tests.sort();
    tests
}

fn ingest(sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    let arguments = [&["ingest", "--format", "json"], arguments].concat();
    sandbox.run(&arguments).exits(0).json()
}

const HISTORY: &str = r#"{"type":"meta","tests":["shop.cart::a","shop.cart::b"]}
{"ts":1795335738,"commit":"r1","branch":"main","results":[["shop.cart::b","fail",0.5,"no"]],"passed":[0]}
{"ts":1795335739,"commit":"r1","branch":"main","attempt":2,"passed":[0,1]}
{"ts":1795335740,"commit":"r1","branch":"main","attempt":2,"passed":[0,1]}
"#;

#[test]
fn a_history_becomes_runs_once_and_joins_what_junit_says_of_the_same_tests() {
    let sandbox = Sandbox::new();
    sandbox.write("h.jsonl", HISTORY);
    let first = ingest(&sandbox, &["h.jsonl"]);
    assert_eq!((&first["runs_new"], &first["results"]["failed"]), (&3.into(), &1.into()));
    assert_eq!(first["formats"][0], "jsonl");
    let second = ingest(&sandbox, &["h.jsonl"]);
    assert_eq!((&second["runs_new"], &second["reports_known"]), (&0.into(), &3.into()));
    sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
    ingest(&sandbox, &["r.xml"]);
    assert_eq!(tests(&sandbox), ["shop.cart::a 0/4", "shop.cart::b 2/4"]);
}

#[test]
fn a_format_can_be_forced_and_two_ways_to_read_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("h.jsonl", HISTORY);
    let said = sandbox.run(&["ingest", "h.jsonl", "--format", "junit"]).exits(3);
    assert!(said.stdout.contains("NOT_XML"), "{said:?}");
    sandbox.run(&["ingest", "h.jsonl", "--format", "junit", "--format", "jsonl"]).exits(2);
    sandbox.write("r.xml", report(&[("a", '.')]));
    let said = sandbox.run(&["ingest", "r.xml", "--format", "jsonl"]).exits(3);
    assert!(said.stdout.contains("r.xml:1:1: BAD_LINE"), "{said:?}");
    let read = ["ingest", "h.jsonl", "--format", "jsonl", "-f", "json"];
    assert_eq!(sandbox.run(&read).exits(0).json()["runs_new"], 3);
}

#[test]
fn what_flags_say_of_one_run_is_never_said_of_a_history() {
    let sandbox = Sandbox::new();
    sandbox.write("h.jsonl", HISTORY);
    let flags = ["h.jsonl", "--build", "7", "--revision", "now", "--branch", "x", "--project", "p"];
    let said = ingest(&sandbox, &flags);
    assert_eq!(said["runs_new"], 3, "{said:#}");
    assert_eq!(said["projects"][0], "p");
    assert!(said["notes"].to_string().contains("--build"), "{said:#}");
}

#[test]
fn histories_come_compressed_in_archives_and_by_standard_input() {
    let sandbox = Sandbox::new();
    let said = sandbox.run_with_input(&["ingest", "-", "-f", "json"], HISTORY.as_bytes()).exits(0);
    assert_eq!(said.json()["runs_new"], 3);
    let cut = &HISTORY.as_bytes()[..HISTORY.len() - 20];
    let said = sandbox.run_with_input(&["ingest", "-", "-f", "json"], cut).exits(0).json();
    assert_eq!(said["problems"][0]["code"], "TRUNCATED");
    assert_eq!((&said["problems"][0]["line"], &said["salvaged"]), (&4.into(), &1.into()));
}
