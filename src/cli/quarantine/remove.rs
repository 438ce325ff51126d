//! `flakedb quarantine remove`: an entry out by hand.

use crate::model::Variant;
use crate::ops::quarantine_edit::remove;
use crate::report::View;

use super::super::console::Console;
use super::super::exit;
use super::super::failure::Failure;
use super::super::global::Global;
use super::super::list::ListArgs;
use super::super::output::FormatArgs;

/// Take a test off the list, with all its entries
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb quarantine remove test_checkout
  flakedb quarantine remove test_paths --variant os=windows
  flakedb quarantine remove 'tests.e2e.*'                     a pattern, as it stands there")]
pub(super) struct Args {
    /// The test or the pattern, as it stands in the list or the end of it
    test: String,
    /// Only the entry of these matrix cells (os=windows)
    #[arg(long, value_name = "VARIANT")]
    variant: Option<Variant>,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Removes the entries and shows them.
///
/// # Errors
/// Where the list has no such entry, or cannot be used.
pub(super) fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let path = args.list.require(&settled)?.path;
    let view = remove(&path, &args.test, args.variant.as_ref(), args.list.today())?;
    args.output.deliver(View::QuarantineUpdate(&view), console)?;
    Ok(exit::FINE)
}
