//! Nodes in other languages, under contract over stdin and stdout: one JSON object a line.
//!
//! The suite starts a command and asks; the command answers. `docs/contracts.md` has the protocol
//! in full, and `examples/contracts/python/` a node that speaks it.
//!
//! ```text
//! > {"id":1,"op":"hello","protocol":1}
//! < {"id":1,"ok":{"protocol":1,"name":"echo (python)","type":"echo","types":["echo"],"cases":{…}}}
//! > {"id":2,"op":"create","definition":{"id":"test.node","type":"echo","config":{}}}
//! < {"id":2,"ok":{"node":1}}
//! > {"id":3,"op":"execute","node":1,"message":{…},"context":{…},"scribble":false}
//! < {"id":3,"ok":{"result":{…},"message":{…},"context":{…}}}
//! ```

mod pipe;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use self::pipe::{Answer, Pipe};
use super::subject::{
    CLAUSE_TIME, Executed, Execution, Profile, Scenario, Setup, Specimen, Subject, Trouble,
};
use crate::testkit::nodes::NodeType;

/// The version of the protocol that the suite speaks.
pub const PROTOCOL: u64 = 1;

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long an answer may take.
    pub answer: Duration,
    /// How long the check of one clause may take.
    pub clause: Duration,
    /// Bytes of one line of stdout.
    pub line_bytes: usize,
}

impl Default for Limits {
    /// Half a minute for an answer, longer than any clause waits; a minute for a clause; 64 MiB a line, far above the
    /// payload of a megabyte that one clause sends.
    fn default() -> Self {
        Self { answer: Duration::from_secs(30), clause: CLAUSE_TIME, line_bytes: 64 << 20 }
    }
}

/// A process that cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It did not start.
    #[error("`{program}` could not be started; is it there, and may it be run?")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It ended too early, was silent too long, or wrote what is no answer.
    #[error("{0}")]
    Broken(String),
    /// It speaks another version of the protocol.
    #[error(
        "the process speaks version {found} of the protocol, the suite version {PROTOCOL}; update \
         the older one"
    )]
    Version {
        /// What it said.
        found: Value,
    },
    /// Its first answer says too little, or what makes no sense.
    #[error("the answer to `hello` is wrong: {0}; see docs/contracts.md")]
    Hello(String),
}

/// A node in another language: a subject that is a process.
///
/// ```no_run
/// use std::process::Command;
///
/// use flakedb::testkit::contracts::process::{Limits, Process};
/// use flakedb::testkit::contracts::run_subject;
///
/// let mut command = Command::new("python3");
/// command.arg("examples/contracts/python/echo_node.py");
/// let report = run_subject(Process::start(command, Limits::default())?);
/// assert!(report.conforms(), "{report}");
/// # Ok::<(), flakedb::testkit::contracts::process::ProcessError>(())
/// ```
#[derive(Debug)]
pub struct Process {
    pipe: Arc<Pipe>,
    profile: Profile,
    clause_time: Duration,
}

#[derive(Deserialize)]
struct Hello {
    name: String,
    #[serde(rename = "type")]
    node_type: NodeType,
    types: Vec<NodeType>,
    cases: BTreeMap<Scenario, Setup>,
}

impl Process {
    /// Starts a command and greets it. Its stdin and stdout are taken; what it writes to stderr is
    /// kept, the last of it, for error messages. Dropping the process ends it.
    ///
    /// # Errors
    /// Where it does not start, or does not answer `hello` as it should.
    pub fn start(command: Command, limits: Limits) -> Result<Self, ProcessError> {
        // A clause that waits for one answer has as long as the answer.
        let clause_time = limits.clause.max(limits.answer);
        let pipe = Arc::new(Pipe::start(command, limits)?);
        let answer = pipe
            .ask_blocking("hello", json!({"protocol": PROTOCOL}))
            .map_err(|trouble| ProcessError::Broken(trouble.to_string()))?;
        let found = answer.get("protocol").cloned().unwrap_or_default();
        if found != json!(PROTOCOL) {
            return Err(ProcessError::Version { found });
        }
        let hello: Hello = serde_json::from_value(answer)
            .map_err(|error| ProcessError::Hello(error.to_string()))?;
        let Hello { name, node_type, types, cases } = hello;
        Ok(Self { pipe, profile: Profile { name, node_type, types, cases }, clause_time })
    }

    /// The last of what the process wrote to stderr.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.pipe.stderr()
    }
}

#[async_trait]
impl Subject for Process {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn create(&self, definition: &Value) -> Result<Arc<dyn Specimen>, Trouble> {
        let answer = self.pipe.ask("create", json!({"definition": definition})).await?;
        match answer.get("node").and_then(Value::as_u64) {
            Some(node) => Ok(Arc::new(Remote { pipe: Arc::clone(&self.pipe), node })),
            None => Err(wrong("create", "a number `node`", &answer)),
        }
    }

    async fn work(&self) -> Result<Option<u64>, Trouble> {
        let answer = self.pipe.ask("work", json!({})).await?;
        match answer.get("count") {
            Some(Value::Null) => Ok(None),
            Some(count) if count.is_u64() => Ok(count.as_u64()),
            _ => Err(wrong("work", "`count`, a number or null", &answer)),
        }
    }

    async fn running(&self) -> Result<Option<u64>, Trouble> {
        let answer = self.pipe.ask("running", json!({})).await?;
        match answer.get("count").and_then(Value::as_u64) {
            Some(count) => Ok(Some(count)),
            None => Err(wrong("running", "`count`, a number", &answer)),
        }
    }

    fn clause_time(&self) -> Duration {
        self.clause_time
    }
}

/// A node in the process.
struct Remote {
    pipe: Arc<Pipe>,
    node: u64,
}

#[async_trait]
impl Specimen for Remote {
    async fn describe(&self) -> Result<Value, Trouble> {
        self.pipe.ask("describe", json!({"node": self.node})).await
    }

    async fn execute(&self, order: &Execution) -> Result<Executed, Trouble> {
        let mut order = json!(order);
        if let Some(order) = order.as_object_mut() {
            order.insert("node".to_owned(), self.node.into());
        }
        let answer = self.pipe.ask("execute", order).await?;
        serde_json::from_value(answer)
            .map_err(|error| Trouble::Broken(format!("the answer to `execute` is wrong: {error}")))
    }

    async fn update_stats(&self, success: bool, latency_ms: i64) -> Result<(), Trouble> {
        let order = json!({"node": self.node, "success": success, "latency_ms": latency_ms});
        self.pipe.ask("update_stats", order).await.map(drop)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.pipe.tell("drop", json!({"node": self.node}));
    }
}

fn wrong(op: &str, wanted: &str, answer: &Answer) -> Trouble {
    Trouble::Broken(format!("the answer to `{op}` must hold {wanted}, is {answer}"))
}
