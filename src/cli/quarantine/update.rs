//! `flakedb quarantine update`: the plan of changes, and writing it.

use crate::ops::quarantine_update::{UpdateRequest, update};
use crate::report::View;
use crate::report::view::Applied;

use super::super::console::Console;
use super::super::exit;
use super::super::failure::Failure;
use super::super::global::Global;
use super::super::judging::{JudgingArgs, owners};
use super::super::list::ListArgs;
use super::super::output::FormatArgs;
use super::super::progress::Progress;

/// Plan who enters, is extended, released, expires or is stale, each with its evidence
///
/// Nothing is written without --apply. To enter asks for more than to stay, so that a test does not
/// come and go; see `[quarantine]` in flakedb.toml for the numbers. Comments and order of the file
/// are kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb quarantine update
  flakedb quarantine update --apply
  flakedb quarantine update --format markdown -o body.md && flakedb quarantine update --apply
      a nightly job: the body of its pull request, and the change")]
pub(super) struct Args {
    /// Write the changes to the list, all or nothing; make the file where there is none
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Plans the changes and shows them.
///
/// # Errors
/// Where the history or the list cannot be used.
pub(super) fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let store = settled.open_to_read()?;
    let request = UpdateRequest {
        judge: args.judging.request(global, &settled, &store)?,
        policy: settled.file.quarantine.clone().unwrap_or_default(),
        owners: owners(&settled),
        path: args.list.path(&settled),
        today: args.list.today(),
        state: if args.apply { Applied::Written } else { Applied::Proposed },
    };
    let progress = Progress::new(console);
    let view = update(&store, request, &progress);
    progress.finish(console);
    args.output.deliver(View::QuarantineUpdate(&view?), console)?;
    Ok(exit::FINE)
}
