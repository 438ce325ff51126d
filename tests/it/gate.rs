//! `flakedb gate` after real commands: in every case the exit code is right and the first line of
//! the output says why.

use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::command::{Said, Sandbox, finish};

/// Tests of the suite; the third one is flaky and quarantined.
const TESTS: usize = 8;
const GREEN: &str = "........";
const FLAKY: &str = "..F.....";

/// A report as pytest writes it, with outcomes as in a strip; `started` as in its timestamp.
fn report(strip: &str, started: &str) -> String {
    let cases: String = strip
        .chars()
        .enumerate()
        .map(|(place, mark)| {
            let inside = match mark {
                'F' => format!(
                    "<failure message=\"assert {place}\">shop/test_cart.py:{}: no</failure>",
                    place + 10
                ),
                'E' => "<error message=\"crash\"/>".to_owned(),
                's' => "<skipped/>".to_owned(),
                _ => String::new(),
            };
            format!(
                "<testcase classname=\"shop.test_cart\" name=\"test_{place}\" \
                 file=\"shop/test_cart.py\" time=\"0.01\">{inside}</testcase>\n"
            )
        })
        .collect();
    let bad = strip.matches(['F', 'E']).count();
    format!(
        "<testsuites name=\"pytest tests\"><testsuite name=\"pytest\" tests=\"{}\" \
         failures=\"{bad}\" {started}>\n{cases}</testsuite></testsuites>\n",
        strip.len()
    )
}

fn timestamp(time: &str) -> String {
    format!("timestamp=\"{time}\"")
}

const LIST: &str = "\
[[entry]]
test = \"shop.test_cart::test_2\"
owner = \"@cart\"
reason = \"passed on retry\"
ticket = \"SHOP-12\"
expires = 2199-01-01
";

/// One run of the main branch for each strip, back-filled a day apart.
fn backfill(sandbox: &Sandbox, first: usize, strips: &[&str]) {
    for (place, strip) in (first..).zip(strips) {
        let day = format!("2026-{:02}-{:02}T08:00:00Z", 1 + place / 28, 1 + place % 28);
        let folder = format!("past/{place:03}");
        sandbox.write(&format!("{folder}/report.xml"), report(strip, &timestamp(&day)));
        sandbox.write(
            &format!("{folder}/flakedb-run.toml"),
            format!("branch = \"main\"\nlane = \"default\"\nbuild = \"{place}\"\nrevision = \"r{place}\"\n"),
        );
    }
    sandbox.run(&["ingest", "past", "--project", "shop"]).exits(0);
}

/// A history of 60 runs in which the third test failed now and then, made once.
fn history() -> &'static [u8] {
    static HISTORY: OnceLock<Vec<u8>> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let sandbox = Sandbox::new();
        let strips: Vec<&str> =
            (0..60).map(|run| if run % 15 == 4 { FLAKY } else { GREEN }).collect();
        backfill(&sandbox, 0, &strips);
        std::fs::read(sandbox.path(".flakedb/history.db")).unwrap()
    })
}

/// A checkout with the history, the list and a start that lies behind.
fn stage() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".flakedb/history.db", history());
    sandbox.write("quarantine.toml", LIST);
    sandbox.write("flakedb.toml", "project = \"shop\"\n");
    sandbox.write("started", "");
    set_written(&sandbox, "started", Duration::from_secs(5));
    sandbox
}

/// Makes a file this old.
fn set_written(sandbox: &Sandbox, file: &str, ago: Duration) {
    let file = std::fs::File::options().write(true).open(sandbox.path(file)).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
}

fn arguments<'a>(code: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let always = [
        "gate",
        "--runner-exit-code",
        code,
        "--started",
        "started",
        "--branch",
        "topic",
        "--lane",
        "change",
        "report.xml",
    ];
    always.iter().chain(more).copied().collect()
}

fn gate(sandbox: &Sandbox, code: &str, more: &[&str]) -> Said {
    sandbox.run(&arguments(code, more))
}

/// The first line of the output.
#[track_caller]
fn says(said: &Said, code: i32, first: &str) {
    let line = said.stdout.lines().next().unwrap_or_default();
    assert!(said.code == code && line == first, "wanted {code}: {first}\n{said:#?}");
}

