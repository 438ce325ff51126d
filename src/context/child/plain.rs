//! Waiting for a command without a say in its signals: Windows, and where signals cannot be had.

use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::{Ended, How, StartError, Watch};

/// How often a command with a time limit is looked at.
const LOOK: Duration = Duration::from_millis(10);

pub(super) fn supervise(mut command: Command, watch: &Watch) -> Result<Ended, StartError> {
    let started = (SystemTime::now(), Instant::now());
    let mut child = command.spawn().map_err(|error| StartError::of_start(&command, error))?;
    let lost = |error| StartError::of_wait(&command, error);
    let Some(limit) = watch.timeout else {
        let status = child.wait().map_err(lost)?;
        return Ok(ended(how(status), started));
    };
    loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok(ended(how(status), started));
        }
        let left = limit.saturating_sub(started.1.elapsed());
        if left.is_zero() {
            break;
        }
        thread::sleep(LOOK.min(left));
    }
    // That it is gone already is fine.
    let _ = child.kill();
    child.wait().map_err(lost)?;
    Ok(ended(How::TimedOut, started))
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
