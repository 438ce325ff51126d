//! The main job, as the README's first screen shows it: its commands really print that.

use crate::command::{Sandbox, finish, project};

/// Set to rewrite the README's screens instead of comparing them.
const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";
const BEGIN: &str = "```console\n";
const END: &str = "```\n";

/// The README's first screen with what its commands print here.
fn first_screen(shown: &str) -> String {
    let sandbox = Sandbox::new();
    copy(&project("fixtures/demo"), &sandbox.path("fixtures/demo"));
    let mut text = String::new();
    for line in shown.lines().filter(|line| line.starts_with("$ flakedb ")) {
        let arguments: Vec<&str> = line["$ flakedb ".len()..].split_whitespace().collect();
        let mut command = sandbox.command(&arguments);
        command.env("COLUMNS", "100");
        let said = finish(command).exits(0);
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{line}\n{}", said.stdout);
    }
    text
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).unwrap();
        }
    }
}

#[test]
fn the_readme_shows_what_its_commands_print() {
    let path = project("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = readme.find(BEGIN).unwrap() + BEGIN.len();
    let end = start + readme[start..].find(END).unwrap();
    let printed = first_screen(&readme[start..end]);
    if std::env::var_os(REWRITE).is_some() {
        let fresh = format!("{}{printed}{}", &readme[..start], &readme[end..]);
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    assert!(readme[start..end] == printed, "README.md is out of date: run with {REWRITE}=1");
}

/// The hidden truth of the demo, as `fixtures/demo/README.md` tells it.
#[test]
fn the_demo_is_judged_as_its_makers_know_it_to_be() {
    let sandbox = Sandbox::new();
    let demo = project("fixtures/demo");
    sandbox.run(&["ingest", demo.to_str().unwrap()]).exits(0);
    let said = sandbox.run(&["report", "--format", "json"]).exits(0).json();
    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(demo.join("truth.json")).unwrap()).unwrap();
    let tests = said["tests"].as_array().unwrap();
    for (test, statuses) in truth["statuses"].as_object().unwrap() {
        let found: Vec<&str> = tests
            .iter()
            .filter(|found| found["test"] == test.as_str())
            .map(|found| found["status"].as_str().unwrap())
            .collect();
        let wanted: Vec<&str> =
            statuses.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let fine = !found.is_empty() && found.iter().all(|status| wanted.contains(status));
        assert!(fine, "{test} is {found:?}, not one of {wanted:?}");
    }
    assert_eq!(said["runs"]["outages"], truth["outages"]);
    let flaky = tests.iter().filter(|test| test["status"] == "flaky").count();
    let known = truth["statuses"]
        .as_object()
        .unwrap()
        .values()
        .filter(|statuses| statuses.as_array().unwrap().iter().any(|status| status == "flaky"));
    assert!(flaky <= known.count(), "a test that is not flaky is called flaky: {said:#}");
}
