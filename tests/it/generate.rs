//! `flakedb generate`, from arguments to bytes.

use flakedb::testkit::generators::KINDS;

use crate::command::{Sandbox, finish};

fn made(sandbox: &Sandbox, kind: &str, surroundings: &[(&str, &str)]) -> String {
    let mut command =
        sandbox.command(&["generate", kind, "--seed", "7", "-n", "5", "--format", "jsonl"]);
    command.envs(surroundings.iter().copied());
    finish(command).exits(0).stdout
}

#[test]
fn a_seed_gives_the_same_bytes_in_another_locale_and_time_zone() {
    let sandbox = Sandbox::new();
    for kind in KINDS {
        let here = made(&sandbox, kind.name, &[("LC_ALL", "C"), ("TZ", "UTC")]);
        let elsewhere = [
            ("LC_ALL", "tr_TR.UTF-8"),
            ("TZ", "Pacific/Kiritimati"),
            ("RAYON_NUM_THREADS", "1"),
            ("TOKIO_WORKER_THREADS", "1"),
        ];
        assert!(!here.is_empty(), "{}", kind.name);
        assert!(here == made(&sandbox, kind.name, &elsewhere), "{} differs", kind.name);
    }
}

#[test]
fn many_begin_as_few_do_and_json_holds_what_lines_hold() {
    let sandbox = Sandbox::new();
    for kind in KINDS.iter().filter(|kind| kind.name != "history") {
        let few = made(&sandbox, kind.name, &[]);
        let many = ["generate", kind.name, "--seed", "7", "-n", "9", "--format", "json"];
        let many = sandbox.run(&many).exits(0).json();
        let few: Vec<serde_json::Value> =
            few.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let many = many.as_array().unwrap();
        assert_eq!((few.len(), many.len()), (5, 9), "{}", kind.name);
        assert_eq!(few, many[..5], "{}", kind.name);
    }
}

#[test]
fn every_kind_is_listed_with_what_it_can_be_told() {
    let said = Sandbox::new().run(&["generate", "--kinds"]).exits(0).stdout;
    for kind in KINDS {
        assert!(said.contains(&format!("{}\n  {}\n", kind.name, kind.about)), "{said}");
        for setting in kind.settings {
            assert!(said.contains(&format!("--with {}", setting.name)), "{}", setting.name);
        }
    }
}

#[test]
fn what_cannot_be_made_is_wrong_usage_with_the_mend() {
    let sandbox = Sandbox::new();
    for (arguments, says) in [
        (&["generate", "mesage"][..], "'message'"),
        (&["generate"], "<KIND>"),
        (&["generate", "message", "--with", "ful=true"], "did you mean full?"),
        (&["generate", "message", "--with", "full=perhaps"], "full=perhaps"),
        (&["generate", "message", "--with", "full"], "NAME=VALUE"),
        (&["generate", "message", "--format", "junit"], "not written as junit"),
        (&["generate", "report", "-n", "2", "--format", "junit"], "--dir"),
        (&["generate", "message", "-n", "many"], "--count"),
    ] {
        let said = sandbox.run(arguments).exits(2);
        assert!(said.stderr.contains(says), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[test]
fn reports_go_to_a_file_or_a_directory_and_nothing_is_overwritten_there() {
    let sandbox = Sandbox::new();
    let order = ["generate", "report", "--format", "junit", "--with", "dialect=surefire"];
    let printed = sandbox.run(&order).exits(0).stdout;
    sandbox.run(&[&order[..], &["-o", "report.xml"]].concat()).exits(0);
    assert_eq!(std::fs::read_to_string(sandbox.path("report.xml")).unwrap(), printed);
    let below = [&order[..], &["-n", "3", "--dir", "reports"]].concat();
    let said = sandbox.run(&below).exits(0);
    assert!(said.stderr.contains("files in reports"), "{}", said.stderr);
    sandbox.run(&["validate", "reports", "--strict"]).exits(0);
    let again = sandbox.run(&below).exits(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    let several = [&order[..], &["-n", "2", "-o", "report.xml"]].concat();
    let said = sandbox.run(&several).exits(2);
    assert!(said.stderr.contains("--dir"), "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(sandbox.path("report.xml")).unwrap(), printed);
    let left = std::fs::read_dir(sandbox.path("")).unwrap().flatten();
    let half = left.filter(|entry| entry.file_name().to_string_lossy().contains("partial"));
    assert_eq!(half.count(), 0);
    let nowhere = sandbox.run(&["generate", "message", "-o", "no/such/file"]).exits(3);
    assert!(nowhere.stderr.contains("cannot write no/such/file"), "{}", nowhere.stderr);
}

#[test]
fn a_history_is_made_ingested_and_judged_without_a_wrong_word() {
    let sandbox = Sandbox::new();
    let order = ["generate", "history", "--seed", "7", "--format", "junit", "--dir", "ci"];
    sandbox.run(&order).exits(0);
    let said = sandbox.run(&["ingest", "ci"]).exits(0);
    // Every run names its build beside its report.
    assert!(!format!("{}{}", said.stdout, said.stderr).contains("no build"), "{said:?}");
    let report = sandbox.run(&["report"]).exits(0).stdout;
    assert!(report.contains("flaky") && report.contains("fixed"), "{report}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let script = "\"$0\" generate message -n 20000 --format jsonl | head -n 1";
    let flakedb = env!("CARGO_BIN_EXE_flakedb");
    let done = std::process::Command::new("sh").args(["-c", script, flakedb]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stdout).lines().count(), 1);
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
}
