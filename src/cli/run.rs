//! `flakedb run`: a test command, its reports into the history, and the gate's word on its code.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use crate::context::git::Checkout;
use crate::context::owners::Owners;
use crate::context::resolve::Surroundings;
use crate::context::{child, places};
use crate::model::Timestamp;
use crate::ops::Unwatched;
use crate::ops::gate::{GateOutcome, GateRequest, gate};
use crate::ops::ingest::{IngestRequest, collect};
use crate::ops::reading::{InputFormat, ReadRequest};
use crate::ops::run::{Round, Rounds, RunRequest, rounds};
use crate::report::{Format, escape, sentence};

use super::console::{Console, Verbosity};
use super::exit;
use super::failure::Failure;
use super::gate::{Also, HISTORY_WAIT_MS, KINDS, page, parse_also, with_history, words};
use super::gate_rules::GateRules;
use super::global::{Global, Settled};
use super::judging::owners;
use super::output::formats;
use super::run_context::{Around, RunArgs};
use super::span::parse_span;
use super::workers::{self, Crew, Hiring, WorkersArgs};

/// Run a test command, keep its results, and excuse its failure only if the gate does
///
/// Standard input, output and error, the terminal and signals are the command's. What it wrote as
/// JUnit XML goes into the history; the exit code is its own, or 0 where the gate excuses all that
/// failed (docs/GATE.md). The first line on standard error says which, and why. Whatever goes
/// wrong with flakedb itself leaves the command's code alone.
///
/// Reports are looked for where --junit says, else where the command's own options say
/// (--junitxml=FILE and the like) and `reports` in flakedb.toml, else where the runner always
/// writes them. Only what the command has written counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb run -- pytest --junitxml=report.xml
  flakedb run -- ./gradlew test
  flakedb run --retries 2 -- cargo nextest run --profile ci
  flakedb run --workers auto -- pytest
  flakedb run --junit 'out/**/*.xml' --runner jest -- npm test
  flakedb run --timeout 20m -- gotestsum --junitfile report.xml ./...

Exit codes: the command's own; 0 where it is excused; 128 + signal; 124 out of time; 125 flakedb
called wrongly, or in trouble itself with --strict; 126 not executable; 127 not found")]
pub struct Args {
    /// Where the command writes its reports (may be repeated)
    #[arg(long, value_name = "GLOB")]
    junit: Vec<PathBuf>,
    /// The runner, which tells what its code means [default: from the command, else the reports]
    #[arg(long, value_name = "NAME", env = "FLAKEDB_RUNNER")]
    runner: Option<String>,
    /// Run the tests that failed again, up to N times
    #[arg(long, value_name = "N", env = "FLAKEDB_RETRIES", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=100))]
    retries: u32,
    /// End the command after this time, as 90s or 20m
    #[arg(long, value_name = "TIME", env = "FLAKEDB_TIMEOUT", value_parser = parse_span)]
    timeout: Option<Duration>,
    /// How long the command may take to end once it was told to; then it is killed
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_span)]
    grace: Duration,
    #[command(flatten)]
    rules: GateRules,
    /// Exit with 125 where flakedb itself is in trouble (list, history or configuration unusable)
    #[arg(long)]
    strict: bool,
    /// Do not store the run in the history
    #[arg(long)]
    no_store: bool,
    #[command(flatten)]
    workers: WorkersArgs,
    #[command(flatten)]
    run: RunArgs,
    /// How to write the decision
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = formats(KINDS),
          help_heading = "Output")]
    format: Format,
    /// Write the decision to this file instead of standard error
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Write the decision in another format as well (may be repeated)
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_also, help_heading = "Output")]
    also: Vec<Also>,
    /// The command, behind --
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// True where the command line asks for `run`, whose codes are those of the command that it runs.
pub fn is_asked_for(mut arguments: impl Iterator<Item = OsString>) -> bool {
    let all = super::Arguments::command();
    let asked = arguments.find_map(|word| all.find_subcommand(&word).map(clap::Command::get_name));
    asked == Some("run")
}

/// Nobody told us to end.
static NEVER: AtomicI32 = AtomicI32::new(0);
/// No exit code yet: the command is still running.
const RUNNING: i32 = -1;

