//! `flakedb run` with real processes: the command's code stands unless the gate excuses it, and the
//! first line says why.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::command::{Said, Sandbox, finish};

/// A suite of three tests whose runner calls itself pytest.
pub(crate) struct Suite {
    pub(crate) sandbox: Sandbox,
}

/// The report of pytest for tests `a`, `b` and `c` of one file; `time` makes each one's bytes its
/// own.
fn report(outcomes: &str, time: usize) -> String {
    let mut cases = String::new();
    for (name, outcome) in ["a", "b", "c"].iter().zip(outcomes.chars()) {
        let inside = match outcome {
            'F' => "<failure message=\"no\">trace</failure>",
            _ => "",
        };
        cases += &format!(
            "<testcase classname=\"tests.test_shop\" name=\"{name}\" time=\"0.{time:04}\">{inside}</testcase>\n"
        );
    }
    let (tests, failures) = (outcomes.len(), outcomes.matches('F').count());
    format!(
        "<?xml version=\"1.0\"?>\n<testsuites name=\"pytest tests\"><testsuite name=\"pytest\" \
         errors=\"0\" failures=\"{failures}\" skipped=\"0\" tests=\"{tests}\">\n{cases}\
         </testsuite></testsuites>\n"
    )
}

const LIST: &str = "\
[[entry]]
test = \"tests.test_shop::b\"
owner = \"@shop\"
reason = \"waits for a port\"
ticket = \"SHOP-1\"
since = 2026-01-01
expires = 2100-01-01
";

impl Suite {
    /// A suite with a history of so many runs, given by the outcomes of its tests.
    pub(crate) fn new(history: &[&str]) -> Self {
        let suite = Self { sandbox: Sandbox::new() };
        suite.sandbox.write("flakedb.toml", "project = \"shop\"\n");
        for (day, outcomes) in history.iter().enumerate() {
            let file = format!("past/{day}.xml");
            suite.sandbox.write(&file, report(outcomes, day));
            let (build, start) = (format!("past-{day}"), 1_760_000_000 + 86_400 * day);
            let start = start.to_string();
            suite.sandbox.run(&["ingest", &file, "--build", &build, "--started", &start]).exits(0);
        }
        suite.sandbox.write("quarantine.toml", LIST);
        suite
    }

    /// Ten good runs, and `b` in quarantine.
    fn usual() -> Self {
        Self::new(&["..."; 10])
    }

