//! What the smaller sections of the page say.

use super::super::view::{
    DashboardView, DurationsView, EventView, HalvesView, OutageView, QuarantineEntry,
    QuarantineView, ReportView, TrendView,
};
use super::super::{explanation, phrase, sentence, standing};
use super::{figure, link, text};
use crate::analysis::direction::Direction;
use crate::model::in_variant;
use crate::report::limits::{FIELD_CHARS_MAX, HEADLINE_CHARS_MAX, HTML_ROWS_MAX};

/// Whether one thing gets better.
pub(super) struct Answer {
    /// What is looked at.
    pub what: &'static str,
    /// `Yes`, or otherwise.
    pub answer: &'static str,
    /// The class of its colour.
    pub direction: &'static str,
    /// The numbers behind it.
    pub words: String,
}

/// Tests, runs and days in one sentence.
pub(super) fn about(report: &ReportView) -> String {
    let day = |time: &'_ Option<String>| time.as_deref().map_or("", phrase::day).to_owned();
    let (first, last) = (day(&report.runs.first_started), day(&report.runs.last_started));
    let days = match first == last {
        true => first,
        false => format!("{first} to {last}"),
    };
    let set_aside = match report.runs.outages {
        0 => String::new(),
        outages => format!(", {} set aside", sentence::number(outages)),
    };
    let tests = sentence::count(report.totals.tests, "test");
    let runs = sentence::count(report.runs.total, "run");
    format!("{tests} in {runs}{set_aside}, {days}")
}

pub(super) fn answers(view: &DashboardView) -> Vec<Answer> {
    let answer = |what, halves: &HalvesView| Answer {
        what,
        answer: halves.answer(),
        direction: match halves.direction {
            Direction::Better => "better",
            Direction::Worse => "worse",
            Direction::Unclear => "unclear",
        },
        words: halves.words(),
    };
    vec![
        answer("Red runs", &view.trend.red),
        answer("Runs with a flaky failure", &view.trend.flaky),
    ]
}

/// One period in numbers.
pub(super) struct Numbers {
    pub begins: String,
    pub runs: u32,
    pub red: u32,
    pub red_for_flakes: u32,
    pub outages: u32,
    pub flakes: u32,
}

pub(super) fn numbers(trend: &TrendView) -> Vec<Numbers> {
    let with_runs = trend.periods.iter().filter(|period| period.runs > 0);
    let numbers = with_runs.map(|period| Numbers {
        begins: figure::begins(period, trend.period_seconds),
        runs: period.runs,
        red: period.red,
        red_for_flakes: period.red_for_flakes,
        outages: period.outages,
        flakes: period.flakes,
    });
    numbers.collect()
}

/// How long tests take.
pub(super) struct Durations {
    pub classes: Vec<DurationRow>,
    /// What the slowest take, in one sentence; empty where no time is known.
    pub slowest: String,
}

/// Tests that take about as long.
pub(super) struct DurationRow {
    pub range: String,
    pub tests: String,
    pub time: String,
    /// Lengths of bars, between 0 and 100.
    pub tests_share: f64,
    pub time_share: f64,
}

impl Durations {
    pub(super) fn new(view: &DurationsView) -> Self {
        let most = view.classes.iter().map(|class| class.tests).max().unwrap_or(0).max(1);
        let classes = view.classes.iter().map(|class| DurationRow {
            range: match class.below_seconds {
                Some(below) if class.from_seconds > 0.0 => {
                    format!("{} to {}", round(class.from_seconds), round(below))
                }
                Some(below) => format!("below {}", round(below)),
                None => format!("{} and more", round(class.from_seconds)),
            },
            tests: sentence::number(class.tests),
            time: sentence::seconds(class.total_seconds),
            tests_share: hundredths(class.tests as f64 / most as f64),
            time_share: hundredths(class.total_seconds / view.total_seconds.max(1e-9)),
        });
        let mut classes: Vec<DurationRow> = classes.collect();
        // Empty classes at either end say nothing.
        while classes.last().is_some_and(|class| class.tests == "0") {
            classes.pop();
        }
        let empty = classes.iter().take_while(|class| class.tests == "0").count();
        classes.drain(..empty);
        let slowest = match view.tests {
            0 => String::new(),
            _ => format!(
                "One after another, all tests take {}; the slowest {} of {} take {} of that",
                sentence::seconds(view.total_seconds),
                sentence::number(view.slowest_tests),
                sentence::number(view.tests),
                sentence::percent(view.slowest_seconds / view.total_seconds.max(1e-9)),
            ),
        };
        Self { classes, slowest }
    }
}