/// Runs the command, decides, stores, and returns the code.
///
/// # Errors
/// None: what goes wrong leaves the command's code alone.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let mut trouble = Vec::new();
    let settled = global.settle().unwrap_or_else(|failure| {
        trouble.push(words(&failure));
        Settled::bare()
    });
    // Once the command has ended, a signal ends our own work, and its code stands.
    let (code, stopped) = (Arc::new(AtomicI32::new(RUNNING)), Arc::new(AtomicI32::new(0)));
    let (its_code, heard) = (Arc::clone(&code), Arc::clone(&stopped));
    let _listening = child::OnSignal::call(move |signal| {
        heard.store(signal, Ordering::Relaxed);
        let code = its_code.load(Ordering::Relaxed);
        if code != RUNNING {
            std::process::exit(code);
        }
    });
    let workplace = args.workplace();
    let (places, named) = args.places(&settled);
    let retrying = |number: u32, tests: usize| args.say_retry(number, tests, console);
    let crew = match args.crew(global, &settled, console, &mut trouble, &stopped) {
        Ok(crew) => crew,
        Err(code) => return Ok(code),
    };
    let setting = crew.as_ref().map(|crew| crew.setting(&args.workers));
    let request = RunRequest {
        parallel: setting.as_ref(),
        stopped: &stopped,
        retrying: &retrying,
        workplace: workplace.as_ref().map(|directory| directory.path().into()),
        ..args.rounds(&settled, places)
    };
    // Git is asked while the command runs, so that nobody waits for it.
    let (ran, around) = thread::scope(|scope| {
        let around = scope.spawn(|| (args.run.around(global, &settled), owners(&settled)));
        (rounds(&request), around.join())
    });
    let mut ran = match ran {
        Ok(ran) => ran,
        Err(error) => return Ok(not_started(&error, console)),
    };
    drop(request);
    drop(setting);
    if let Some(crew) = crew {
        trouble.extend(crew.leave(&mut ran));
    }
    code.store(ran.ending().code().into(), Ordering::Relaxed);
    let (around, owners) = match around {
        Ok((Ok(around), owners)) => (around, owners),
        Ok((Err(failure), owners)) => (nothing_around(words(&failure), &mut trouble), owners),
        Err(_) => (nothing_around("git was not understood".to_owned(), &mut trouble), None),
    };
    let asked = ran.asked().or(Some(stopped.load(Ordering::Relaxed)).filter(|signal| *signal != 0));
    let after = After {
        args,
        settled: &settled,
        console,
        ran: &ran,
        around: &around,
        owners,
        named,
        asked,
    };
    // Even a defect of ours must not change the command's code.
    let decided = catch_unwind(AssertUnwindSafe(|| after.decide(trouble)));
    Ok(decided.unwrap_or_else(|_| after.own_trouble("flakedb failed; please report it")))
}

/// The code where we were told to end before the command was started, which then never is.
fn stopped_early(stopped: &AtomicI32, console: &Console) -> Option<u8> {
    let signal = Some(stopped.load(Ordering::Relaxed)).filter(|signal| *signal != 0)?;
    let code = child::How::Signalled(signal).code();
    let said = format!("exit code {code}: told to end by signal {signal} before the command began");
    console.say(&format!("flakedb: {said}\n"));
    Some(code)
}

fn not_started(error: &child::StartError, console: &Console) -> u8 {
    let code = error.code();
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let said = format!("exit code {code}: {error}{}", cause.unwrap_or_default());
    console.say(&format!("flakedb: {}\n", escape::line(&said)));
    code
}

fn nothing_around(why: String, trouble: &mut Vec<String>) -> Around {
    trouble.push(why);
    Around { overrides: Default::default(), surroundings: Surroundings::default() }
}

impl Args {
    /// Where reports are looked for, and whether each of these places was named for this command.
    fn places(&self, settled: &Settled) -> (Vec<PathBuf>, Vec<PathBuf>) {
        if !self.junit.is_empty() {
            return (self.junit.clone(), self.junit.clone());
        }
        let told = places::told(&self.command, &|name| std::env::var(name).ok());
        let configured = settled.file.reports.iter().map(|path| settled.directory.join(path));
        let all: Vec<PathBuf> = told.iter().cloned().chain(configured).collect();
        match all.is_empty() {
            true => (places::customary(&self.command), Vec::new()),
            false => (all, told),
        }
    }

    /// A directory for what retries need.
    fn workplace(&self) -> Option<tempfile::TempDir> {
        let make = || tempfile::Builder::new().prefix("flakedb-run-").tempdir();
        (self.retries > 0).then(make).and_then(Result::ok)
    }

    fn say_retry(&self, number: u32, tests: usize, console: &Console) {
        if console.is_watched() {
            let tests = sentence::count(tests as u64, "failed test");
            console.say(&format!("flakedb: retry {number} of {}: {tests}\n", self.retries));
        }
    }

