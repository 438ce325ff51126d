//! What is seen of workers while they work.

use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::{Console, Verbosity};
use crate::ops::parallel::{BatchEnd, Follower};
use crate::report::{escape, sentence};

/// What is seen of the workers while they work: a line for each where a person watches, and the
/// whole output of batches that failed.
pub(super) struct Shown<'c> {
    console: &'c Console,
    bars: Vec<ProgressBar>,
    all: ProgressBar,
    multi: MultiProgress,
    /// Tests that the batches before the current one had, by worker.
    done: Mutex<Vec<(u64, usize)>>,
}

impl<'c> Shown<'c> {
    pub(super) fn new(console: &'c Console, workers: usize, tests: usize) -> Self {
        let target = match console.is_watched() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let multi = MultiProgress::with_draw_target(target);
        let line = |template: &str| {
            let style = ProgressStyle::with_template(template);
            style.unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        let bars = (0..workers)
            .map(|worker| {
                let bar = multi.add(ProgressBar::new(0));
                bar.set_style(line("{prefix:>4} {bar:20} {pos:>4}/{len:4} {wide_msg}"));
                bar.set_prefix(worker.to_string());
                bar
            })
            .collect();
        let all = multi.add(ProgressBar::new(tests as u64));
        all.set_style(line("     {bar:20} {pos:>4}/{len:4} {elapsed} ({eta} left) {msg}"));
        Self { console, bars, all, multi, done: Mutex::new(vec![(0, 0); workers]) }
    }

    pub(super) fn clear(&self) {
        for bar in &self.bars {
            bar.finish_and_clear();
        }
        self.all.finish_and_clear();
        // Nobody is left to see what could not be cleared.
        let _ = self.multi.clear();
    }

    /// Changes what is known of a worker, and shows the sum.
    fn note(&self, worker: u32, change: impl FnOnce(&mut (u64, usize))) {
        let Ok(mut done) = self.done.lock() else { return };
        if let Some(own) = done.get_mut(worker as usize) {
            change(own);
        }
        self.all.set_position(done.iter().map(|(before, now)| before + *now as u64).sum());
    }
}

impl Follower for Shown<'_> {
    fn begins(&self, worker: u32, tests: usize) {
        if let Some(bar) = self.bars.get(worker as usize) {
            bar.set_length(tests as u64);
            bar.set_position(0);
            bar.set_message("starting");
        }
    }

    fn runs(&self, worker: u32, ended: usize, test: Option<&str>) {
        if let Some(bar) = self.bars.get(worker as usize) {
            bar.set_position(ended as u64);
            if let Some(test) = test {
                bar.set_message(escape::line(test).into_owned());
            }
        }
        self.note(worker, |own| own.1 = ended);
    }

    fn ends(&self, batch: &BatchEnd<'_>) {
        self.note(batch.worker, |own| *own = (own.0 + batch.tests as u64, 0));
        if let Some(bar) = self.bars.get(batch.worker as usize) {
            bar.set_position(batch.tests as u64);
            bar.set_message("done");
        }
        if !batch.has_failed && self.console.verbosity < Verbosity::Verbose {
            return;
        }
        let output = std::fs::read(batch.log).unwrap_or_default();
        let tests = sentence::count(batch.tests as u64, "test");
        let head = format!(
            "── worker {}, batch {}: {tests}, {} ──\n",
            batch.worker, batch.number, batch.how
        );
        let output = String::from_utf8_lossy(&output);
        let end = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
        let text = format!("{head}{output}{end}");
        self.multi.suspend(|| {
            // Whoever reads the command's output may have gone.
            let _ = self.console.print(&text);
        });
    }
}
