//! Histories and reports of other formats, brought along by `flakedb ingest`.

use crate::command::{Sandbox, project, report};

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

/// The fixtures that one and the same suite of pytest wrote, or would have.
fn pytest(name: &str) -> String {
    project("fixtures/import/pytest").join(name).to_str().unwrap().to_owned()
}

#[test]
fn pytest_json_report_says_what_the_junit_xml_of_the_same_run_says() {
    let of = |file: &str| {
        let sandbox = Sandbox::new();
        ingest(&sandbox, &[&pytest(file)]);
        tests(&sandbox)
    };
    let junit = of("junit.xml");
    assert_eq!(junit.len(), 17);
    assert_eq!(of("report.json"), junit);
    // The reporter for CTRF leaves out what could not be collected.
    let collected: Vec<_> =
        junit.into_iter().filter(|test| !test.starts_with("pytest::tests.test_broken")).collect();
    assert_eq!(of("ctrf-report.json"), collected);
}

#[test]
fn a_test_has_one_history_whatever_format_its_results_came_in() {
    let sandbox = Sandbox::new();
    for file in [".pytest_flaky_history.json", "report.json", "ctrf-report.json", "junit.xml"] {
        ingest(&sandbox, &[&pytest(file)]);
    }
    let tests = tests(&sandbox);
    assert_eq!(tests.len(), 17, "{tests:#?}");
    for test in [
        "pytest::test_top::test_at_the_top 0/7",
        "tests.unit.test_example::test_fails 5/7",
        "tests.unit.test_example::test_flaky 2/7",
        "tests.unit.test_example::test_params[b::c] 0/5",
        "tests.unit.test_example.TestX::test_y[1] 0/6",
    ] {
        assert!(tests.contains(&test.to_owned()), "{test}: {tests:#?}");
    }
}

#[test]
fn the_classic_history_says_what_was_made_up_and_names_what_it_cannot_understand() {
    let sandbox = Sandbox::new();
    let said = ingest(&sandbox, &[&pytest(".pytest_flaky_history.json"), "--branch", "main"]);
    assert_eq!(said["runs_new"], 4, "{said:#}");
    assert!(said["notes"].to_string().contains("4 in all, 1 h apart"), "{said:#}");
    let again = ingest(&sandbox, &[&pytest(".pytest_flaky_history.json")]);
    assert_eq!(again["runs_new"], 0, "{again:#}");
    // Tools of the same family keep more beside the outcomes.
    let other = r#"{"version": 2, "a/test_a.py::t": {"outcomes": ["failed", true, {"status": "skipped"}]},
        "a/test_a.py::u": [1, 0]}"#;
    sandbox.write("flaky.json", other);
    let said = ingest(&sandbox, &["flaky.json", "--project", "other"]);
    assert_eq!((&said["runs_new"], &said["results"]["cases"]), (&3.into(), &3.into()), "{said:#}");
    assert_eq!(said["problems"][0]["code"], "BAD_RESULT");
    assert!(said["problems"][0]["message"].to_string().contains("a/test_a.py::u"), "{said:#}");
}

#[cfg(unix)]
#[test]
fn a_jenkins_job_is_read_once_whatever_links_point_to_its_builds() {
    let sandbox = Sandbox::new();
    let jobs = project("fixtures/import/jenkins/jobs");
    copy(&jobs, &sandbox.path("jobs"));
    let builds = sandbox.path("jobs/shop/builds");
    for (link, build) in [("lastStableBuild", "8"), ("lastUnstableBuild", "7"), ("6", "7")] {
        std::os::unix::fs::symlink(build, builds.join(link)).unwrap();
    }
    std::os::unix::fs::symlink("builds/8", sandbox.path("jobs/shop/lastStable")).unwrap();
    let said = ingest(&sandbox, &["jobs"]);
    assert_eq!((&said["runs_new"], &said["passed_over"]), (&2.into(), &0.into()), "{said:#}");
    assert_eq!(said["projects"][0], "team/shop");
    assert_eq!(said["problems"].as_array().unwrap().len(), 0, "{said:#}");
    let expected = ["adds 1/2", "pays 0/2", "removes 0/2", "taxes 0/0"];
    assert_eq!(tests(&sandbox), expected.map(|test| format!("shop.cart.CartTest::{test}")));
    // Both outcomes on one revision: the build after it needed no change to pass.
    let report = sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
    assert!(report.to_string().contains("a1b2c3d4e5f6"), "{report:#}");
    // A copy of the folder and the folder itself are the same builds.
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_dir_all("jobs", &jobs).unwrap();
    sandbox.write("jobs.tar", archive.into_inner().unwrap());
    let said = ingest(&sandbox, &["jobs.tar"]);
    assert_eq!((&said["runs_new"], &said["reports_known"]), (&0.into(), &2.into()), "{said:#}");
    assert_eq!(said["problems"].as_array().unwrap().len(), 0, "{said:#}");
    // The test goes on as JUnit XML.
    let xml = "<testsuite name='shop.cart.CartTest'><testcase classname='shop.cart.CartTest' name='adds'/></testsuite>";
    sandbox.write("r.xml", xml);
    ingest(&sandbox, &["r.xml", "--project", "team/shop"]);
    assert!(tests(&sandbox).contains(&"shop.cart.CartTest::adds 1/3".to_owned()));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_ctrf_report_names_its_run_and_is_found_in_archives() {
    let sandbox = Sandbox::new();
    let ctrf = r#"{"reportFormat":"CTRF","results":{"tool":{"name":"playwright"},"summary":{"start":1795335738000},
        "tests":[{"name":"logs in","status":"passed","duration":20,"suite":["chromium","a.spec.ts","Login"],
                  "retries":1,"flaky":true,"retryAttempts":[{"status":"failed","duration":10,"message":"no"}]}],
        "environment":{"buildNumber":456,"commit":"c1","branchName":"main",
                       "repositoryUrl":"https://forge.example/team/app.git"}}}"#;
    sandbox.write("reports/any.json", ctrf);
    let said = ingest(&sandbox, &["reports/any.json"]);
    let run = &said["run"];
    assert_eq!((&run["build"], &run["revision"]), (&"456".into(), &"c1".into()), "{said:#}");
    assert_eq!((&run["project"], &run["lane"]), (&"team/app".into(), &"default".into()));
    assert_eq!(said["results"]["flaky"], 1);
    // Flags win, as for JUnit XML.
    let said = ingest(&sandbox, &["reports/any.json", "--build", "9", "--dry-run"]);
    assert_eq!(said["run"]["build"], "9", "{said:#}");
    // A directory is walked for XML, unless another format is asked for.
    sandbox.run(&["ingest", "reports"]).exits(3);
    sandbox.write("reports/ctrf-report.json", ctrf);
    let said = ingest(&sandbox, &["reports", "--format", "ctrf"]);
    assert_eq!((&said["files"], &said["reports_known"]), (&1.into(), &1.into()), "{said:#}");
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_dir_all(".", sandbox.path("reports")).unwrap();
    sandbox.write("artifacts.tar", archive.into_inner().unwrap());
    assert_eq!(ingest(&sandbox, &["artifacts.tar"])["files"], 1);
}

#[test]
fn validate_says_who_reads_what_is_no_junit_xml() {
    let sandbox = Sandbox::new();
    sandbox.write("h.jsonl", HISTORY);
    let said = sandbox.run(&["validate", "h.jsonl"]);
    assert!(said.stdout.contains("flakedb ingest --dry-run"), "{said:?}");
}