    /// The workers, where several were asked for and can be had; an exit code where nothing is to
    /// be run.
    fn crew<'c>(
        &self,
        global: &Global,
        settled: &Settled,
        console: &'c Console,
        trouble: &mut Vec<String>,
        stopped: &AtomicI32,
    ) -> Result<Option<Crew<'c>>, u8> {
        let configured = settled.file.gate.as_ref().map(|gate| gate.runners.clone());
        let hired = self.workers.hire(&Hiring {
            command: &self.command,
            runner: self.runner.as_deref(),
            configured: &configured.unwrap_or_default(),
            global,
            settled,
            shard: self.run.shard,
            console,
        });
        let tried = hired.and_then(|crew| {
            let Some(crew) = crew else { return Ok(None) };
            let setting = crew.setting(&self.workers);
            let variable = |name: &str| std::env::var_os(name);
            setting.try_out(&self.command, &variable).map_err(|error| error.to_string())?;
            drop(setting);
            Ok(Some(crew))
        });
        if let Some(code) = stopped_early(stopped, console) {
            return Err(code);
        }
        tried.or_else(|why| {
            let why = escape::line(&why).into_owned();
            if self.workers.tests.is_some() {
                // All tests are not those that were asked for.
                console.warn(&format!("nothing is run: {why}"));
                return Err(exit::FAILED);
            }
            console.warn(&format!("the whole command runs at once, without workers: {why}"));
            trouble.push(format!("there are no workers: {why}"));
            Ok(None)
        })
    }

    fn rounds<'a>(&self, settled: &Settled, places: Vec<PathBuf>) -> RunRequest<'a> {
        let root = (self.retries > 0).then(|| Checkout::root_of(std::path::Path::new(".")));
        RunRequest {
            command: self.command.clone(),
            watch: child::Watch {
                terminal: child::Terminal::Lent,
                timeout: self.timeout,
                grace: self.grace,
            },
            places,
            retries: self.retries,
            runner: self.runner.clone(),
            settings: settled.file.gate.clone().unwrap_or_default(),
            repository_root: root.flatten().map(|root| root.to_string_lossy().into_owned()),
            workplace: None,
            variable: &|name| std::env::var_os(name),
            stopped: &NEVER,
            retrying: &|_, _| {},
            parallel: None,
        }
    }
}

/// What is left to do when the command has ended.
struct After<'a> {
    args: &'a Args,
    settled: &'a Settled,
    console: &'a Console,
    ran: &'a Rounds,
    around: &'a Around,
    owners: Option<Owners>,
    /// Places that must have a report.
    named: Vec<PathBuf>,
    /// The signal by which we were told to end.
    asked: Option<i32>,
}

