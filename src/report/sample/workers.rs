//! The work of several workers, to render in tests.

use crate::report::view::{CrashedView, SharedView, SlowTestView, WorkerView, WorkersView};

fn worker(number: u32, tests: u64, failed: u64, seconds: f64) -> WorkerView {
    WorkerView {
        worker: number,
        tests,
        failed,
        batches: 4,
        crashes: 0,
        test_seconds: seconds,
        start_seconds: 1.84,
        idle_seconds: 27.4 - 1.84 - seconds,
        kept: None,
    }
}

/// Three workers and nothing to say.
pub(in crate::report) fn plain() -> WorkersView {
    let slow =
        |test: &str, worker, seconds| SlowTestView { test: test.to_owned(), worker, seconds };
    WorkersView {
        schema: WorkersView::SCHEMA,
        dist: "load",
        tests: 1_204,
        seconds: 27.4,
        test_seconds: 73.1,
        workers: vec![worker(0, 318, 0, 24.9), worker(1, 402, 0, 24.1), worker(2, 484, 0, 24.1)],
        slowest: vec![
            slow("tests.test_checkout.TestCart::test_total_of_many_items", 0, 8.31),
            slow("tests.test_search::test_index_is_rebuilt", 2, 4.002),
            slow("tests.test_api::test_login[oauth]", 1, 0.87),
        ],
        crashed: Vec::new(),
        without_result: Vec::new(),
        stopped: None,
        shared: None,
        notes: Vec::new(),
    }
}

/// Everything that can go wrong at once, with this text for names.
pub(in crate::report) fn troubled(text: &str) -> WorkersView {
    let mut view = plain();
    view.workers[1].failed = 3;
    view.workers[1].crashes = 1;
    view.workers[2].kept = Some("/tmp/flakedb-workers/2".to_owned());
    view.crashed =
        vec![CrashedView { test: text.to_owned(), worker: 1, how: "signal 11".to_owned() }];
    view.without_result = (0..12).map(|n| format!("{text}[{n}]")).collect();
    view.stopped = Some("5 tests failed, which was to be the end".to_owned());
    view.shared = Some(SharedView {
        resource: "one Redis database".to_owned(),
        evidence: vec![
            "REDIS_DB=0 for all workers".to_owned(),
            "failures say \"redis\"".to_owned(),
        ],
        tests: vec![text.to_owned(), "tests.test_cart::test_empty".to_owned()],
        passed_alone: Some(2),
        mend: "lease a number to each worker".to_owned(),
    });
    view.slowest[0].test = text.to_owned();
    view.notes = vec![format!("not a node id: {text}")];
    view
}

/// The same where nothing was run alone.
pub(in crate::report) fn untried() -> WorkersView {
    let mut view = troubled("tests.test_crash::test_segfault");
    view.without_result.clear();
    view.stopped = None;
    if let Some(shared) = &mut view.shared {
        shared.passed_alone = None;
    }
    view
}
