//! `flakedb report --backtest`: the history again under other thresholds.

use serde_json::Value;

use crate::command::{Said, Sandbox, project};

fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    let demo = project("fixtures/demo");
    sandbox.run(&["ingest", demo.to_str().unwrap()]).exits(0);
    sandbox
}

fn backtest(sandbox: &Sandbox, more: &[&str]) -> Value {
    let arguments = [&["report", "--backtest", "--format", "json"], more].concat();
    sandbox.run(&arguments).exits(0).json()
}

fn names(tested: &Value) -> Vec<&str> {
    tested["rules"].as_array().unwrap().iter().map(|rule| rule["name"].as_str().unwrap()).collect()
}

fn in_force(tested: &Value) -> &Value {
    tested["rules"].as_array().unwrap().iter().find(|rule| rule["in_force"] == true).unwrap()
}

#[test]
fn the_demo_is_replayed_under_every_threshold() {
    let sandbox = demo();
    let tested = backtest(&sandbox, &[]);
    assert_eq!(tested["schema"], "flakedb.backtest.v1");
    assert_eq!(names(&tested), ["0.2", "0.35", "0.5", "0.7", "0.9", "classic rule"]);
    // `has no decimals in yen`, what is broken with `store=sqlite` from the first run on, and the
    // last piece, which was broken for a few days.
    assert_eq!(tested["regressions"], 3);
    let in_force = in_force(&tested);
    assert_eq!(in_force["name"], "0.35");
    assert_eq!(in_force["regressions_hidden"], 0);
    assert_eq!(in_force["tests_flagged_wrongly"], 0);
    // In the end it says what the report says.
    let report = ["report", "--status", "flaky", "--format", "json"];
    let report = sandbox.run(&report).exits(0).json();
    let listed = |tests: &Value, wanted: &dyn Fn(&Value) -> bool| {
        let tests = tests.as_array().unwrap().iter().filter(|test| wanted(test));
        let mut tests: Vec<(String, String)> =
            tests.map(|test| (test["test"].to_string(), test["variant"].to_string())).collect();
        tests.sort();
        tests
    };
    let still = listed(&in_force["flags"], &|flag| flag["until"].is_null());
    assert_eq!(still, listed(&report["tests"], &|_| true));
    // The classic rule takes two of them for flakes once it knows three results.
    let classic = tested["rules"].as_array().unwrap().last().unwrap();
    assert_eq!(classic["regressions_hidden"], 2);
    let hidden = classic["hidden"].as_array().unwrap().iter();
    let mut hidden = hidden.map(|regression| regression["test"].as_str().unwrap());
    assert!(hidden.any(|test| test.contains("has no decimals in yen")));
    assert!(!classic["hidden"][0]["from"]["revision"].is_null());
}

#[test]
fn settings_are_tried_as_well_and_one_is_in_force() {
    let sandbox = demo();
    let tested = backtest(&sandbox, &["--set", "judging.filter.flaky=0.42"]);
    assert_eq!(names(&tested), ["0.2", "0.35", "0.42", "0.5", "0.7", "0.9", "classic rule"]);
    assert_eq!(in_force(&tested)["name"], "0.42");
    let tested = backtest(&sandbox, &["--strict"]);
    assert_eq!(in_force(&tested)["name"], "0.5");
    let tested = backtest(&sandbox, &["--method", "threshold", "--window", "5"]);
    assert_eq!(in_force(&tested)["rule"], "threshold");
    assert!(in_force(&tested)["text"].as_str().unwrap().contains("the last 5 results"));
    let said = sandbox.run(&["report", "--backtest", "--method", "wilson"]).exits(0);
    assert!(said.stdout.contains("`wilson`"), "{said:?}");
}

#[test]
fn a_person_is_told_how_to_read_it_and_what_to_change() {
    let sandbox = demo();
    let Said { stdout, .. } = sandbox.run(&["report", "--backtest"]).exits(0);
    for words in ["0.35 in force", "judging.filter.flaky", "flakedb report --strict", "red runs"] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let markdown = ["report", "--backtest", "--format", "markdown", "--output", "summary.md"];
    sandbox.run(&markdown).exits(0);
    let written = std::fs::read_to_string(sandbox.path("summary.md")).unwrap();
    assert!(written.contains("| **0.35 in force** | 5 |"), "{written}");
}

#[test]
fn options_that_make_no_sense_with_it_are_refused() {
    let sandbox = demo();
    for option in [&["--all"][..], &["--explain"], &["--status", "flaky"], &["--fail-on", "flaky"]]
    {
        let arguments = [&["report", "--backtest"], option].concat();
        let said = sandbox.run(&arguments).exits(2);
        assert!(said.stderr.contains("--backtest"), "{said:?}");
    }
}

#[test]
fn a_window_without_runs_says_so() {
    let sandbox = demo();
    let said = sandbox.run(&["report", "--backtest", "--until", "2020-01-01"]).exits(0);
    assert!(said.stdout.contains("nothing to replay"), "{said:?}");
}
