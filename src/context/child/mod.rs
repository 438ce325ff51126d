//! A command run on behalf of another: its terminal, its signals, its time and its end.
//!
//! [`supervise`] is meant to be invisible. The command gets standard input and output as they are
//! and, where flakedb has it, the terminal; it runs in a process group of its own, which signals
//! are passed on to and which does not outlive a flakedb that was told to end. Knows processes and
//! signals; nothing of tests.

#[cfg(unix)]
mod job;
mod plain;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod terminal;

#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::io;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

#[cfg(unix)]
pub use signals::OnSignal;

/// Added to the number of a signal, as shells do, where a process was ended by one.
const SIGNAL_CODE: i32 = 128;
/// The exit code of a command that took too long, as `timeout` has it.
pub const TIMED_OUT: u8 = 124;
/// The exit code where the end of a command could not be learnt.
pub const LOST: u8 = 125;
/// The exit code of a command that is there but cannot be started.
pub const NOT_EXECUTABLE: u8 = 126;
/// The exit code of a command that is not there.
pub const NOT_FOUND: u8 = 127;
/// How long a command may take to end once it was told to.
pub const GRACE: Duration = Duration::from_secs(10);

/// Who has the terminal while the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// The command, where we have it: its Ctrl-C and Ctrl-Z are the command's.
    Lent,
    /// We keep it.
    Kept,
}

/// How to watch over a command.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Who has the terminal.
    pub terminal: Terminal,
    /// After this time the command is told to end.
    pub timeout: Option<Duration>,
    /// How long it may take to end once it was told to; then its process group is killed.
    pub grace: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        Self { terminal: Terminal::Lent, timeout: None, grace: GRACE }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It took longer than it was given.
    TimedOut,
}

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// The last signal by which we were told to end meanwhile.
    pub asked: Option<i32>,
    /// When it was started.
    pub started: SystemTime,
    /// How long it ran.
    pub took: Duration,
}

impl How {
    /// The end in words: `exit code 3`, `signal 9`, `out of time`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Exited(code) => format!("exit code {code}"),
            Self::Signalled(signal) => format!("signal {signal}"),
            Self::TimedOut => "out of time".to_owned(),
        }
    }

    /// The exit code as shells and `timeout` have it.
    ///
    /// Codes beyond a byte, which Windows has, are 1: cut to a byte some would be 0.
    #[must_use]
    pub fn code(self) -> u8 {
        let code = match self {
            Self::Exited(code) => code,
            Self::Signalled(signal) => signal.saturating_add(SIGNAL_CODE),
            Self::TimedOut => return TIMED_OUT,
        };
        u8::try_from(code).unwrap_or(1)
    }
}

/// Why a command did not run, or not to an end that could be seen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such command.
    #[error("there is no command `{program}`")]
    NotFound {
        /// The command.
        program: String,
    },
    /// It is there but cannot be started.
    #[error("`{program}` cannot be started")]
    NotExecutable {
        /// The command.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It was started, but its end could not be learnt.
    #[error("how `{program}` ended could not be learnt")]
    Lost {
        /// The command.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// The exit code as shells and `timeout` have it.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => NOT_FOUND,
            Self::NotExecutable { .. } => NOT_EXECUTABLE,
            Self::Lost { .. } => LOST,
        }
    }

    fn of_start(command: &Command, source: io::Error) -> Self {
        let program = name_of(command);
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { program },
            _ => Self::NotExecutable { program, source },
        }
    }

    fn of_wait(command: &Command, source: io::Error) -> Self {
        Self::Lost { program: name_of(command), source }
    }
}

fn name_of(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Runs a command to its end.
///
/// On Unix: in a process group of its own, to which SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and
/// SIGUSR2 are passed on unless they are ignored. Once one of the first four was, or the time is
/// over, the group gets [`Watch::grace`] to end and is killed then; a second signal shortens that.
///
/// # Errors
/// [`StartError`]: the command could not be started, or its end could not be learnt.
pub fn supervise(command: Command, watch: &Watch) -> Result<Ended, StartError> {
    supervise_until(command, watch, &NEVER)
}

/// The same until `stop` is set: then the command is told to end as by Ctrl-C.
///
/// # Errors
/// As [`supervise`].
pub fn supervise_until(
    command: Command,
    watch: &Watch,
    stop: &AtomicBool,
) -> Result<Ended, StartError> {
    #[cfg(unix)]
    return job::supervise(command, watch, stop);
    #[cfg(not(unix))]
    plain::supervise(command, watch, stop)
}

/// Nobody ever sets it.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Elsewhere the console tells every process of a Ctrl-C by itself.
#[cfg(not(unix))]
pub struct OnSignal;

#[cfg(not(unix))]
impl OnSignal {
    /// Does nothing.
    ///
    /// # Errors
    /// None.
    pub fn call(_act: impl FnMut(i32) + Send + 'static) -> io::Result<Self> {
        Ok(Self)
    }
}
