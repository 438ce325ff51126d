//! The terminal that we may have, and lending it to a process group.

use std::fs::File;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rustix::process::{Pid, getpgrp, getppid, getsid};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

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
        tcgetpgrp(&self.device).ok()
    }

    /// True where we are in the foreground.
    pub(super) fn is_ours(&self) -> bool {
        self.foreground() == Some(getpgrp())
    }

    /// Puts a process group into the foreground, which from the background is refused by a signal
    /// unless that is blocked.
    pub(super) fn give(&self, group: Pid) {
        let mut refusal = SigSet::empty();
        refusal.add(Signal::SIGTTOU);
        let before = refusal.thread_swap_mask(SigmaskHow::SIG_BLOCK);
        // A group that ended meanwhile needs no terminal.
        let _ = tcsetpgrp(&self.device, group);
        if let Ok(before) = before {
            let _ = before.thread_set_mask();
        }
    }
}

/// True where a shell above us would notice that we stop, and let us go on.
pub(super) fn is_under_job_control() -> bool {
    let session = getsid(None).ok();
    let leads_session = session == Some(getpgrp());
    let parents = getppid().and_then(|parent| getsid(Some(parent)).ok());
    !leads_session && session.is_some() && parents == session
}
