//! `flakedb ingest`: reports into the history.

use std::path::PathBuf;

use crate::import;
use crate::model::{RunContext, Timestamp};
use crate::ops::ingest::{IngestOutcome, IngestRequest, collect};
use crate::ops::reading::ReadRequest;
use crate::report::view::{IngestView, Phase};
use crate::report::{Format, View, escape, sentence};

use super::console::{Console, Verbosity};
use super::exit;
use super::failure::Failure;
use super::global::{Global, Settled};
use super::output::{BothFormatArgs, screen};
use super::progress::Progress;
use super::run_context::RunArgs;

/// Read JUnit XML reports into the history
///
/// Reads files, directories (every *.xml in them), `**` globs and standard input (-), also from
/// gzip, zstd, zip and tar. What other tools have kept is read, too: histories as JSON Lines, CTRF,
/// pytest-json-report, .pytest_flaky_history.json and Jenkins' jobs (docs/IMPORT.md). Project, revision, branch, lane, build and attempt are taken from
/// flags, from a flakedb-run.toml beside the reports, from CI's environment and from git, in this
/// order. Reading the same report again changes nothing; a CI re-run is another attempt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb ingest target/surefire-reports
  flakedb ingest 'build/**/TEST-*.xml' --variant os=linux,java=21
  flakedb ingest artifacts.zip --revision 1f3a9c0 --branch main --build 4711
  pytest --junitxml=/dev/stdout -q | flakedb ingest -

To bring a history along:
  flakedb ingest history.jsonl
  flakedb ingest /var/jenkins_home/jobs/shop
  flakedb ingest .pytest_flaky_history.json --branch main
  flakedb ingest results --format ctrf

In CI, as a step after the tests that never fails the build by itself:
  flakedb ingest reports --exit-zero")]
pub struct Args {
    /// Files, directories, globs; - is standard input [default: `reports` in flakedb.toml]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    run: RunArgs,
    /// Read with N threads [default: one for each core]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Read everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Exit with 0 whatever happens, so that a build never fails for it
    #[arg(long, env = "FLAKEDB_EXIT_ZERO", value_parser = clap::builder::FalseyValueParser::new(),
          action = clap::ArgAction::SetTrue)]
    exit_zero: bool,
    #[command(flatten)]
    output: BothFormatArgs,
}

/// Reads, writes and shows what was done.
///
/// # Errors
/// Nothing to read, a history that cannot be used, a sidecar that makes no sense.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    match attempt(args, global, console) {
        Err(failure) if args.exit_zero && !failure.is_broken_pipe() => {
            if let Some(error) = &failure.error {
                console.error(&format!("{error:#}"), failure.hint.as_deref());
            }
            Ok(exit::FINE)
        }
        Ok(_) if args.exit_zero => Ok(exit::FINE),
        other => other,
    }
}

/// True where the command line asks never to fail, even if the rest of it makes no sense.
pub fn never_fails(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    arguments.any(|argument| argument == "--exit-zero")
}

fn attempt(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    args.output.check().map_err(Failure::usage)?;
    let format = args.output.write();
    let request = args.request(global, &settled)?;
    let progress = Progress::new(console);
    let outcome = carry_out(args, &request, &settled, &progress);
    progress.clear();
    let outcome = outcome?;
    let mut view = outcome.view;
    view.history = settled.db.display().to_string();
    if console.verbosity >= Verbosity::Verbose || format == Format::Json {
        view.phases = phases(&progress);
    }
    view.notes.extend(notes(&view, &request));
    let page = screen(View::Ingest(&view), format, console)?;
    console.deliver(&page, args.output.output.as_deref())?;
    if format == Format::Json {
        for problem in &view.problems {
            console.warn(&format!("{}: {}: {}", problem.file, problem.code, problem.message));
        }
    }
    if !outcome.input_failed {
        return Ok(exit::FINE);
    }
    console.error(
        &format!("{} could not be read", sentence::count(view.rejected as u32, "input")),
        None,
    );
    Ok(exit::INPUT)
}

