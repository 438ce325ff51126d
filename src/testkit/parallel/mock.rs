//! One mock server for all workers, in which each sees only what is its own.

use super::super::mock_server::{MockNamespace, MockOllama, NamespaceError};
use super::worker::Worker;

/// The worker's own view of a mock server in this process.
///
/// # Errors
/// Where the server has too many namespaces already.
///
/// ```
/// use flakedb::testkit::mock_server::MockOllama;
/// use flakedb::testkit::mock_server::stub::Stub;
/// use flakedb::testkit::parallel::{Worker, namespace_of};
///
/// let server = MockOllama::start()?;
/// let mine = namespace_of(&server, &Worker::numbered(3))?;
/// mine.stub(Stub::chat().reply("Only worker 3 hears this."));
/// assert!(mine.url().ends_with("/ns/worker-3"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn namespace_of(server: &MockOllama, worker: &Worker) -> Result<MockNamespace, NamespaceError> {
    server.namespace(&name(worker))
}

/// The same of a server elsewhere, such as one that `flakedb mock` runs: what its URL is for the
/// worker.
///
/// ```
/// use flakedb::testkit::parallel::{Worker, namespace_url};
/// let url = namespace_url("http://127.0.0.1:11434/", &Worker::numbered(3));
/// assert_eq!(url, "http://127.0.0.1:11434/ns/worker-3");
/// ```
#[must_use]
pub fn namespace_url(server: &str, worker: &Worker) -> String {
    format!("{}/ns/{}", server.trim_end_matches('/'), name(worker))
}

/// Of letters, digits and hyphens, which a URL has as they are.
fn name(worker: &Worker) -> String {
    format!("worker-{}", worker.id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::mock_server::stub::Stub;

    #[test]
    fn workers_do_not_see_each_other() {
        let server = MockOllama::start().unwrap();
        let workers = [Worker::numbered(0), Worker::numbered(1)];
        let spaces = workers.each_ref().map(|worker| namespace_of(&server, worker).unwrap());
        for (worker, space) in workers.iter().zip(&spaces) {
            assert_eq!(space.url(), namespace_url(&server.url(), worker));
        }
        spaces[0].stub(Stub::chat().reply("mine"));
        spaces[0].reset();
        assert!(spaces[1].requests().is_empty());
    }
}
