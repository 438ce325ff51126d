//! `flakedb ingest` and `flakedb validate` as people and CI call them.

use crate::command::{Sandbox, report};

fn totals(sandbox: &Sandbox) -> serde_json::Value {
    sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json()
}

#[test]
fn ingesting_twice_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
    let first = sandbox.run(&["ingest", "r.xml", "--format", "json"]).exits(0).json();
    assert_eq!(first["reports_new"], 1);
    let before = totals(&sandbox);
    let second = sandbox.run(&["ingest", "r.xml", "--format", "json"]).exits(0).json();
    assert_eq!(second["reports_new"], 0);
    assert_eq!(second["reports_known"], 1);
    assert_eq!(totals(&sandbox), before);
}

#[test]
fn a_ci_rerun_is_another_attempt_and_proves_a_flake() {
    let sandbox = Sandbox::new();
    for (attempt, outcome) in [("1", 'F'), ("2", '.')] {
        sandbox.write("r.xml", report(&[("a", outcome), ("b", '.')]));
        sandbox
            .run(&["ingest", "r.xml", "--build", "7", "--attempt", attempt, "--revision", "abc"])
            .exits(0);
    }
    let said = totals(&sandbox);
    let tests = said["tests"].as_array().unwrap();
    let flaky: Vec<_> = tests.iter().filter(|test| test["status"] == "flaky").collect();
    assert_eq!(flaky.len(), 1, "{said:#}");
    assert_eq!(flaky[0]["test"], "shop.cart::a");
    assert_eq!(flaky[0]["executions"], 2);
}

#[test]
fn one_bad_file_never_hides_the_others() {
    let sandbox = Sandbox::new();
    sandbox.write("reports/good.xml", report(&[("a", '.')]));
    sandbox.write("reports/broken.xml", "this is no XML");
    sandbox.write("reports/other.xml", "<coverage/>");
    // Found by walking a directory, foreign files are no error: coverage reports live there, too.
    let said = sandbox.run(&["ingest", "reports"]);
    assert!(said.stdout.contains("broken.xml"), "{said:?}");
    assert!(said.stdout.contains("other.xml"), "{said:?}");
    assert_eq!(totals(&sandbox)["tests"].as_array().unwrap().len(), 1);
    // Named on the command line they are.
    let said = sandbox.run(&["ingest", "reports/other.xml"]).exits(3);
    assert!(said.stdout.contains("coverage"), "{said:?}");
    // A CI post-step can ask never to fail.
    sandbox.run(&["ingest", "reports/other.xml", "missing.xml", "--exit-zero"]).exits(0);
}

#[test]
fn nothing_to_read_says_so() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["ingest", "missing.xml"]).exits(3);
    assert!(said.stdout.contains("missing.xml"), "{said:?}");
    let said = sandbox.run(&["ingest", "**/*.xml"]).exits(3);
    assert!(said.stdout.contains("**/*.xml"), "{said:?}");
    assert!(!sandbox.path(".flakedb").exists(), "an empty history was made");
    let said = sandbox.run(&["ingest"]).exits(2);
    assert!(said.stderr.contains("reports"), "{said:?}");
}

#[test]
fn standard_input_and_the_configuration_name_reports_too() {
    let sandbox = Sandbox::new();
    let xml = report(&[("a", '.'), ("b", 's')]);
    sandbox.run_with_input(&["ingest", "-"], xml.as_bytes()).exits(0);
    assert_eq!(totals(&sandbox)["runs"]["total"], 1);
    sandbox.write("flakedb.toml", "project = \"configured\"\nreports = [\"out/*.xml\"]\n");
    sandbox.write("out/r.xml", report(&[("c", '.')]));
    sandbox.run(&["ingest"]).exits(0);
    let said = sandbox.run(&["db", "info", "--format", "json"]).exits(0).json();
    let projects = said["projects"].as_array().unwrap();
    assert!(projects.iter().any(|project| project["name"] == "configured"), "{said:#}");
}