impl After<'_> {
    fn decide(&self, mut trouble: Vec<String>) -> u8 {
        if let Some(signal) = self.asked {
            // Whoever ends us has no time to wait for a decision.
            let code = self.ran.ending().code();
            let said =
                format!("kept exit code {code}: told to end by signal {signal}; nothing is stored");
            self.console.say(&format!("flakedb: {said}\n"));
            self.show_workers();
            return code;
        }
        let now = Timestamp::from(chrono::Utc::now());
        let request = self.gate_request(std::mem::take(&mut trouble), now);
        let outcome = with_history(self.settled, |history| gate(history, &request, &Unwatched));
        let mut in_trouble = outcome.view.has_own_trouble();
        let shown = self.show(&outcome);
        in_trouble |= shown.is_err();
        // An excuse that nobody can read is none.
        let code = match shown {
            Ok(()) => outcome.exit,
            Err(error) => {
                self.console.warn(&format!("{error:#}"));
                self.ran.ending().code()
            }
        };
        let stored = match outcome.view.history.state {
            // Nobody waits for it twice.
            "unusable" => Err(Failure::history(anyhow::anyhow!(outcome.view.history.text.clone()))),
            _ => self.store(now),
        };
        let quiet = self.is_uneventful(&outcome) && self.args.format == Format::Table;
        match stored {
            Ok(Some(said)) if quiet && self.console.is_watched() => {
                self.console.say(&format!("flakedb: passed; {said}\n"));
            }
            Ok(_) => {}
            Err(failure) => {
                in_trouble = true;
                self.console.warn(&format!("the run is not stored: {}", words(&failure)));
            }
        }
        in_trouble |= self.show_workers();
        for note in &self.ran.notes {
            self.console.note(&escape::line(note));
        }
        if self.args.strict && in_trouble { exit::FAILED } else { code }
    }

    /// Says who ran what; true where that could not be written.
    fn show_workers(&self) -> bool {
        let Some(view) = &self.ran.workers else { return false };
        let shown = workers::show(view, &self.args.workers, self.console);
        if let Err(error) = &shown {
            self.console.warn(&format!("{error:#}"));
        }
        shown.is_err()
    }

    fn own_trouble(&self, why: &str) -> u8 {
        let code = if self.args.strict { exit::FAILED } else { self.ran.ending().code() };
        self.console.say(&format!("flakedb: kept exit code {code}: {why}\n"));
        code
    }

    /// True where it passed and there is nothing that anybody has to know.
    fn is_uneventful(&self, outcome: &GateOutcome) -> bool {
        let view = &outcome.view;
        view.decision == "passed" && view.reasons.is_empty() && view.tests.is_empty()
    }

    /// Writes the decision everywhere it is wanted.
    fn show(&self, outcome: &GateOutcome) -> anyhow::Result<()> {
        let (args, console, view) = (self.args, self.console, &outcome.view);
        let is_page = args.format == Format::Table && args.output.is_none();
        let first = format!("flakedb: {}\n", escape::line(&view.headline));
        if !is_page {
            console.say(&first);
        }
        if let Some(file) = &args.output {
            console.deliver(&page(view, args.format, console)?, Some(file))?;
        } else if !is_page {
            console.say(&page(view, args.format, console)?);
        } else if console.verbosity == Verbosity::Quiet && view.decision != "passed" {
            console.say(&first);
        } else if console.verbosity > Verbosity::Quiet && !self.is_uneventful(outcome) {
            console.say(&format!("flakedb: {}", page(view, args.format, console)?));
        }
        for also in &args.also {
            let page = page(view, also.format, console)?;
            match &also.file {
                Some(file) => console.deliver(&page, Some(file))?,
                None => console.say(&page),
            }
        }
        Ok(())
    }

    fn gate_request(&self, trouble: Vec<String>, now: Timestamp) -> GateRequest {
        let ran = self.ran;
        let read = |documents, paths| ReadRequest {
            paths,
            documents,
            format: InputFormat::Junit,
            jobs: None,
            repository_root: self.around.repository_root(),
            now: Some(now),
        };
        let mut rounds: Vec<ReadRequest> =
            ran.rounds.iter().map(|round| read(round.reports.clone(), Vec::new())).collect();
        if let Some(first) = rounds.first_mut() {
            first.documents.extend(ran.stale.iter().cloned());
            // What cannot be read says so by itself when it is read.
            first.paths = ran.unread.clone();
            first.paths.extend(ran.missing.iter().filter(|at| self.named.contains(at)).cloned());
        }
        let words = self.args.command.iter().map(|word| word.to_string_lossy().into_owned());
        GateRequest {
            rounds,
            ending: ran.ending(),
            retries: ran.retries(),
            started: ran.rounds.first().map(|round| round.started),
            runner: self.args.runner.clone(),
            words: words.collect(),
            overrides: self.around.overrides.clone(),
            surroundings: self.around.surroundings.clone(),
            list: self.args.rules.list(self.settled),
            owners: self.owners.clone(),
            settings: self.args.rules.settings(self.settled),
            trouble,
            now,
        }
    }

    /// Stores every round as attempts of one run, and says so.
    fn store(&self, now: Timestamp) -> Result<Option<String>, Failure> {
        let any = self.ran.rounds.iter().any(|round| !round.reports.is_empty());
        if self.args.no_store || !any {
            return Ok(None);
        }
        let mut store = self.settled.open_to_write_within(HISTORY_WAIT_MS)?;
        let mut results = 0;
        for round in &self.ran.rounds {
            let collected =
                collect(&self.ingest_request(round, now), &Unwatched).map_err(Failure::usage)?;
            if collected.has_reports() {
                let written = collected.write(&mut store, &Unwatched).map_err(Failure::history)?;
                results += written.view.results.cases;
            }
        }
        let history = self.settled.db.display();
        Ok(Some(format!("{} stored in {history}", sentence::count(results, "result"))))
    }

    fn ingest_request(&self, round: &Round, now: Timestamp) -> IngestRequest {
        let mut overrides = self.around.overrides.clone();
        let by_ci = self.around.surroundings.ci.as_ref().and_then(|ci| ci.context.build.clone());
        // Without a build nothing would join reports that were written by one command.
        let own = || {
            self.ran
                .rounds
                .first()
                .map(|first| format!("run-{}-{}", first.started.0, std::process::id()))
        };
        overrides.build = overrides.build.or(by_ci).or_else(own);
        if self.ran.rounds.len() > 1 {
            // Attempts are put in order by when they started.
            overrides.started = Some(round.started);
        }
        IngestRequest {
            read: ReadRequest {
                documents: round.reports.clone(),
                repository_root: self.around.repository_root(),
                now: Some(now),
                ..ReadRequest::default()
            },
            overrides,
            surroundings: self.around.surroundings.clone(),
            now,
            retried: round.retried.as_ref().map(|failing| failing.ids()),
        }
    }
}
