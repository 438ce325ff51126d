//! `flakedb gate`: the exit code of a run, from its reports, the list and the runner's own code.

use std::ffi::OsString;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::context::resolve::Surroundings;
use crate::model::Timestamp;
use crate::ops::gate::{GateOutcome, GateRequest, HistoryInput, gate};
use crate::ops::reading::{InputFormat, ReadRequest};
use crate::quarantine::gate::Ending;
use crate::report::view::GateView;
use crate::report::{Format, Kind, View};
use crate::store::sqlite::{OpenMode, SqliteStore};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::gate_rules::GateRules;
use super::global::{Global, Settled};
use super::judging::owners;
use super::output::{formats, screen};
use super::progress::Progress;
use super::run_context::{Around, RunArgs};

/// Decide the exit code of a test run that has ended: excuse it, or keep the runner's own code
///
/// Exits with 0 only if the runner said "tests failed" and nothing else, every report is whole and
/// of this run, all tests that usually run did run, every failure has a live entry in
/// quarantine.toml, and no quarantined test fails more than its own record. Anything else keeps the
/// runner's code; the first line says why. A code of 0 stays 0. The history is only read, so it
/// makes no difference whether the reports were ingested already. docs/GATE.md has the table.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = after_long_help())]
pub struct Args {
    /// The runner's own exit code
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_code)]
    runner_exit_code: i32,
    /// Files, directories, globs; - is standard input [default: `reports` in flakedb.toml]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The runner, which tells what its code means [default: from the reports]
    #[arg(long, value_name = "NAME", env = "FLAKEDB_RUNNER")]
    runner: Option<String>,
    #[command(flatten)]
    rules: GateRules,
    /// Exit with 125 where flakedb itself is in trouble (list, history or configuration unusable)
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    run: RunArgs,
    /// How to write the result
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = formats(KINDS),
          help_heading = "Output")]
    format: Format,
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Write the result in another format as well; without a file below the first (may be repeated)
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_also, help_heading = "Output")]
    also: Vec<Also>,
}

const EXAMPLES: &str = "\
Examples:
  touch started; pytest --junitxml=report.xml; code=$?
  flakedb gate --runner-exit-code $code --started started report.xml

In CI, with a job summary and annotations on the changed files:
  flakedb gate --runner-exit-code $code --started started 'reports/**/*.xml' \\
    --also markdown=$GITHUB_STEP_SUMMARY --also github";

fn after_long_help() -> String {
    let mut lines = vec![String::from("Runners:\n ")];
    for runner in crate::quarantine::gate::RUNNERS {
        let full = lines.last().is_some_and(|line| line.len() + runner.name.len() > 90);
        if full {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            *line += &format!(" {}", runner.name);
        }
    }
    format!("{}\n\n{EXAMPLES}", lines.join("\n"))
}

/// The flag that an unreadable command line is searched for.
const FLAG: &str = "--runner-exit-code";

/// The formats of a decision.
pub(super) const KINDS: &[Kind] = &[Kind::Gate];

/// One more output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Also {
    /// How.
    pub(super) format: Format,
    /// Where to; `None` for below the first.
    pub(super) file: Option<PathBuf>,
}

pub(super) fn parse_also(text: &str) -> Result<Also, String> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
    let format = Format::from_name(name)
        .filter(|format| format.writes(Kind::Gate))
        .ok_or_else(|| "write it as markdown=FILE; also table, json and github".to_owned())?;
    match file {
        Some("") => Err(format!("no file is named behind {name}=")),
        file => Ok(Also { format, file: file.map(PathBuf::from) }),
    }
}

/// Reads an exit code; what no system can have is the largest one, and never 0.
fn parse_code(text: &str) -> Result<i32, String> {
    match text.trim().parse::<i64>() {
        Ok(code) => Ok(i32::try_from(code).unwrap_or(i32::MAX)),
        Err(_) => Err("write the code that the runner exited with, such as 1".to_owned()),
    }
}