#[test]
fn configuration_errors_name_the_place() {
    let sandbox = Sandbox::new();
    sandbox.write("flakedb.toml", "[window]\nrun = 3\n");
    let said = sandbox.run(&["report"]).exits(2);
    assert!(said.stderr.contains("flakedb.toml:2:1"), "{said:?}");
    assert!(said.stderr.contains("run"), "{said:?}");
}

#[test]
fn validate_says_what_is_wrong_where() {
    let sandbox = Sandbox::new();
    sandbox.write("good.xml", report(&[("a", '.'), ("b", 'F')]));
    let whole = report(&[("a", '.'), ("b", 'F')]);
    sandbox.write("cut.xml", &whole[..whole.len() - 60]);
    let said = sandbox.run(&["validate", "good.xml", "--format", "json"]).exits(0).json();
    assert_eq!(said["files"][0]["verdict"], "accept");
    assert_eq!(said["files"][0]["cases"], 2);
    let said = sandbox.run(&["validate", "cut.xml", "--format", "json"]).exits(1).json();
    assert_eq!(said["files"][0]["verdict"], "salvage");
    assert_eq!(said["files"][0]["code"], "TRUNCATED");
    assert!(said["files"][0]["warnings"][0]["line"].as_u64().unwrap() >= 2);
    let said = sandbox.run(&["validate", "cut.xml"]).exits(1);
    assert!(said.stdout.contains("cut.xml:"), "{said:?}");
    assert!(said.stdout.contains("TRUNCATED"), "{said:?}");
}

#[test]
fn merging_two_histories_equals_ingesting_both() {
    let sandbox = Sandbox::new();
    sandbox.write("1.xml", report(&[("a", '.'), ("b", 'F')]));
    sandbox.write("2.xml", report(&[("a", 'F'), ("c", '.')]));
    for (db, file, build) in [
        ("x.db", "1.xml", "1"),
        ("y.db", "2.xml", "2"),
        ("both.db", "1.xml", "1"),
        ("both.db", "2.xml", "2"),
    ] {
        sandbox.run(&["ingest", file, "--db", db, "--build", build, "--project", "p"]).exits(0);
    }
    sandbox.run(&["db", "merge", "x.db", "y.db", "--db", "merged.db"]).exits(0);
    let all = |db: &str| sandbox.run(&["report", "--all", "--db", db, "--format", "json"]).exits(0);
    assert_eq!(all("merged.db").json(), all("both.db").json());
    sandbox.run(&["db", "merge", "x.db", "--db", "merged.db"]).exits(0);
    assert_eq!(all("merged.db").json(), all("both.db").json());
}

#[test]
fn show_finds_a_test_by_part_of_its_name() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("test_checkout", 'F'), ("test_cart", '.')]));
    sandbox.run(&["ingest", "r.xml"]).exits(0);
    for typed in ["shop.cart::test_checkout", "test_checkout", "CHECKOUT", "test_chekout"] {
        let said = sandbox.run(&["show", typed, "--format", "json"]).exits(0).json();
        assert_eq!(said["test"], "shop.cart::test_checkout", "{typed}");
    }
    let said = sandbox.run(&["show", "test_c"]).exits(2);
    assert!(said.stderr.contains("test_checkout") && said.stderr.contains("test_cart"), "{said:?}");
    let said = sandbox.run(&["show", "zzz"]).exits(2);
    assert!(said.stderr.contains("zzz"), "{said:?}");
}

