//! `MockOllama`: a server for as long as a value lives.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::builder::Builder;
use super::clock::Clock;
use super::fault::FaultRule;
use super::journal::Entry;
use super::models::Models;
use super::namespace::Namespace;
use super::record::Cassette;
use super::recorder::Recorder;
use super::server;
use super::settings::Settings;
use super::stub::Stub;
use super::verify::{Expectation, VerifyError, verify};
use super::world::World;

/// A mock Ollama server on a port of its own. It stops when the value is dropped, within a second
/// even while clients hold connections open.
///
/// The server runs on a thread of its own, so the same line serves tests with and without an async
/// runtime.
///
/// ```
/// use flakedb::testkit::mock_server::MockOllama;
///
/// let ollama = MockOllama::start()?;
/// assert!(ollama.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MockOllama {
    address: SocketAddr,
    world: Arc<World>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port could not be opened.
    #[error("cannot listen on {address} (port 0 takes any that is free)")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// No thread or runtime could be had.
    #[error("cannot start the server's thread")]
    Thread(#[source] std::io::Error),
    /// A model's name is not valid.
    #[error("`{name}` is no name of a model; it is [host/][namespace/]name[:tag]")]
    Model {
        /// The name.
        name: String,
    },
}

impl MockOllama {
    /// Starts a server on loopback, on any free port.
    ///
    /// # Errors
    /// Where no port or thread can be had.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// A server to be set up first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn serve(
        world: World,
        host: IpAddr,
        port: u16,
        threads: usize,
    ) -> Result<Self, StartError> {
        let address = SocketAddr::new(host, port);
        let listen = |source| StartError::Listen { address, source };
        let listener = server::bind(host, port).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let world = Arc::new(world);
        let (stop, stopped) = watch::channel(false);
        let mut runtime = match threads {
            0 | 1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if threads > 1 {
            runtime.worker_threads(threads);
        }
        let runtime = runtime.enable_all().build().map_err(StartError::Thread)?;
        let served = Arc::clone(&world);
        let thread = std::thread::Builder::new()
            .name("mock-ollama".to_owned())
            .spawn(move || {
                let ended = runtime.block_on(server::serve(listener, served, stopped));
                // Whatever still runs is not waited for.
                runtime.shutdown_background();
                ended
            })
            .map_err(StartError::Thread)?;
        Ok(Self { address, world, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end: what clients take as `host` or `OLLAMA_HOST`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The clock that it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.world.clock()
    }

    /// Stops, and waits until it has; also what dropping does.
    ///
    /// # Errors
    /// Where the server had ended before because its port was lost.
    pub fn stop(mut self) -> std::io::Result<()> {
        self.end()
    }

    /// Whether its thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.stop.send_replace(true);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            // A panic there is no reason for one here: a test may be unwinding.
            Some(Err(_)) => Err(std::io::Error::other("the server's thread panicked")),
            None => Ok(()),
        }
    }

    /// A namespace of its own, for a test beside others: its models, stubs, faults and journal are
    /// seen by nobody else. The same name is the same namespace.
    ///
    /// # Errors
    /// Where the name has more than 256 bytes, or there are 10,000 namespaces already.
    pub fn namespace(&self, name: &str) -> Result<MockNamespace, NamespaceError> {
        let namespace = self.world.namespace(name).map_err(|refused| {
            let said: serde_json::Value =
                serde_json::from_slice(&refused.bytes()).unwrap_or_default();
            NamespaceError(said["error"].as_str().unwrap_or_default().to_owned())
        })?;
        let url = match name {
            "" => self.url(),
            name => format!("{}/ns/{}", self.url(), encoded(name)),
        };
        Ok(MockNamespace { url, namespace, world: Arc::clone(&self.world) })
    }

    fn default_namespace(&self) -> MockNamespace {
        let namespace = self.world.default_namespace();
        MockNamespace { url: self.url(), namespace, world: Arc::clone(&self.world) }
    }

    /// Adds a stub while the server runs; gives its id.
    pub fn stub(&self, stub: Stub) -> u64 {
        self.default_namespace().stub(stub)
    }

    /// Breaks answers from now on.
    pub fn fault(&self, rule: FaultRule) {
        self.default_namespace().fault(rule);
    }

    /// Changes how the default namespace answers, from the next request on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use flakedb::testkit::mock_server::MockOllama;
    /// use flakedb::testkit::mock_server::timing::Span;
    ///
    /// let ollama = MockOllama::start()?;
    /// ollama.configure(|settings| settings.timing.latency = Some(Span::Fixed(Duration::from_millis(5))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        self.default_namespace().configure(change);
    }

    /// Changes the models that the default namespace has.
    ///
    /// ```
    /// use flakedb::testkit::mock_server::MockOllama;
    ///
    /// let ollama = MockOllama::start()?;
    /// assert!(ollama.models(|models| models.remove("phi3:mini")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn models<R>(&self, change: impl FnOnce(&mut Models) -> R) -> R {
        self.default_namespace().models(change)
    }

    /// The requests of the default namespace, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Arc<Entry>> {
        self.default_namespace().requests()
    }

    /// Checks the requests of the default namespace; gives those that it counted.
    ///
    /// ```
    /// use flakedb::testkit::mock_server::MockOllama;
    /// use flakedb::testkit::mock_server::verify::Expect;
    ///
    /// let ollama = MockOllama::start()?;
    /// // … the code under test …
    /// ollama.verify(Expect::requests().to("/api/chat").user_contains("weather").never())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`VerifyError`] where the requests are not those expected.
    pub fn verify(
        &self,
        expectation: impl Into<Expectation>,
    ) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
        self.default_namespace().verify(expectation)
    }

    /// Returns every namespace to how it began: stubs, models, faults, states and journals.
    pub fn reset(&self) {
        self.world.reset_all();
    }

    /// What was recorded so far; `None` where the server does not record.
    #[must_use]
    pub fn cassette(&self) -> Option<Cassette> {
        self.world.recorder().map(Recorder::cassette)
    }
}

