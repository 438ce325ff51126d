//! `flakedb report`: the verdicts of a window.

use crate::analysis::verdict::{Status, Verdict};
use crate::context::git::commit_of;
use crate::ops::backtest::backtest;
use crate::ops::causes::deepen;
use crate::ops::dashboard::{DashboardRequest, dashboard};
use crate::ops::judge::{JudgeRequest, Names, judge};
use crate::ops::latest_failure::latest_failures;
use crate::ops::question::answer;
use crate::report::limits::TERMINAL_TESTS_MAX;
use crate::report::view::{Explain, Listing, ReportInput, ReportView};
use crate::report::{Format, Kind, View, sentence};
use crate::store::query::TestNo;
use crate::store::sqlite::SqliteStore;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::{Global, Settled};
use super::judging::{JudgingArgs, owners};
use super::list::ListArgs;
use super::output::{FormatArgs, written_as};
use super::progress::Progress;
use super::question::QuestionArgs;

/// Say which tests are flaky, broken, fixed, and which only failed because the machine did
#[derive(Debug, clap::Args)]
#[command(mut_arg("format", written_as(&[Kind::Report, Kind::Backtest, Kind::Question, Kind::Dashboard])), after_help = "\
Examples:
  flakedb report
  flakedb report --days 14 --branch main
  flakedb report --explain                     what weighed how much in each verdict
  flakedb report --strict                      call a test flaky only when surer
  flakedb report --backtest                    what other thresholds would have done
  flakedb report --format markdown >> $GITHUB_STEP_SUMMARY
  flakedb report --format html -o report.html  one page for a browser
  flakedb report --method threshold --window 10 --min-runs 3 --threshold 0.3
  flakedb report --fail-on newly-broken        exit with 1 where there is one
  flakedb report --costs --days 30             which tests cost most this month
  flakedb report --compare                     what is new since last week
  flakedb report --compare 2026-11-01          what is new since that day
  flakedb report --revision 1f3a9c0            what this revision brought
  flakedb report --clusters                    which failures are one and the same cause
  flakedb report --owners --days 7             whose tests cost most this week
  flakedb report --associations                which tests only fail on one machine or at one time
  flakedb report --slower                      which tests got slower, and since when
  flakedb report --healed                      what healed")]
pub struct Args {
    /// List healthy tests, too
    #[arg(long, conflicts_with_all = ["status", "question"])]
    all: bool,
    /// List only tests of this status (may be repeated)
    #[arg(long, value_name = "STATUS", value_parser = statuses(), value_delimiter = ',',
          conflicts_with = "question")]
    status: Vec<Status>,
    /// Show what weighed how much in each verdict
    #[arg(long, conflicts_with = "question")]
    explain: bool,
    /// Replay the history: what each threshold would have called flaky, spared and hidden
    #[arg(long, conflicts_with_all = ["all", "status", "explain", "fail_on", "question"])]
    backtest: bool,
    /// Exit with 1 where a test has this status (may be repeated)
    #[arg(long, value_name = "STATUS", value_parser = statuses(), value_delimiter = ',',
          conflicts_with = "question")]
    fail_on: Vec<Status>,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    output: FormatArgs,
}

fn statuses() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::word)).map(|word| {
        Status::ALL.into_iter().find(|status| status.word() == word).unwrap_or(Status::Healthy)
    })
}