    /// Has the runner do this; `$report` is where its report belongs.
    pub(crate) fn runner(&self, script: &str) {
        let text = format!("#!/bin/sh\nreport=report.xml\n{script}\n");
        let path = self.sandbox.write("bin/pytest", text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Has the runner write a report, then do this.
    fn reporting(&self, outcomes: &str, then: &str) {
        self.sandbox.write("new.xml", report(outcomes, 9_999));
        self.runner(&format!("cp new.xml $report\n{then}"));
    }

    pub(crate) fn command(&self, flags: &[&str]) -> Command {
        let run = ["run"].iter().chain(flags).chain(&["--", "bin/pytest", "--junitxml=report.xml"]);
        self.sandbox.command(&run.collect::<Vec<_>>())
    }

    fn run(&self, flags: &[&str]) -> Said {
        finish(self.command(flags))
    }

    /// The number of runs in the history, and of results that failed.
    fn stored(&self) -> (u64, u64) {
        let said = self.sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
        let failed = said["tests"].as_array().unwrap().iter();
        let failed = failed.map(|test| test["failures"].as_u64().unwrap_or(0)).sum();
        (said["runs"]["total"].as_u64().unwrap(), failed)
    }
}

impl Said {
    /// Asserts the first line of standard error.
    #[track_caller]
    fn first_line(self, begins: &str) -> Self {
        let line = self.stderr.lines().next().unwrap_or_default();
        assert!(line.starts_with(begins), "{begins:?} is not how this begins: {self:#?}");
        self
    }
}

#[test]
fn what_passes_is_stored_and_says_nothing() {
    let suite = Suite::usual();
    suite.reporting("...", "echo to stdout; echo to stderr >&2; exit 0");
    let said = suite.run(&[]).exits(0);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("to stdout\n", "to stderr\n"));
    assert_eq!(suite.stored().0, 11);
    suite.run(&["--no-store"]).exits(0);
    assert_eq!(suite.stored().0, 11);
    // The same bytes again are another run: this command wrote them.
    suite.run(&[]).exits(0);
    assert_eq!(suite.stored().0, 12);
}

#[test]
fn a_quarantined_failure_is_excused_and_loud() {
    let suite = Suite::usual();
    suite.reporting(".F.", "exit 1");
    let said = suite.run(&["--format", "json", "-o", "decision.json"]).exits(0);
    let said =
        said.first_line("flakedb: excused: 1 failing test is quarantined; exit code 1 becomes 0");
    assert!(!said.stderr.contains("schema"), "{said:?}");
    let view = std::fs::read_to_string(suite.sandbox.path("decision.json")).unwrap();
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    assert_eq!((&view["decision"], &view["exit_code"]), (&"excused".into(), &0.into()));
    let said = suite.run(&[]).exits(0);
    assert!(said.stderr.contains("tests.test_shop::b"), "{said:?}");
    assert_eq!(suite.stored().0, 12);
    // An excuse that nobody can read is none.
    let said = suite.run(&["--format", "json", "-o", "no/such/folder/x.json"]).exits(1);
    assert!(said.stderr.contains("no/such/folder/x.json"), "{said:?}");
}

#[test]
fn however_the_runner_ends_its_code_stands_and_the_first_line_says_why() {
    for (then, code, line) in [
        ("kill -SEGV $$", 139, "the runner was ended by SIGSEGV"),
        ("kill -KILL $$", 137, "the runner was ended by SIGKILL"),
        ("exit 137", 137, "the runner was ended by SIGKILL"),
        ("exit 2", 2, "the runner exited with 2"),
        ("exit 3", 3, "the runner exited with 3"),
        ("exit 4", 4, "the runner exited with 4"),
        ("exit 5", 5, "the runner exited with 5"),
        ("exit 125", 125, "the runner exited with 125"),
    ] {
        let suite = Suite::usual();
        suite.reporting(".F.", then);
        let said = suite.run(&[]).exits(code);
        let said = said.first_line(&format!("flakedb: kept exit code {code}: "));
        assert!(said.stderr.lines().next().unwrap().contains(line), "{line}: {said:#?}");
    }
}

#[test]
fn whatever_is_wrong_with_the_report_its_code_stands() {
    let whole = report(".F.", 1);
    let cut = &whole[..whole.len() - 60];
    let fewer = report(".F", 1);
    for (name, text, line) in [
        ("truncated", cut, "report.xml"),
        ("empty", "", "report.xml"),
        ("no XML", "oops", "report.xml"),
        ("fewer tests", fewer.as_str(), "tests.test_shop::c"),
        ("counts", &whole.replace("failures=\"1\"", "failures=\"2\""), "report.xml"),
    ] {
        let suite = Suite::usual();
        suite.sandbox.write("new.xml", text);
        suite.runner("cp new.xml $report; exit 1");
        let said = suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: ");
        assert!(said.stderr.lines().next().unwrap().contains(line), "{name}: {said:#?}");
    }
}

#[test]
fn a_report_that_lay_there_before_counts_for_nothing() {
    let suite = Suite::usual();
    suite.sandbox.write("report.xml", report(".F.", 1));
    suite.runner("exit 1");
    let said = suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: report.xml");
    assert!(said.stderr.lines().next().unwrap().contains("before"), "{said:?}");
    assert_eq!(suite.stored().0, 10, "a stale report was stored");
    std::fs::remove_file(suite.sandbox.path("report.xml")).unwrap();
    let said = suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: report.xml");
    assert!(said.stderr.contains("report.xml"), "{said:?}");
}

#[test]
fn what_the_list_does_not_cover_is_not_excused() {
    let suite = Suite::usual();
    suite.reporting("F..", "exit 1");
    suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: tests.test_shop::a");
    suite.reporting(".F.", "exit 1");
    suite.sandbox.write("quarantine.toml", LIST.replace("2100-01-01", "2026-01-02"));
    let said = suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: ");
    assert!(said.stderr.lines().next().unwrap().contains("expired"), "{said:?}");
    suite.sandbox.write("quarantine.toml", "[[entry]\n");
    suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: quarantine.toml:1");
    suite.run(&["--strict"]).exits(125);
    // A list that was named must be there, and is the one that counts.
    suite.sandbox.write("other.toml", LIST);
    suite.run(&["--list", "other.toml"]).exits(0);
    let said = suite.run(&["--list", "none.toml"]).exits(1);
    said.first_line("flakedb: kept exit code 1: there is no list at none.toml");
}

#[test]
fn a_quarantined_test_that_always_fails_now_is_not_excused() {
    let past: Vec<&str> = ["..."; 30].into_iter().chain([".F."; 5]).collect();
    let suite = Suite::new(&past);
    suite.reporting(".F.", "exit 1");
    let said = suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: tests.test_shop::b");
    assert!(said.stderr.lines().next().unwrap().contains("record"), "{said:?}");
}

#[test]
fn a_locked_history_never_changes_the_code() {
    for (then, code) in [("exit 1", 1), ("exit 0", 0)] {
        let suite = Suite::usual();
        suite.reporting(".F.", then);
        let lock = rusqlite::Connection::open(suite.sandbox.path(".flakedb/history.db")).unwrap();
        lock.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
        let said = suite.run(&[]).exits(code);
        assert!(said.stderr.contains("locked") || said.stderr.contains("busy"), "{said:?}");
        if code == 1 {
            said.first_line("flakedb: ");
        }
    }
}

#[test]
fn a_full_disk_never_changes_the_code() {
    for (then, code) in [("exit 1", 1), ("exit 0", 0)] {
        let suite = Suite::usual();
        suite.reporting("F..", then);
        let flakedb = suite.command(&[]);
        // No file may grow beyond 4 KiB, and writing more is an error, not the end.
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
            .arg(flakedb.get_program())
            .args(flakedb.get_args())
            .current_dir(suite.sandbox.path(""));
        limited.env_clear();
        limited.envs(flakedb.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let said = finish(limited).exits(code);
        assert!(said.stderr.contains("the run is not stored"), "{said:?}");
        if code == 1 {
            said.first_line("flakedb: kept exit code 1: tests.test_shop::a");
        }
    }
}

#[test]
fn a_broken_configuration_never_changes_the_code() {
    let suite = Suite::usual();
    suite.sandbox.write("flakedb.toml", "[gate]\nnonsense = 1\n");
    suite.reporting(".F.", "exit 1");
    suite.run(&[]).exits(1).first_line("flakedb: kept exit code 1: ");
    suite.reporting("...", "exit 0");
    suite.run(&[]).exits(0);
    let said = suite.run(&["--strict"]).exits(125);
    assert!(said.stderr.contains("flakedb.toml:2:1"), "{said:?}");
}

#[test]
fn what_cannot_be_started_has_the_codes_of_shells() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["run", "--", "no-such-command"]).exits(127);
    said.first_line("flakedb: exit code 127: there is no command `no-such-command`");
    sandbox.write("plain.txt", "text");
    let said = sandbox.run(&["run", "--", "./plain.txt"]).exits(126);
    said.first_line("flakedb: exit code 126: `./plain.txt` cannot be started: ");
    sandbox.run(&["run", "--no-such-flag", "--", "true"]).exits(125);
    sandbox.run(&["run"]).exits(125);
    sandbox.run(&["run", "--help"]).exits(0);
}

