//! `flakedb compare-methods`: what each method makes of one's own history.

use crate::analysis::method::METHODS;
use crate::ops::compare::compare;
use crate::report::View;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::judging::{JudgingArgs, methods, owners};
use super::output::FormatArgs;
use super::progress::Progress;

/// Compare methods of judging on your own history: who flags what, where they differ, and why
///
/// Reads the window once and judges it by every method. The others are compared with the method
/// that --method or the configuration names; flags and settings hold for each method that has them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb compare-methods
  flakedb compare-methods --methods filter,threshold,same-revision --days 30
  flakedb compare-methods --method threshold --threshold 0.2
  flakedb compare-methods --set judging.wilson.outages=leave-out
  flakedb compare-methods --format json | jq '.disputes[].test'")]
pub struct Args {
    /// Compare only these methods (may be repeated) [default: all]
    #[arg(long, value_name = "NAMES", value_parser = methods(), value_delimiter = ',')]
    methods: Vec<String>,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Judges the window by each method and shows where they differ.
///
/// # Errors
/// Where the history cannot be used or the result cannot be written.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let store = settled.open_to_read()?;
    let others: Vec<&str> = match args.methods.as_slice() {
        [] => METHODS.iter().map(|method| method.name).collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    let request = args.judging.request_of(global, &settled, &store, &others)?;
    if others.iter().all(|method| *method == request.settings.method) {
        let error = anyhow::anyhow!("{} is compared with nothing", request.settings.method);
        return Err(Failure::usage(error).hint("name another method in --methods as well"));
    }
    let progress = Progress::new(console);
    let view = compare(&store, &request, &others, owners(&settled), &progress)?;
    progress.finish(console);
    args.output.deliver(View::Compare(&view), console)?;
    Ok(exit::FINE)
}
