//! Generated histories through the whole command: what flakedb says of them is what they really are.

use flakedb::testkit::generators::history::{Histories, History};
use flakedb::testkit::generators::junit::Dialect;
use flakedb::testkit::generators::{Generate, Source};

use crate::command::{Sandbox, project};

fn store(sandbox: &Sandbox, below: &str, history: &History) {
    for file in history.files() {
        sandbox.write(&format!("{below}/{}", file.path), file.bytes);
    }
}

fn judged(sandbox: &Sandbox) -> serde_json::Value {
    sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json()
}

/// What the report says of each test, as `test is status`, where the truth does not allow it.
fn wrong(said: &serde_json::Value, history: &History) -> Vec<String> {
    let tests = said["tests"].as_array().unwrap();
    let status = |name: &str| {
        let test = tests.iter().find(|test| test["test"] == name);
        test.map_or("missing", |test| test["status"].as_str().unwrap()).to_owned()
    };
    let mut wrong: Vec<String> = history
        .truth
        .tests
        .iter()
        .map(|test| (test, status(&test.test)))
        .filter(|(test, status)| !test.statuses.contains(&status.as_str()))
        .map(|(test, status)| format!("{} is {status}, really {:?}", test.test, test.fate))
        .collect();
    for was in history.truth.tests.iter().filter_map(|test| test.was.as_deref()) {
        if status(was) != "stale" {
            wrong.push(format!("{was} was renamed and is {}", status(was)));
        }
    }
    let known =
        history.truth.tests.iter().flat_map(|test| [Some(&*test.test), test.was.as_deref()]);
    let known: Vec<&str> = known.flatten().collect();
    for test in tests.iter().map(|test| test["test"].as_str().unwrap()) {
        if !known.contains(&test) {
            wrong.push(format!("{test} is in no generated report"));
        }
    }
    wrong
}

#[test]
fn generated_histories_are_judged_as_what_they_are() {
    for (dialect, retries) in [("pytest", 0), ("jest", 0), ("surefire", 2), ("playwright", 1)] {
        let dialect = Dialect::named(dialect).unwrap();
        let histories = Histories::of(dialect).retries(retries);
        for seed in [7, 8] {
            let history = histories.one(&mut Source::seeded(seed));
            let sandbox = Sandbox::new();
            store(&sandbox, "ci", &history);
            sandbox.run(&["ingest", "ci"]).exits(0);
            let said = judged(&sandbox);
            let wrong = wrong(&said, &history);
            assert!(wrong.is_empty(), "{} of seed {seed}: {wrong:#?}", dialect.name);
            assert_eq!(said["runs"]["total"], history.runs.len(), "{}", dialect.name);
            assert_eq!(said["runs"]["outages"], history.truth.outages.len(), "{}", dialect.name);
        }
    }
}

#[test]
fn a_generated_history_says_the_same_as_reports_and_as_lines() {
    let history = Histories::of(Dialect::named("pytest").unwrap()).one(&mut Source::seeded(7));
    let (reports, lines) = (Sandbox::new(), Sandbox::new());
    store(&reports, "ci", &history);
    reports.run(&["ingest", "ci"]).exits(0);
    let text: String = history.lines().iter().map(|line| format!("{line}\n")).collect();
    lines.write("history.jsonl", text);
    lines.run(&["ingest", "history.jsonl"]).exits(0);
    let told = |sandbox: &Sandbox| -> Vec<(String, String, u64)> {
        let said = judged(sandbox);
        let tests = said["tests"].as_array().unwrap().iter();
        let mut told: Vec<_> = tests
            .map(|test| {
                let text = |key: &str| test[key].as_str().unwrap().to_owned();
                (text("test"), text("status"), test["executions"].as_u64().unwrap())
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(told(&reports), told(&lines));
}

#[test]
fn flawed_histories_are_refused_by_the_name_of_their_flaw() {
    let histories = Histories::of(Dialect::named("pytest").unwrap());
    let mut stream = Source::seeded(7).item("flawed", 0);
    for flawed in histories.invalid(&mut stream) {
        let (flaw, says, at) = (flawed.flaw, flawed.says, flawed.at.clone());
        let sandbox = Sandbox::new();
        for file in flawed.files() {
            sandbox.write(&file.path, file.bytes);
        }
        let said = sandbox.run(&["ingest", flaw]).exits(2);
        let text = format!("{}{}", said.stdout, said.stderr);
        assert!(text.contains(says) && text.contains(&at), "{flaw}: {text}");
    }
}

/// The commands of docs/generators.md, exactly as they stand there.
#[cfg(unix)]
#[test]
fn every_command_on_the_page_runs() {
    let page = std::fs::read_to_string(project("docs/generators.md")).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_flakedb")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut blocks = 0;
    for block in page.split("<!-- example: sh -->\n```sh\n").skip(1) {
        let code = block.split("\n```").next().unwrap();
        // What `head` cuts off is no failure.
        let script = format!("set -eu\n{code}");
        let sandbox = Sandbox::new();
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).current_dir(sandbox.path("")).env_clear();
        command.env("PATH", &path).env("HOME", sandbox.path("")).env("TZ", "UTC");
        let said = command.output().unwrap();
        let shown = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{code}\n{shown}");
        blocks += 1;
    }
    assert_eq!(blocks, page.matches("```sh").count());
}