fn carry_out(
    args: &Args,
    request: &IngestRequest,
    settled: &Settled,
    progress: &Progress,
) -> Result<IngestOutcome, Failure> {
    // A history that cannot be used is better known before the work than after it; one that does
    // not exist yet is made only when there is something to put into it.
    let early = match settled.db.exists() && !args.dry_run {
        true => Some(settled.open_to_write()?),
        false => None,
    };
    let collected = collect(request, progress).map_err(Failure::usage)?;
    if args.dry_run || !collected.has_reports() {
        return Ok(collected.leave());
    }
    let mut store = early.map_or_else(|| settled.open_to_write(), Ok)?;
    collected.write(&mut store, progress).map_err(Failure::history)
}

fn phases(progress: &Progress) -> Vec<Phase> {
    let seconds = |(name, time): (&'static str, std::time::Duration)| Phase {
        name,
        seconds: time.as_secs_f64(),
    };
    progress.times().into_iter().map(seconds).collect()
}

/// What the user may want to know about how the reports were understood.
fn notes(view: &IngestView, request: &IngestRequest) -> Vec<String> {
    // Reports of several contexts say themselves what belongs together, each with its own build.
    let unnamed = view.run.as_ref().is_some_and(|context| context.build.is_none());
    let is_history = view.formats.iter().any(|name| is_history(name));
    let mut notes = Vec::new();
    if let Some(context) = &view.run {
        notes.push(context_in_words(context, request));
        if context.revision.is_none() && !is_history {
            notes.push(
                "no revision is known, so nothing can pass and fail on one; --revision names it"
                    .to_owned(),
            );
        }
    }
    if !view.formats.is_empty() {
        let formats: Vec<String> = view.formats.iter().map(|name| (*name).to_owned()).collect();
        notes.push(format!("read as {}", sentence::list(&formats)));
    }
    if is_history && request.overrides.name_a_run() {
        notes.push(
            "--revision, --build, --attempt, --job, --url and --started name one run, so they \
             were not applied to the runs of a history"
                .to_owned(),
        );
    }
    if view.runs_new > 1 && unnamed && !is_history && view.runs_new == view.reports_new {
        notes.push(
            "no build is known, so each report counts as a run of its own; --build ID joins them"
                .to_owned(),
        );
    }
    notes
}

fn is_history(format: &str) -> bool {
    import::Format::from_name(format).is_some_and(|format| format.extent != import::Extent::Report)
}

/// The run as it was understood, so that a wrong guess is seen at once.
fn context_in_words(run: &RunContext, request: &IngestRequest) -> String {
    let mut words = vec![format!("project {}", run.project)];
    words
        .extend(run.revision.as_deref().map(|sha| format!("revision {}", sentence::revision(sha))));
    words.extend(run.branch.as_ref().map(|branch| format!("branch {branch}")));
    words.push(sentence::lane(run.lane).to_owned());
    words.extend((!run.variant.is_empty()).then(|| run.variant.to_string()));
    words.extend(run.build.as_ref().map(|build| format!("build {build}")));
    words.extend((run.attempt > 1).then(|| format!("attempt {}", run.attempt)));
    let ci = request.surroundings.ci.as_ref();
    let by = ci.map(|ci| format!(" (from {})", ci.provider)).unwrap_or_default();
    format!("run: {}{by}", escape::line(&words.join(", ")))
}

impl Args {
    fn request(&self, global: &Global, settled: &Settled) -> Result<IngestRequest, Failure> {
        let paths = self.paths(settled)?;
        let around = self.run.around(global, settled)?;
        let now = Timestamp::from(chrono::Utc::now());
        Ok(IngestRequest {
            read: ReadRequest {
                paths,
                documents: Vec::new(),
                format: self.output.read(),
                jobs: self.jobs.map(usize::from),
                repository_root: around.repository_root(),
                now: Some(now),
            },
            overrides: around.overrides,
            surroundings: around.surroundings,
            now,
            retried: None,
        })
    }

    /// The given paths, else those of the configuration, relative to its directory.
    fn paths(&self, settled: &Settled) -> Result<Vec<PathBuf>, Failure> {
        let configured = &settled.file.reports;
        match (self.paths.is_empty(), configured.is_empty()) {
            (false, _) => Ok(self.paths.clone()),
            (true, false) => {
                Ok(configured.iter().map(|path| settled.directory.join(path)).collect())
            }
            (true, true) => {
                let nothing = anyhow::anyhow!("nothing to read: no path is given");
                Err(Failure::usage(nothing)
                    .hint("flakedb ingest PATH…, or list paths under `reports` in flakedb.toml"))
            }
        }
    }
}
