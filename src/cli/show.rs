//! `flakedb show`: one test with its evidence.

use crate::ops::show::{ShowRequest, show};
use crate::report::{Kind, View};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::judging::{JudgingArgs, owners};
use super::list::ListArgs;
use super::output::{FormatArgs, written_as};
use super::progress::Progress;

/// Show one test: its verdict and how it came to it, its runs, breakages, failures and quarantine
///
/// The test may be typed in part and in any case; it is found where one test fits best.
///
/// The verdict is followed run by run. Links lead to the CI's log of each run, where the terminal
/// can open them. Git is asked, where it is there, how many commits lie between the last good and
/// the first bad revision, and when the quarantine list changed for the test.
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", written_as(&[Kind::Show])), after_help = "\
Examples:
  flakedb show 'tests.test_cart::test_checkout'
  flakedb show checkout
  flakedb show checkout --full                       texts of failures whole
  flakedb show checkout --days 90 --format json")]
pub struct Args {
    /// The test, or part of its name
    #[arg(value_name = "TEST", allow_hyphen_values = true)]
    test: String,
    /// Print the texts of failures whole, not their two ends
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Finds, judges and shows the test.
///
/// # Errors
/// No such test, several, or a history that cannot be used.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let store = settled.open_to_read()?;
    // A list that cannot be read keeps nobody from looking at a test.
    let list = match args.list.load(&settled) {
        Ok(list) => list,
        Err(unusable) if args.list.list.is_some() => return Err(unusable),
        Err(unusable) => {
            if let Some(error) = &unusable.error {
                console.warn(&format!("{error:#}"));
            }
            None
        }
    };
    let request = ShowRequest {
        judge: args.judging.request(global, &settled, &store)?,
        typed: args.test.clone(),
        owners: owners(&settled),
        list,
        today: args.list.today(),
        directory: settled.directory.clone(),
        full: args.full,
    };
    let progress = Progress::new(console);
    let view = show(&store, request, &progress)?;
    progress.finish(console);
    args.output.deliver(View::Show(&view), console)?;
    Ok(exit::FINE)
}