/// Why there is no such namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NamespaceError(String);

/// What one test sees of a server that it shares with others.
///
/// ```
/// use flakedb::testkit::mock_server::MockOllama;
/// use flakedb::testkit::mock_server::stub::Stub;
///
/// let ollama = MockOllama::start()?;
/// let mine = ollama.namespace("test 1")?;
/// mine.stub(Stub::chat().user_contains("weather").reply("Sunny."));
/// assert!(mine.url().ends_with("/ns/test%201"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MockNamespace {
    url: String,
    namespace: Arc<Namespace>,
    world: Arc<World>,
}

impl MockNamespace {
    /// The URL of the server in which every request is in this namespace.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a stub; gives its id.
    pub fn stub(&self, stub: Stub) -> u64 {
        self.namespace.state().add_stub(stub, self.world.clock().now())
    }

    /// Breaks answers from now on.
    pub fn fault(&self, rule: FaultRule) {
        self.namespace.state().settings.faults.push(rule);
    }

    /// Changes how it answers, from the next request on.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.namespace.state().settings);
    }

    /// Changes the models that it has.
    pub fn models<R>(&self, change: impl FnOnce(&mut Models) -> R) -> R {
        change(&mut self.namespace.state().models)
    }

    /// The requests, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Arc<Entry>> {
        self.namespace.state().journal.snapshot()
    }

    /// Checks the requests; gives those that it counted.
    ///
    /// # Errors
    /// [`VerifyError`] where the requests are not those expected.
    pub fn verify(
        &self,
        expectation: impl Into<Expectation>,
    ) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
        let (entries, dropped, models) = {
            let state = self.namespace.state();
            (state.journal.snapshot(), state.journal.dropped(), state.models.clone())
        };
        verify(&expectation.into(), &entries, dropped, &models)
    }

    /// Returns the namespace to how it began.
    pub fn reset(&self) {
        self.namespace.state().reset(self.world.beginning());
    }
}

impl std::fmt::Debug for MockNamespace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MockNamespace").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A name as one segment of a path.
fn encoded(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                segment.push(char::from(byte));
            }
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

impl Drop for MockOllama {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl std::fmt::Debug for MockOllama {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MockOllama").field("url", &self.url()).finish_non_exhaustive()
    }
}
