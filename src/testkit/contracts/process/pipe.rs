//! Lines to a process and back: who asked what, who waits, and what happens where nobody answers.
//!
//! Three threads serve a process: one writes its stdin, one reads its stdout, one its stderr. So
//! nobody who asks is blocked by a full pipe.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::{Limits, ProcessError};
use crate::testkit::contracts::subject::Trouble;

/// What an `ok` holds.
pub(super) type Answer = Value;
type Reply = Result<Answer, Trouble>;
type Waiting = Box<dyn FnOnce(Reply) + Send>;

/// Bytes of stderr that are kept.
const STDERR_BYTES: usize = 4096;
/// How long a process may take to end once its stdin is closed.
const FAREWELL: Duration = Duration::from_secs(1);
/// Executions that were never answered after which the process counts as ended.
const SILENCES_MAX: u64 = 3;
/// Characters of a wrong line that are shown.
const SHOWN_CHARS: usize = 200;

/// A process with its three threads.
pub(super) struct Pipe {
    shared: Arc<Shared>,
    lines: Option<mpsc::Sender<String>>,
    next: AtomicU64,
    silences: AtomicU64,
    limits: Limits,
}

struct Shared {
    child: Mutex<Child>,
    waiting: Mutex<Requests>,
    stderr: Mutex<Vec<u8>>,
}

#[derive(Default)]
struct Requests {
    /// Who waits for the answer to which request.
    open: HashMap<u64, Waiting>,
    /// Why there will be no more answers.
    ended: Option<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is locked is whole after every step, so a panic elsewhere did not break it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipe {
    pub(super) fn start(mut command: Command, limits: Limits) -> Result<Self, ProcessError> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |source| ProcessError::Start { program: program.clone(), source };
        let mut child = command.spawn().map_err(failed)?;
        let ends = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Arc::new(Shared {
            child: Mutex::new(child),
            waiting: Mutex::default(),
            stderr: Mutex::default(),
        });
        let (Some(stdin), Some(stdout), Some(stderr)) = ends else {
            return Err(failed(std::io::Error::other("its pipes could not be taken")));
        };
        let (lines, written) = mpsc::channel();
        thread::spawn(move || write_lines(stdin, &written));
        let keep = Arc::clone(&shared);
        let errors = thread::spawn(move || keep.keep_stderr(stderr));
        let read = Arc::clone(&shared);
        thread::spawn(move || {
            let why = read.read_answers(BufReader::new(stdout), limits.line_bytes);
            // The last words of a process that died say why; they may come after its stdout.
            let since = Instant::now();
            while !errors.is_finished() && since.elapsed() < FAREWELL {
                thread::sleep(Duration::from_millis(5));
            }
            read.end(&why);
        });
        Ok(Self {
            shared,
            lines: Some(lines),
            next: AtomicU64::new(1),
            silences: AtomicU64::new(0),
            limits,
        })
    }

    /// Asks, and waits for the answer. Dropping the future cancels the request.
    pub(super) async fn ask(&self, op: &str, order: Value) -> Reply {
        let (sender, receiver) = oneshot::channel();
        let id = self.send(op, order, Some(Box::new(move |reply| drop(sender.send(reply)))));
        let mut cancel = Cancel { pipe: self, id, armed: op == "execute" };
        let reply = tokio::time::timeout(self.limits.answer, receiver).await;
        match reply {
            Ok(Ok(reply)) => {
                cancel.armed = false;
                reply
            }
            // The sender is dropped unused only when the process is.
            Ok(Err(_)) => Err(Trouble::Broken("the process was let go".to_owned())),
            Err(_) => Err(self.silent(op)),
        }
    }

    /// The same without a runtime.
    pub(super) fn ask_blocking(&self, op: &str, order: Value) -> Reply {
        let (sender, receiver) = mpsc::channel();
        self.send(op, order, Some(Box::new(move |reply| drop(sender.send(reply)))));
        receiver.recv_timeout(self.limits.answer).unwrap_or_else(|_| Err(self.silent(op)))
    }

    /// Asks, and does not wait.
    pub(super) fn tell(&self, op: &str, order: Value) {
        self.send(op, order, None);
    }

    fn send(&self, op: &str, order: Value, waiting: Option<Waiting>) -> u64 {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let mut request =
            Map::from_iter([("id".to_owned(), id.into()), ("op".to_owned(), op.into())]);
        if let Value::Object(order) = order {
            request.extend(order);
        }
        if let Some(waiting) = waiting {
            let mut requests = lock(&self.shared.waiting);
            match requests.ended.clone() {
                Some(why) => {
                    drop(requests);
                    waiting(Err(Trouble::Broken(why)));
                    return id;
                }
                None => requests.open.insert(id, waiting),
            };
        }
        if let Some(lines) = &self.lines {
            // Where the writer is gone, so is the process; the reader says why.
            drop(lines.send(format!("{}\n", Value::Object(request))));
        }
        id
    }

