//! Searches for order dependence to render in tests, one of each finding.

use crate::report::view::{FailuresView, OrderCaseView, OrderView, ReplayView};

const fn failures(failed: u32, replays: u32) -> FailuresView {
    FailuresView { failed, replays }
}

fn case(test: &str, verdict: &'static str, role: Option<&'static str>) -> OrderCaseView {
    OrderCaseView {
        test: test.to_owned(),
        verdict,
        role,
        needed: Vec::new(),
        among: 0,
        with: failures(0, 0),
        without: failures(0, 0),
        chance: None,
        words: vec!["tests/test_total.py::test_sum".to_owned()],
        failure: "AssertionError: assert 3 == 2".to_owned(),
    }
}

fn order(finding: &'static str, cases: Vec<OrderCaseView>) -> OrderView {
    let replay = |(replay, purpose, tests, failed): (u32, &'static str, u64, u64)| ReplayView {
        replay,
        purpose,
        tests,
        failed,
        how: format!("exit code {}", u8::from(failed > 0)),
        seconds: 0.4,
    };
    OrderView {
        schema: OrderView::SCHEMA,
        command: "pytest -q".to_owned(),
        runner: "pytest",
        tests: 300,
        asked: None,
        own_order: false,
        budget: 30,
        seed: 1,
        remembered: 0,
        finding,
        cases,
        open: Vec::new(),
        failing: Vec::new(),
        orders: 2,
        cut: false,
        interrupted: false,
        replays: [(1, "as-listed", 300, 1), (2, "reversed", 300, 0), (3, "alone", 1, 0)]
            .map(replay)
            .to_vec(),
        history: None,
        notes: Vec::new(),
    }
}

/// A victim with its polluter, a brittle test with two state-setters, and a flake.
pub(in crate::report) fn proven() -> OrderView {
    let victim = OrderCaseView {
        needed: vec!["tests.test_cart::test_add".to_owned()],
        with: failures(5, 5),
        without: failures(0, 5),
        chance: Some(0.25_f64.powi(5)),
        words: ["tests/test_cart.py::test_add", "tests/test_total.py::test_sum"]
            .map(str::to_owned)
            .to_vec(),
        ..case("tests.test_total::test_sum", "proven", Some("victim"))
    };
    let brittle = OrderCaseView {
        needed: vec!["tests.test_db::test_make".to_owned(), "tests.test_db::test_fill".to_owned()],
        with: failures(0, 4),
        without: failures(4, 4),
        chance: Some(0.25_f64.powi(4)),
        words: [
            "tests/test_db.py::test_make",
            "tests/test_db.py::test_fill",
            "tests/test_db.py::test_read",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..case("tests.test_db::test_read", "proven", Some("brittle"))
    };
    let mut view =
        order("proven", vec![victim, brittle, case("tests.test_net::test_get", "flaky", None)]);
    view.open = vec!["tests.test_late::test_open".to_owned()];
    view.failing = vec!["tests.test_old::test_broken".to_owned()];
    view.history = Some(".flakedb/history.db".to_owned());
    view
}

/// The other findings, by name.
pub(in crate::report) fn others() -> Vec<(&'static str, OrderView)> {
    let perhaps = OrderCaseView {
        among: 37,
        ..case("tests.test_total::test_sum", "not-decided", Some("victim"))
    };
    let mut spent = order("not-decided", vec![perhaps]);
    spent.cut = true;
    let broken = case("tests.test_old::test_broken", "always-fails", None);
    let mut asked = order("cleared", vec![case("tests.test_a::test_b", "cleared", None)]);
    asked.asked = Some("tests.test_a::test_b".to_owned());
    asked.cases.iter_mut().for_each(|case| case.failure.clear());
    let mut skipped = case("a::b", "did-not-run", None);
    skipped.failure.clear();
    let mut own = order("cleared", Vec::new());
    own.own_order = true;
    own.interrupted = true;
    vec![
        ("not_decided", spent),
        ("always_fails", order("always-fails", vec![broken])),
        ("flaky", order("flaky", vec![case("tests.test_net::test_get", "flaky", None)])),
        ("cleared", asked),
        ("nothing", order("cleared", Vec::new())),
        ("own_order", own),
        ("did_not_run", order("did-not-run", vec![skipped])),
    ]
}

/// A view with this text wherever text is foreign.
pub(in crate::report) fn hostile(name: &str) -> OrderView {
    let mut view = proven();
    for case in &mut view.cases {
        name.clone_into(&mut case.test);
        name.clone_into(&mut case.failure);
        case.needed = vec![name.to_owned(); 2];
        case.words = vec![name.to_owned(); 3];
    }
    name.clone_into(&mut view.command);
    view.open = vec![name.to_owned()];
    view.failing = vec![name.to_owned()];
    view.notes = vec![name.to_owned()];
    view.history = Some(name.to_owned());
    view
}