/// Judges the window and shows the verdicts.
///
/// # Errors
/// Where the history cannot be used or the result cannot be written.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    args.refuse_a_page_on_a_terminal(console)?;
    let settled = global.settle()?;
    let store = settled.open_to_read()?;
    let request = args.judging.request(global, &settled, &store)?;
    let progress = Progress::new(console);
    if let Some(question) = args.question.asked() {
        args.output.format.check(Kind::Question).map_err(Failure::usage)?;
        let owners = owners(&settled);
        let named = |name: &str| commit_of(&settled.directory, name);
        let view = answer(&question, &store, &request, owners.as_ref(), &named, &progress)?;
        progress.finish(console);
        args.output.deliver(View::Question(&view), console)?;
        return Ok(exit::FINE);
    }
    if args.backtest {
        args.output.format.check(Kind::Backtest).map_err(Failure::usage)?;
        let view = backtest(&store, &request, &progress)?;
        progress.finish(console);
        args.output.deliver(View::Backtest(&view), console)?;
        return Ok(exit::FINE);
    }
    if args.output.format == Format::Html {
        let alarming = args.page(&settled, &store, request, console, &progress)?;
        return Ok(if alarming { exit::FINDINGS } else { exit::FINE });
    }
    let mut judged = judge(&store, &request, &[], &progress)?;
    let listing = args.listing();
    if args.explain {
        let shown = judged.judgement.verdicts.iter().filter(|verdict| listing.shows(verdict));
        let tests: Vec<TestNo> =
            shown.map(|verdict| verdict.test).take(TERMINAL_TESTS_MAX).collect();
        deepen(&store, &request.project, &mut judged, &tests).map_err(Failure::history)?;
    }
    let verdicts = &judged.judgement.verdicts;
    let alarming = verdicts.iter().any(|verdict| args.fail_on.contains(&verdict.status));
    let shown: Vec<&Verdict> = verdicts.iter().filter(|verdict| listing.shows(verdict)).collect();
    let names =
        Names::of(&store, shown.iter().copied(), owners(&settled)).map_err(Failure::history)?;
    let mut view = ReportView::new(
        &judged.judgement,
        &|verdict| names.label(verdict.test),
        ReportInput {
            project: &request.project,
            window: &request.window_text(),
            listing,
            modules: &judged.modules,
            explain: if args.explain { Explain::Yes } else { Explain::No },
        },
    );
    if args.output.format.shows_failures() {
        let failures = latest_failures(&store, &request.project, &judged, &names, &shown);
        for (test, failure) in view.tests.iter_mut().zip(failures.map_err(Failure::history)?) {
            test.latest_failure = failure;
        }
    }
    progress.finish(console);
    if args.output.format == Format::Csv && view.left_out > 0 && args.status.is_empty() {
        let left = sentence::count(view.left_out, "test");
        console.note(&format!("{left} without need for attention left out; --all lists all"));
    }
    args.output.deliver(View::Report(&view), console)?;
    Ok(if alarming { exit::FINDINGS } else { exit::FINE })
}

impl Args {
    fn refuse_a_page_on_a_terminal(&self, console: &Console) -> Result<(), Failure> {
        let FormatArgs { format, output } = &self.output;
        if *format != Format::Html || output.is_some() || !console.is_interactive() {
            return Ok(());
        }
        let error = anyhow::anyhow!("HTML is for a browser, not for a terminal");
        let hint = "write it to a file: flakedb report --format html -o report.html";
        Err(Failure::usage(error).hint(hint))
    }

    /// Writes the window as one page with everything on it; true where a status asked for is there.
    fn page(
        &self,
        settled: &Settled,
        store: &SqliteStore,
        judge: JudgeRequest,
        console: &Console,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let request = DashboardRequest {
            judge,
            policy: settled.file.quarantine.clone().unwrap_or_default(),
            owners: owners(settled),
            list: self.list.load(settled)?,
            today: self.list.today(),
            // A page can be searched, so that it lists everything where nothing else is asked.
            listing: match self.listing() {
                Listing::Only(statuses) => Listing::Only(statuses),
                Listing::Attention | Listing::All => Listing::All,
            },
        };
        let view = dashboard(store, request, progress)?;
        let found = view.report.totals.by_status.iter().filter(|(_, count)| *count > 0);
        let alarming = found.into_iter().any(|(status, _)| self.fail_on.contains(status));
        progress.finish(console);
        self.output.deliver(View::Dashboard(&view), console)?;
        Ok(alarming)
    }

    fn listing(&self) -> Listing {
        // A dashboard counts the tests of a document: all of them are in it.
        let all = self.all || self.output.format == Format::Junit;
        match (all && self.status.is_empty(), self.status.is_empty()) {
            (true, _) => Listing::All,
            (false, true) => Listing::Attention,
            (false, false) => Listing::Only(self.status.iter().copied().collect()),
        }
    }
}
