//! The verdicts of a window on a terminal.

use super::super::limits::{
    FIELD_CHARS_MAX, NAME_CHARS_MAX, OUTAGES_SHOWN_MAX, STRIP_COLUMN_MAX, STRIP_COLUMN_PIPED_MAX,
    STRIP_COLUMN_WIDE_MIN, TERMINAL_TESTS_MAX,
};
use super::super::palette::Tone;
use super::super::view::{
    EventView, Explain, OutageView, ReportView, RunsView, TestView, WindowView,
};
use super::super::{escape, explanation, phrase, sentence, strip};
use super::page::{Airy, Column, Fit, Grid, NO_BREAK, Page};
use super::weighing;
use crate::analysis::verdict::Status;

/// Up to this width a test has its whole line, and its numbers stand below.
const STACKED_BELOW: u16 = 116;
/// From this width on the reason, the owner and the time have columns of their own.
const FULL_FROM: u16 = 150;
/// Columns that the widest status and the gap behind it take.
const STATUS_WIDTH: usize = 14;

pub(super) fn lay_out(view: &ReportView, page: &mut Page) {
    head(&view.project, &view.window, &view.runs, page);
    if view.runs.total == 0 {
        return nothing_yet(page);
    }
    summary(view, page);
    view.notes.iter().for_each(|note| page.prose(note));
    page.blank();
    // Away from a terminal nobody scrolls, but programs search.
    let shown = match (view.tests.get(..TERMINAL_TESTS_MAX), page.is_piped()) {
        (Some(first), false) => first,
        _ => view.tests.as_slice(),
    };
    match page.width() {
        width if width < STACKED_BELOW => stacked(shown, view.explain, page),
        width if width < FULL_FROM => wide(shown, view.explain, page),
        _ => full(shown, view.explain, page),
    }
    foot(view, shown, page);
    outages(view, page);
    groups(view, page);
    page.hints(&hints(view, page));
}

/// Whose window it is, and from when to when it reaches.
pub(super) fn head(project: &str, window: &WindowView, found: &RunsView, page: &mut Page) {
    let project = page.mark(Tone::Strong, &escape::line(project));
    page.prose(&format!("{project}: {}", escape::line(&phrase::window(window, found))));
}

pub(super) fn nothing_yet(page: &mut Page) {
    page.blank();
    page.prose("No runs in this window, so there is nothing to judge yet.");
    page.hints(&[
        ("flakedb ingest 'build/**/*.xml'".to_owned(), "adds the reports of a run"),
        ("flakedb db info".to_owned(), "shows which projects the history has"),
    ]);
}

/// How many tests there are of each status, and whether it gets better.
fn summary(view: &ReportView, page: &mut Page) {
    let totals = &view.totals;
    let variants = match (totals.tests, totals.verdicts) {
        (tests, verdicts) if tests == verdicts => String::new(),
        (_, verdicts) => format!(" ({} with variants)", sentence::number(verdicts)),
    };
    let counts: Vec<String> = totals
        .by_status
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| {
            let status_words = sentence::status(*status).replace(' ', NO_BREAK);
            let text = format!("{}{NO_BREAK}{status_words}", sentence::number(*count));
            page.mark(sentence::tone(*status), &text)
        })
        .collect();
    let tests = sentence::count(totals.tests, "test");
    page.prose(&format!("{tests}{variants}: {}", counts.join(", ")));
    page.prose(&sentence::trend(&view.runs));
}

fn name(test: &TestView) -> String {
    escape::shortened(&escape::line(&test.label()), NAME_CHARS_MAX).into_owned()
}

fn status(test: &TestView, page: &Page) -> String {
    let mut lines = vec![page.mark(sentence::tone(test.status), sentence::status(test.status))];
    lines.extend(sentence::certainty(test.certainty).map(|sure| page.mark(Tone::Faint, &sure)));
    lines.join("\n")
}

/// Marks that the strip has room for.
fn strip_width(page: &Page) -> usize {
    match (page.width(), page.is_piped()) {
        (_, true) => STRIP_COLUMN_PIPED_MAX,
        (width, _) if width < STACKED_BELOW => usize::from(width).saturating_sub(STATUS_WIDTH),
        (width, _) if width < FULL_FROM => {
            (STRIP_COLUMN_WIDE_MIN + usize::from(width - STACKED_BELOW) / 2).min(STRIP_COLUMN_MAX)
        }
        _ => STRIP_COLUMN_MAX,
    }
}

