//! The flags of `run` for several workers, and what they make of a run.

mod live;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{self, WorkersSection};
use crate::context::ci::shard;
use crate::context::stopwatch::Stopwatch;
use crate::listing::{Lister, Listing};
use crate::model::Shard;
use crate::ops::Unwatched;
use crate::ops::parallel::home::{Home, Housing};
use crate::ops::parallel::shared::{Failed, likely, places};
use crate::ops::parallel::today::tests_of;
use crate::ops::parallel::{Dist, Lodging, Setting};
use crate::ops::run::Rounds;
use crate::ops::split::{self, Estimate, Source, Times, TimesRequest};
use crate::quarantine::gate::RunnerFact;
use crate::quarantine::gate::runners::{Runner, identify};
use crate::report::view::WorkersView;
use crate::report::{Format, Kind, View, escape, sentence};

use super::console::Console;
use super::global::{Global, Settled};
use super::isolation::House;
use super::output::screen;
use live::Shown;

/// Workers side by side.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Workers")]
pub(super) struct WorkersArgs {
    /// Run the tests by so many workers side by side; auto is one for each processor, and without a
    /// number it is `count` of [workers] in flakedb.toml
    #[arg(long, short = 'w', value_name = "N|auto", env = "FLAKEDB_RUN_WORKERS", num_args = 0..=1,
          default_missing_value = "configured", value_parser = parse_workers)]
    pub workers: Option<Workers>,
    /// What stays in one process: load (nothing), loadscope (classes), loadfile, loadgroup
    /// [default: `dist` of [workers] in flakedb.toml, else load]
    #[arg(long, value_name = "HOW", value_parser = parse_dist)]
    pub dist: Option<Dist>,
    /// The tests to run, one a line or as the runner lists them; - is standard input [default: the
    /// runner is asked]
    #[arg(long, value_name = "FILE", requires = "workers")]
    pub tests: Option<PathBuf>,
    /// End the run at the first test that fails
    #[arg(long, conflicts_with = "max_fail", requires = "workers")]
    pub fail_fast: bool,
    /// End the run after so many tests that failed
    #[arg(long, value_name = "N", requires = "workers",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_fail: Option<u32>,
    /// Give workers nothing of their own but a number
    #[arg(long)]
    pub no_isolation: bool,
    /// Keep the directory of a worker that had a failure
    #[arg(long)]
    pub keep: bool,
    /// Write who ran what to this file as well (json, markdown or table; may be repeated)
    #[arg(long, value_name = "FORMAT=FILE", requires = "workers", value_parser = parse_report)]
    pub workers_report: Vec<(Format, PathBuf)>,
}

/// How many workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// One for each processor that we may use.
    Auto,
    /// So many.
    Count(u32),
    /// As many as `flakedb.toml` says.
    Configured,
}

impl Workers {
    /// The number; processors are those that affinity and control groups leave us.
    #[must_use]
    pub(super) fn count(self, configured: config::Workers) -> u32 {
        match (self, configured) {
            (Self::Configured, config::Workers::Count(count)) => count.get(),
            (Self::Auto | Self::Configured, _) => std::thread::available_parallelism()
                .map_or(1, |all| u32::try_from(all.get()).unwrap_or(1)),
            (Self::Count(count), _) => count,
        }
    }
}

/// More workers than this are a mistake.
const WORKERS_MAX: u32 = 1_024;

/// Reads a number of workers.
pub(super) fn parse_workers(text: &str) -> Result<Workers, String> {
    match text.trim() {
        "auto" => Ok(Workers::Auto),
        "configured" => Ok(Workers::Configured),
        number => number
            .parse()
            .ok()
            .filter(|count| (1..=WORKERS_MAX).contains(count))
            .map(Workers::Count)
            .ok_or_else(|| format!("write auto, or a number from 1 to {WORKERS_MAX}")),
    }
}

fn parse_dist(text: &str) -> Result<Dist, String> {
    let all = || Dist::ALL.map(Dist::word).join(", ");
    let found = Dist::ALL.into_iter().find(|dist| dist.word() == text);
    found.ok_or_else(|| format!("there is {}", all()))
}

/// The same in the words of the one who deals.
const fn dist_of(configured: config::Dist) -> Dist {
    match configured {
        config::Dist::Load => Dist::Load,
        config::Dist::LoadScope => Dist::Scope,
        config::Dist::LoadFile => Dist::File,
        config::Dist::LoadGroup => Dist::Group,
    }
}

fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, file) = text.split_once('=').unwrap_or((text, ""));
    Format::from_name(name)
        .filter(|format| format.writes(Kind::Workers) && !file.is_empty())
        .map(|format| (format, PathBuf::from(file)))
        .ok_or_else(|| "write it as json=FILE, markdown=FILE or table=FILE".to_owned())
}

/// The workers of one run, housed, with all that they need.
pub(super) struct Crew<'c> {
    homes: Vec<Box<dyn Home>>,
    tests: Listing,
    runner: Runner,
    start_up: Duration,
    seconds: Vec<Option<f64>>,
    workplace: tempfile::TempDir,
    run_id: String,
    shard: Option<Shard>,
    dist: Dist,
    shown: Shown<'c>,
}

/// What workers are made from.
pub(super) struct Hiring<'a, 'c> {
    /// The command that is to be run.
    pub command: &'a [OsString],
    /// Its runner, where somebody named it.
    pub runner: Option<&'a str>,
    /// Codes of runners that the configuration names.
    pub configured: &'a BTreeMap<String, Vec<i32>>,
    /// What was typed for every command.
    pub global: &'a Global,
    /// The configuration and the history, which knows how long tests take.
    pub settled: &'a Settled,
    /// The part of the suite that the run is, where somebody said so.
    pub shard: Option<Shard>,
    /// Where to show what they do.
    pub console: &'c Console,
}

impl WorkersArgs {
    /// Asks for the tests and houses the workers.
    ///
    /// # Errors
    /// Why there are none, in words; the command can still be run as a whole.
    pub(super) fn hire<'c>(&self, hiring: &Hiring<'_, 'c>) -> Result<Option<Crew<'c>>, String> {
        let Some(workers) = self.workers else { return Ok(None) };
        let words: Vec<String> =
            hiring.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let runner = match identify(hiring.runner, &words, &[], hiring.configured) {
            RunnerFact::Known(runners) => runners.into_iter().next(),
            RunnerFact::NoSuch(_) | RunnerFact::Unknown(_) => None,
        };
        let watch = Stopwatch::start();
        let tests = match &self.tests {
            Some(file) => listed(file, runner.as_ref().map(|runner| runner.name.as_str()))?,
            None => {
                let (_, mut listing) = tests_of(hiring.command, hiring.runner, hiring.configured)
                    .map_err(|error| error.to_string())?;
                let directory = std::env::current_dir().unwrap_or_default();
                split::relate(&mut listing, &directory.to_string_lossy());
                listing
            }
        };
        let start_up = if self.tests.is_some() { Duration::ZERO } else { watch.elapsed() };
        let runner = runner.ok_or_else(|| {
            format!("which runner `{}` starts is not known; name it with --runner", words.join(" "))
        })?;
        if tests.tests.is_empty() {
            let nobody = || "the runner lists no tests".to_owned();
            let of_file = |file: &PathBuf| format!("{} lists no tests", file.display());
            return Err(self.tests.as_ref().map_or_else(nobody, of_file));
        }
        // A worker without a test would only start and end.
        let most = u32::try_from(tests.tests.len()).unwrap_or(u32::MAX);
        let section = self.section(&hiring.settled.file.workers);
        let workers = workers.count(section.count).min(most);
        let run_id = House::run_name();
        let shard = hiring.shard.or_else(|| shard::shard_of(&|name| std::env::var(name).ok()));
        let house = House::new(&section, &run_id, shard)?;
        let homes = housed(&house, workers, hiring.console)?;
        let workplace = tempfile::Builder::new().prefix("flakedb-workers-").tempdir();
        let seconds = seconds(&tests, &runner.name, hiring.global, hiring.settled);
        let total = tests.tests.len();
        let dist = self.dist.unwrap_or_else(|| dist_of(section.dist)).for_runner(&runner.name);
        Ok(Some(Crew {
            shown: Shown::new(hiring.console, homes.len(), total),
            homes,
            tests,
            runner,
            start_up: crowded(start_up, workers),
            seconds,
            workplace: workplace.map_err(|error| format!("there is no directory: {error}"))?,
            run_id,
            shard,
            dist,
        }))
    }

    /// What the configuration says, and flags over it.
    fn section(&self, configured: &WorkersSection) -> WorkersSection {
        let mut section = configured.clone();
        section.isolate &= !self.no_isolation;
        section.keep |= self.keep;
        section
    }

    /// So many failed tests end the run.
    fn max_fail(&self) -> Option<u32> {
        if self.fail_fast { Some(1) } else { self.max_fail }
    }
}

/// What starting takes where all start at once, and share the processors for it.
fn crowded(start_up: Duration, workers: u32) -> Duration {
    let processors = Workers::Auto.count(config::Workers::Auto).max(1);
    start_up.mul_f64(f64::from(workers.max(processors)) / f64::from(processors))
}

