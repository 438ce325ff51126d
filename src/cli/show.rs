//! `flakedb show`: one test with its evidence.

use crate::ops::show::show;
use crate::report::{Kind, View};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::judging::{JudgingArgs, owners};
use super::output::{FormatArgs, screen, written_as};
use super::progress::Progress;

/// Show one test: verdict, evidence, timeline, failures by signature
///
/// The test may be typed in part and in any case; it is found where one test fits best.
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", written_as(&[Kind::Show])), after_help = "\
Examples:
  flakedb show 'tests.test_cart::test_checkout'
  flakedb show checkout
  flakedb show checkout --days 90 --format json")]
pub struct Args {
    /// The test, or part of its name
    #[arg(value_name = "TEST", allow_hyphen_values = true)]
    test: String,
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
    let request = args.judging.request(global, &settled, &store)?;
    let progress = Progress::new(console);
    let view = show(&store, &request, &args.test, owners(&settled), &progress)?;
    progress.finish(console);
    let page = screen(View::Show(&view), args.output.format, console)?;
    console.deliver(&page, args.output.output.as_deref())?;
    Ok(exit::FINE)
}