#[test]
fn the_classic_rule_is_a_method_with_every_number_a_flag() {
    let sandbox = Sandbox::new();
    for (at, outcome) in "..F..F..F.".chars().enumerate() {
        sandbox.write("r.xml", report(&[("a", outcome), ("b", '.')]));
        let build = at.to_string();
        let started = format!("2026-11-{:02}T00:00:00Z", at + 1);
        sandbox.run(&["ingest", "r.xml", "--build", &build, "--started", &started]).exits(0);
    }
    let flaky = |flags: &[&str]| {
        let mut arguments = vec!["report", "--format", "json", "--method", "threshold"];
        arguments.extend(flags);
        let said = sandbox.run(&arguments).exits(0).json();
        said["tests"].as_array().unwrap().iter().filter(|test| test["status"] == "flaky").count()
    };
    assert_eq!(flaky(&["--window", "10", "--min-runs", "3", "--threshold", "0.3"]), 1);
    assert_eq!(flaky(&["--threshold", "0.31"]), 0);
    assert_eq!(flaky(&["--window", "4", "--threshold", "0.3"]), 0);
    assert_eq!(flaky(&["--window", "4", "--threshold", "0.25"]), 1);
    assert_eq!(flaky(&["--min-runs", "11"]), 0);
}

#[test]
fn report_can_fail_a_build_where_it_is_asked_to() {
    let sandbox = Sandbox::new();
    for (attempt, outcome) in [("1", 'F'), ("2", '.')] {
        sandbox.write("r.xml", report(&[("a", outcome)]));
        sandbox
            .run(&["ingest", "r.xml", "--build", "7", "--attempt", attempt, "--revision", "abc"])
            .exits(0);
    }
    sandbox.run(&["report"]).exits(0);
    sandbox.run(&["report", "--fail-on", "flaky"]).exits(1);
    sandbox.run(&["report", "--fail-on", "broken"]).exits(0);
}

#[test]
fn a_variable_without_a_value_is_not_set() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.')]));
    let mut command = sandbox.command(&["ingest", "r.xml"]);
    command.env("FLAKEDB_DB", "").env("FLAKEDB_STARTED", "").env("FLAKEDB_LANE", "");
    crate::command::finish(command).exits(0);
    assert!(sandbox.path(".flakedb/history.db").is_file());
}

#[test]
fn the_history_above_is_used_from_a_directory_below() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.')]));
    sandbox.write("below/s.xml", report(&[("b", '.')]));
    sandbox.run(&["ingest", "r.xml", "--project", "p"]).exits(0);
    let mut command = sandbox.command(&["ingest", "s.xml", "--project", "p"]);
    command.current_dir(sandbox.path("below"));
    crate::command::finish(command).exits(0);
    assert!(!sandbox.path("below/.flakedb").exists());
    assert_eq!(totals(&sandbox)["totals"]["tests"], 2);
}

#[test]
fn equal_reports_with_different_stated_starts_are_two_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.')]));
    for day in ["2026-11-01", "2026-11-02", "2026-11-02"] {
        sandbox.run(&["ingest", "r.xml", "--started", day]).exits(0);
    }
    assert_eq!(totals(&sandbox)["runs"]["total"], 2);
}

#[cfg(unix)]
#[test]
fn output_goes_through_a_link_and_never_replaces_it() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", 'F')]));
    sandbox.run(&["ingest", "r.xml"]).exits(0);
    let target = sandbox.write("target.md", "before");
    std::os::unix::fs::symlink(&target, sandbox.path("link.md")).unwrap();
    sandbox.run(&["report", "--format", "markdown", "-o", "link.md"]).exits(0);
    assert!(sandbox.path("link.md").is_symlink());
    assert!(std::fs::read_to_string(target).unwrap().starts_with("## "));
    sandbox.run(&["report", "-o", "/dev/null"]).exits(0);
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn attempts_of_one_build_keep_their_order_where_the_clock_did_not_tick() {
    let sandbox = Sandbox::new();
    let strip = "..F.FF...F";
    for (place, mark) in strip.chars().enumerate() {
        sandbox.write("r.xml", report(&[("pays", mark)]));
        let attempt = (place + 1).to_string();
        let about = ["--build", "7", "--attempt", &attempt, "--started", "2026-11-01"];
        let words: Vec<&str> = ["ingest", "r.xml"].into_iter().chain(about).collect();
        sandbox.run(&words).exits(0);
    }
    let shown = sandbox.run(&["show", "pays", "--format", "json"]).exits(0).json();
    assert_eq!(shown["variants"][0]["strip"], strip);
}