/// The tests of a file: as their runner lists them, else one a line.
pub(super) fn listed(file: &Path, runner: Option<&str>) -> Result<Listing, String> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(drop),
        _ => std::fs::read_to_string(file).map(|read| text = read),
    };
    let shown = file.display();
    read.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let name = runner.filter(|name| Lister::find(name).is_some());
    let directory = std::env::current_dir().unwrap_or_default();
    split::read(&dense(&text), name, &directory.to_string_lossy())
        .map(|listed| listed.listing)
        .map_err(|error| format!("{shown}: {error}"))
}

/// A list of names without its empty lines, behind which a listing of pytest has only its summary.
fn dense(text: &str) -> Cow<'_, str> {
    let is_empty = |line: &&str| line.trim().is_empty();
    let is_list = text.lines().all(|line| is_empty(&line) || line.contains("::"));
    if !is_list || !text.lines().any(|line| is_empty(&line)) {
        return Cow::Borrowed(text);
    }
    let names: Vec<&str> = text.lines().filter(|line| !is_empty(line)).collect();
    Cow::Owned(names.join("\n"))
}

/// How long these tests take, in seconds; nothing where the history does not say.
pub(super) fn seconds(
    listing: &Listing,
    runner: &str,
    global: &Global,
    settled: &Settled,
) -> Vec<Option<f64>> {
    let unknown = || vec![None; listing.tests.len()];
    if !settled.db.exists() {
        return unknown();
    }
    let read = || {
        let store = settled.open_to_read().ok()?;
        let project = settled.project(global, &store).ok()?;
        let request = TimesRequest { project, ..TimesRequest::default() };
        Times::read(&store, &request, &Unwatched).ok()
    };
    // Without a history tests are dealt as if all were alike, and the gate says what is wrong.
    let Some(times) = read() else { return unknown() };
    let producer = Lister::find(runner).map_or("unknown", split::producer);
    let known = |estimate: &Estimate| {
        let is_own = matches!(estimate.source, Source::History | Source::Skipped);
        is_own.then(|| estimate.time.as_seconds())
    };
    times.estimate(&listing.tests, producer).iter().map(known).collect()
}

/// Homes for the workers; fewer where there is not enough for all, none is an error.
fn housed(
    housing: &dyn Housing,
    workers: u32,
    console: &Console,
) -> Result<Vec<Box<dyn Home>>, String> {
    let mut homes = Vec::new();
    for worker in 0..workers {
        match housing.enter(worker, workers) {
            Ok(home) => homes.push(home),
            Err(why) if homes.is_empty() => return Err(why),
            Err(why) => {
                let workers = sentence::count(homes.len() as u64, "worker");
                console.warn(&format!(
                    "{workers} instead of {}: {}",
                    worker + 1,
                    escape::line(&why)
                ));
                break;
            }
        }
    }
    Ok(homes)
}

impl<'c> Crew<'c> {
    /// The setting of the run.
    pub(super) fn setting(&self, args: &WorkersArgs) -> Setting<'_> {
        let lodging = |home: &dyn Home| Lodging {
            variables: home.variables().to_vec(),
            shared: home.shared().to_vec(),
        };
        Setting {
            tests: self.tests.tests.clone(),
            seconds: self.seconds.clone(),
            start_up: self.start_up,
            dist: self.dist,
            runner: self.runner.clone(),
            lodgings: self.homes.iter().map(|home| lodging(home.as_ref())).collect(),
            max_fail: args.max_fail(),
            run_id: self.run_id.clone(),
            shard: self.shard.map(|shard| shard.to_string()),
            directory: self.workplace.path().to_path_buf(),
            follower: &self.shown,
        }
    }

    /// What is the same for all workers.
    fn shared(&self) -> Vec<String> {
        let own: Vec<&OsString> = self
            .homes
            .first()
            .map(|home| home.variables().iter().map(|(name, _)| name).collect())
            .unwrap_or_default();
        let all = std::env::vars_os().filter(|(name, _)| !own.contains(&name)).filter_map(
            |(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)),
        );
        let mut shared: Vec<String> =
            self.homes.iter().flat_map(|home| home.shared().to_vec()).collect();
        shared.extend(places(all));
        shared.sort();
        shared.dedup();
        shared
    }

    /// Ends the stay of the workers, and says what they likely shared. Returns why the run must not
    /// be excused, where it was stopped.
    pub(super) fn leave(self, ran: &mut Rounds) -> Option<String> {
        self.shown.clear();
        let shared = self.shared();
        let notes = self.tests.notes;
        let beside = std::mem::take(&mut ran.beside);
        let alone = ran.passed_alone();
        if let Some(view) = &mut ran.workers {
            view.notes.extend(notes);
            let failed: Vec<Failed<'_>> = beside
                .iter()
                .map(|(test, text)| Failed {
                    label: &test.label,
                    text,
                    passed_alone: alone.as_ref().map(|alone| alone.contains(&test.label)),
                })
                .collect();
            if view.workers.len() > 1 {
                view.shared = likely(&failed, &shared);
            }
        }
        for (number, home) in self.homes.into_iter().enumerate() {
            let worker = ran.workers.as_mut().and_then(|view| view.workers.get_mut(number));
            let failed = worker.as_ref().is_some_and(|worker| worker.failed > 0);
            let kept = home.leave(failed);
            if let (Some(worker), Some(kept)) = (worker, kept) {
                worker.kept = Some(kept.display().to_string());
            }
        }
        let view = ran.workers.as_ref()?;
        unfinished(view.stopped.as_deref(), view.without_result.len())
    }
}