/// Decides, says so and returns the code.
///
/// # Errors
/// None: what goes wrong keeps the runner's code.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let ending = Ending::of_code(args.runner_exit_code);
    // Even a defect of ours must not change the runner's code.
    let code = catch_unwind(AssertUnwindSafe(|| decide(args, global, console, ending)));
    Ok(code
        .unwrap_or_else(|_| own_trouble(args, console, ending, "flakedb failed; please report it")))
}

/// Says on standard error why the runner's code stands, and returns it.
fn own_trouble(args: &Args, console: &Console, ending: Ending, why: &str) -> u8 {
    let code = if args.strict { exit::FAILED } else { ending.code() };
    console.error(&format!("kept exit code {code}: {why}"), None);
    code
}

fn decide(args: &Args, global: &Global, console: &Console, ending: Ending) -> u8 {
    let mut trouble = Vec::new();
    let settled = global.settle().unwrap_or_else(|failure| {
        trouble.push(words(&failure));
        Settled::bare()
    });
    let request = args.request(global, &settled, ending, trouble);
    let progress = Progress::new(console);
    let outcome = with_history(&settled, |history| gate(history, &request, &progress));
    progress.finish(console);
    deliver(args, console, ending, &outcome)
}

/// Hands the history on as it is found; what is wrong with it is for the gate to weigh.
pub(super) fn with_history<T>(settled: &Settled, then: impl FnOnce(&HistoryInput<'_>) -> T) -> T {
    if !settled.db.exists() {
        return then(&HistoryInput::Absent);
    }
    match SqliteStore::open_within(&settled.db, OpenMode::ReadOnly, HISTORY_WAIT_MS) {
        Ok(store) => then(&HistoryInput::Open(&store)),
        Err(error) => then(&HistoryInput::Unusable { message: error.to_string() }),
    }
}

/// How long a run that has ended waits for others who write, in milliseconds.
pub(super) const HISTORY_WAIT_MS: u64 = 10_000;

pub(super) fn words(failure: &Failure) -> String {
    failure.error.as_ref().map_or_else(String::new, |error| format!("{error:#}"))
}

/// Writes the decision everywhere it is wanted. An excuse that nobody can read is none.
fn deliver(args: &Args, console: &Console, ending: Ending, outcome: &GateOutcome) -> u8 {
    let view = &outcome.view;
    let written = page(view, args.format, console)
        .and_then(|page| console.deliver(&page, args.output.as_deref()));
    if let Err(error) = written {
        let why = format!("the result cannot be written: {error:#}");
        return own_trouble(args, console, ending, &why);
    }
    if args.format != Format::Table || args.output.is_some() {
        console.note(&crate::report::escape::line(&view.headline));
    }
    let mut trouble = view.has_own_trouble();
    for also in &args.also {
        let written = page(view, also.format, console)
            .and_then(|page| console.deliver(&page, also.file.as_deref()));
        if let Err(error) = written {
            console.warn(&format!("{error:#}"));
            trouble = true;
        }
    }
    if args.strict && trouble { exit::FAILED } else { outcome.exit }
}

pub(super) fn page(view: &GateView, format: Format, console: &Console) -> anyhow::Result<String> {
    screen(View::Gate(view), format, console)
}

impl Args {
    fn request(
        &self,
        global: &Global,
        settled: &Settled,
        ending: Ending,
        mut trouble: Vec<String>,
    ) -> GateRequest {
        let around = self.run.around(global, settled).unwrap_or_else(|failure| {
            trouble.push(words(&failure));
            Around { overrides: Default::default(), surroundings: Surroundings::default() }
        });
        let now = Timestamp::from(chrono::Utc::now());
        let configured = || settled.file.reports.iter().map(|path| settled.directory.join(path));
        let paths = if self.paths.is_empty() { configured().collect() } else { self.paths.clone() };
        GateRequest {
            rounds: vec![ReadRequest {
                paths,
                documents: Vec::new(),
                format: InputFormat::Junit,
                repository_root: around.repository_root(),
                now: Some(now),
                ..ReadRequest::default()
            }],
            ending,
            retries: Vec::new(),
            started: self.run.started,
            runner: self.runner.clone(),
            words: Vec::new(),
            overrides: around.overrides,
            surroundings: around.surroundings,
            list: self.rules.list(settled),
            owners: owners(settled),
            settings: self.rules.settings(settled),
            trouble,
            now,
        }
    }
}

/// Says why arguments make no sense, the decision first. Help is help, whatever else is typed, but
/// where a code was given it is no reason to pass.
pub fn refuse(error: &clap::Error, code: u8, said: &str) -> ExitCode {
    let is_help = !error.use_stderr();
    if is_help {
        let _ = error.print();
        let given = std::env::args().any(|word| word.starts_with(FLAG));
        return ExitCode::from(if given { code } else { exit::FINE });
    }
    // Standard output may be closed; the code still says it.
    let _ = writeln!(std::io::stdout(), "{said}");
    let _ = error.print();
    ExitCode::from(code)
}

/// The exit code of a `flakedb gate` whose arguments make no sense, and the line that says so: the
/// runner's code where that can be read, else 125; `None` for any other command.
pub fn of_unreadable(arguments: impl Iterator<Item = OsString>) -> Option<(u8, String)> {
    let words: Vec<String> =
        arguments.skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let at = words.iter().position(|word| word == "gate")?;
    let typed = words.iter().enumerate().skip(at).find_map(|(place, word)| {
        match word.strip_prefix(FLAG)? {
            "" => words.get(place + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        }
    });
    let code = match typed.map(parse_code) {
        Some(Ok(code)) if !words.iter().any(|word| word == "--strict") => {
            Ending::of_code(code).code()
        }
        _ => exit::FAILED,
    };
    let said = match code {
        0 => "passed: the runner exited with 0, but the arguments of flakedb make no sense",
        exit::FAILED => "exit code 125: the arguments of flakedb make no sense",
        _ => {
            return Some((
                code,
                format!("kept exit code {code}: the arguments of flakedb make no sense"),
            ));
        }
    };
    Some((code, said.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(line: &str) -> Option<u8> {
        let words = line.split(' ').map(OsString::from);
        of_unreadable(words).map(|(code, _)| code)
    }

    #[test]
    fn arguments_that_make_no_sense_keep_the_code() {
        for (line, code) in [
            ("flakedb gate --runner-exit-code 1 --nonsense", Some(1)),
            ("flakedb gate --nonsense --runner-exit-code=7", Some(7)),
            ("flakedb --db x gate --runner-exit-code 137", Some(137)),
            ("flakedb gate --runner-exit-code 0 --nonsense", Some(0)),
            ("flakedb gate --runner-exit-code 256 --nonsense", Some(255)),
            ("flakedb gate --runner-exit-code -1 --nonsense", Some(255)),
            ("flakedb gate --runner-exit-code", Some(125)),
            ("flakedb gate --runner-exit-code x", Some(125)),
            ("flakedb gate --runner-exit-code=", Some(125)),
            ("flakedb gate --runner-exit-codes=0", Some(125)),
            ("flakedb gate", Some(125)),
            ("flakedb gate --runner-exit-code 1 --nonsense --strict", Some(125)),
            ("flakedb ingest --runner-exit-code 1", None),
            ("flakedb", None),
        ] {
            assert_eq!(unreadable(line), code, "{line}");
        }
    }

    #[test]
    fn only_zero_reads_as_zero() {
        for (text, code) in [
            ("0", Ok(0)),
            (" 1 ", Ok(1)),
            ("-1", Ok(-1)),
            ("3221225477", Ok(i32::MAX)),
            ("-9999999999", Ok(i32::MAX)),
        ] {
            assert_eq!(parse_code(text), code, "{text}");
        }
        for text in ["", "x", "1.0", "0x1", "99999999999999999999"] {
            assert!(parse_code(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_outputs_name_a_format_and_maybe_a_file() {
        assert_eq!(
            parse_also("markdown=a=b.md"),
            Ok(Also { format: Format::Markdown, file: Some("a=b.md".into()) })
        );
        assert_eq!(parse_also("github"), Ok(Also { format: Format::Github, file: None }));
        assert!(parse_also("xml=a").is_err() && parse_also("json=").is_err());
    }
}
