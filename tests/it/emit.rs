//! The list as runners take it, by whole commands.

use crate::command::{Sandbox, report};

/// A history in which `flaky` fails, and passes when it is run again, and `steady` always passes.
fn history() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("failed.xml", report(&[("flaky", 'F'), ("steady", '.')]));
    sandbox.write("passed.xml", report(&[("flaky", '.'), ("steady", '.')]));
    for day in 1..=3 {
        for (attempt, file) in [(1, "failed.xml"), (2, "passed.xml")] {
            let (revision, build) = (format!("{day:040x}"), format!("build-{day}"));
            let started = format!("2026-11-0{day}T0{attempt}:00:00Z");
            let attempt = attempt.to_string();
            let words = [
                "ingest",
                file,
                "--project",
                "shop",
                "--branch",
                "main",
                "--lane",
                "default",
                "--revision",
                &revision,
                "--build",
                &build,
                "--attempt",
                &attempt,
                "--started",
                &started,
            ];
            sandbox.run(&words).exits(0);
        }
    }
    sandbox
}

fn quarantine(sandbox: &Sandbox, words: &[&str]) -> crate::command::Said {
    let fixed = ["quarantine", "--method", "same-revision", "--quarantine-runs", "1", "--project"];
    sandbox.run(&[&fixed[..], &["shop"], words].concat())
}

#[test]
fn a_list_goes_to_a_runner_either_way_round() {
    let sandbox = history();
    let plain = quarantine(&sandbox, &["--emit", "plain"]).exits(0);
    assert_eq!(plain.stdout, "shop.cart::flaky\n");
    let out = quarantine(&sandbox, &["--emit", "maven"]).exits(0);
    assert_eq!(out.stdout, "Test*,*Test,*Tests,*TestCase,!shop.cart#flaky\n");
    let only = quarantine(&sandbox, &["--emit", "surefire", "--only"]).exits(0);
    assert!(only.stdout.ends_with("\n-Dtest=shop.cart#flaky\n"), "{only:?}");
    assert_eq!((out.stderr, only.stderr), (String::new(), String::new()));
}

#[test]
fn what_a_runner_cannot_say_is_said_on_standard_error() {
    let sandbox = history();
    let jest = quarantine(&sandbox, &["--emit", "playwright"]).exits(0);
    assert_eq!(jest.stdout, "");
    assert_eq!(
        jest.stderr,
        "warning: left out `shop.cart::flaky`: not a test of Playwright: its class name is no file\n"
    );
    let only = quarantine(&sandbox, &["--emit", "playwright", "--only"]).exits(1);
    assert!(only.stderr.contains("no test that playwright could run"), "{only:?}");
}

#[test]
fn a_format_without_a_way_to_choose_says_which_have_one() {
    let said = quarantine(&history(), &["--emit", "json", "--only"]).exits(2);
    assert!(said.stderr.contains("these have: pytest, "), "{said:?}");
    quarantine(&Sandbox::new(), &["--only"]).exits(2);
}