/// Why a run that was stopped must not be excused: what has no result may have failed.
fn unfinished(stopped: Option<&str>, without_result: usize) -> Option<String> {
    let why = stopped.filter(|_| without_result > 0)?;
    let tests = sentence::count(without_result as u64, "test");
    Some(format!("{tests} without a result: {why}"))
}

/// Says who ran what, where people look, and into files.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn show(
    view: &WorkersView,
    args: &WorkersArgs,
    console: &Console,
) -> anyhow::Result<()> {
    let page = |format| screen(View::Workers(view), format, console);
    if console.verbosity > super::console::Verbosity::Quiet {
        console.say(&format!("\n{}", page(Format::Table)?));
    }
    for (format, file) in &args.workers_report {
        console.deliver(&page(*format)?, Some(file))?;
    }
    Ok(())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_number_of_workers_is_auto_or_a_count() {
        assert_eq!(parse_workers("auto"), Ok(Workers::Auto));
        assert_eq!(parse_workers(" 8 "), Ok(Workers::Count(8)));
        for text in ["0", "-1", "x", "", "1025"] {
            assert!(parse_workers(text).is_err(), "{text}");
        }
        assert!(Workers::Auto.count(config::Workers::Auto) >= 1);
        let three = std::num::NonZeroU32::new(3).map(config::Workers::Count).unwrap();
        assert_eq!(Workers::Configured.count(three), 3);
        assert_eq!(Workers::Count(8).count(three), 8);
    }

    /// Has this test say how many processors it sees, instead of looking.
    const ASKED: &str = "FLAKEDB_TEST_PROCESSORS";

    #[test]
    #[cfg(target_os = "linux")]
    fn processors_are_those_that_affinity_leaves_us() {
        if std::env::var_os(ASKED).is_some() {
            let count = Workers::Auto.count(config::Workers::Auto);
            use std::io::Write as _;
            writeln!(std::io::stdout(), "processors={count};").unwrap();
            return;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let first = allowed.unwrap().trim().split([',', '-']).next().unwrap().to_owned();
        // The shell binds itself, and the child inherits what is left.
        let script = "taskset -c -p \"$1\" $$ >/dev/null && exec \"$0\" --exact --nocapture \"$2\"";
        let name = "cli::workers::unit::processors_are_those_that_affinity_leaves_us";
        let told = std::process::Command::new("sh")
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .args([&first, name])
            .env(ASKED, "1")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&told.stdout);
        assert!(out.contains("processors=1;"), "{told:?}");
    }

    #[test]
    fn an_empty_line_does_not_end_a_list_of_tests() {
        assert_eq!(dense("\na.py::b\n \n\na.py::c\n"), "a.py::b\na.py::c");
        for kept in ["a.py::b\n\n1 test collected\n", "a.py::b\na.py::c\n", ""] {
            assert_eq!(dense(kept), kept);
        }
    }

    #[test]
    fn a_run_that_was_stopped_is_not_excused() {
        assert_eq!(unfinished(Some("1 test failed"), 0), None);
        assert_eq!(unfinished(None, 1), None);
        let told = unfinished(Some("1 test failed"), 1).unwrap();
        assert_eq!(told, "1 test without a result: 1 test failed");
    }

    #[test]
    fn reports_of_workers_have_a_format_and_a_file() {
        assert_eq!(parse_report("json=w.json"), Ok((Format::Json, "w.json".into())));
        for text in ["json", "json=", "junit=x", "w.json"] {
            assert!(parse_report(text).is_err(), "{text}");
        }
    }
}
