//! One replay: some tests in some order, in a directory of their own, and what became of them.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{OrderError, OrderRequest};
use crate::analysis::order_search::{Purpose, Seen, Stage};
use crate::context::child::{Ended, GRACE, How, StartError, Terminal, Watch, supervise};
use crate::context::written::Before;
use crate::junit::Reading;
use crate::model::{Outcome, TestName};
use crate::ops::ingest::collect;
use crate::ops::part::Whole;
use crate::ops::reading::{Input, ReadRequest, read_all};
use crate::ops::{Unwatched, Watcher};
use crate::report::escape;
use crate::store::Store;

/// Takes what a replay writes.
const OUTPUT: &str = "output.log";
/// Of what a command wrote, so many lines are shown.
const OUTPUT_LINES: usize = 5;
/// Remarks that are kept; the rest are like them.
const NOTES_MAX: usize = 10;

/// A replay that was made.
pub(super) struct Made {
    pub(super) purpose: Purpose,
    /// The tests that were to run, and how many of them failed.
    pub(super) tests: usize,
    pub(super) failed: usize,
    pub(super) how: How,
    pub(super) took: Duration,
}

/// Makes replays for a search.
pub(super) struct Replays<'a> {
    request: &'a OrderRequest<'a>,
    whole: &'a Whole<'a>,
    places: HashMap<(&'a str, &'a str), usize>,
    store: Option<&'a mut dyn Store>,
    stores: bool,
    stopped: &'a AtomicBool,
    watcher: &'a dyn Watcher,
    pub(super) made: Vec<Made>,
    /// The first failure of each test that failed.
    pub(super) failures: BTreeMap<usize, String>,
    /// Why no further replay could be made.
    pub(super) refused: Option<OrderError>,
    pub(super) notes: Vec<String>,
}

/// What a report says of one test.
struct Told {
    place: usize,
    seen: Seen,
    failure: String,
}

impl<'a> Replays<'a> {
    pub(super) fn new(
        request: &'a OrderRequest<'a>,
        whole: &'a Whole<'a>,
        store: Option<&'a mut dyn Store>,
        stopped: &'a AtomicBool,
        watcher: &'a dyn Watcher,
    ) -> Self {
        let names = |test: &'a TestName| (test.classname.as_str(), test.name.as_str());
        let places = whole.known.iter().enumerate().map(|(place, test)| (names(test), place));
        Self {
            request,
            whole,
            places: places.collect(),
            stores: store.is_some() && request.ingest.is_some(),
            store,
            stopped,
            watcher,
            made: Vec::new(),
            failures: BTreeMap::new(),
            refused: None,
            notes: Vec::new(),
        }
    }

    /// True where every replay is in the history.
    pub(super) fn has_stored_all(&self) -> bool {
        self.stores && self.store.is_some() && !self.made.is_empty()
    }

