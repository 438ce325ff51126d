//! The runs of one test on a terminal: its strip with what was believed, and the runs that failed.

use super::super::limits::{BRANCH_CHARS_MAX, BUILD_CHARS_MAX, TIMELINE_ROWS_MAX};
use super::super::palette::Tone;
use super::super::timeline::{RevisionRow, by_revision, outcome, telling};
use super::super::view::{TimelineRow, VariantView};
use super::super::{course, escape, link, phrase, sentence, strip};
use super::page::{Column, Fit, Grid, Page};
use super::report;

/// Columns kept free behind bars for what they mean.
const LABEL_COLUMNS: usize = 11;
/// From this probability on a breakage is worth bars of its own.
const BROKEN_SHOWN_MIN: f64 = 0.1;

/// The whole strip, in lines of the page's width, and below it what was believed after each run.
pub(super) fn strip(variant: &VariantView, page: &mut Page) {
    let marks: Vec<char> = variant.verdict.strip.chars().collect();
    let width = usize::from(page.width()).saturating_sub(2).max(1);
    for line in marks.chunks(width) {
        let line: String =
            line.iter().map(|mark| page.mark(report::tone(*mark), &mark.to_string())).collect();
        page.quoted(2, &line);
    }
    let each = bars(variant, marks.len(), width.saturating_sub(LABEL_COLUMNS).max(1), page);
    let mut legend = strip::LEGEND.join("   ");
    if let Some(each) = each {
        legend += "   ▁\u{a0}to\u{a0}█\u{a0}how\u{a0}probable\u{a0}after\u{a0}the\u{a0}run";
        if each > 1 {
            legend += &format!(", {each}\u{a0}runs\u{a0}a\u{a0}bar");
        }
        if !variant.trail.changes.is_empty() {
            legend += "   ^\u{a0}the\u{a0}verdict\u{a0}changed";
        }
    }
    let legend = page.mark(Tone::Faint, &legend);
    page.quoted(2, &legend);
}

/// The probabilities as bars; returns how many runs each stands for, where there are any.
fn bars(variant: &VariantView, cells: usize, width: usize, page: &mut Page) -> Option<usize> {
    let trail = &variant.trail;
    if trail.points.is_empty() {
        return None;
    }
    let of = |what: fn(f64, f64) -> f64| course::bars(trail, &variant.places, cells, width, what);
    let flaky = of(|flaky, _| flaky);
    line(&flaky.bars, "flaky", Tone::Unsteady, page);
    if trail.points.iter().any(|point| point.broken >= BROKEN_SHOWN_MIN) {
        line(&of(|_, broken| broken).bars, "broken", Tone::Bad, page);
    }
    if !trail.changes.is_empty() {
        line(&flaky.marks, "", Tone::Faint, page);
    }
    Some(flaky.runs)
}

/// Spaces stand for runs that were not weighed; a line of bars is never broken at them.
fn line(bars: &str, label: &str, tone: Tone, page: &mut Page) {
    let bars = page.mark(tone, bars);
    let label = if label.is_empty() { String::new() } else { page.mark(Tone::Faint, label) };
    page.whole(format!("  {bars}  {label}").trim_end());
}

/// The runs with a failed attempt, or their revisions where there are many.
pub(super) fn timeline(rows: &[TimelineRow], page: &mut Page) {
    let telling = telling(rows);
    let Some(latest) = telling.iter().find(|row| row.outcome.is_bad()).or(telling.first()) else {
        return;
    };
    let revisions = by_revision(rows);
    let many = telling.len() > TIMELINE_ROWS_MAX && revisions.len() < telling.len();
    let (left, noun) = if many {
        page.section("Revisions with a failed attempt, latest first");
        by_revisions(&revisions, page);
        (revisions.len().saturating_sub(TIMELINE_ROWS_MAX), "earlier revision")
    } else {
        page.section("Runs with a failed attempt, latest first");
        one_by_one(&telling, page);
        (telling.len().saturating_sub(TIMELINE_ROWS_MAX), "earlier run")
    };
    if left > 0 {
        let more = sentence::count(left as u64, noun);
        page.quoted(2, &format!("{more} not shown here; --format json has all of them"));
    }
    if let Some(url) = &latest.url {
        let shown = link::web(url).unwrap_or_else(|| escape::line(url).into_owned());
        let linked = page.link(&shown, Some(url));
        page.quoted(2, &format!("Log of the latest: {linked}"));
    }
}

/// A column that is shown where there is room for it.
struct Optional {
    column: Column,
    cells: Vec<String>,
    /// The lower, the sooner it is shown.
    rank: u8,
}

/// Columns between two columns.
const GAP: usize = 2;

