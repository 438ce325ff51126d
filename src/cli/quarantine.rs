//! `flakedb quarantine`: the tests that must not block a merge.

mod add;
mod lint;
mod remove;
mod simulate;
mod update;

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::ops::quarantine::{Quarantine, QuarantineRequest, quarantine};
use crate::quarantine::emit::{FORMATS, Format};
use crate::report::{Kind, View};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::judging::{JudgingArgs, owners};
use super::list::ListArgs;
use super::output::{FormatArgs, screen, written_as};
use super::progress::Progress;

/// List the tests that must not block a merge, for people or for a test runner
///
/// The list is quarantine.toml, which a team reviews; `update` proposes what should change in it.
/// Where there is none, the list holds the tests that the method finds flaky, the most harmful first
/// and no more than the cap. Broken tests never come on it.
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", written_as(&[Kind::Quarantine])), after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Write the list as a runner takes it
    #[arg(long, value_name = "RUNNER", value_parser = runners(), num_args = 0..=1,
          default_missing_value = "list", conflicts_with = "format")]
    emit: Option<String>,
    /// With --emit: write how to run only the listed tests, to see how they fare
    #[arg(long, requires = "emit")]
    only: bool,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    output: FormatArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Update(update::Args),
    Add(add::Args),
    Remove(remove::Args),
    Lint(lint::Args),
    Simulate(simulate::Args),
}

const EXAMPLES: &str = "\
Examples:
  flakedb quarantine
  flakedb quarantine update                          who should enter, stay and leave
  flakedb quarantine --emit                          one test a line

  flakedb quarantine --emit pytest -o skip.txt && pytest @skip.txt
  cargo nextest run -E \"$(flakedb quarantine --emit nextest)\"
  go test -skip \"$(flakedb quarantine --emit go)\" ./...
  npx jest --testNamePattern=\"$(flakedb quarantine --emit jest)\"
  npx vitest run -t \"$(flakedb quarantine --emit vitest)\"

  flakedb quarantine --emit go --only | xargs -d '\\n' go test ./...";

fn runners() -> PossibleValuesParser {
    let value = |format: &Format| {
        PossibleValue::new(format.name).aliases(format.aliases).help(format.summary)
    };
    PossibleValuesParser::new(FORMATS.iter().map(value))
}

/// Makes the list and writes it.
///
/// # Errors
/// Where the history cannot be used or the list cannot be written.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    match &args.command {
        Some(Command::Update(args)) => return update::run(args, global, console),
        Some(Command::Add(args)) => return add::run(args, global, console),
        Some(Command::Remove(args)) => return remove::run(args, global, console),
        Some(Command::Lint(args)) => return lint::run(args, global, console),
        Some(Command::Simulate(args)) => return simulate::run(args, global, console),
        None => {}
    }
    let settled = global.settle()?;
    let list = args.list.load(&settled)?;
    let store = settled.open_to_read()?;
    let request = QuarantineRequest {
        list,
        today: args.list.today(),
        judge: args.judging.request(global, &settled, &store)?,
        policy: settled.file.quarantine.clone().unwrap_or_default(),
        owners: owners(&settled),
    };
    let progress = Progress::new(console);
    let list = quarantine(&store, request, &progress);
    progress.finish(console);
    let list = list?;
    let file = args.output.output.as_deref();
    match args.emit.as_deref().and_then(Format::find) {
        Some(format) if args.only => only(&list, format, file, console),
        Some(format) => emit(&list, format, file, console),
        None => {
            let page = screen(View::Quarantine(list.view()), args.output.format, console)?;
            console.deliver(&page, file)?;
            Ok(exit::FINE)
        }
    }
}

fn emit(
    list: &Quarantine,
    format: &Format,
    file: Option<&Path>,
    console: &Console,
) -> Result<u8, Failure> {
    let emitted = list.emit(format);
    deliver(&emitted.text, &emitted.notes, format.usage, file, console)
}

/// Writes how to run only the listed tests.
fn only(
    list: &Quarantine,
    format: &Format,
    file: Option<&Path>,
    console: &Console,
) -> Result<u8, Failure> {
    let Some(usage) = format.only_usage() else {
        let formats = FORMATS.iter().filter(|format| format.only_usage().is_some());
        let names: Vec<&str> = formats.map(|format| format.name).collect();
        let error = anyhow::anyhow!("{} has no way to run only the listed tests", format.name);
        return Err(Failure::usage(error).hint(format!("these have: {}", names.join(", "))));
    };
    let Some(selected) = list.select(format) else {
        let error = anyhow::anyhow!("the list has no test that {} could run", format.name);
        return Err(Failure { code: exit::FINDINGS, error: Some(error), hint: None });
    };
    deliver(&selected.text(), &selected.notes, usage, file, console)
}

fn deliver(
    text: &str,
    notes: &[String],
    usage: &str,
    file: Option<&Path>,
    console: &Console,
) -> Result<u8, Failure> {
    console.deliver(text, file)?;
    for note in notes {
        console.warn(note);
    }
    if console.is_interactive() && file.is_none() && !usage.is_empty() {
        console.note(&format!("with the list in FILE: {usage}"));
    }
    Ok(exit::FINE)
}
