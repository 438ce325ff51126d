//! `flakedb quarantine simulate`: the policy, replayed over the history.

use chrono::NaiveDate;

use crate::ops::quarantine_simulate::{SimulateRequest, simulate};
use crate::report::View;

use super::super::console::Console;
use super::super::exit;
use super::super::failure::Failure;
use super::super::global::Global;
use super::super::judging::JudgingArgs;
use super::super::list::ListArgs;
use super::super::output::FormatArgs;
use super::super::progress::Progress;
use super::super::window::parse_date;

/// Replay the history day by day under the policy: what it would have spared, hidden and held
///
/// Each day is decided from what was known before it, as a nightly `update --apply` would have done
/// it, from an empty list on; `always` and `never` rules of the list hold. What the failures were is
/// the judgement in hindsight.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb quarantine simulate --from 2026-09-01
  flakedb quarantine simulate --from 2026-09-01 --until 2026-10-01 --format json
  flakedb quarantine simulate --from 2026-09-01 --set quarantine.release-runs=60
      what another number would have done")]
pub(super) struct Args {
    /// The first day to replay, in UTC
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    from: NaiveDate,
    /// The first day not to replay any more [default: the day after the newest run]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    until: Option<NaiveDate>,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Replays the days and shows what would have been.
///
/// # Errors
/// Where the history or the list cannot be used.
pub(super) fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    if let Some(until) = args.until.filter(|until| *until <= args.from) {
        return Err(Failure::usage(anyhow::anyhow!(
            "there is no day to replay: --from {} is not before --until {until}",
            args.from
        )));
    }
    let settled = global.settle()?;
    let rules = args.list.load(&settled)?.map(|file| file.list).unwrap_or_default();
    let store = settled.open_to_read()?;
    let request = SimulateRequest {
        judge: JudgingArgs::default().request(global, &settled, &store)?,
        policy: settled.file.quarantine.clone().unwrap_or_default(),
        rules,
        from: args.from,
        until: args.until,
    };
    let progress = Progress::new(console);
    let view = simulate(&store, request, &progress);
    progress.finish(console);
    args.output.deliver(View::QuarantineSimulation(&view?), console)?;
    Ok(exit::FINE)
}