fn one_by_one(telling: &[&TimelineRow], page: &mut Page) {
    let shown = telling.get(..TIMELINE_ROWS_MAX).unwrap_or(telling);
    let cells = |of: &dyn Fn(&TimelineRow) -> String| shown.iter().map(|row| of(row)).collect();
    let column = |title, rank, of: &dyn Fn(&TimelineRow) -> String| Optional {
        column: Column(title, Fit::Content),
        cells: cells(of),
        rank,
    };
    let mut columns = vec![
        column("Started", 0, &|row| phrase::minute(&row.started)),
        column("Outcome", 0, &outcome),
        column("Worker", 2, &|row| short(row.worker.as_deref(), BUILD_CHARS_MAX)),
        column("Place", 2, &|row| row.place().unwrap_or_default()),
        column("Shard", 2, &|row| short(row.shard.as_deref(), BUILD_CHARS_MAX)),
        column("Seed", 5, &|row| short(row.seed.as_deref(), BUILD_CHARS_MAX)),
        column("Likely cause", 3, &|row| row.causes.map(|one| one.words()).unwrap_or_default()),
        column("Revision", 0, &revision),
        column("Branch", 4, &|row| short(row.branch.as_deref(), BRANCH_CHARS_MAX)),
        column("Build", 1, &build),
        column("Job", 6, &|row| short(row.job.as_deref(), BUILD_CHARS_MAX)),
        column("Took", 5, &|row| row.duration_seconds.map(sentence::seconds).unwrap_or_default()),
        column("Log", 7, &|row| row.url.as_deref().and_then(link::web).unwrap_or_default()),
    ];
    if page.has_links() {
        columns.pop();
    }
    fitting(&mut columns, page);
    let rows = shown.iter().enumerate().map(|(place, row)| {
        let cell = |column: &Optional| {
            let text = column.cells.get(place).cloned().unwrap_or_default();
            match column.column.0 {
                "Outcome" => {
                    let text = page.mark(report::tone(row.mark), &text);
                    page.link(&text, row.url.as_deref())
                }
                "Build" => page.link(&text, row.url.as_deref()),
                _ => text,
            }
        };
        columns.iter().map(cell).collect()
    });
    let rows = rows.collect();
    let columns = columns.iter().map(|optional| optional.column).collect();
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
}

/// Keeps the columns for which there is room, those of low rank first; empty ones go.
fn fitting(columns: &mut Vec<Optional>, page: &Page) {
    columns.retain(|one| one.rank == 0 || one.cells.iter().any(|cell| !cell.is_empty()));
    if page.is_piped() {
        return;
    }
    let width = |one: &Optional| {
        let cells = one.cells.iter().map(|cell| display_width(cell)).max().unwrap_or(0);
        cells.max(one.column.0.len()) + GAP
    };
    let mut order: Vec<(u8, usize)> = columns.iter().map(|one| (one.rank, width(one))).collect();
    order.sort_unstable();
    let mut left = usize::from(page.width());
    let mut last = 0;
    for (rank, wide) in order {
        match left.checked_sub(wide) {
            Some(rest) => (left, last) = (rest, rank),
            None => break,
        }
    }
    columns.retain(|one| one.rank <= last);
}

/// Columns that a text takes at most: the widest scripts take two a character.
fn display_width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

fn by_revisions(revisions: &[RevisionRow<'_>], page: &mut Page) {
    let shown = revisions.get(..TIMELINE_ROWS_MAX).unwrap_or(revisions);
    let narrow = page.width() < NARROW;
    let mut columns = vec![
        Column("Last failed", Fit::Content),
        Column("Revision", Fit::Content),
        Column("Runs", Fit::Number),
        Column("Failed", Fit::Number),
        Column("On retry", Fit::Number),
    ];
    if !narrow {
        columns.push(Column("Branch", Fit::Wrap));
    }
    let number = |n: u32| if n == 0 { String::new() } else { sentence::number(n.into()) };
    let row = |row: &RevisionRow<'_>| {
        let name = revision(row.latest);
        let mut cells = vec![
            phrase::minute(&row.latest.started),
            page.link(&name, row.latest.url.as_deref()),
            number(row.runs),
            number(row.failed),
            number(row.retried),
        ];
        if !narrow {
            cells.push(short(row.latest.branch.as_deref(), BRANCH_CHARS_MAX));
        }
        cells
    };
    let rows = shown.iter().map(row).collect();
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
}

/// Below this width revisions stand without their branch.
const NARROW: u16 = 72;

fn revision(row: &TimelineRow) -> String {
    row.revision.as_deref().map(sentence::revision).unwrap_or_default()
}

fn short(text: Option<&str>, chars: usize) -> String {
    escape::cut(&escape::line(text.unwrap_or_default()), chars)
}

/// The build, with its attempt where it was not the first.
fn build(row: &TimelineRow) -> String {
    let build = short(row.build.as_deref(), BUILD_CHARS_MAX);
    match row.attempt {
        0 | 1 => build,
        attempt => format!("{build} ({attempt})"),
    }
}
