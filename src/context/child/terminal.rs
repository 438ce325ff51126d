//! The terminal that we may have, and lending it to a process group.

use std::fs::File;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
// Those of rustix take it that every group and session has a number.
use nix::unistd::{getpgrp, getppid, getsid, tcgetpgrp, tcsetpgrp};
use rustix::process::Pid;

/// Our process group; none where it has no number here, as in a container that was entered.
pub(super) fn own_group() -> Option<Pid> {
    seen(getpgrp())
}

fn seen(group: nix::unistd::Pid) -> Option<Pid> {
    (group.as_raw() > 0).then(|| Pid::from_raw(group.as_raw())).flatten()
}

/// The terminal that our session is controlled from.
pub(super) struct Controlling {
    device: File,
}

impl Controlling {
    /// The terminal, where there is one.
    pub(super) fn open() -> Option<Self> {
        let device = File::options().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self { device })
    }

    /// The process group that reads the keyboard and gets its signals.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(&self.device).ok().and_then(seen)
    }

    /// True where we are in the foreground.
    pub(super) fn is_ours(&self) -> bool {
        own_group().is_some_and(|group| self.foreground() == Some(group))
    }

    /// Puts a process group into the foreground, which from the background is refused by a signal
    /// unless that is blocked.
    pub(super) fn give(&self, group: Pid) {
        let mut refusal = SigSet::empty();
        refusal.add(Signal::SIGTTOU);
        let before = refusal.thread_swap_mask(SigmaskHow::SIG_BLOCK);
        // A group that ended meanwhile needs no terminal.
        let _ = tcsetpgrp(&self.device, nix::unistd::Pid::from_raw(group.as_raw_pid()));
        if let Ok(before) = before {
            let _ = before.thread_set_mask();
        }
    }
}

/// True where a shell above us would notice that we stop, and let us go on.
pub(super) fn is_under_job_control() -> bool {
    let Ok(session) = getsid(None) else { return false };
    session != getpgrp() && getsid(Some(getppid())) == Ok(session)
}
