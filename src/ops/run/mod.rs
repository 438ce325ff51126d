//! A test command, run once and its failed tests again, with the reports of each round.
//!
//! Runners write every round to the same files, so each round's reports are read before the next
//! begins. What they come to is decided by [`gate`](super::gate), what they say is kept by
//! [`ingest`](super::ingest).

mod failing;
mod selection;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::context::child::{Ended, How, StartError, Watch, supervise};
use crate::context::draft::write_whole;
use crate::context::input::Document;
use crate::context::written::{Before, Reports};
use crate::model::{TestName, Timestamp};
use crate::ops::parallel::{Setting, work};
use crate::quarantine::gate::{Ending, GateSettings};
use crate::report::view::WorkersView;

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
    pub variable: &'a (dyn Fn(&str) -> Option<OsString> + Sync),
    /// The signal by which we were told to end, or 0: no retry begins after it.
    pub stopped: &'a AtomicI32,
    /// Called before each retry with its number and the number of tests that failed.
    pub retrying: &'a (dyn Fn(u32, usize) + Sync),
    /// Several workers for the command itself; retries run alone.
    pub parallel: Option<&'a Setting<'a>>,
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
    /// Who ran what, where there were several workers.
    pub workers: Option<WorkersView>,
    /// What failed beside others: name and text.
    pub beside: Vec<(TestName, String)>,
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

    /// The tests that failed beside others and passed when they were tried again, by label; `None`
    /// where nothing was tried again.
    #[must_use]
    pub fn passed_alone(&self) -> Option<BTreeSet<String>> {
        if self.rounds.len() < 2 {
            return None;
        }
        let first = Failing::after(self.rounds.get(..1).unwrap_or_default(), None);
        let last = Failing::after(&self.rounds, None);
        let healed = first.tests.into_iter().filter(|(id, _)| !last.tests.contains_key(id));
        Some(healed.map(|(_, test)| test.label).collect())
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
    let (first, found, (workers, beside)) = match request.parallel {
        Some(setting) => side_by_side(request, setting)?,
        None => {
            let (first, found) = round(request, plain(&request.command), None)?;
            (first, found, (None, Vec::new()))
        }
    };
    let mut all = Rounds {
        rounds: vec![first],
        stale: found.stale,
        unread: found.unread,
        missing: found.missing,
        notes: Vec::new(),
        workers,
        beside,
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
    let (mut command, note) = match way(request, code, &failing) {
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
    if let Some(setting) = request.parallel {
        command.envs(setting.alone());
    }
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

/// What several workers came to: the screen, and the failures.
type Beside = (Option<WorkersView>, Vec<(TestName, String)>);

/// The command itself by several workers; their one report is written where the command says.
fn side_by_side(
    request: &RunRequest<'_>,
    setting: &Setting<'_>,
) -> Result<(Round, Reports, Beside), StartError> {
    let before = Before::look(&request.places);
    let mut worked = work(request, setting)?;
    let started = moment(worked.ended.started);
    let place = request.places.iter().find(|place| is_file(place));
    let written = place.map(|place| write(place, &worked.document));
    let mut found = before.reports_since(&request.places, started);
    let mut reports = std::mem::take(&mut found.fresh);
    if !matches!(written, Some(Ok(()))) {
        if let (Some(place), Some(Err(error))) = (place, written) {
            let note = format!("{} cannot be written: {error}", place.display());
            worked.view.notes.push(note);
        }
        // The report exists, if in no file.
        found.missing.clear();
        reports.push(Document {
            name: "report of all workers".to_owned(),
            path: None,
            named: false,
            bytes: worked.document,
            truncated: false,
            modified: Some(started),
        });
    }
    let round = Round { ended: worked.ended, started, reports, retried: None };
    Ok((round, found, (Some(worked.view), worked.failures)))
}

/// True for the path of one file: no pattern, no directory.
fn is_file(place: &Path) -> bool {
    let is_pattern = place.to_string_lossy().contains(['*', '?', '[']);
    !is_pattern && !place.is_dir() && place.extension().is_some()
}

fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = place.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    write_whole(place, |out| out.write_all(bytes))
}

fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn round(
    request: &RunRequest<'_>,
    command: Command,
    retried: Option<Failing>,
) -> Result<(Round, Reports), StartError> {
    let before = Before::look(&request.places);
    let ended = supervise(command, &request.watch)?;
    let started = moment(ended.started);
    let mut found = before.reports_since(&request.places, started);
    let reports = std::mem::take(&mut found.fresh);
    Ok((Round { ended, started, reports, retried }, found))
}
