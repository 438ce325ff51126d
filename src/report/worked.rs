//! Who ran what, in sentences that a terminal and a pull request share.

use super::sentence;
use super::view::{SharedView, WorkersView};

/// How many tests, by how many workers, in which time, and how much faster than alone.
#[must_use]
pub fn headline(view: &WorkersView) -> String {
    let ran: u64 = view.workers.iter().map(|worker| worker.tests).sum();
    let tests = sentence::count(ran, "test");
    let workers = sentence::count(view.workers.len() as u64, "worker");
    let took = sentence::seconds(view.seconds);
    let mut said = format!("{tests} by {workers} in {took}");
    if view.seconds > 0.0 && view.test_seconds > view.seconds {
        let all = sentence::seconds(view.test_seconds);
        let times = view.test_seconds / view.seconds;
        said += &format!("; the tests themselves took {all}, {times:.1} times as long");
    }
    said
}

/// What tests that failed beside others share.
#[must_use]
pub fn shared(shared: &SharedView) -> String {
    let tests = sentence::count(shared.tests.len() as u64, "test");
    match shared.passed_alone {
        Some(_) => {
            format!(
                "Likely cause: the workers share {}. {tests} failed beside others and passed alone",
                shared.resource
            )
        }
        None => format!(
            "Possible cause: the workers share {}, of {tests} that failed; --retries 1 runs them alone and tells",
            shared.resource
        ),
    }
}