#[track_caller]
fn keeps(sandbox: &Sandbox, code: &str, why: &str) {
    let said = gate(sandbox, code, &[]);
    says(&said, code.parse().unwrap(), &format!("kept exit code {code}: {why}"));
}

const EXCUSED: &str = "excused: 1 failing test is quarantined; exit code 1 becomes 0";

/// A shell in the sandbox that runs a runner, then the gate with the runner's own code.
fn after(sandbox: &Sandbox, runner: &str) -> Said {
    let gate = sandbox.command(&[] as &[&str]);
    let binary = gate.get_program().to_string_lossy().into_owned();
    let script = format!(
        "touch started\nsleep 0.02\n{runner}\nexec '{binary}' gate --runner-exit-code $? \
         --started started --branch topic --lane change report.xml --runner pytest"
    );
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(sandbox.path("")).env("TZ", "UTC");
    shell
        .env("HOME", sandbox.path(""))
        .env("GIT_CEILING_DIRECTORIES", sandbox.path("").parent().unwrap());
    shell.env_remove("COLUMNS");
    for name in ["CI", "GITHUB_ACTIONS"] {
        shell.env_remove(name);
    }
    finish(shell)
}

#[test]
fn a_quarantined_failure_is_excused_before_and_after_its_ingest() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    for _ in 0..2 {
        says(&gate(&sandbox, "1", &[]), 0, EXCUSED);
        sandbox
            .run(&["ingest", "report.xml", "--branch", "topic", "--lane", "change", "--build", "9"])
            .exits(0);
    }
    says(&gate(&sandbox, "1", &["--build", "9"]), 0, EXCUSED);
}

#[test]
fn a_code_of_zero_stays_zero_whatever_else_is_wrong() {
    let sandbox = stage();
    sandbox.write("report.xml", report(GREEN, ""));
    says(&gate(&sandbox, "0", &[]), 0, "passed: the runner exited with 0");
    sandbox.write("report.xml", "");
    sandbox.write("quarantine.toml", "what");
    sandbox.write(".flakedb/history.db", "what");
    let said = gate(&sandbox, "0", &[]).exits(0);
    assert!(
        said.stdout.starts_with("passed: the runner exited with 0, but report.xml: EMPTY"),
        "{said:?}"
    );
    sandbox.write("report.xml", report("F.......", ""));
    let said = gate(&sandbox, "0", &[]).exits(0);
    let wanted = "passed: the runner exited with 0, but 1 test failed, by the reports: \
                  shop.test_cart::test_0";
    assert!(said.stdout.starts_with(wanted), "{said:?}");
    sandbox.write("flakedb.toml", "nonsense = 1\n");
    gate(&sandbox, "0", &[]).exits(0);
}

#[test]
fn a_runner_that_dies_after_its_report_keeps_its_code() {
    let sandbox = stage();
    sandbox.write("made.xml", report(FLAKY, ""));
    let dies = |how: &str| after(&sandbox, &format!("sh -c 'cat made.xml > report.xml; {how}'"));
    says(&dies("exit 1"), 0, EXCUSED);
    for (how, code, why) in [
        ("kill -9 $$", 137, "the runner was ended by SIGKILL (signal 9)"),
        ("kill -SEGV $$", 139, "the runner was ended by SIGSEGV (signal 11)"),
        ("kill -TERM $$", 143, "the runner was ended by SIGTERM (signal 15)"),
        (
            "exit 2",
            2,
            "the runner exited with 2 (pytest was interrupted, or could not collect the tests); \
             pytest says \"tests failed\" with 1",
        ),
        (
            "exit 4",
            4,
            "the runner exited with 4 (pytest was called wrongly); pytest says \"tests failed\" \
             with 1",
        ),
        (
            "exit 5",
            5,
            "the runner exited with 5 (pytest found no tests); pytest says \"tests failed\" with 1",
        ),
        ("no-such-runner-anywhere", 127, "the runner could not be started: command not found"),
    ] {
        says(&dies(how), code, &format!("kept exit code {code}: {why}"));
    }
}

#[test]
fn a_timeout_keeps_its_code() {
    let sandbox = stage();
    sandbox.write("made.xml", report(FLAKY, ""));
    let said = after(&sandbox, "cat made.xml > report.xml; timeout 0.1 sleep 9");
    says(&said, 124, "kept exit code 124: the runner was stopped because its time was up");
}