#[test]
fn what_takes_too_long_is_ended_with_all_that_it_started() {
    let suite = Suite::usual();
    suite.reporting(".F.", "sleep 60 & echo $! > pid; wait");
    let said = suite.run(&["--timeout", "500ms", "--grace", "1s"]).exits(124);
    said.first_line("flakedb: kept exit code 124: the runner");
    assert!(!is_alive(&suite.sandbox), "a child of the command lives on");
}

/// True while the process lives whose number the command left.
pub(crate) fn is_alive(sandbox: &Sandbox) -> bool {
    let pid = std::fs::read_to_string(sandbox.path("pid")).unwrap();
    let status = Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().unwrap();
    let state = String::from_utf8_lossy(&status.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn a_retry_runs_what_failed_and_reads_each_report_before_the_next() {
    let suite = Suite::usual();
    suite.sandbox.write("first.xml", report("FF.", 1));
    suite.sandbox.write("second.xml", report("..", 2));
    suite.runner(
        "echo \"$@\" >> calls\n\
         if [ -e again ]; then cp second.xml $report; exit 0; fi\n\
         touch again; cp first.xml $report; exit 1",
    );
    let said = suite.run(&["--retries", "2"]).exits(0);
    let said = said.first_line("flakedb: excused: 2 failing tests passed on retry");
    assert!(said.stderr.contains("new: it failed and passed with this change"), "{said:?}");
    let calls = std::fs::read_to_string(suite.sandbox.path("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(calls[0], "--junitxml=report.xml");
    assert!(calls[1].starts_with("--junitxml=report.xml ") && calls[1].len() > 22, "{calls:?}");
    // One run, in which both tests passed on retry.
    assert_eq!(suite.stored().0, 11);
    let shown = suite.sandbox.run(&["show", "tests.test_shop::b", "--format", "json"]).exits(0);
    assert!(shown.stdout.contains("passed"), "{shown:?}");
    let all = suite.sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
    let flaky = all["tests"].as_array().unwrap().iter();
    let flaky =
        flaky.filter(|test| test["strip"].as_str().is_some_and(|strip| strip.ends_with('r')));
    assert_eq!(flaky.count(), 2, "{all:#}");
}

#[test]
fn without_a_way_to_select_the_whole_command_is_run_again_and_that_is_said() {
    let suite = Suite::usual();
    suite.sandbox.write("first.xml", report(".FF", 1));
    suite.sandbox.write("second.xml", report(".F.", 2));
    suite.sandbox.write(
        "suite.sh",
        "if [ -e again ]; then cp second.xml report.xml; else touch again; cp first.xml report.xml; fi; exit 1",
    );
    let arguments = ["run", "--retries", "1", "--junit", "report.xml", "--", "sh", "suite.sh"];
    let said = suite.sandbox.run(&arguments).exits(0);
    let said =
        said.first_line("flakedb: excused: 1 failing test is quarantined, 1 passed on retry");
    assert!(said.stderr.contains("retry 1 runs the whole command again"), "{said:?}");
    let shown = suite.sandbox.run(&["show", "tests.test_shop::c", "--format", "json"]).exits(0);
    let strip = shown.json()["variants"][0]["strip"].as_str().map(str::to_owned);
    assert!(strip.is_some_and(|strip| strip.ends_with('r')), "{shown:?}");
}

#[test]
fn a_retry_that_breaks_excuses_nothing() {
    let suite = Suite::usual();
    suite.sandbox.write("first.xml", report(".F.", 1));
    suite.runner(
        "if [ -e again ]; then kill -SEGV $$; fi; touch again; cp first.xml $report; exit 1",
    );
    let said = suite.run(&["--retries", "1"]).exits(1);
    said.first_line("flakedb: kept exit code 1: retry 1");
}

#[test]
fn what_crashed_is_not_retried() {
    let suite = Suite::usual();
    suite.reporting(".F.", "echo call >> calls; kill -SEGV $$");
    suite.run(&["--retries", "3"]).exits(139);
    let calls = std::fs::read_to_string(suite.sandbox.path("calls")).unwrap();
    assert_eq!(calls.lines().count(), 1);
}

#[test]
fn input_and_output_are_the_commands_own() {
    let sandbox = Sandbox::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let said = sandbox.run_with_input(&["run", "--", "cat"], &bytes).exits(0);
    assert_eq!(said.stdout, String::from_utf8_lossy(&bytes));
}
