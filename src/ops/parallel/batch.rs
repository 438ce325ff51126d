//! One batch: a process for some tests, its report, and what it says of them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::crash::{End, Fate, Seen, Told, end_of, fate};
use super::telling;
use super::{Setting, worker_variables};
use crate::context::child::{Ended, StartError, Terminal, Watch, supervise_until};
use crate::context::input::sources;
use crate::context::written::last_of;
use crate::junit::merge::MadeCase;
use crate::junit::{ReadOptions, Reading, read};
use crate::model::TestName;
use crate::ops::part::{PartError, Whole};

/// Of what a process wrote before it died, so much of the end goes into the report.
const OUTPUT_BYTES_MAX: u64 = 8 << 10;
/// Keep a runner that spreads tests itself from doing so once more in each worker.
const SINGLE: [&str; 2] = ["NEXTEST_TEST_THREADS", "RUST_TEST_THREADS"];

/// A batch that has ended.
pub(super) struct Batch {
    pub(super) worker: u32,
    pub(super) number: usize,
    /// Places of its tests.
    pub(super) tests: Vec<usize>,
    pub(super) ended: Ended,
    pub(super) end: End,
    /// The reports that it wrote.
    pub(super) documents: Vec<Vec<u8>>,
    pub(super) seen: Vec<Seen>,
    pub(super) fate: Fate,
    /// Cases that stand for results that have no report.
    pub(super) made: Vec<MadeCase>,
    /// Where all that it wrote is.
    pub(super) log: PathBuf,
    pub(super) notes: Vec<String>,
}

/// Why a batch could not be run.
pub(super) enum Trouble {
    Start(StartError),
    Part(PartError),
    File(PathBuf, io::Error),
}

/// What a batch is made of.
pub(super) struct Making<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) whole: &'a Whole<'a>,
    pub(super) worker: u32,
    pub(super) number: usize,
    pub(super) tests: Vec<usize>,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) stop: &'a AtomicBool,
    pub(super) repository_root: Option<&'a str>,
}

impl Making<'_> {
    /// The directory of the batch.
    pub(super) fn directory(&self) -> PathBuf {
        self.setting.directory.join(format!("batch-{}", self.number))
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> Result<Batch, Trouble> {
        let directory = self.directory();
        let lost = |error| Trouble::File(directory.clone(), error);
        fs::create_dir_all(&directory).map_err(lost)?;
        let names: Vec<TestName> = self.named().map(|(_, name, _)| name.clone()).collect();
        let part = self.whole.part(&names, &directory).map_err(Trouble::Part)?;
        let (log, output) = output(&directory).map_err(lost)?;
        let mut command = part.command;
        let runner = &self.setting.runner.name;
        telling::let_tell(&mut command, runner, &directory, self.whole.variable).map_err(lost)?;
        let is_unset = |name: &&str| (self.whole.variable)(name).is_none();
        command.envs(SINGLE.iter().filter(|name| is_unset(name)).map(|name| (*name, "1")));
        command
            .envs(self.variables())
            .stdin(Stdio::null())
            .stderr(output.try_clone().map_err(lost)?)
            .stdout(output);
        let watch = Watch { terminal: Terminal::Kept, timeout: self.timeout, grace: self.grace };
        let ended = supervise_until(command, &watch, self.stop).map_err(Trouble::Start)?;
        let told = telling::told(&directory);
        Ok(self.ended(ended, &part.places, log, &told, part.notes))
    }

    /// Its tests: place, name, and the runner's word.
    fn named(&self) -> impl Iterator<Item = (usize, &TestName, &str)> {
        self.tests.iter().filter_map(|&place| {
            let test = self.setting.tests.get(place)?;
            Some((place, &test.test, test.word.as_str()))
        })
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        let workers = self.setting.workers();
        let mut all = worker_variables(self.worker, workers, &self.setting.run_id);
        let lodging = self.setting.lodgings.get(self.worker as usize);
        all.extend(lodging.into_iter().flat_map(|lodging| lodging.variables.iter().cloned()));
        all
    }

    fn ended(
        self,
        ended: Ended,
        places: &[PathBuf],
        log: PathBuf,
        told: &Told,
        notes: Vec<String>,
    ) -> Batch {
        let documents: Vec<Vec<u8>> = sources(places)
            .0
            .iter()
            .flat_map(|source| source.load())
            .filter_map(Result::ok)
            .map(|document| document.bytes)
            .collect();
        let options =
            ReadOptions { repository_root: self.repository_root, ..ReadOptions::default() };
        let readings: Vec<Reading> = documents.iter().map(|bytes| read(bytes, &options)).collect();
        let is_whole =
            !readings.is_empty() && readings.iter().all(|reading| reading.report.complete);
        let seen: Vec<Seen> = readings.iter().flat_map(seen).collect();
        let is_told = ended.asked.is_some() || self.stop.load(std::sync::atomic::Ordering::Relaxed);
        let end = end_of(ended.how, is_told, is_whole, seen.len(), &self.setting.runner);
        let named: Vec<(usize, &TestName, &str)> = self.named().collect();
        let fate = fate(&named, &seen, end, told);
        let made = self.made(&fate, &ended, &log);
        let Self { worker, number, tests, .. } = self;
        Batch { worker, number, tests, ended, end, documents, seen, fate, made, log, notes }
    }

    fn made(&self, fate: &Fate, ended: &Ended, log: &Path) -> Vec<MadeCase> {
        let case = |place: usize| {
            let name = &self.setting.tests.get(place)?.test;
            let by_file = if name.classname.is_empty() { &name.file } else { "" };
            Some(MadeCase {
                suite: name.suite.clone(),
                classname: name.classname.clone(),
                // Where only files are known, the file is all that can be named.
                name: if name.name.is_empty() { name.file.clone() } else { name.name.clone() },
                file: by_file.to_owned(),
                ..MadeCase::default()
            })
        };
        let passed = fate.passed.iter().filter_map(|(place, seconds)| {
            Some(MadeCase { seconds: Some(*seconds), ..case(*place)? })
        });
        let culprit = fate.culprit.and_then(case).map(|made| {
            let how = ended.how.words();
            let text = last_of(log, OUTPUT_BYTES_MAX).unwrap_or_default();
            MadeCase { error: Some((format!("the test process died: {how}"), text)), ..made }
        });
        passed.chain(culprit).collect()
    }
}

fn output(directory: &Path) -> io::Result<(PathBuf, File)> {
    let log = directory.join("output.log");
    let file = File::create(&log)?;
    Ok((log, file))
}

/// What a report says of its tests.
fn seen(reading: &Reading) -> Vec<Seen> {
    let report = &reading.report;
    let one = |result: &crate::model::TestResult| {
        let test = report.tests.get(result.test)?;
        let failure = result.failure.and_then(|place| report.failures.get(place as usize));
        let failure = failure.filter(|_| result.outcome.is_bad());
        Some(Seen {
            test: TestName::of(&test),
            outcome: result.outcome,
            seconds: result.duration.map(|time| time.0 as f64 / 1e6),
            failure: failure.map_or_else(String::new, |failure| {
                format!("{}\n{}", failure.headline(), failure.text)
            }),
        })
    };
    report.results.iter().filter_map(one).collect()
}

/// A variable and its value.
pub(super) fn pair(name: &str, value: impl AsRef<OsStr>) -> (OsString, OsString) {
    (OsString::from(name), value.as_ref().to_os_string())
}
