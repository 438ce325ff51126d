//! The tests of today: what the runner of a command lists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, PipeReader, Read as _};
use std::process::{Command, Stdio};
use std::thread;

use crate::context::child::{Ended, How, Terminal, Watch, supervise};
use crate::listing::{Lister, Listing};
use crate::quarantine::gate::RunnerFact;
use crate::quarantine::gate::runners::identify;

/// Why the tests of a command are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TodayError {
    /// Nothing tells which runner it starts.
    #[error("which runner `{command}` starts is not known; name it with --runner")]
    NoRunner {
        /// The command.
        command: String,
    },
    /// The runner has no way to list its tests that flakedb knows.
    #[error("flakedb knows no way to list the tests of {runner}; list them with --tests FILE")]
    NoLister {
        /// The runner.
        runner: String,
    },
    /// The listing failed.
    #[error("`{command}` lists no tests: {why}")]
    Failed {
        /// The command that was to list them.
        command: String,
        /// Its code and its words, or what was not understood.
        why: String,
    },
}

/// The name of the runner that a command starts; `None` where nothing tells.
#[must_use]
pub fn runner(
    command: &[OsString],
    named: Option<&str>,
    configured: &BTreeMap<String, Vec<i32>>,
) -> Option<String> {
    match identify(named, &words_of(command), &[], configured) {
        RunnerFact::Known(runners) => runners.into_iter().next().map(|runner| runner.name),
        RunnerFact::NoSuch(_) | RunnerFact::Unknown(_) => None,
    }
}

fn words_of(command: &[OsString]) -> Vec<String> {
    command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Asks the runner of a command for its tests.
///
/// # Errors
/// [`TodayError`].
pub fn tests_of(
    command: &[OsString],
    runner: Option<&str>,
    configured: &BTreeMap<String, Vec<i32>>,
) -> Result<(&'static Lister, Listing), TodayError> {
    let words = words_of(command);
    let name = self::runner(command, runner, configured)
        .ok_or_else(|| TodayError::NoRunner { command: words.join(" ") })?;
    let lister = Lister::find(&name).ok_or(TodayError::NoLister { runner: name.clone() })?;
    let asked = (lister.command)(&words).ok_or(TodayError::NoLister { runner: name })?;
    let shown = asked.join(" ");
    let failed = |why: String| TodayError::Failed { command: shown.clone(), why };
    let (program, arguments) = asked.split_first().ok_or_else(|| failed("it is empty".into()))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let (ended, out, errors) = output(command).map_err(failed)?;
    if let Some(signal) = ended.asked {
        return Err(failed(format!("told to end by signal {signal}")));
    }
    let text = String::from_utf8_lossy(&out);
    if ended.how != How::Exited(0) {
        let errors = String::from_utf8_lossy(&errors);
        let last = errors.lines().chain(text.lines()).rfind(|line| !line.trim().is_empty());
        let last = last.unwrap_or("no output");
        return Err(failed(format!("{}: {last}", ended.how.words())));
    }
    let listing = (lister.read)(&text).map_err(|error| failed(error.to_string()))?;
    Ok((lister, listing))
}

/// Runs a command to its end, or to ours: signals are passed on to it. Returns what it wrote.
fn output(mut command: Command) -> Result<(Ended, Vec<u8>, Vec<u8>), String> {
    let broken = |error: io::Error| format!("its output cannot be read: {error}");
    let (out, its_out) = io::pipe().map_err(broken)?;
    let (errors, its_errors) = io::pipe().map_err(broken)?;
    command.stdout(its_out).stderr(its_errors);
    let watch = Watch { terminal: Terminal::Kept, ..Watch::default() };
    let whole = |mut pipe: PipeReader| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    };
    thread::scope(|scope| {
        let (out, errors) = (scope.spawn(move || whole(out)), scope.spawn(move || whole(errors)));
        let ended = supervise(command, &watch).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.unwrap_or_default())
        })?;
        let read = |thread: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
            thread.join().unwrap_or_else(|_| Ok(Vec::new())).map_err(broken)
        };
        Ok((ended, read(out)?, read(errors)?))
    })
}

#[cfg(test)]
#[cfg(unix)]
mod unit {
    use super::*;

    #[test]
    fn a_listing_is_read_whole_while_its_process_writes() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 100000; echo no >&2; exit 3"]);
        let (ended, out, errors) = output(command).unwrap();
        assert_eq!((ended.how, ended.asked), (How::Exited(3), None));
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 100_000);
        assert_eq!(errors, b"no\n");
        let refused = output(Command::new("no-such-command-here")).unwrap_err();
        assert!(refused.contains("no-such-command-here"), "{refused}");
    }
}
