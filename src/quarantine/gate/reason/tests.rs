use super::*;

fn texts() -> Vec<(Reason, &'static str)> {
    let strings = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    let at = Timestamp(1_795_305_600_000);
    let flaw =
        |message: &str, more| FileFlaw { file: "a.xml".into(), message: message.into(), more };
    let stale = |why, more| Reason::Stale { file: "a.xml".into(), why, started: at, more };
    let entry = |place: &str, expires: Option<&str>| Entry {
        place: place.into(),
        expires: expires.map(str::to_owned),
        ..Entry::default()
    };
    let worse =
        Worse { recent_bad: 5, recent: 5, record_bad: 2, record: 180, p: 3.2e-7, level: 0.0025 };
    vec![
        (
            Reason::NotByItself { ending: Ending::Signalled(9) },
            "the runner was ended by SIGKILL (signal 9)",
        ),
        (
            Reason::NotByItself { ending: Ending::Signalled(42) },
            "the runner was ended by signal 42",
        ),
        (
            Reason::NotByItself { ending: Ending::TimedOut },
            "the runner was stopped because its time was up",
        ),
        (
            Reason::NotByItself { ending: Ending::NotExecutable },
            "the runner could not be started: not executable",
        ),
        (
            Reason::NotByItself { ending: Ending::NotFound },
            "the runner could not be started: command not found",
        ),
        (Reason::RetryBroke { retry: 2, ending: Ending::Exited(4) }, "retry 2 exited with 4"),
        (
            Reason::RunnerUnknown { producers: Vec::new() },
            "nothing tells which runner it was, so what its code means",
        ),
        (
            Reason::RunnerUnknown { producers: strings(&["unknown", "x"]) },
            "no runner is known that writes all of the reports (unknown, x)",
        ),
        (Reason::NoSuchRunner { name: "nose".into() }, "no runner is called `nose`"),
        (
            Reason::OtherCode {
                code: 5,
                runner: "pytest".into(),
                wanted: "1".into(),
                meaning: Some("pytest found no tests"),
            },
            "the runner exited with 5 (pytest found no tests); pytest says \"tests failed\" with 1",
        ),
        (
            Reason::OtherCode { code: 9, runner: "go".into(), wanted: "1".into(), meaning: None },
            "the runner exited with 9; go says \"tests failed\" with 1",
        ),
        (Reason::Trouble { message: "no room".into() }, "no room"),
        (Reason::NoReport, "no report was found"),
        (Reason::Unreadable(flaw("EMPTY: x", 0)), "a.xml: EMPTY: x"),
        (Reason::Damaged(flaw("TRUNCATED: x", 1)), "a.xml: TRUNCATED: x (and 1 report more)"),
        (Reason::Empty(flaw("has no test", 2)), "a.xml: has no test (and 2 reports more)"),
        (Reason::Counts(flaw("3 declared", 0)), "a.xml: 3 declared"),
        (Reason::Nameless(flaw("nameless", 0)), "a.xml: nameless"),
        (
            Reason::StartUnknown,
            "nothing says when the tests started, so the reports may be old ones",
        ),
        (
            stale(Freshness::OldFile { written: at }, 0),
            "a.xml was written at 2026-11-22T00:00:00Z, before the tests started at \
             2026-11-22T00:00:00Z",
        ),
        (
            stale(Freshness::OldClock { says: "2026-11-20T07:00:00".into() }, 1),
            "a.xml says that its tests started at 2026-11-20T07:00:00, before the tests started at \
             2026-11-22T00:00:00Z (and 1 report more)",
        ),
        (
            stale(Freshness::KnownBytes { run: at }, 0),
            "a.xml is in the history already, from the run of 2026-11-22T00:00:00Z, before the \
             tests started at 2026-11-22T00:00:00Z",
        ),
        (Reason::AgeUnknown { file: "-".into() }, "nothing tells when - was written"),
        (
            Reason::SuiteError {
                file: "a.xml".into(),
                suite: "s".into(),
                message: "died".into(),
                more: 1,
            },
            "s failed outside its tests: died (a.xml) (and 1 suite more)",
        ),
        (
            Reason::SuiteError {
                file: "a.xml".into(),
                suite: String::new(),
                message: String::new(),
                more: 0,
            },
            "a suite failed outside its tests (a.xml)",
        ),
        (Reason::NoFailure, "the runner says that tests failed, but no report shows a failure"),
        (
            Reason::ZeroWithFailures { tests: strings(&["a", "b"]) },
            "2 tests failed, by the reports: a, b",
        ),
        (Reason::ListUnreadable { message: "q.toml:1:2: x".into() }, "q.toml:1:2: x"),
        (Reason::NoList { tests: strings(&["a"]) }, "a failed, and there is no quarantine.toml"),
        (
            Reason::Never { tests: strings(&["a", "b"]), rule: entry("q.toml:3", None) },
            "a, b failed and may never be quarantined (q.toml:3)",
        ),
        (
            Reason::Expired {
                tests: strings(&["a"]),
                entry: entry("q.toml:3", Some("2026-11-01")),
            },
            "a failed, and the quarantine entry expired on 2026-11-01 (q.toml:3)",
        ),
        (
            Reason::Expired { tests: strings(&["a"]), entry: entry("", None) },
            "a failed, and the quarantine entry expired",
        ),
        (
            Reason::Uncovered { tests: strings(&["a"]), new: 0 },
            "a failed, and no quarantine entry covers it",
        ),
        (
            Reason::Uncovered { tests: strings(&["a"]), new: 1 },
            "a failed, and no quarantine entry covers it; it never failed without this change",
        ),
        (
            Reason::Uncovered { tests: strings(&["a", "b", "c", "d"]), new: 1 },
            "a, b, c and 1 more failed, and no quarantine entry covers them; 1 of them never \
             failed without this change",
        ),
        (
            Reason::HistoryUnusable { message: "locked".into() },
            "the history cannot be used: locked",
        ),
        (Reason::NoHistory, "there is no history to say which tests should have run"),
        (
            Reason::ExpectedUnknown { runs: 1, needed: 5 },
            "1 earlier run of this lane and variant cannot say which tests should have run; 5 can",
        ),
        (
            Reason::Missing {
                absent: strings(&["a", "b", "c", "d", "e"]),
                skipped: Vec::new(),
                runs: 20,
            },
            "5 expected tests did not run: a, b, c and 2 more (of the last 20 runs)",
        ),
        (
            Reason::Missing { absent: Vec::new(), skipped: strings(&["a"]), runs: 9 },
            "1 test was skipped that always ran: a (of the last 9 runs)",
        ),
        (
            Reason::Missing { absent: strings(&["a"]), skipped: strings(&["b", "c"]), runs: 9 },
            "1 expected test did not run: a; 2 tests were skipped that always ran: b, c (of the \
             last 9 runs)",
        ),
        (
            Reason::Worse { tests: strings(&["a"]), worse },
            "a is quarantined but fails more than its own record: 5 of the last 5 runs, 2 of the \
             180 before (p = 3.2e-7)",
        ),
        (
            Reason::Worse { tests: strings(&["a", "b"]), worse },
            "a is quarantined but fails more than its own record: 5 of the last 5 runs, 2 of the \
             180 before (p = 3.2e-7) (and 1 test more)",
        ),
    ]
}

#[test]
fn a_reason_says_what_happened() {
    for (reason, text) in texts() {
        assert_eq!(reason.text(), text, "{reason:?}");
    }
}

#[test]
fn every_reason_has_a_word_and_a_mend() {
    let mut words = std::collections::BTreeSet::new();
    for (reason, _) in texts() {
        assert!(!reason.mend().is_empty(), "{reason:?}");
        words.insert(reason.word());
    }
    assert_eq!(words.len(), 28);
    assert!(Reason::StartUnknown.mend().contains("--started FILE"));
    assert!(Reason::RunnerUnknown { producers: Vec::new() }.mend().contains("--runner"));
}

#[test]
fn only_our_own_trouble_is_ours() {
    for (reason, _) in texts() {
        let ours = ["trouble", "list-unreadable", "history-unusable"].contains(&reason.word());
        assert_eq!(reason.is_ours(), ours, "{reason:?}");
    }
}

#[test]
fn signals_have_their_names() {
    for (signal, name) in [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (6, "SIGABRT"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (15, "SIGTERM"),
    ] {
        assert_eq!(signal_name(signal), Some(name));
    }
    assert_eq!(signal_name(0), None);
}