fn owners(test: &TestView) -> Option<String> {
    let owners = test.owners.join(" ");
    let shown = escape::line(&owners);
    (!owners.is_empty()).then(|| escape::shortened(&shown, FIELD_CHARS_MAX).into_owned())
}

/// The rate with its interval, and where it goes.
fn rate(test: &TestView) -> impl Iterator<Item = String> {
    let failing = test.failing();
    let rate = failing.rate.filter(|_| test.executions > 0).map(sentence::rate);
    rate.into_iter().chain(sentence::trend_of(failing.trend).map(str::to_owned))
}

/// How many executions had a failed attempt, in words.
fn failed(test: &TestView) -> String {
    let failing = test.failing();
    format!("{} of {}", sentence::number(failing.bad.into()), sentence::number(failing.of.into()))
}

fn marks(test: &TestView, page: &Page) -> String {
    let width = strip_width(page);
    // Coloured mark by mark, so that a failure stands out in a row of passes.
    strip::folded(&test.strip, width)
        .chars()
        .map(|mark| page.mark(tone(mark), &mark.to_string()))
        .collect()
}

pub(super) const fn tone(mark: char) -> Tone {
    match mark {
        'F' | 'E' => Tone::Bad,
        strip::RETRIED | strip::MIXED => Tone::Unsteady,
        _ => Tone::Faint,
    }
}

/// The reason and what the test cost, each on a line of its own; the weights where they were asked
/// for.
fn why(test: &TestView, explain: Explain, page: &Page) -> Vec<String> {
    let weights = match (explain, &test.weighing) {
        (Explain::Yes, Some(weights)) => {
            let besides = explanation::besides(test.status).map(str::to_owned);
            besides.into_iter().chain(weighing::lines(weights, page)).collect()
        }
        _ => Vec::new(),
    };
    let next = test.next.iter().filter(|_| explain == Explain::Yes);
    std::iter::once(test.reason.clone())
        .chain(sentence::may_be_broken(test.status, test.broken_probability))
        .chain(sentence::harm(test.harm))
        .chain(weights)
        .chain(test.hint_line().filter(|_| explain == Explain::Yes))
        .chain(next.map(|step| step.sentence.clone()))
        .collect()
}

/// Status at the left, everything else below the name.
fn stacked(tests: &[TestView], explain: Explain, page: &mut Page) {
    let row = |test: &TestView| {
        let mut lines = vec![name(test)];
        if !test.strip.is_empty() {
            lines.push(marks(test, page));
        }
        if test.executions > 0 {
            let told: Vec<String> =
                std::iter::once(phrase::failed_runs(test)).chain(rate(test)).collect();
            lines.push(told.join(", "));
        }
        lines.extend(why(test, explain, page));
        lines.extend(owners(test).map(|owners| page.mark(Tone::Faint, &owners)));
        vec![status(test, page), lines.join("\n")]
    };
    let rows = tests.iter().map(row).collect();
    let columns = vec![Column("Status", Fit::Content), Column("Test", Fit::Name)];
    page.grid(&Grid { columns, rows, airy: Airy::Yes, ..Grid::default() });
}

/// Numbers and strip beside the name, the reason below it.
fn wide(tests: &[TestView], explain: Explain, page: &mut Page) {
    let row = |test: &TestView| {
        let mut lines = vec![name(test)];
        lines.extend(why(test, explain, page));
        lines.extend(owners(test).map(|owners| page.mark(Tone::Faint, &owners)));
        let numbers: Vec<String> = std::iter::once(failed(test)).chain(rate(test)).collect();
        vec![status(test, page), lines.join("\n"), numbers.join("\n"), marks(test, page)]
    };
    let rows = tests.iter().map(row).collect();
    let columns = vec![
        Column("Status", Fit::Content),
        Column("Test", Fit::Name),
        Column("Failed", Fit::Content),
        Column("Runs, latest at the right", Fit::Content),
    ];
    page.grid(&Grid { columns, rows, airy: Airy::Yes, ..Grid::default() });
}

