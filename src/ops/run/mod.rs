//! A test command, run once and its failed tests again, with the reports of each round.
//!
//! Runners write every round to the same files, so each round's reports are read before the next
//! begins. What they come to is decided by [`gate`](super::gate), what they say is kept by
//! [`ingest`](super::ingest).

mod failing;
mod selection;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::UNIX_EPOCH;

use crate::context::child::{Ended, How, StartError, Watch, supervise};
use crate::context::input::Document;
use crate::context::written::{Before, Reports};
use crate::model::Timestamp;
use crate::quarantine::gate::{Ending, GateSettings};

pub use failing::Failing;
use selection::{Way, way};

/// What to run.
pub struct RunRequest<'a> {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// How to watch over it.
    pub watch: Watch,
    /// Where it writes its reports.
    pub places: Vec<PathBuf>,
    /// How often what failed is tried again.
    pub retries: u32,
    /// The runner, where somebody named it.
    pub runner: Option<String>,
    /// Which codes mean "tests failed".
    pub settings: GateSettings,
    /// The root of the repository, which makes source files relative.
    pub repository_root: Option<String>,
    /// An empty directory for what retries need.
    pub workplace: Option<PathBuf>,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The signal by which we were told to end, or 0: no retry begins after it.
    pub stopped: &'a AtomicI32,
    /// Called before each retry with its number and the number of tests that failed.
    pub retrying: &'a dyn Fn(u32, usize),
}

/// One round: the command, or a retry of what had failed.
pub struct Round {
    /// How it ended.
    pub ended: Ended,
    /// When it was started.
    pub started: Timestamp,
    /// The reports that it wrote.
    pub reports: Vec<Document>,
    /// The tests that it was to try again; `None` for the first round.
    pub retried: Option<Failing>,
}

/// All rounds.
pub struct Rounds {
    /// The first and its retries.
    pub rounds: Vec<Round>,
    /// Reports that were there before the command and that it did not write.
    pub stale: Vec<Document>,
    /// Reports that could not be opened.
    pub unread: Vec<PathBuf>,
    /// Places without any report after the command itself.
    pub missing: Vec<PathBuf>,
    /// What people should know of the retries.
    pub notes: Vec<String>,
}

impl Rounds {
    /// How the command itself ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.rounds.first().map_or(Ending::NotFound, |round| ending(round.ended.how))
    }

    /// How the retries ended.
    #[must_use]
    pub fn retries(&self) -> Vec<Ending> {
        self.rounds.iter().skip(1).map(|round| ending(round.ended.how)).collect()
    }

    /// The signal by which we were told to end meanwhile.
    #[must_use]
    pub fn asked(&self) -> Option<i32> {
        self.rounds.iter().find_map(|round| round.ended.asked)
    }
}

/// The gate's word for how a command ended.
#[must_use]
pub const fn ending(how: How) -> Ending {
    match how {
        // What a shell reports of the signal or timeout of the real command.
        How::Exited(code) => Ending::of_code(code),
        How::Signalled(signal) => Ending::Signalled(signal),
        How::TimedOut => Ending::TimedOut,
    }
}

/// Runs the command, and what failed again.
///
/// # Errors
/// [`StartError`] where the command itself cannot be started; a retry that cannot is a note.
pub fn rounds(request: &RunRequest<'_>) -> Result<Rounds, StartError> {
    let (first, found) = round(request, plain(&request.command), None)?;
    let mut all = Rounds {
        rounds: vec![first],
        stale: found.stale,
        unread: found.unread,
        missing: found.missing,
        notes: Vec::new(),
    };
    for number in 1..=request.retries {
        if !retry(request, &mut all, number) {
            break;
        }
    }
    Ok(all)
}

/// One retry; false where there is nothing more to try.
fn retry(request: &RunRequest<'_>, all: &mut Rounds, number: u32) -> bool {
    let failing = Failing::after(&all.rounds, request.repository_root.as_deref());
    let ended = all.rounds.last().map(|round| round.ended);
    // What crashed or was ended has said nothing about its tests.
    if request.stopped.load(Ordering::Relaxed) != 0 {
        return false;
    }
    let code = match ended.map(|ended| (ended.asked, ending(ended.how))) {
        Some((None, Ending::Exited(code))) if code != 0 && !failing.is_empty() => code,
        _ => return false,
    };
    let (command, note) = match way(request, code, &failing) {
        Way::Only(command, notes) => (command, notes),
        Way::All(why) => {
            let note = format!("retry {number} runs the whole command again: {why}");
            (plain(&request.command), vec![note])
        }
        Way::No(why) => {
            all.notes.push(why);
            return false;
        }
    };
    all.notes.extend(note);
    (request.retrying)(number, failing.tests.len());
    match round(request, command, Some(failing)) {
        Ok((round, found)) => {
            all.unread.extend(found.unread);
            all.rounds.push(round);
            true
        }
        Err(error) => {
            all.notes.push(format!("retry {number} was not made: {error}"));
            false
        }
    }
}

/// A command with its arguments as they are.
fn plain(words: &[OsString]) -> Command {
    let (program, arguments) =
        words.split_first().map_or((OsStr::new(""), &[][..]), |(program, rest)| (program, rest));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn round(
    request: &RunRequest<'_>,
    command: Command,
    retried: Option<Failing>,
) -> Result<(Round, Reports), StartError> {
    let before = Before::look(&request.places);
    let ended = supervise(command, &request.watch)?;
    let since = ended.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    let started = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let mut found = before.reports_since(&request.places, started);
    let reports = std::mem::take(&mut found.fresh);
    Ok((Round { ended, started, reports, retried }, found))
}
