//! `flakedb quarantine add`: one entry by hand.

use chrono::NaiveDate;

use crate::model::Variant;
use crate::ops::quarantine_edit::{AddRequest, Wanted, add};
use crate::quarantine::list::{Entry, Target};
use crate::report::View;

use super::super::console::Console;
use super::super::exit;
use super::super::failure::Failure;
use super::super::global::Global;
use super::super::judging::{JudgingArgs, owners};
use super::super::list::ListArgs;
use super::super::output::FormatArgs;
use super::super::progress::Progress;
use super::super::window::parse_date;

/// Add one test to the list
///
/// Refused, with exit code 1, are broken tests, tests that the list covers already or a rule keeps
/// off, and any test above the budget.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb quarantine add test_checkout --reason 'times out on slow runners' --ticket SHOP-12
  flakedb quarantine add test_paths --variant os=windows --owner @acme/desktop
  flakedb quarantine add --pattern 'tests.e2e.*' --expires 2026-12-24 --reason 'new cluster'")]
pub(super) struct Args {
    /// The test, as screens print it or the end of it
    #[arg(required_unless_present = "pattern", conflicts_with = "pattern")]
    test: Option<String>,
    /// All tests whose whole name fits: `*` spans anything, `?` one character
    #[arg(long, value_name = "GLOB")]
    pattern: Option<String>,
    /// Only in matrix cells that have these pairs (os=windows)
    #[arg(long, value_name = "VARIANT")]
    variant: Option<Variant>,
    /// Why it is listed
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who should mend it [default: as CODEOWNERS says]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Where the repair is tracked
    #[arg(long, value_name = "TEXT")]
    ticket: Option<String>,
    /// The first day on which it covers nothing any more [default: in quarantine.expires-days days]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    expires: Option<NaiveDate>,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    output: FormatArgs,
}

/// Adds the entry and shows it.
///
/// # Errors
/// Where the test is unknown or refused, or the history or the list cannot be used.
pub(super) fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let settled = global.settle()?;
    let store = settled.open_to_read()?;
    let target = match (&args.test, &args.pattern) {
        (_, Some(pattern)) => Wanted::Pattern(pattern.clone()),
        (test, None) => Wanted::Test(test.clone().unwrap_or_default()),
    };
    let entry = Entry {
        variant: args.variant.clone().unwrap_or_default(),
        owner: args.owner.clone(),
        reason: args.reason.clone(),
        ticket: args.ticket.clone(),
        expires: args.expires,
        ..Entry::new(Target::Test(String::new()))
    };
    let request = AddRequest {
        judge: JudgingArgs::default().request(global, &settled, &store)?,
        policy: settled.file.quarantine.clone().unwrap_or_default(),
        owners: owners(&settled),
        path: args.list.path(&settled),
        today: args.list.today(),
        target,
        entry,
    };
    let progress = Progress::new(console);
    let view = add(&store, request, &progress);
    progress.finish(console);
    args.output.deliver(View::QuarantineUpdate(&view?), console)?;
    Ok(exit::FINE)
}