#[test]
fn reports_that_are_not_whole_keep_the_code() {
    let sandbox = stage();
    let whole = report(FLAKY, "");
    sandbox.write("report.xml", &whole[..whole.find("test_6").unwrap()]);
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml: TRUNCATED: line "), "{said:?}");
    sandbox.write("report.xml", "");
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml: EMPTY: "), "{said:?}");
    sandbox.write("report.xml", "<html><body>502</body></html>");
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml: HTML: "), "{said:?}");
    sandbox.write("report.xml", "<testsuites name=\"pytest tests\"/>");
    let said = gate(&sandbox, "1", &["--runner", "pytest"]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml: has no test\n"), "{said:?}");
    sandbox.write("report.xml", whole.replace("failures=\"1\"", "failures=\"4\""));
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(
        said.stdout.starts_with("kept exit code 1: report.xml: line 1: 4 failures"),
        "{said:?}"
    );
    std::fs::remove_file(sandbox.path("report.xml")).unwrap();
    let said = gate(&sandbox, "1", &["--runner", "pytest"]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml: "), "{said:?}");
}

#[test]
fn a_damaged_report_among_good_ones_is_enough() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    sandbox.write("second.xml", "");
    let said = gate(&sandbox, "1", &["second.xml"]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: second.xml: EMPTY: "), "{said:?}");
    let said = gate(&sandbox, "1", &["nowhere/*.xml"]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: nowhere/*.xml: "), "{said:?}");
}

#[test]
fn a_suite_that_failed_outside_its_tests_keeps_the_code() {
    let sandbox = stage();
    let error = "<error message=\"no database\"/></testsuite>";
    sandbox.write("report.xml", report(FLAKY, "").replace("</testsuite>", error));
    keeps(&sandbox, "1", "pytest failed outside its tests: no database (report.xml)");
}

#[test]
fn an_old_report_keeps_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    set_written(&sandbox, "report.xml", Duration::from_secs(60));
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: report.xml was written at 20"), "{said:?}");
    // Touched since, but its own clock tells.
    sandbox.write("report.xml", report(FLAKY, &timestamp("2026-06-01T08:00:00+00:00")));
    let said = gate(&sandbox, "1", &[]).exits(1);
    let wanted = "kept exit code 1: report.xml says that its tests started at \
                  2026-06-01T08:00:00Z, before the tests started at 20";
    assert!(said.stdout.starts_with(wanted), "{said:?}");
    // The same without a zone.
    sandbox.write("report.xml", report(FLAKY, &timestamp("2026-06-01T08:00:00")));
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.contains("started at 2026-06-01T08:00:00, before"), "{said:?}");
}

#[test]
fn a_report_of_an_earlier_run_keeps_the_code() {
    let sandbox = stage();
    // Bytes that tell no time, from a run of yesterday.
    sandbox.write("report.xml", report(FLAKY, ""));
    sandbox
        .run(&["ingest", "report.xml", "--started", "2026-06-01T08:00:00Z", "--branch", "main"])
        .exits(0);
    let why = "report.xml is in the history already, from the run of 2026-06-01T08:00:00Z, before \
               the tests started at ";
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(said.stdout.starts_with(&format!("kept exit code 1: {why}")), "{said:?}");
    // Ingested for this run as well, it is still the earlier one's.
    sandbox.run(&["ingest", "report.xml", "--build", "77", "--branch", "topic"]).exits(0);
    let said = gate(&sandbox, "1", &["--build", "77"]).exits(1);
    assert!(said.stdout.starts_with(&format!("kept exit code 1: {why}")), "{said:?}");
}

#[test]
fn without_a_start_nothing_shows_that_reports_are_new() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let said = sandbox.run(&["gate", "--runner-exit-code", "1", "report.xml", "--lane", "change"]);
    says(
        &said,
        1,
        "kept exit code 1: nothing says when the tests started, so the reports may be old ones",
    );
    assert!(said.stdout.contains("touch a file before the tests"), "{said:?}");
}

#[test]
fn starts_are_times_seconds_or_files() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (before, later) = (format!("{}", now - 5), format!("{}", now + 500));
    let of = |start: &str| {
        sandbox
            .run(&["gate", "--runner-exit-code", "1", "report.xml", "--started", start])
            .stdout
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(of(&before), EXCUSED);
    assert_eq!(of("2026-06-01T00:00:00Z"), EXCUSED);
    assert!(of(&later).contains("report.xml was written at"));
    assert_eq!(of("no-such-file"), "kept exit code 1: the arguments of flakedb make no sense");
}

#[test]
fn fewer_tests_than_the_last_runs_keep_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report("..F...", ""));
    let why = "2 expected tests did not run: shop.test_cart::test_6, shop.test_cart::test_7 (of \
               the last 20 runs)";
    keeps(&sandbox, "1", why);
    says(&gate(&sandbox, "1", &["--tolerance", "2"]), 0, EXCUSED);
    let said = gate(&sandbox, "1", &["--tolerance", "1"]);
    says(&said, 1, &format!("kept exit code 1: {why}"));
    says(&gate(&sandbox, "1", &["--removed", "*test_6", "--removed", "*test_7"]), 0, EXCUSED);
    sandbox.write(
        "flakedb.toml",
        "project = \"shop\"\n[gate]\nremoved = [\"*::test_[67]\", \"*_6\"]\n",
    );
    let said = gate(&sandbox, "1", &[]);
    let why = "1 expected test did not run: shop.test_cart::test_7 (of the last 20 runs)";
    says(&said, 1, &format!("kept exit code 1: {why}"));
}

#[test]
fn a_test_that_always_ran_and_is_skipped_keeps_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report("..F...s.", ""));
    keeps(
        &sandbox,
        "1",
        "1 test was skipped that always ran: shop.test_cart::test_6 (of the last 20 runs)",
    );
}

#[test]
fn a_history_that_cannot_say_what_should_run_keeps_the_code() {
    let sandbox = stage();
    std::fs::remove_dir_all(sandbox.path(".flakedb")).unwrap();
    sandbox.write("report.xml", report(FLAKY, ""));
    keeps(&sandbox, "1", "there is no history to say which tests should have run");
    let known = ["--set", "gate.expected=if-known"];
    says(&gate(&sandbox, "1", &known), 0, EXCUSED);
    backfill(&sandbox, 0, &[GREEN, GREEN, FLAKY, GREEN]);
    keeps(
        &sandbox,
        "1",
        "4 earlier runs of this lane and variant cannot say which tests should have run; 5 can",
    );
    says(&gate(&sandbox, "1", &known), 0, EXCUSED);
    backfill(&sandbox, 4, &[GREEN]);
    says(&gate(&sandbox, "1", &[]), 0, EXCUSED);
    // Another matrix cell has no history.
    let said = gate(&sandbox, "1", &["--variant", "os=mac"]).exits(1);
    assert!(said.stdout.starts_with("kept exit code 1: 0 earlier runs of this lane"), "{said:?}");
}

#[test]
fn a_failure_outside_any_entry_keeps_the_code_and_is_known_or_new() {
    let sandbox = stage();
    sandbox.write("report.xml", report("F.F.....", ""));
    keeps(
        &sandbox,
        "1",
        "shop.test_cart::test_0 failed, and no quarantine entry covers it; it never failed without \
         this change",
    );
    let said = gate(&sandbox, "1", &["--format", "json"]).exits(1).json();
    let news: Vec<&str> = said["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["news"].as_str().unwrap())
        .collect();
    assert_eq!(news, ["new-failure", "known-flaky"]);
    std::fs::remove_file(sandbox.path("quarantine.toml")).unwrap();
    keeps(
        &sandbox,
        "1",
        "shop.test_cart::test_0, shop.test_cart::test_2 failed, and there is no quarantine.toml",
    );
}

#[test]
fn an_entry_may_name_a_test_by_its_id_and_for_some_cells_only() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let said = gate(&sandbox, "1", &["--format", "json"]).exits(0).json();
    let id = said["tests"][0]["id"].as_str().unwrap().to_owned();
    sandbox.write("quarantine.toml", LIST.replace("shop.test_cart::test_2", &id));
    says(&gate(&sandbox, "1", &[]), 0, EXCUSED);
    let windows = LIST.replace("owner =", "variant = \"os=windows\"\nowner =");
    sandbox.write("quarantine.toml", windows);
    keeps(&sandbox, "1", "shop.test_cart::test_2 failed, and no quarantine entry covers it");
    let anyhow = ["--set", "gate.expected=if-known", "--variant", "os=windows"];
    says(&gate(&sandbox, "1", &anyhow), 0, EXCUSED);
}

#[test]
fn a_breakage_of_the_default_branch_is_known() {
    let sandbox = stage();
    backfill(&sandbox, 60, &["F.......", "F......."]);
    sandbox.write("report.xml", report("F.......", ""));
    let said = gate(&sandbox, "1", &["--format", "json"]).exits(1).json();
    assert_eq!(said["tests"][0]["news"], "known-broken");
    assert_eq!(said["reasons"][0]["code"], "uncovered");
}

#[test]
fn an_expired_entry_and_a_never_rule_keep_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    sandbox.write("quarantine.toml", LIST.replace("2199-01-01", "2026-01-02"));
    keeps(
        &sandbox,
        "1",
        "shop.test_cart::test_2 failed, and the quarantine entry expired on 2026-01-02 \
         (quarantine.toml:1)",
    );
    let never = format!("{LIST}\n[[never]]\npattern = \"shop.*\"\nreason = \"money\"\n");
    sandbox.write("quarantine.toml", never);
    keeps(
        &sandbox,
        "1",
        "shop.test_cart::test_2 failed and may never be quarantined (quarantine.toml:8)",
    );
}

#[test]
fn an_entry_may_name_a_test_as_any_screen_prints_it() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let shown = sandbox.run(&["show", "test_2", "--format", "json"]).exits(0).json();
    let id = shown["id"].as_str().unwrap().to_owned();
    for (printed, code) in [
        (id.as_str(), 0),
        ("shop.test_cart::test_2 [os=linux]", 0),
        ("shop.test_cart::test_2 [os=windows]", 1),
    ] {
        let list = format!("[[entry]]\ntest = \"{printed}\"\nreason = \"r\"\n");
        sandbox.write("quarantine.toml", list);
        let known = "gate.expected=if-known";
        let said = gate(&sandbox, "1", &["--variant", "os=linux", "--set", known]);
        assert_eq!(said.code, code, "{printed}: {said:?}");
    }
}

#[test]
fn a_quarantined_test_that_fails_every_time_keeps_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    backfill(&sandbox, 60, &[FLAKY]);
    says(&gate(&sandbox, "1", &[]), 0, EXCUSED);
    backfill(&sandbox, 61, &[FLAKY, FLAKY, FLAKY, FLAKY]);
    let said = gate(&sandbox, "1", &[]).exits(1);
    let wanted = "kept exit code 1: shop.test_cart::test_2 is quarantined but fails more than its \
                  own record: 5 of the last 5 runs, 5 of the 61 before (p = ";
    assert!(said.stdout.starts_with(wanted), "{said:?}");
    assert!(said.stdout.contains("it is broken now, not flaky"), "{said:?}");
    says(&gate(&sandbox, "1", &["--set", "gate.p=0.000000001"]), 0, EXCUSED);
}

#[test]
fn a_failing_code_without_a_failure_keeps_it() {
    let sandbox = stage();
    sandbox.write("report.xml", report(GREEN, ""));
    keeps(&sandbox, "1", "the runner says that tests failed, but no report shows a failure");
}

#[test]
fn a_runner_that_nothing_tells_keeps_the_code_and_a_name_helps() {
    let sandbox = stage();
    let plain =
        report(FLAKY, "").replace("pytest tests", "x").replace("name=\"pytest\"", "name=\"x\"");
    sandbox.write("report.xml", plain);
    keeps(&sandbox, "1", "no runner is known that writes all of the reports (unknown)");
    says(&gate(&sandbox, "1", &["--runner", "pytest"]), 0, EXCUSED);
    let said = gate(&sandbox, "1", &["--runner", "nose"]);
    says(&said, 1, "kept exit code 1: no runner is called `nose`");
    sandbox.write("flakedb.toml", "project = \"shop\"\n[gate.runners]\nown = [7]\n");
    let said = gate(&sandbox, "7", &["--runner", "own"]);
    says(&said, 0, "excused: 1 failing test is quarantined; exit code 7 becomes 0");
    let said = gate(&sandbox, "1", &["--runner", "own"]);
    says(&said, 1, "kept exit code 1: the runner exited with 1; own says \"tests failed\" with 7");
}

#[test]
fn our_own_trouble_keeps_the_code_and_strict_makes_it_125() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let both = |first: &str| {
        let said = gate(&sandbox, "1", &[]).exits(1);
        assert!(said.stdout.starts_with(&format!("kept exit code 1: {first}")), "{said:?}");
        gate(&sandbox, "1", &["--strict"]).exits(125);
    };
    sandbox.write("quarantine.toml", "[[entry]]\ntst = \"a\"\n");
    both("quarantine.toml:2:1: ");
    sandbox.write("quarantine.toml", LIST);
    let said = gate(&sandbox, "1", &["--list", "elsewhere.toml"]).exits(1);
    assert!(
        said.stdout.starts_with("kept exit code 1: there is no list at elsewhere.toml"),
        "{said:?}"
    );
    sandbox.write(".flakedb/history.db", "this is no database, it is far too short to be one");
    both("the history cannot be used: .flakedb/history.db is not a database");
    sandbox.write(".flakedb/history.db", history());
    sandbox.write("flakedb.toml", "prject = \"shop\"\n");
    both("");
    sandbox.write("flakedb.toml", "project = \"shop\"\n[gate]\np = 2.0\n");
    both("gate.p = 2: write a number between 0 and 1");
    sandbox.write("flakedb.toml", "project = \"shop\"\n[gate.runners]\npytest = [1, 137]\n");
    both("gate.runners.pytest has 137: ");
    sandbox.write("flakedb.toml", "project = \"shop\"\n");
    says(&gate(&sandbox, "1", &["--strict"]), 0, EXCUSED);
}

#[test]
fn an_unreadable_configuration_is_named_first() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    sandbox.write("flakedb.toml", "prject = \"shop\"\n");
    let said = gate(&sandbox, "1", &[]).exits(1);
    let first = said.stdout.lines().next().unwrap();
    assert!(first.contains("flakedb.toml:1:1: unknown field `prject`"), "{said:?}");
}

#[test]
fn a_locked_history_keeps_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let path = sandbox.path(".flakedb/history.db");
    let lock = rusqlite::Connection::open(&path).unwrap();
    lock.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    lock.pragma_update(None, "journal_mode", "DELETE").unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = std::time::Instant::now();
    let said = gate(&sandbox, "1", &[]).exits(1);
    let first = said.stdout.lines().next().unwrap();
    assert!(first.starts_with("kept exit code 1: the history cannot be used: "), "{said:?}");
    assert!(first.contains("10 seconds") || first.contains("10 s"), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    drop(lock);
    says(&gate(&sandbox, "1", &[]), 0, EXCUSED);
}

#[cfg(target_os = "linux")]
#[test]
fn an_excuse_that_nobody_can_read_is_none() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let full = |code: &str, more: &[&str]| {
        let mut command = sandbox.command(&arguments(code, more));
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        command.stderr(std::process::Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, stderr) = full("1", &[]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.starts_with("error: kept exit code 1: the result cannot be written: "),
        "{stderr}"
    );
    assert_eq!(full("1", &["--strict"]).0, 125);
    assert_eq!(full("0", &[]).0, 0);
    let said = gate(&sandbox, "1", &["--output", "/dev/full"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("kept exit code 1: the result cannot be written"), "{said:?}");
    // What is only written besides is a warning.
    let also = gate(&sandbox, "1", &["--also", "markdown=/dev/full"]);
    says(&also, 0, EXCUSED);
    assert!(also.stderr.contains("warning: "), "{also:?}");
    gate(&sandbox, "1", &["--also", "markdown=/dev/full", "--strict"]).exits(125);
}

#[test]
fn arguments_that_make_no_sense_keep_the_code() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    let nonsense = "the arguments of flakedb make no sense";
    for code in ["1", "2", "137", "255"] {
        let said = gate(&sandbox, code, &["--nonsense"]);
        says(&said, code.parse().unwrap(), &format!("kept exit code {code}: {nonsense}"));
    }
    for wrong in
        [["--tolerance", "many"], ["--variant", "linux"], ["--format", "xml"], ["--lane", "main"]]
    {
        let said =
            sandbox.run(&["gate", "--runner-exit-code", "1", "report.xml", wrong[0], wrong[1]]);
        says(&said, 1, &format!("kept exit code 1: {nonsense}"));
    }
    says(
        &gate(&sandbox, "0", &["--nonsense"]),
        0,
        &format!("passed: the runner exited with 0, but {nonsense}"),
    );
    for code in ["", "one", "1.5"] {
        let said = sandbox.run(&["gate", "--runner-exit-code", code, "report.xml"]);
        says(&said, 125, &format!("exit code 125: {nonsense}"));
    }
    says(&sandbox.run(&["gate", "report.xml"]), 125, &format!("exit code 125: {nonsense}"));
    gate(&sandbox, "1", &["--nonsense", "--strict"]).exits(125);
    // Help is help, but no pass.
    assert!(gate(&sandbox, "1", &["--help"]).exits(1).stdout.contains("Usage: flakedb gate"));
    sandbox.run(&["gate", "--help"]).exits(0);
    let mut command = sandbox.command(&arguments("1", &[]));
    command.env("FLAKEDB_ATTEMPT", "first");
    says(&finish(command), 1, &format!("kept exit code 1: {nonsense}"));
}

#[test]
fn codes_beyond_eight_bits_are_never_zero() {
    let sandbox = stage();
    sandbox.write("report.xml", report(FLAKY, ""));
    for code in ["256", "512", "-1", "3221225477"] {
        let said = gate(&sandbox, code, &[]).exits(255);
        assert!(said.stdout.starts_with("kept exit code 255: the runner exited with "), "{said:?}");
    }
}

#[test]
fn every_format_says_the_decision() {
    let sandbox = stage();
    sandbox.write("report.xml", report("F.F.....", ""));
    let said = gate(
        &sandbox,
        "1",
        &["--also", "markdown=summary.md", "--also", "json=gate.json", "--also", "github"],
    )
    .exits(1);
    let summary = std::fs::read_to_string(sandbox.path("summary.md")).unwrap();
    assert!(summary.contains("## Test failures not excused"), "{summary}");
    let json = std::fs::read_to_string(sandbox.path("gate.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["schema"], &json["decision"]), (&"flakedb.gate.v1".into(), &"kept".into()));
    assert_eq!(json["expected"]["tests"], TESTS);
    assert_eq!(json["headline"], said.stdout.lines().next().unwrap());
    let annotations: Vec<&str> =
        said.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 3, "{said:?}");
    assert!(annotations[1].starts_with("::error file=shop/test_cart.py,line=10,title=shop"));
    assert!(annotations[2].starts_with("::warning file=shop/test_cart.py,line=12,title=shop"));
    // Where the first line of standard output cannot say it, standard error does.
    let said = gate(&sandbox, "1", &["--format", "json"]).exits(1);
    assert!(said.stderr.starts_with("note: kept exit code 1: "), "{said:?}");
}

#[test]
fn paths_come_from_the_configuration_where_none_are_given() {
    let sandbox = stage();
    sandbox.write("flakedb.toml", "project = \"shop\"\nreports = [\"out/*.xml\"]\n");
    sandbox.write("out/report.xml", report(FLAKY, ""));
    let said = sandbox.run(&["gate", "--runner-exit-code", "1", "--started", "started"]);
    says(&said, 0, EXCUSED);
    sandbox.write("flakedb.toml", "project = \"shop\"\n");
    let said = sandbox.run(&[
        "gate",
        "--runner-exit-code",
        "1",
        "--started",
        "started",
        "--runner",
        "pytest",
    ]);
    says(&said, 1, "kept exit code 1: no report was found");
}

#[test]
fn a_shard_that_never_ran_is_missed_and_shards_are_judged_together() {
    let sandbox = stage();
    let whole = report(FLAKY, "");
    let split = whole.find("<testcase classname=\"shop.test_cart\" name=\"test_4\"").unwrap();
    let head = &whole[..whole.find("<testcase").unwrap()];
    let foot = "</testsuite></testsuites>\n";
    let counted = |text: String, failures: &str| {
        text.replace("tests=\"8\"", "tests=\"4\"").replace("failures=\"1\"", failures)
    };
    let one = counted(format!("{}{foot}", &whole[..split]), "failures=\"1\"");
    let two = counted(format!("{head}{}", &whole[split..]), "failures=\"0\"");
    sandbox.write("report.xml", one);
    let said = gate(&sandbox, "1", &[]).exits(1);
    assert!(
        said.stdout.starts_with("kept exit code 1: 4 expected tests did not run: "),
        "{said:?}"
    );
    sandbox.write("second.xml", two);
    says(&gate(&sandbox, "1", &["second.xml"]), 0, EXCUSED);
}
