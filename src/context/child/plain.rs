//! Waiting for a command without a say in its signals: Windows, and where signals cannot be had.

use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{Ended, How, StartError, Watch};

/// How often a command with a time limit is looked at.
const LOOK: Duration = Duration::from_millis(10);

pub(super) fn supervise(
    mut command: Command,
    watch: &Watch,
    stop: &AtomicBool,
) -> Result<Ended, StartError> {
    let started = (SystemTime::now(), Instant::now());
    let mut child = command.spawn().map_err(|error| StartError::of_start(&command, error))?;
    let lost = |error| StartError::of_wait(&command, error);
    if watch.timeout.is_none() && std::ptr::eq(stop, &raw const super::NEVER) {
        let status = child.wait().map_err(lost)?;
        return Ok(ended(how(status), started));
    }
    let was_told = loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok(ended(how(status), started));
        }
        let left = watch.timeout.map(|limit| limit.saturating_sub(started.1.elapsed()));
        let was_told = stop.load(Ordering::Relaxed);
        if was_told || left.is_some_and(|left| left.is_zero()) {
            break was_told;
        }
        thread::sleep(left.map_or(LOOK, |left| LOOK.min(left)));
    };
    // That it is gone already is fine.
    let _ = child.kill();
    let status = child.wait().map_err(lost)?;
    Ok(ended(if was_told { how(status) } else { How::TimedOut }, started))
}

fn ended(how: How, (started, since): (SystemTime, Instant)) -> Ended {
    Ended { how, asked: None, started, took: since.elapsed() }
}

fn how(status: ExitStatus) -> How {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return How::Signalled(signal);
    }
    How::Exited(status.code().unwrap_or(1))
}
