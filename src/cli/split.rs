//! `flakedb split`: the tests of this CI node, balanced by the times that the history knows.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use crate::analysis::split::By;
use crate::context::ci::shard;
use crate::context::resolve::Surroundings;
use crate::listing::LISTERS;
use crate::model::Shard;
use crate::ops::parallel::today::tests_of;
use crate::ops::split::{
    Listed, Print, ReviewError, ShardsOf, SplitOutcome, SplitRequest, Times, TimesRequest, Writing,
    deal, read, review, write,
};
use crate::report::view::WindowText;
use crate::report::{Format, View, split as said};
use crate::store::sqlite::SqliteStore;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::{Global, Settled};
use super::output::FormatArgs;
use super::progress::Progress;
use super::window::WindowArgs;

/// Print the tests of this CI node, balanced by the times that the history knows
///
/// Reads the tests of today from --tests, from standard input, or from the runner of CMD, which is
/// asked for its list and runs nothing. Every node computes the same shards from the same list and
/// the same history, with no coordination: longest first, ties by name. A test takes the mean of
/// the middle half of its last passes; a new one takes the median of its file, class, suite or all.
/// Runs of this very build are left out, so that early shards do not move what late ones see; where
/// no build is known, runs of as many shards of this very commit.
///
/// What is printed can be given to the runner: words, one a line (pytest, jest, RSpec, Playwright,
/// packages of go), or arguments, one a line (nextest, vitest). What is predicted stands on
/// standard error; its plan must be the same on all nodes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb split --shard 2/4 -- pytest > shard.txt && pytest @shard.txt
  flakedb split --shard auto -- cargo nextest run > args.txt && xargs -r -d '\\n' -a args.txt cargo nextest run
  npx jest --listTests | flakedb split --shard auto | xargs -r npx jest --runTestsByPath
  flakedb split --shard auto -- go test ./... | xargs -r go test
  flakedb split --plan 8 --by file -- pytest
  flakedb split --review

Exit codes: 0 fine, even where this shard has no tests · 2 wrong usage, a list that is none of its
runner's, or a shard that CI does not tell · 3 a list that cannot be read, or is empty · 4 the history could not be used")]
pub struct Args {
    /// Which shard, as 2/4, or auto: as the variables of the CI say
    #[arg(long, value_name = "I/N|auto", env = "FLAKEDB_SHARD",
          required_unless_present_any = ["plan", "review"])]
    shard: Option<Asked>,
    /// Show all of N shards instead of printing one
    #[arg(long, value_name = "N", conflicts_with = "review",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    plan: Option<u32>,
    /// Show what the shards of the last build took, against what the runs before predict
    #[arg(long)]
    review: bool,
    /// What stays together [default: test; file where the runner takes only files]
    #[arg(long, value_name = "WHAT", value_parser = parse_by)]
    by: Option<By>,
    /// Read the tests from this file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["review", "command"])]
    tests: Option<PathBuf>,
    /// The runner that listed them [default: from CMD, else by the looks of the list]
    #[arg(long, value_name = "NAME", value_parser = listers())]
    runner: Option<String>,
    /// How to print the tests: auto, words, args or names (as flakedb prints tests)
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = parse_print)]
    print: Print,
    /// The build to leave out, or to review [default: that of the CI; the last one]
    #[arg(long, value_name = "ID", env = "FLAKEDB_BUILD")]
    build: Option<String>,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    output: FormatArgs,
    /// The test command, behind --; it is only asked for its tests
    #[arg(last = true, value_name = "CMD", conflicts_with = "review")]
    command: Vec<OsString>,
}

/// A shard as it was typed.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Auto,
    One(Shard),
}

impl std::str::FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            text => text.parse().map(Self::One).map_err(|error| format!("{error}, or auto")),
        }
    }
}

fn parse_by(text: &str) -> Result<By, String> {
    let words = By::ALL.map(By::word);
    let found = By::ALL.into_iter().find(|by| by.word() == text);
    found.ok_or_else(|| format!("tests are dealt by {}", words.join(", ")))
}