    fn note(&mut self, text: String) {
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Runs the tests; `None` where somebody ended it.
    fn run(
        &mut self,
        tests: &[TestName],
        directory: &Path,
    ) -> Result<Option<(Ended, Vec<PathBuf>)>, OrderError> {
        let lost = |source: io::Error| StartError::Lost {
            program: directory.display().to_string(),
            source,
        };
        fs::create_dir_all(directory).map_err(lost)?;
        let mut part = self.whole.part(tests, directory)?;
        for note in part.notes {
            self.note(note);
        }
        let output = File::create(directory.join(OUTPUT)).map_err(lost)?;
        let before = Before::look(&part.places);
        part.command.stdin(Stdio::null()).stderr(output.try_clone().map_err(lost)?).stdout(output);
        let watch = Watch { terminal: Terminal::Kept, timeout: self.request.timeout, grace: GRACE };
        let ended = supervise(part.command, &watch)?;
        if ended.asked.is_some() {
            return Ok(None);
        }
        Ok(Some((ended, before.since(&part.places).fresh)))
    }

    fn tell(&mut self, reports: &[PathBuf]) -> Vec<Told> {
        if reports.is_empty() {
            return Vec::new();
        }
        let request =
            ReadRequest { paths: reports.to_vec(), jobs: Some(1), ..ReadRequest::default() };
        let (problems, places) = (Mutex::new(Vec::new()), &self.places);
        let read = read_all(&request, &Unwatched, &|input| match input {
            Input::Read(read) => told(&read.1, places),
            Input::Import(_) => Vec::new(),
            Input::Problem(problem) => {
                if let Ok(mut problems) = problems.lock() {
                    problems.push(problem.to_string());
                }
                Vec::new()
            }
        });
        let problems = problems.into_inner();
        for problem in problems.unwrap_or_default() {
            self.note(problem);
        }
        read.into_iter().flatten().collect()
    }

    /// Each replay is an attempt of one build.
    fn store_reports(&mut self, number: u32, reports: &[PathBuf]) {
        let (Some(store), Some(ingest)) = (self.store.as_deref_mut(), &self.request.ingest) else {
            return;
        };
        if reports.is_empty() {
            return;
        }
        let mut ingest = ingest.clone();
        ingest.read.paths = reports.to_vec();
        ingest.overrides.attempt = Some(number);
        let stored = collect(&ingest, &Unwatched).and_then(|it| it.write(store, &Unwatched));
        if let Err(error) = stored {
            // What it finds is worth more than its place in the history.
            self.store = None;
            self.note(format!("replays are no longer stored: {error}"));
        }
    }
}

impl Stage for Replays<'_> {
    fn replay(&mut self, order: &[usize], purpose: Purpose) -> Option<Vec<Seen>> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.made.len() as u32 + 1;
        let directory = self.request.workplace.join(number.to_string());
        let tests: Vec<TestName> =
            order.iter().filter_map(|test| self.whole.known.get(*test)).cloned().collect();
        let (ended, reports) = match self.run(&tests, &directory) {
            Ok(ran) => ran?,
            Err(error) => {
                self.refused = Some(error);
                return None;
            }
        };
        self.watcher.step();
        let told = self.tell(&reports);
        self.store_reports(number, &reports);
        let mut seen = vec![Seen::Absent; self.whole.known.len()];
        for Told { place, seen: outcome, failure } in told {
            let Some(slot) = seen.get_mut(place) else { continue };
            // Of several results of one name the worst counts.
            if *slot != Seen::Failed {
                *slot = outcome;
            }
            if outcome == Seen::Failed {
                self.failures.entry(place).or_insert(failure);
            }
        }
        if seen.iter().all(|seen| *seen == Seen::Absent) {
            if self.made.is_empty() {
                self.refused = Some(OrderError::NoResult {
                    command: self.request.shown(),
                    how: ended.how.words(),
                    count: order.len(),
                    output: tail(&directory.join(OUTPUT)),
                });
                return None;
            }
            self.note(format!(
                "replay {number} reported nothing; it ended with {}",
                ended.how.words()
            ));
        }
        let failed = order.iter().filter(|test| seen.get(**test) == Some(&Seen::Failed)).count();
        let made = Made { purpose, tests: order.len(), failed, how: ended.how, took: ended.took };
        self.made.push(made);
        // What is left over in a temporary directory is the system's to clear.
        let _ = fs::remove_dir_all(&directory);
        Some(seen)
    }
}

/// What a report says of the tests that stand at these places.
fn told(reading: &Reading, places: &HashMap<(&str, &str), usize>) -> Vec<Told> {
    let report = &reading.report;
    let told = report.results.iter().filter_map(|result| {
        let identity = report.tests.get(result.test)?;
        let place = *places.get(&(identity.classname, identity.name))?;
        let seen = match result.outcome {
            Outcome::Skipped => return None,
            // What passed in a second try has failed in this order.
            Outcome::Passed if !result.is_flaky() => Seen::Passed,
            _ => Seen::Failed,
        };
        let attempts = result.attempts.iter().find_map(|attempt| attempt.failure);
        let failure = result.failure.or(attempts).filter(|_| seen == Seen::Failed);
        let failure = failure.and_then(|at| report.failures.get(at as usize));
        let failure = failure.map(|failure| failure.headline().to_owned()).unwrap_or_default();
        Some(Told { place, seen, failure })
    });
    told.collect()
}

/// The last lines of a file that say anything, each on a line of its own.
fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().rev().filter(|line| !line.trim().is_empty()).take(OUTPUT_LINES);
    let mut lines: Vec<String> = lines.map(|line| format!("\n  {}", escape::line(line))).collect();
    lines.reverse();
    lines.concat()
}
