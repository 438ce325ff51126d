//! `flakedb hunt` with real processes.

#![cfg(unix)]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::command::Sandbox;

/// A suite of tests `x` and `y`, of which `x` fails in every run whose number leaves the remainder 4
/// by 5; it writes its report to its first argument.
const SUITE: &str = "\
n=$FLAKEDB_HUNT_RUN
failed=; code=0
if [ $((n % 5)) = 4 ]; then failed='<failure message=\"boom\">trace</failure>'; code=1; fi
echo \"run $n in $FLAKEDB_HUNT_DIR\"
echo \"<testsuites><testsuite name='s'><testcase classname='p.q' name='x'>$failed</testcase>\
<testcase classname='p.q' name='y'/></testsuite></testsuites>\" > $1
exit $code
";

fn hunt(flags: &[&str], command: &[&str]) -> Vec<String> {
    let all = ["hunt"].iter().chain(flags).chain(&["--"]).chain(command);
    all.map(|&word| word.to_owned()).collect()
}

#[test]
fn a_flake_ends_the_hunt_and_its_test_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("suite.sh", SUITE);
    let flags = ["--junit", "r.xml", "--format", "json"];
    let said = sandbox.run(&hunt(&flags, &["sh", "suite.sh", "r.xml"])).exits(1).json();
    assert_eq!(said["finding"], "flaky");
    assert_eq!(said["seen"]["all"], serde_json::json!({"runs": 4, "failed": 1}));
    assert_eq!(said["tests"][0]["test"], "p.q::x");
    assert_eq!((said["tests"].as_array().unwrap().len(), &said["tests_seen"]), (1, &2.into()));
    assert_eq!(said["first_failure"]["run"], 4);
    assert!(said["first_failure"]["output"].as_str().unwrap().contains("run 4 in "));
    let log = said["first_failure"]["log"].as_str().unwrap();
    assert!(std::fs::read_to_string(log).unwrap().contains("run 4 in "));
    // Four runs of one revision, in one of which the test failed.
    let shown = sandbox.run(&["show", "p.q::x", "--format", "json"]).exits(0).json();
    assert_eq!(shown["variants"][0]["strip"], "...F", "{shown:#}");
}

#[test]
fn enough_clean_runs_exclude_a_flake_and_say_which() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&hunt(&["--rate", "0.1"], &["true"])).exits(0);
    let line = "No flake: 29 runs passed, which excludes a flake rate above 9.8 % at 95 %.\n";
    assert!(said.stdout.starts_with(line), "{said:?}");
    assert!(!sandbox.path(".flakedb").exists(), "nothing was there to store");
    let said = sandbox.run(&hunt(&["--runs", "3", "--confidence", "0.5"], &["true"])).exits(0);
    assert!(said.stdout.contains("3 runs passed") && said.stdout.contains("at 50 %"), "{said:?}");
}

#[test]
fn what_always_fails_is_broken_and_no_flake() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&hunt(&[], &["false"])).exits(1);
    assert!(said.stdout.starts_with("Always fails: all 10 runs failed. It is broken"), "{said:?}");
}

#[test]
fn a_test_that_flakes_beside_a_broken_one_is_found() {
    let sandbox = Sandbox::new();
    sandbox.write("suite.sh", SUITE.replace("exit $code", "exit 1"));
    let flags = ["--junit", "r.xml", "--format", "json", "--no-store"];
    let said = sandbox.run(&hunt(&flags, &["sh", "suite.sh", "r.xml"])).exits(1).json();
    assert_eq!(
        (&said["finding"], &said["seen"]["finding"]),
        (&"flaky".into(), &"always-fails".into())
    );
    assert!(!sandbox.path(".flakedb").exists());
}

#[test]
fn a_retry_of_the_runner_is_a_flake_although_the_command_passes() {
    let sandbox = Sandbox::new();
    let report = "<testsuites><testsuite name='s'><testcase classname='p.q' name='x'>\
                  <flakyFailure message='boom'>trace</flakyFailure></testcase></testsuite></testsuites>";
    sandbox.write("r.txt", report);
    let said = sandbox.run(&hunt(&["--junit", "r.xml"], &["cp", "r.txt", "r.xml"])).exits(1);
    assert!(said.stdout.starts_with("Flaky: 1 test failed and passed in 1 run"), "{said:?}");
}

#[test]
fn what_fails_beside_others_only_is_named_so() {
    let sandbox = Sandbox::new();
    // Two at once cannot both have the directory.
    let script = "mkdir lock || exit 3; sleep 0.2; rmdir lock";
    let flags = ["--jobs", "3", "--runs", "30", "--format", "json"];
    let said = sandbox.run(&hunt(&flags, &["sh", "-c", script])).exits(1).json();
    assert_eq!(said["finding"], "under-load");
    assert!(said["seen"]["beside"]["failed"].as_u64().unwrap() > 0);
    assert_eq!(said["seen"]["alone"]["failed"], 0);
    assert!(said["seen"]["alone"]["runs"].as_u64().unwrap() > 1);
}

#[test]
fn runs_side_by_side_have_reports_of_their_own() {
    let sandbox = Sandbox::new();
    sandbox.write("suite.sh", SUITE);
    let command = ["sh", "suite.sh", "{dir}/r-{n}.xml"];
    let flags = ["--jobs", "2", "--runs", "3", "--junit", "{dir}/r-{n}.xml", "--format", "json"];
    let said = sandbox.run(&hunt(&flags, &command)).exits(0).json();
    assert_eq!((&said["tests_seen"], &said["seen"]["beside"]["runs"]), (&2.into(), &3.into()));
    let said = sandbox.run(&hunt(&["--jobs", "2", "--junit", "r.xml"], &command)).exits(2);
    assert!(said.stderr.contains("r.xml") && said.stderr.contains("{dir}/report.xml"), "{said:?}");
}

#[test]
fn a_run_that_takes_too_long_has_failed() {
    let sandbox = Sandbox::new();
    let flags = ["--runs", "2", "--timeout", "200ms", "--format", "json"];
    let said = sandbox.run(&hunt(&flags, &["sleep", "60"])).exits(1).json();
    assert_eq!(said["endings"][0]["how"], "out of time");
    assert_eq!(said["finding"], "always-fails");
}

#[test]
fn wrong_usage_is_two() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&hunt(&[], &["no-such-command"])).exits(2);
    assert!(said.stderr.contains("there is no command `no-such-command`"), "{said:?}");
    sandbox.run(&hunt(&["--rate", "1"], &["true"])).exits(2);
    sandbox.run(&hunt(&["--rate", "0.1", "--runs", "3"], &["true"])).exits(2);
    sandbox.run(&["hunt"]).exits(2);
}

#[test]
fn an_interrupt_ends_the_hunt_and_shows_what_was_learnt() {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.command(&hunt(&["--runs", "1000"], &["sh", "-c", "echo . >> runs; sleep 0.05"]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let runs = || std::fs::read_to_string(sandbox.path("runs")).unwrap_or_default().lines().count();
    while runs() < 5 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.starts_with("Ended by a signal after "), "{text}");
    assert!(text.contains("No flake: "), "{text}");
}
