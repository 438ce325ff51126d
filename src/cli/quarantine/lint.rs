//! `flakedb quarantine lint`: what is wrong with the list.

use crate::ops::quarantine_lint::{LintRequest, lint, lint_alone};
use crate::report::{Format, Kind, View};

use super::super::console::Console;
use super::super::exit;
use super::super::failure::Failure;
use super::super::global::Global;
use super::super::judging::{JudgingArgs, owners};
use super::super::list::ListArgs;
use super::super::output::{FormatArgs, screen, written_as};
use super::super::progress::Progress;

/// Say what is wrong with the list, with file and line, and exit with 1 where anything is
///
/// Codes: expired, no-expiry, no-owner, no-reason, no-ticket, duplicate, shadowed, unmatched,
/// over-budget. `allow` under `[quarantine]` in flakedb.toml names those that are fine here.
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", written_as(&[Kind::QuarantineLint])), after_help = "\
Examples:
  flakedb quarantine lint
  flakedb quarantine lint --set 'quarantine.allow=[\"no-ticket\"]'
  flakedb quarantine lint --github            annotations on the lines of the file, in a workflow")]
pub(super) struct Args {
    /// Write each finding as an annotation of GitHub Actions at its line: short for --format github
    #[arg(long, conflicts_with = "format")]
    github: bool,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Looks at the list and shows what is wrong.
///
/// # Errors
/// Where the list, or the history that is there, cannot be used.
pub(super) fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let request = LintRequest {
        list: args.list.require(&settled)?,
        policy: settled.file.quarantine.clone().unwrap_or_default(),
        owners: owners(&settled),
        today: args.list.today(),
    };
    // A fork has the list, but no history.
    let view = match settled.db.exists() {
        false => lint_alone(&request),
        true => {
            let store = settled.open_to_read()?;
            let judged = args.judging.request(global, &settled, &store)?;
            let progress = Progress::new(console);
            let view = lint(&store, request, &judged, &progress);
            progress.finish(console);
            view?
        }
    };
    let format = if args.github { Format::Github } else { args.output.format };
    let page = screen(View::QuarantineLint(&view), format, console)?;
    console.deliver(&page, args.output.output.as_deref())?;
    Ok(if view.findings.is_empty() { exit::FINE } else { exit::FINDINGS })
}
