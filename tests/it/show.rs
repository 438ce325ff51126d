//! One test from the whole command: how it came to its verdict, where it broke, its quarantine.

use crate::command::{Sandbox, git, project};

fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(&["ingest", "-q", project("fixtures/demo").to_str().unwrap()]).exits(0);
    sandbox
}

/// The label of a test of the demo with this status.
fn test_that_is(sandbox: &Sandbox, status: &str) -> String {
    let report = sandbox.run(&["report", "--format", "json", "--all"]).exits(0).json();
    let tests = report["tests"].as_array().unwrap();
    let found = tests.iter().find(|test| test["status"] == status);
    found.unwrap_or_else(|| panic!("no test is {status}"))["test"].as_str().unwrap().to_owned()
}

#[test]
fn the_trail_ends_with_the_verdict_and_starts_with_the_first_run() {
    let sandbox = demo();
    for status in ["flaky", "broken", "newly-broken", "fixed"] {
        let report = sandbox.run(&["report", "--format", "json", "--all"]).exits(0).json();
        if !report["tests"].as_array().unwrap().iter().any(|test| test["status"] == status) {
            continue;
        }
        let test = test_that_is(&sandbox, status);
        let view = sandbox.run(&["show", &test, "--format", "json"]).exits(0).json();
        assert_eq!(view["schema"], "flakedb.show.v1");
        for variant in view["variants"].as_array().unwrap() {
            let points = variant["trail"]["points"].as_array().unwrap();
            let Some(last) = points.last() else { continue };
            assert_eq!(last["flaky"], variant["probability"], "{test}");
            assert_eq!(last["broken"], variant["broken_probability"], "{test}");
            assert_eq!(last["status"], variant["status"], "{test}");
            assert_eq!(points[0]["started"], variant["timeline"][0]["started"], "{test}");
            let changes = variant["trail"]["changes"].as_array().unwrap();
            assert!(changes.iter().all(|change| change["from"] != change["to"]));
            if let Some(change) = changes.last() {
                assert_eq!(change["to"], variant["status"], "{test}");
            }
        }
        let text = sandbox.run(&["show", &test]).exits(0).stdout;
        assert!(text.contains("How the verdict changed, latest first"), "{text}");
    }
}

#[test]
fn texts_are_whole_where_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let lines: String = (0..60).map(|line| format!("line {line} of the trace\n")).collect();
    let failure = format!("<failure message=\"no\">{lines}</failure>");
    let case = format!("<testcase classname=\"a\" name=\"b\">{failure}</testcase>");
    sandbox.write("r.xml", format!("<testsuite name=\"s\">{case}</testsuite>"));
    sandbox.run(&["ingest", "r.xml", "--project", "p"]).exits(0);
    let short = sandbox.run(&["show", "a::b", "--project", "p"]).exits(0).stdout;
    assert!(
        !short.contains("line 30 of the trace") && short.contains("lines not shown"),
        "{short}"
    );
    for format in ["table", "markdown"] {
        let full = ["show", "a::b", "--project", "p", "--full", "--format", format];
        let full = sandbox.run(&full).exits(0).stdout;
        assert!((0..60).all(|line| full.contains(&format!("line {line} of the trace"))), "{full}");
    }
}

#[test]
fn git_tells_when_an_entry_came_and_went_and_how_many_commits_broke_it() {
    let sandbox = demo();
    if !git(&sandbox, &["init", "-q", "-b", "main"]) {
        return;
    }
    let test = test_that_is(&sandbox, "flaky");
    let entry = |end: &str| {
        format!("[[entry]]\ntest = \"{test}\"\nowner = \"@kim\"\nreason = \"r\"\nexpires = {end}\n")
    };
    let commit = |text: &str| {
        sandbox.write("quarantine.toml", text);
        assert!(
            git(&sandbox, &["add", "quarantine.toml"]) && git(&sandbox, &["commit", "-qm", "c"])
        );
    };
    commit("# nothing yet\n");
    commit(&entry("2026-12-10"));
    commit(&entry("2026-12-24"));
    commit("# gone\n");
    sandbox.write("quarantine.toml", entry("2026-12-31"));
    let show = |more: &[&str]| {
        sandbox.run(&[&["show", &test, "--today", "2026-11-26"], more].concat()).exits(0)
    };
    let view = show(&["--format", "json"]).json();
    let listed = &view["listed"];
    assert_eq!(listed["entries"][0]["owner"], "@kim");
    assert_eq!(listed["entries"][0]["days_left"], 35);
    let events: Vec<&str> =
        listed["events"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["entered", "extended", "left", "entered"]);
    assert!(
        listed["events"][3]["revision"].is_null() && listed["events"][0]["revision"].is_string()
    );
    let text = show(&[]).stdout;
    assert!(text.contains("On the list until 2026-12-31 (in 35 days), owned by @kim: r"), "{text}");
    assert!(text.contains("Not committed yet: entered until 2026-12-31"), "{text}");
    assert!(text.contains("extended from 2026-12-10 to 2026-12-24"), "{text}");

    // A list that nobody can read is a warning here; one that was named is an error.
    sandbox.write("quarantine.toml", "[[entri]]\n");
    let said = show(&[]);
    assert!(said.stderr.contains("quarantine.toml:1:"), "{said:?}");
    assert!(!said.stdout.contains("Not on the list"), "{said:?}");
    sandbox.run(&["show", &test, "--list", "quarantine.toml"]).exits(2);
}