/// A column for everything.
fn full(tests: &[TestView], explain: Explain, page: &mut Page) {
    let row = |test: &TestView| {
        let numbers: Vec<String> = std::iter::once(failed(test)).chain(rate(test)).collect();
        vec![
            status(test, page),
            name(test),
            numbers.join("\n"),
            marks(test, page),
            why(test, explain, page).join("\n"),
            owners(test).unwrap_or_default(),
            test.duration_seconds.map(sentence::seconds).unwrap_or_default(),
        ]
    };
    let rows = tests.iter().map(row).collect();
    let columns = vec![
        Column("Status", Fit::Content),
        Column("Test", Fit::Name),
        Column("Failed", Fit::Content),
        Column("Runs, latest at the right", Fit::Content),
        Column("Why", Fit::Wrap),
        Column("Owner", Fit::Content),
        Column("Takes", Fit::Number),
    ];
    page.grid(&Grid { columns, rows, airy: Airy::Yes, ..Grid::default() });
}

fn foot(view: &ReportView, shown: &[TestView], page: &mut Page) {
    page.blank();
    let hidden = view.tests.len() - shown.len();
    if hidden > 0 {
        page.prose(&format!(
            "{} not shown here; --format json has all of them",
            sentence::count(hidden as u64, "more test")
        ));
    }
    let all_new = view.totals.of(Status::New) == view.totals.verdicts;
    match (shown.is_empty(), view.listing, all_new) {
        (true, "only", _) => page.prose("No test has this status."),
        (true, _, true) => {
            page.prose("Too few results to say anything yet; every test is new.");
            let needed =
                "A verdict needs a few runs: ingest those that you have, and report again.";
            page.prose(needed);
        }
        (true, _, false) => page.prose("No test needs attention."),
        (false, ..) => {
            if view.tests.len() > 1 {
                let order = page.mark(Tone::Faint, sentence::ORDER);
                page.prose(&order);
            }
            let legend = page.mark(Tone::Faint, &strip::LEGEND.join("   "));
            page.prose(&legend);
            let room = strip_width(page);
            if view.explain == Explain::Yes {
                let legend = page.mark(Tone::Faint, explanation::LEGEND);
                page.prose(&legend);
            }
            if shown.iter().any(|test| test.strip.chars().count() > room) {
                let folded = page.mark(Tone::Faint, strip::LEGEND_FOLDED);
                page.prose(&folded);
            }
        }
    }
}

fn outages(view: &ReportView, page: &mut Page) {
    if view.outages.is_empty() {
        return;
    }
    page.section("Set aside: many tests failed together, not before or after");
    let newest = view.outages.iter().rev().take(OUTAGES_SHOWN_MAX);
    for outage in newest {
        page.bullet(&outage_line(outage));
    }
    let more = view.outages.len().saturating_sub(OUTAGES_SHOWN_MAX);
    if more > 0 {
        page.bullet(&sentence::count(more as u64, "earlier run"));
    }
}

/// What happened to many tests of a module, whole runs left out.
fn groups(view: &ReportView, page: &mut Page) {
    let groups: Vec<&EventView> = view.groups().collect();
    if groups.is_empty() {
        return;
    }
    page.section("Tests that failed together");
    for event in groups.iter().rev().take(OUTAGES_SHOWN_MAX) {
        page.bullet(&explanation::group(event));
    }
    let more = groups.len().saturating_sub(OUTAGES_SHOWN_MAX);
    if more > 0 {
        page.bullet(&sentence::count(more as u64, "earlier time"));
    }
}

fn outage_line(outage: &OutageView) -> String {
    let mut line = format!(
        "{}: {} of {} failed",
        phrase::minute(&outage.started),
        sentence::number(outage.failed.into()),
        sentence::count(outage.executed, "test"),
    );
    if let Some(revision) = &outage.revision {
        line += &format!(", revision {}", sentence::revision(revision));
    }
    if let Some(build) = &outage.build {
        line += &format!(", build {}", escape::line(build));
    }
    line
}

fn hints(view: &ReportView, page: &Page) -> Vec<(String, &'static str)> {
    let mut hints = Vec::new();
    if let Some(first) = view.tests.first() {
        let test = page.typed_in_hint(&first.test, &first.id);
        hints.push((format!("flakedb show {test}"), "the evidence on one test"));
    }
    if view.totals.quarantine > 0 {
        hints.push(("flakedb quarantine".to_owned(), "the tests to fence off, and how"));
    }
    if view.left_out > 0 && view.tests.is_empty() {
        hints.push(("flakedb report --all".to_owned(), "lists every test"));
    }
    hints
}