fn parse_print(text: &str) -> Result<Print, String> {
    match text {
        "auto" => Ok(Print::Auto),
        "words" => Ok(Print::Words),
        "args" => Ok(Print::Args),
        "names" => Ok(Print::Names),
        _ => Err("tests are printed as auto, words, args or names".to_owned()),
    }
}

fn listers() -> clap::builder::PossibleValuesParser {
    use clap::builder::PossibleValue;
    let value =
        |(name, summary): (&'static str, &'static str)| PossibleValue::new(name).help(summary);
    let own = LISTERS.iter().map(|lister| (lister.name, lister.summary));
    let all = own.chain([("junit", "an older report, as a list of its tests")]).map(value);
    clap::builder::PossibleValuesParser::new(all)
}

/// Prints the tests of a shard, the plan of all, or the review of the last build.
///
/// # Errors
/// A list that cannot be read, a shard that nothing tells, a history that cannot be used.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    if args.review {
        return args.review(global, &settled, console);
    }
    let shard = if args.plan.is_some() { None } else { Some(args.shard()?) };
    let shards = args.plan.or(shard.map(Shard::all)).unwrap_or(1);
    let listed = args.listed(&settled)?;
    if listed.listing.tests.is_empty() {
        // Shards of nothing would all pass.
        let empty = anyhow::anyhow!("the list has no tests");
        let read = format!("it was read as {} ({})", listed.format, listed.lister.summary);
        return Err(Failure::input(empty).hint(read));
    }
    let progress = Progress::new(console);
    let store = args.history(&settled, console)?;
    let mut project = None;
    let times = match &store {
        Some(store) => {
            let request = args.times(global, &settled, store, shards, console)?;
            project = Some(request.project.clone());
            Times::read(store, &request, &progress).map_err(Failure::history)?
        }
        None => Times::default(),
    };
    progress.finish(console);
    let whole = listed.lister.takes.whole_files();
    let by = args.by.unwrap_or(if whole { By::File } else { By::Test });
    let request = SplitRequest {
        listing: &listed.listing,
        lister: listed.lister,
        format: listed.format,
        by,
        shards,
        shard,
        project,
    };
    let outcome = deal(&request, &times);
    if args.plan.is_some() || args.output.format != Format::Table {
        args.output.deliver(View::Split(&outcome.view), console)?;
        return Ok(exit::FINE);
    }
    args.print(&request, &outcome, console)
}

impl Args {
    fn shard(&self) -> Result<Shard, Failure> {
        match self.shard {
            Some(Asked::One(shard)) => Ok(shard),
            Some(Asked::Auto) | None => {
                let told = shard::told(&|name| std::env::var(name).ok());
                told.map(|told| told.shard).ok_or_else(|| {
                    let pairs = shard::variables().take(4);
                    let pairs = pairs.map(|(place, all)| format!("{place} of {all}"));
                    Failure::usage(anyhow::anyhow!("nothing says which shard this job is")).hint(
                        format!(
                            "name it with --shard 2/4 or FLAKEDB_SHARD; auto knows {} and others",
                            pairs.collect::<Vec<_>>().join(", ")
                        ),
                    )
                })
            }
        }
    }

