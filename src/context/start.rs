//! Starting processes while another thread may stop us.
//!
//! Until a process that is being started has become its program, the thread that starts it cannot be
//! stopped. Were we stopped then, the new process would be as well, and never get there: our stop
//! would stay incomplete, and the shell above would wait for it for ever.

use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

static STARTING: Mutex<()> = Mutex::new(());

/// Starts a process.
///
/// # Errors
/// As [`Command::spawn`].
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    let _alone = none_underway();
    command.spawn()
}

/// Waits until no process is being started, and lets none start while the guard is kept.
pub(super) fn none_underway() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}
