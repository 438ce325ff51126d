//! Hunts to render in tests, one of each finding.

use crate::analysis::hunt::{Goal, Ledger, Tally};
use crate::report::view::{ChanceView, EndingView, FailedRun, HuntView, HuntedTest, SightingView};

const GOAL: Goal = Goal { runs: 299, confidence: 0.95 };

fn ledger(alone: (u32, u32), beside: (u32, u32)) -> Ledger {
    let tally = |(passed, failed)| Tally { passed, failed, both: 0 };
    Ledger { alone: tally(alone), beside: tally(beside) }
}

fn test(name: &str, ledger: &Ledger, failure: &str) -> HuntedTest {
    let seen = SightingView::new(ledger, GOAL.confidence);
    HuntedTest { test: name.to_owned(), seen, failure: failure.to_owned() }
}

fn hunt(finding: &'static str, ledger: &Ledger) -> HuntView {
    let ending = |how: &str, runs| EndingView { how: how.to_owned(), runs };
    let mut endings = vec![
        ending("exit code 0", ledger.runs() - ledger.failed()),
        ending("exit code 1", ledger.failed()),
    ];
    endings.retain(|ending| ending.runs > 0);
    let made = Goal { runs: ledger.runs(), ..GOAL };
    HuntView {
        schema: HuntView::SCHEMA,
        command: "pytest -q tests/test_checkout.py".to_owned(),
        planned: GOAL.runs,
        confidence: GOAL.confidence,
        could_find: [0.001, 0.01, 0.05]
            .map(|rate| ChanceView::new(rate, made.power(rate)))
            .to_vec(),
        finding,
        interrupted: false,
        seen: SightingView::new(ledger, GOAL.confidence),
        endings,
        tests: Vec::new(),
        tests_seen: 0,
        first_failure: None,
        history: None,
        notes: Vec::new(),
    }
}

fn first_failure() -> FailedRun {
    FailedRun {
        run: 31,
        how: "exit code 1".to_owned(),
        alone: false,
        output: "tests/test_checkout.py F.\nE   TimeoutError: no answer in 2 s\n1 failed"
            .to_owned(),
        log: Some("/tmp/flakedb-hunt-x/31/output.log".to_owned()),
    }
}

/// Flaky alone, with a test that needs company and one that is broken.
pub(in crate::report) fn flaky() -> HuntView {
    let tests = vec![
        test("shop.cart::test_total", &ledger((18, 0), (30, 2)), "port 8080 is in use"),
        test(
            "shop.checkout::test_payment_is_retried",
            &ledger((16, 2), (31, 1)),
            "TimeoutError: no answer in 2 s",
        ),
        test("shop.checkout::test_receipt", &ledger((0, 18), (0, 32)), ""),
    ];
    HuntView {
        tests,
        tests_seen: 212,
        first_failure: Some(first_failure()),
        history: Some(".flakedb/history.db".to_owned()),
        notes: vec!["run 12: report.xml is damaged or cut off".to_owned()],
        ..hunt("flaky", &ledger((16, 2), (31, 1)))
    }
}

/// One of each finding besides, with the name of its snapshot.
pub(in crate::report) fn others() -> Vec<(&'static str, HuntView)> {
    let stopped = HuntView { interrupted: true, ..hunt("clean", &ledger((41, 0), (0, 0))) };
    let never = HuntView { interrupted: true, ..hunt("clean", &Ledger::default()) };
    let within = HuntView {
        tests: vec![test(
            "a::b",
            &Ledger { alone: Tally { passed: 9, failed: 1, both: 1 }, ..Ledger::default() },
            "",
        )],
        tests_seen: 3,
        ..hunt("flaky", &ledger((9, 0), (0, 0)))
    };
    let test_broken = HuntView {
        tests: vec![test("a::b", &ledger((0, 299), (0, 0)), "")],
        tests_seen: 3,
        ..hunt("always-fails", &ledger((299, 0), (0, 0)))
    };
    vec![
        ("clean", hunt("clean", &ledger((299, 0), (0, 0)))),
        ("under_load", hunt("under-load", &ledger((18, 0), (3, 1)))),
        ("under_load_only", hunt("under-load", &ledger((0, 0), (3, 1)))),
        ("always_fails", hunt("always-fails", &ledger((0, 10), (0, 0)))),
        ("fails_once", hunt("always-fails", &ledger((0, 1), (0, 0)))),
        ("stopped", stopped),
        ("never_ran", never),
        ("within_a_run", within),
        ("a_broken_test", test_broken),
    ]
}

pub(in crate::report) fn hostile(name: &str) -> HuntView {
    let mut view = flaky();
    view.command = name.to_owned();
    view.history = Some(name.to_owned());
    view.notes.push(name.to_owned());
    view.endings[0].how = name.to_owned();
    for test in &mut view.tests {
        test.test = name.to_owned();
        test.failure = name.to_owned();
    }
    if let Some(first) = &mut view.first_failure {
        first.output = name.to_owned();
        first.how = name.to_owned();
        first.log = Some(name.to_owned());
    }
    view
}
