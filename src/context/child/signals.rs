//! Which signals concern us, and hearing of them.

use std::fs;
use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
};
use signal_hook::iterator::{Handle, Signals};

/// By these a process is told to end.
pub(super) const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];
/// These are passed on besides.
const PASSED_ON: [i32; 3] = [SIGUSR1, SIGUSR2, SIGTSTP];

/// A thread that waits for signals.
struct Listener {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn start(signals: &[i32], mut act: impl FnMut(i32) + Send + 'static) -> io::Result<Self> {
        let mut signals = Signals::new(signals)?;
        let handle = signals.handle();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                act(signal);
            }
        })?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) =
            self.thread.take().filter(|own| own.thread().id() != thread::current().id())
        {
            // It has nothing to say but that it panicked, which was printed already.
            let _ = thread.join();
        }
    }
}

/// All signals that a supervisor has to hear of, as they come.
pub(super) struct Heard {
    _listener: Listener,
    /// Signal by signal.
    pub(super) signals: Receiver<i32>,
}

impl Heard {
    pub(super) fn new() -> io::Result<Self> {
        let (sender, signals) = mpsc::channel();
        let all = ENDING.into_iter().chain(PASSED_ON);
        let wanted: Vec<i32> = heeded(all).chain([SIGCHLD, SIGCONT]).collect();
        let listener = Listener::start(&wanted, move |signal| {
            // The receiver is gone when the command is; then nobody needs to know.
            let _ = sender.send(signal);
        })?;
        Ok(Self { _listener: listener, signals })
    }
}

/// Calls a function for each signal that tells us to end, until it is dropped.
pub struct OnSignal {
    _listener: Listener,
}

impl OnSignal {
    /// Starts listening; ignored signals stay ignored.
    ///
    /// # Errors
    /// What the system says, where it gives no thread or no pipe.
    pub fn call(act: impl FnMut(i32) + Send + 'static) -> io::Result<Self> {
        let wanted: Vec<i32> = heeded(ENDING.into_iter()).collect();
        Ok(Self { _listener: Listener::start(&wanted, act)? })
    }
}

/// Without the signals that we were started to ignore (`nohup`), which commands inherit: once heard
/// they would be theirs no longer.
fn heeded(signals: impl Iterator<Item = i32>) -> impl Iterator<Item = i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    signals.filter(move |signal| ignored >> (signal - 1) & 1 == 0)
}

/// The mask of ignored signals in the words of Linux; elsewhere nobody says.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status_of_a_process() {
        let mask = ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n");
        assert_eq!(mask >> (SIGHUP - 1) & 1, 1);
        assert_eq!(mask >> (SIGTERM - 1) & 1, 0);
        assert_eq!(ignored("no such line"), 0);
    }
}
