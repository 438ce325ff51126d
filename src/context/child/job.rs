//! A command as a job: what shells do for the commands they start, done once more for one.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_current_process_group, kill_process_group,
    test_kill_process_group, waitpid,
};
use signal_hook::consts::{SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};

use super::super::start::{none_underway, start};
use super::signals::{ENDING, Heard};
use super::terminal::{Controlling, is_under_job_control, own_group};
use super::{Ended, How, StartError, Terminal, Watch, plain};

/// What is left of the grace after a second signal, and for processes that outlive their leader.
const HURRY: Duration = Duration::from_secs(1);
/// How often is looked whether a process group is gone.
const LOOK: Duration = Duration::from_millis(10);
/// How long nobody has to do anything.
const IDLE: Duration = Duration::from_secs(3_600);
/// How often is looked whether the command is to end.
const GLANCE: Duration = Duration::from_millis(50);

pub(super) fn supervise(
    mut command: Command,
    watch: &Watch,
    stop: &AtomicBool,
) -> Result<Ended, StartError> {
    let Ok(heard) = Heard::new() else { return plain::supervise(command, watch, stop) };
    let terminal = match watch.terminal {
        Terminal::Lent => Controlling::open(),
        Terminal::Kept => None,
    };
    if terminal.is_some() && own_group().is_none() {
        // What is lent could not be taken back: the command stays with us, keyboard and all.
        return plain::supervise(command, watch, stop);
    }
    let lends = terminal.as_ref().is_some_and(Controlling::is_ours);
    command.process_group(0);
    let (started, since) = (SystemTime::now(), Instant::now());
    let child = start(&mut command).map_err(|error| StartError::of_start(&command, error))?;
    let mut job = Job {
        group: Pid::from_child(&child),
        terminal,
        grace: watch.grace,
        timeout: watch.timeout.and_then(|limit| since.checked_add(limit)),
        kill_at: None,
        asked: None,
        timed_out: false,
        told: false,
    };
    if lends {
        job.lend();
    }
    let status = job.wait(&heard, stop);
    job.take_terminal_back();
    job.end_the_rest();
    let status = status.map_err(|errno| StartError::of_wait(&command, errno.into()))?;
    let how = match (job.timed_out, status.terminating_signal()) {
        (true, _) => How::TimedOut,
        (false, Some(signal)) => How::Signalled(signal),
        (false, None) => How::Exited(status.exit_status().unwrap_or(1)),
    };
    Ok(Ended { how, asked: job.asked, started, took: since.elapsed() })
}

struct Job {
    /// The process group, which has the number of its first process.
    group: Pid,
    terminal: Option<Controlling>,
    grace: Duration,
    /// When the time is over.
    timeout: Option<Instant>,
    /// When those that were told to end are killed.
    kill_at: Option<Instant>,
    asked: Option<i32>,
    timed_out: bool,
    /// We told it to end.
    told: bool,
}

impl Job {
    fn wait(&mut self, heard: &Heard, stop: &AtomicBool) -> Result<WaitStatus, Errno> {
        let is_never = std::ptr::eq(stop, &raw const super::NEVER);
        loop {
            if let Some(status) = self.look()? {
                return Ok(status);
            }
            let due = [self.timeout, self.kill_at].into_iter().flatten().min();
            let left = due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
            let left = if is_never { left } else { left.min(GLANCE) };
            if !self.told && stop.load(Ordering::Relaxed) {
                self.told = true;
                self.send(Signal::INT);
                self.send(Signal::CONT);
                self.give_time(self.grace);
            }
            match heard.signals.recv_timeout(left) {
                Ok(SIGCHLD) => {}
                Ok(SIGCONT) => self.go_on(),
                Ok(signal) => self.pass_on(signal),
                Err(RecvTimeoutError::Timeout) => self.on_time(),
                // Nobody listens any more: what is left is to look now and then.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK),
            }
        }
    }

    /// Its end, if that has come; where it only stopped, so do we.
    fn look(&mut self) -> Result<Option<WaitStatus>, Errno> {
        loop {
            let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
            match waitpid(Some(self.group), options) {
                Ok(None) => return Ok(None),
                Ok(Some((_, status))) => match status.stopping_signal() {
                    Some(signal) => self.stop(signal),
                    None => return Ok(Some(status)),
                },
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn stop(&mut self, signal: i32) {
        let at_keyboard = matches!(signal, SIGTTIN | SIGTTOU);
        let in_front = self.terminal.as_ref().and_then(Controlling::foreground);
        if at_keyboard && in_front == Some(self.group) {
            // It asked for the terminal before it was lent.
            self.send(Signal::CONT);
        } else if is_under_job_control() && self.terminal.is_some() {
            self.take_terminal_back();
            let _whole = none_underway();
            // All of our group: a shell waits until the whole of a pipeline has stopped.
            let _ = kill_current_process_group(Signal::STOP);
        } else if at_keyboard {
            // Nobody could ever bring it to the front; the system does so to orphans.
            self.send(Signal::HUP);
            self.send(Signal::CONT);
        } else if signal != SIGSTOP && self.terminal.is_some() {
            // A key stopped it that for an orphan does nothing.
            self.send(Signal::CONT);
        }
    }

    /// We go on, in the foreground or not, and so does the command.
    fn go_on(&mut self) {
        if self.terminal.as_ref().is_some_and(Controlling::is_ours) {
            self.lend();
        }
        self.send(Signal::CONT);
    }

    fn pass_on(&mut self, number: i32) {
        let Some(signal) = Signal::from_named_raw(number) else { return };
        self.send(signal);
        if number == SIGTSTP || !ENDING.contains(&number) {
            return;
        }
        let again = self.asked.replace(number).is_some();
        self.give_time(if again { HURRY.min(self.grace) } else { self.grace });
        // A process that is stopped cannot end.
        self.send(Signal::CONT);
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            self.send(Signal::KILL);
        }
        if self.timeout.is_some_and(|at| at <= now) {
            self.timeout = None;
            self.timed_out = true;
            self.send(Signal::TERM);
            self.send(Signal::CONT);
            self.give_time(self.grace);
        }
    }

    fn give_time(&mut self, time: Duration) {
        let at = Instant::now().checked_add(time);
        self.kill_at = [self.kill_at, at].into_iter().flatten().min();
    }

    /// Processes that outlive their leader, where all of them were told to end.
    fn end_the_rest(&mut self) {
        if self.asked.is_none() && !self.timed_out && !self.told {
            return;
        }
        let until = Instant::now() + HURRY.min(self.grace);
        while test_kill_process_group(self.group).is_ok() {
            if Instant::now() >= until {
                self.send(Signal::KILL);
                return;
            }
            thread::sleep(LOOK);
        }
    }

    fn send(&self, signal: Signal) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(self.group, signal);
    }

    fn lend(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.give(self.group);
        }
    }

    fn take_terminal_back(&self) {
        if let Some(terminal) = &self.terminal
            && terminal.foreground() == Some(self.group)
            && let Some(group) = own_group()
        {
            terminal.give(group);
        }
    }
}
