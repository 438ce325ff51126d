//! `flakedb contracts`: a node of an LLM application, in any language, held to its promises.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::testkit::contracts::process::{Limits, Process};
use crate::testkit::contracts::{
    Judgement, Report, Subject as _, Verdict, clauses, run_one, run_subject,
};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::span::parse_span;

/// Hold a node of an LLM application, in any language, to what every node promises
///
/// Starts the command and speaks to it in lines of JSON over its standard input and output
/// (docs/contracts.md has the protocol; examples/contracts has a node in Python). Each clause passes,
/// fails, does not apply, or was not exercised: what never succeeded cannot pass. Exits with 1 where
/// a promise is broken, with --complete also where a clause was not exercised, and with 3 where the
/// command cannot be spoken to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb contracts -- python3 examples/contracts/python/echo_node.py
  flakedb contracts --format junit -o contracts.xml -- ./my-node && flakedb ingest contracts.xml
  flakedb contracts --clause timeout_honoured -- ./my-node
  flakedb contracts --list                 the clauses, why they are there, what breaks them")]
pub struct Args {
    /// Run only this clause, by id or name (may be repeated)
    #[arg(long, value_name = "CLAUSE")]
    clause: Vec<String>,
    /// Fail where a clause was not exercised, too
    #[arg(long)]
    complete: bool,
    /// How long the command may take for one answer, as 500ms or 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_span)]
    timeout: Duration,
    /// How to write the result
    #[arg(long, short, value_name = "FORMAT", default_value = "table", help_heading = "Output")]
    format: Format,
    /// Write the result to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Show the clauses; runs nothing
    #[arg(long, conflicts_with_all = ["clause", "complete", "command"])]
    list: bool,
    /// The command, behind --
    #[arg(last = true, required_unless_present = "list", value_name = "CMD")]
    command: Vec<OsString>,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// With promises, reasons and evidence
    Json,
    /// JUnit XML, a test for each clause: what `flakedb ingest` reads
    Junit,
}

/// Runs the clauses and shows what became of them.
///
/// # Errors
/// Where the command cannot be spoken to, a clause is unknown, or the result cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    if args.list {
        console.deliver(&listed(args.format)?, args.output.as_deref())?;
        return Ok(exit::FINE);
    }
    let report = report(args)?;
    console.deliver(&written(&report, args.format)?, args.output.as_deref())?;
    let kept = if args.complete { report.is_complete() } else { report.conforms() };
    let is_fine = |judgement: &Judgement| match judgement.verdict {
        Verdict::Pass | Verdict::NotApplicable => true,
        Verdict::NotExercised => !args.complete,
        Verdict::Fail => false,
    };
    // A few clauses alone do not show that the node ever succeeded.
    let fine = if args.clause.is_empty() { kept } else { report.judgements.iter().all(is_fine) };
    Ok(if fine { exit::FINE } else { exit::FINDINGS })
}

fn report(args: &Args) -> Result<Report, Failure> {
    let mut words = args.command.iter();
    let mut command = Command::new(words.next().unwrap_or(&OsString::new()));
    command.args(words);
    let limits = Limits { answer: args.timeout, ..Limits::default() };
    let subject = Arc::new(Process::start(command, limits).map_err(Failure::input)?);
    if args.clause.is_empty() {
        return Ok(run_subject(subject));
    }
    let name = subject.profile().name.clone();
    let judgements = args.clause.iter().map(|clause| run_one(Arc::clone(&subject), clause));
    let judgements = judgements.collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?;
    Ok(Report { subject: name, judgements })
}

fn written(report: &Report, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Table => format!("{report}\n"),
        Format::Json => format!("{:#}\n", report.to_json()),
        Format::Junit => {
            let mut bytes = Vec::new();
            Report::write_junit(std::slice::from_ref(report), &mut bytes)?;
            String::from_utf8(bytes)?
        }
    })
}

fn listed(format: Format) -> Result<String, Failure> {
    match format {
        Format::Json => Ok(format!("{:#}\n", serde_json::json!(clauses().collect::<Vec<_>>()))),
        Format::Junit => {
            let error = anyhow::anyhow!("clauses that did not run are no JUnit XML");
            Err(Failure::usage(error).hint("write --format table or json"))
        }
        Format::Table => {
            let each = clauses().map(|clause| {
                format!(
                    "{}\n  {}\n  why: {}\n  broken: {}\n",
                    clause.title(),
                    clause.promise,
                    clause.reason,
                    clause.violation
                )
            });
            Ok(each.collect::<Vec<_>>().join("\n"))
        }
    }
}