fn hundredths(share: f64) -> f64 {
    (share.clamp(0.0, 1.0) * 1_000.0).round() / 10.0
}

/// The ends of classes are round, and so they are written.
fn round(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// The quarantine with its terms.
pub(super) struct Quarantine {
    pub source: String,
    /// How full it is.
    pub held: String,
    pub entries: Vec<EntryRow>,
    pub left_out: usize,
    pub notes: Vec<String>,
}

/// One entry.
pub(super) struct EntryRow {
    pub name: String,
    pub owner: String,
    pub reason: String,
    pub ticket: String,
    pub ticket_link: Option<String>,
    pub since: String,
    pub until: String,
    /// `bad` where its term is over.
    pub tone: &'static str,
    pub now: String,
}

impl Quarantine {
    pub(super) fn new(view: &QuarantineView) -> Self {
        let held = match (view.held, view.cap) {
            (Some(held), Some(cap)) => {
                format!("{} of at most {}", sentence::number(held), sentence::count(cap, "test"))
            }
            _ => sentence::count(view.entries.len() as u64, "entry"),
        };
        let mut entries: Vec<&QuarantineEntry> = view.entries.iter().collect();
        // What ends first asks for somebody first.
        entries.sort_by_key(|entry| entry.days_left.unwrap_or(i64::MAX));
        Self {
            source: text(&view.source, HEADLINE_CHARS_MAX),
            held,
            left_out: entries.len().saturating_sub(HTML_ROWS_MAX),
            entries: entries.into_iter().take(HTML_ROWS_MAX).map(entry).collect(),
            notes: view
                .notes
                .iter()
                .take(HTML_ROWS_MAX)
                .map(|note| text(note, 2 * HEADLINE_CHARS_MAX))
                .collect(),
        }
    }
}

fn entry(entry: &QuarantineEntry) -> EntryRow {
    let name = in_variant(&entry.test, &entry.variant);
    let ticket = entry.ticket.as_deref().unwrap_or_default();
    EntryRow {
        name: text(&name, HEADLINE_CHARS_MAX),
        owner: text(entry.owner.as_deref().unwrap_or_default(), FIELD_CHARS_MAX),
        reason: text(&entry.reason, HEADLINE_CHARS_MAX),
        ticket: text(ticket, FIELD_CHARS_MAX),
        ticket_link: link(ticket),
        since: standing::since(entry).unwrap_or_default(),
        until: standing::until(entry).unwrap_or_default(),
        tone: if entry.state == Some("expired") { "bad" } else { "" },
        now: entry.now.as_ref().map(standing::now).unwrap_or_default(),
    }
}

/// Runs that count against no test, and tests that failed together.
pub(super) struct Outages {
    pub rows: Vec<OutageRow>,
    pub left_out: usize,
    pub groups: Vec<String>,
    pub groups_left_out: usize,
}

/// One run that was set aside.
pub(super) struct OutageRow {
    pub when: String,
    pub failed: String,
    pub revision: String,
    pub branch: String,
    pub build: String,
    pub link: Option<String>,
}

impl Outages {
    pub(super) fn new(report: &ReportView) -> Self {
        let groups: Vec<&EventView> = report.groups().collect();
        let told = |event: &&EventView| explanation::group(event);
        Self {
            left_out: report.outages.len().saturating_sub(HTML_ROWS_MAX),
            rows: report.outages.iter().rev().take(HTML_ROWS_MAX).map(outage).collect(),
            groups_left_out: groups.len().saturating_sub(HTML_ROWS_MAX),
            groups: groups.iter().rev().take(HTML_ROWS_MAX).map(told).collect(),
        }
    }
}

fn outage(outage: &OutageView) -> OutageRow {
    let field = |text_of: &Option<String>| {
        text_of.as_deref().map(|field| text(field, FIELD_CHARS_MAX)).unwrap_or_default()
    };
    OutageRow {
        when: phrase::minute(&outage.started),
        failed: format!(
            "{} of {}",
            sentence::number(outage.failed.into()),
            sentence::number(outage.executed.into())
        ),
        revision: outage.revision.as_deref().map(sentence::revision).unwrap_or_default(),
        branch: field(&outage.branch),
        build: field(&outage.build),
        link: outage.url.as_deref().and_then(link),
    }
}
