//! `flakedb compare-methods`, and the flags that belong to some methods only.

use crate::command::{Sandbox, report};

/// Ten days with one run each: `a` as its strip says, `b` always passes.
fn history(strip: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for (at, outcome) in strip.chars().enumerate() {
        sandbox.write("r.xml", report(&[("a", outcome), ("b", '.')]));
        let build = at.to_string();
        let revision = format!("r{at}");
        let started = format!("2026-11-{:02}T00:00:00Z", at + 1);
        sandbox
            .run(&[
                "ingest",
                "r.xml",
                "--build",
                &build,
                "--revision",
                &revision,
                "--branch",
                "main",
                "--default-branch",
                "main",
                "--started",
                &started,
            ])
            .exits(0);
    }
    sandbox
}

fn status_of(opinions: &serde_json::Value, method: &str) -> String {
    let opinions = opinions.as_array().unwrap();
    let found = opinions.iter().find(|opinion| opinion["method"] == method).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn methods_are_compared_on_the_users_own_history() {
    let sandbox = history(".....FFF..");
    let said = sandbox.run(&["compare-methods", "--format", "json"]).exits(0).json();
    assert_eq!(said["schema"], "flakedb.compare.v1");
    let methods = said["methods"].as_array().unwrap();
    assert_eq!(methods.len(), flakedb::analysis::method::METHODS.len());
    assert_eq!(methods[0]["method"], said["reference"]);
    // A breakage that was mended: the classic rule cannot tell it from a flake.
    let disputes = said["disputes"].as_array().unwrap();
    assert_eq!(disputes.len(), 1, "{said:#}");
    assert_eq!(disputes[0]["test"], "shop.cart::a");
    let opinions = &disputes[0]["opinions"];
    assert_eq!(status_of(opinions, "threshold"), "flaky");
    assert_eq!(status_of(opinions, "same-revision"), "healthy");
    for opinion in opinions.as_array().unwrap() {
        assert!(!opinion["why"][0].as_str().unwrap().is_empty(), "{opinion:#}");
    }
    let said = sandbox.run(&["compare-methods", "--methods", "threshold,evidence"]).exits(0);
    assert!(said.stdout.contains("3 of the last 10 results failed (30 %)"), "{said:?}");
    assert!(!said.stdout.contains("wilson"), "{said:?}");
}

#[test]
fn each_verdict_is_the_one_that_report_gives() {
    let sandbox = history(".F..FF.F..");
    let said = sandbox.run(&["compare-methods", "--format", "json"]).exits(0).json();
    let opinions = &said["disputes"][0]["opinions"];
    for method in flakedb::analysis::method::METHODS {
        let arguments = ["report", "--all", "--format", "json", "--method", method.name];
        let report = sandbox.run(&arguments).exits(0).json();
        let tests = report["tests"].as_array().unwrap();
        let test = tests.iter().find(|test| test["test"] == "shop.cart::a").unwrap();
        assert_eq!(status_of(opinions, method.name), test["status"].as_str().unwrap());
    }
}

#[test]
fn a_comparison_needs_two_methods() {
    let sandbox = history("..");
    let alone = ["compare-methods", "--method", "wilson", "--methods", "wilson"];
    let said = sandbox.run(&alone).exits(2);
    assert!(said.stderr.contains("wilson"), "{said:?}");
    sandbox.run(&["compare-methods", "--methods", "oracle"]).exits(2);
}

#[test]
fn a_flag_that_the_method_would_ignore_is_refused() {
    let sandbox = history(".F........");
    let said = sandbox.run(&["report", "--method", "changepoint", "--threshold", "0.2"]).exits(2);
    assert!(said.stderr.contains("threshold, flip-rate and entropy"), "{said:?}");
    assert!(said.stderr.contains("--set judging.changepoint.certainty=0.9"), "{said:?}");
    for command in ["report", "quarantine"] {
        let said = sandbox.run(&[command, "--method", "same-revision", "--window", "5"]).exits(2);
        assert!(said.stderr.contains("--window belongs to the methods threshold and wilson"));
    }
    sandbox.run(&["report", "--method", "wilson", "--window", "5", "--min-runs", "2"]).exits(0);
    // The environment is meant for many commands.
    let mut command = sandbox.command(&["report", "--method", "changepoint"]);
    command.env("FLAKEDB_THRESHOLD", "0.2").env("FLAKEDB_WINDOW", "5");
    crate::command::finish(command).exits(0);
    // Some of the methods compared use it.
    sandbox.run(&["compare-methods", "--threshold", "0.2"]).exits(0);
    let two = ["compare-methods", "--method", "wilson", "--methods", "entropy", "--strict"];
    let said = sandbox.run(&two).exits(2);
    assert!(said.stderr.contains("the methods wilson and entropy would ignore it"), "{said:?}");
}
