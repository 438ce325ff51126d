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
    /// A bar, and what stands there while nobody knows how long a phase takes.
    styles: Option<[ProgressStyle; 2]>,
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
        let style = ProgressStyle::with_template;
        let styles =
            match (style("{msg} {bar:30} {pos}/{len} ({eta} left)"), style("{msg} {spinner}")) {
                (Ok(bar), Ok(spinner)) => Some([bar, spinner]),
                _ => None,
            };
        let draws = Once::new();
        if !console.is_watched() {
            draws.call_once(|| {});
        }
        Self { bar, styles, draws, started: Instant::now(), phases: Mutex::new(Vec::new()) }
    }

    fn style(&self, place: usize) {
        if let Some(style) = self.styles.as_ref().and_then(|styles| styles.get(place)) {
            self.bar.set_style(style.clone());
        }
    }

    /// Has the bar appear once the work takes long, even where a phase says nothing for long.
    pub fn draw_soon(&self) {
        if self.draws.is_completed() {
            return;
        }
        let bar = self.bar.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            if !bar.is_finished() {
                bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
                bar.enable_steady_tick(Duration::from_millis(100));
            }
        });
        self.draws.call_once(|| {});
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
        self.style(1);
        self.bar.set_message(name);
    }

    fn steps(&self, all: u64) {
        self.style(0);
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