    /// Nobody answered in time. A node may take long over an execution, and does again and again;
    /// a process that says nothing to anything else will say no more.
    fn silent(&self, op: &str) -> Trouble {
        let why = format!("no answer to `{op}` after {} s", self.limits.answer.as_secs_f64());
        let trouble = Trouble::Broken(format!("{why}{}", self.shared.last_words()));
        let times = self.silences.fetch_add(1, Ordering::SeqCst) + 1;
        if op != "execute" || times >= SILENCES_MAX {
            self.shared.end(&why);
        }
        trouble
    }

    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&lock(&self.shared.stderr)).into_owned()
    }
}

/// Cancels a request that nobody waits for any more.
struct Cancel<'a> {
    pipe: &'a Pipe,
    id: u64,
    armed: bool,
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        if self.armed {
            lock(&self.pipe.shared.waiting).open.remove(&self.id);
            self.pipe.tell("cancel", json!({"request": self.id}));
        }
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &mpsc::Receiver<String>) {
    while let Ok(line) = lines.recv() {
        if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

impl Shared {
    /// Reads answers until there are no more; why there are none.
    fn read_answers(&self, mut stdout: impl BufRead, line_bytes: usize) -> String {
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = u64::try_from(line_bytes).unwrap_or(u64::MAX);
            match (&mut stdout).take(limit).read_until(b'\n', &mut line) {
                Ok(0) => return self.farewell(),
                Err(error) => return format!("stdout of the process cannot be read: {error}"),
                Ok(read) if read >= line_bytes && line.last() != Some(&b'\n') => {
                    return format!("the process wrote a line of more than {line_bytes} bytes");
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => {
                    if let Err(why) = self.answer(&line) {
                        return why;
                    }
                }
            }
        }
    }

    /// Hands an answer to whoever waits for it. Late answers to what was cancelled are nobody's.
    fn answer(&self, line: &[u8]) -> Result<(), String> {
        let shown = || {
            let text = String::from_utf8_lossy(line);
            text.trim_end().chars().take(SHOWN_CHARS).collect::<String>()
        };
        let answer: Value = serde_json::from_slice(line).map_err(|error| {
            format!(
                "the process wrote a line that is no JSON: `{}` ({error}); stdout is for answers, \
                 print to stderr",
                shown()
            )
        })?;
        let Some(id) = answer.get("id").and_then(Value::as_u64) else {
            return Err(format!("the process wrote an answer without `id`: `{}`", shown()));
        };
        let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
        let reply = match (answer.get("ok"), text("refused"), text("broken")) {
            (Some(ok), None, None) => Ok(ok.clone()),
            (None, Some(why), None) => Err(Trouble::Refused(why)),
            (None, None, Some(why)) => Err(Trouble::Broken(why)),
            _ => {
                return Err(format!(
                    "an answer holds one of `ok`, `refused` (a text), `broken` (a text): `{}`",
                    shown()
                ));
            }
        };
        let waiting = lock(&self.waiting).open.remove(&id);
        if let Some(waiting) = waiting {
            waiting(reply);
        }
        Ok(())
    }

    /// Why the process says no more.
    fn farewell(&self) -> String {
        let since = Instant::now();
        loop {
            match lock(&self.child).try_wait() {
                Ok(Some(status)) => return format!("the process ended ({status})"),
                Ok(None) if since.elapsed() < FAREWELL => {}
                Ok(None) => return "the process closed its stdout".to_owned(),
                Err(error) => return format!("the process is lost ({error})"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tells all who wait, and all who will ask, why there is no answer.
    fn end(&self, why: &str) {
        let why = format!("{why}{}", self.last_words());
        let open = {
            let mut requests = lock(&self.waiting);
            // The first reason is the one that the others follow from.
            requests.ended.get_or_insert_with(|| why.clone());
            std::mem::take(&mut requests.open)
        };
        for waiting in open.into_values() {
            waiting(Err(Trouble::Broken(why.clone())));
        }
    }

    fn keep_stderr(&self, mut stderr: impl Read) {
        let mut bytes = [0; 1024];
        while let Ok(read @ 1..) = stderr.read(&mut bytes) {
            let mut kept = lock(&self.stderr);
            kept.extend(bytes.iter().take(read));
            let surplus = kept.len().saturating_sub(STDERR_BYTES);
            kept.drain(..surplus);
        }
    }

    /// `; its stderr ends with: …`, or nothing.
    fn last_words(&self) -> String {
        let kept = lock(&self.stderr);
        let text = String::from_utf8_lossy(&kept);
        match text.trim() {
            "" => String::new(),
            words => format!("; its stderr ends with:\n{words}"),
        }
    }
}

impl Drop for Pipe {
    /// Closes stdin, which ends a process that is well; ends it where that does not.
    fn drop(&mut self) {
        self.tell("bye", json!({}));
        self.lines = None;
        let since = Instant::now();
        let mut child = lock(&self.shared.child);
        while since.elapsed() < FAREWELL {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        // It may have ended meanwhile; then there is nothing to end and nothing to say.
        drop(child.kill());
        drop(child.wait());
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("limits", &self.limits).finish_non_exhaustive()
    }
}