    /// The tests of today.
    fn listed(&self, settled: &Settled) -> Result<Listed, Failure> {
        let directory = std::env::current_dir().map_err(Failure::usage)?;
        let directory = directory.to_string_lossy();
        if !self.command.is_empty() {
            let gate = settled.file.gate.clone().unwrap_or_default();
            let (lister, mut listing) =
                tests_of(&self.command, self.runner.as_deref(), &gate.runners)
                    .map_err(Failure::usage)?;
            crate::ops::split::relate(&mut listing, &directory);
            return Ok(Listed { listing, lister, format: lister.name });
        }
        let mut text = String::new();
        let from_file = self.tests.as_deref().filter(|path| *path != Path::new("-"));
        match from_file {
            Some(path) => {
                let bytes = std::fs::read(path).map_err(|error| {
                    let error = anyhow::Error::new(error);
                    Failure::input(error.context(format!("cannot read {}", path.display())))
                })?;
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            None if self.tests.is_none() && std::io::stdin().is_terminal() => {
                let missing = anyhow::anyhow!("there is no list of tests");
                return Err(Failure::usage(missing).hint(
                    "pipe one in, name a file with --tests, or give the test command behind --",
                ));
            }
            None => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).map_err(Failure::input)?;
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        read(&text, self.runner.as_deref(), &directory).map_err(Failure::usage)
    }

    /// The history; `None` where there is none yet, which the first run of a CI must survive.
    fn history(
        &self,
        settled: &Settled,
        console: &Console,
    ) -> Result<Option<SqliteStore>, Failure> {
        if settled.db.exists() {
            return settled.open_to_read().map(Some);
        }
        console.warn(&format!(
            "there is no history at {}; `flakedb ingest` makes one of reports",
            settled.db.display()
        ));
        Ok(None)
    }

    /// The build that is dealt, and the commit, as far as they are known.
    fn surroundings(&self) -> (Option<String>, Option<String>) {
        let around = Surroundings::gather(Path::new("."));
        let (build, of_ci) =
            around.ci.map(|ci| (ci.context.build, ci.context.revision)).unwrap_or_default();
        (self.build.clone().or(build), of_ci.or(around.git.revision))
    }

    fn times(
        &self,
        global: &Global,
        settled: &Settled,
        store: &SqliteStore,
        shards: u32,
        console: &Console,
    ) -> Result<TimesRequest, Failure> {
        let window = &self.window;
        let (build, revision) = self.surroundings();
        if build.is_none() && revision.is_none() && shards > 1 {
            console.note(
                "nothing names this build or its commit, so a report that is stored before all \
                 shards are dealt changes the plan; name the build with --build",
            );
        }
        let without_shards =
            revision.filter(|_| build.is_none()).map(|revision| ShardsOf { revision, all: shards });
        Ok(TimesRequest {
            project: settled.project(global, store)?,
            window: WindowText {
                last_runs: window.runs,
                last_days: window.days,
                since: window.since,
                until: window.until,
                branches: window.branch.clone(),
                lane: window.lane,
                variant: window.variant.as_ref().map(ToString::to_string),
            },
            without_build: build,
            without_shards,
        })
    }

    fn print(
        &self,
        request: &SplitRequest<'_>,
        outcome: &SplitOutcome,
        console: &Console,
    ) -> Result<u8, Failure> {
        let Some(shard) = request.shard else { return Ok(exit::FINE) };
        let tests = outcome.tests_of(request.listing, shard);
        let words = self.command.iter().map(|word| word.to_string_lossy().into_owned());
        let writing = Writing {
            lister: request.lister,
            print: self.print,
            by: request.by,
            command: &words.collect::<Vec<String>>(),
        };
        let written = write(&writing, &tests, &request.listing.tests).map_err(Failure::usage)?;
        let text: String = written.lines.iter().map(|line| format!("{line}\n")).collect();
        console.deliver(&text, self.output.output.as_deref())?;
        if let Some(line) = said::of_shard(&outcome.view) {
            console.note(&format!("{line}; plan {}", outcome.view.plan));
        }
        for note in outcome.view.notes.iter().chain(&written.notes) {
            console.note(note);
        }
        if tests.is_empty() {
            console.warn(
                "this shard has no tests; do not start the runner, which might take that for all",
            );
        }
        Ok(exit::FINE)
    }

    fn review(&self, global: &Global, settled: &Settled, console: &Console) -> Result<u8, Failure> {
        let store = settled.open_to_read()?;
        let request = self.times(global, settled, &store, 0, console)?;
        let request = TimesRequest { without_build: None, without_shards: None, ..request };
        let progress = Progress::new(console);
        let view = review(&store, &request, self.build.as_deref(), &progress);
        progress.finish(console);
        let view = view.map_err(|error| match error {
            ReviewError::Store(error) => Failure::history(error),
            error => Failure::usage(error).hint("`flakedb ingest` stores what the shards wrote"),
        })?;
        self.output.deliver(View::SplitReview(&view), console)?;
        Ok(exit::FINE)
    }
}
