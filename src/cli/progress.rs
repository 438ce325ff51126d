//! Progress on a terminal, and where the time went.

use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ops::Watcher;

use super::console::Console;

/// Shows a bar once the work takes longer than this, so that short work stays quiet.
const PATIENCE: Duration = Duration::from_millis(700);

/// Follows an operation: a bar where a person watches, and the time of each phase.
pub struct Progress {
    bar: ProgressBar,
    /// Done once the bar is on the screen, or where it must never be.
    draws: Once,
    started: Instant,
    phases: Mutex<Vec<(&'static str, Instant)>>,
}

impl Progress {
    /// A progress that draws only where a person watches standard error.
    #[must_use]
    pub fn new(console: &Console) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} ({eta} left)") {
            bar.set_style(style);
        }
        let draws = Once::new();
        if !console.is_watched() {
            draws.call_once(|| {});
        }
        Self { bar, draws, started: Instant::now(), phases: Mutex::new(Vec::new()) }
    }

    /// How long each phase took, in order.
    #[must_use]
    pub fn times(&self) -> Vec<(&'static str, Duration)> {
        let Ok(phases) = self.phases.lock() else { return Vec::new() };
        let ends = phases.iter().skip(1).map(|(_, start)| *start).chain([Instant::now()]);
        phases.iter().zip(ends).map(|((name, start), end)| (*name, end - *start)).collect()
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Takes the bar away and says, with `--verbose`, where the time went.
    pub fn finish(&self, console: &Console) {
        self.clear();
        for (phase, time) in self.times() {
            console.detail(&format!("{phase}: {:.3} s", time.as_secs_f64()));
        }
    }
}

impl Watcher for Progress {
    fn phase(&self, name: &'static str) {
        if let Ok(mut phases) = self.phases.lock() {
            phases.push((name, Instant::now()));
        }
        self.bar.set_message(name);
    }

    fn steps(&self, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(0);
    }

    fn step(&self) {
        self.bar.inc(1);
        if !self.draws.is_completed() && self.started.elapsed() >= PATIENCE {
            self.draws
                .call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        }
    }
}
