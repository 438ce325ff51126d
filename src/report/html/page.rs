//! The page: its sections, filled so that the whole stays within its bytes.

use askama::Template;

use super::super::palette::Tone;
use super::super::sentence;
use super::super::view::DashboardView;
use super::cluster::Clusters;
use super::course::Courses;
use super::figure::{self, Chart, HeatRow, Mark};
use super::row::Rows;
use super::sections::{self, Answer, Durations, Numbers, Outages, Quarantine};
use super::sheet;
use super::{csp, text};
use crate::analysis::verdict::Status;
use crate::report::limits::{FIELD_CHARS_MAX, HTML_HEAT_ROWS_MAX};

const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/page.js");

/// Everything on the page.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page<'a> {
    view: &'a DashboardView,
    style: &'static str,
    script: &'static str,
    policy: String,
    project: String,
    window: String,
    /// Tests, runs and days in one sentence.
    about: String,
    notes: Vec<String>,
    answers: Vec<Answer>,
    tally: Vec<Tally>,
    period: String,
    runs: Chart,
    flakes: Chart,
    numbers: Vec<Numbers>,
    heat_ticks: Vec<Mark>,
    heat: Vec<Heat>,
    heat_left_out: usize,
    courses: Courses,
    rows: Rows,
    clusters: Clusters,
    owners: sheet::Answer,
    slower: sheet::Answer,
    durations: Durations,
    quarantine: Option<Quarantine>,
    outages: Outages,
}

/// How many verdicts there are of one status.
struct Tally {
    tone: &'static str,
    status: &'static str,
    count: String,
}

/// A test in the heat map.
struct Heat {
    /// The number of its course, where the page has one.
    course: Option<usize>,
    name: String,
    row: HeatRow,
    failed: String,
    /// The row in words.
    said: String,
}

impl Heat {
    /// The name in parts between which a line may end.
    fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = self.name.split_inclusive("::");
        parts.flat_map(|part| part.split_inclusive(['.', '/', '_', ' ']))
    }
}

/// The class of a status, which is that of its tone; empty for what asks for no attention.
pub(super) fn tone(status: Status) -> &'static str {
    match (status, sentence::tone(status)) {
        (Status::Healthy, _) => "",
        (_, Tone::Bad) => "bad",
        (_, Tone::Unsteady) => "flaky",
        (_, Tone::Good) => "good",
        _ => "faint",
    }
}

impl<'a> Page<'a> {
    /// The page without its table of tests.
    pub(super) fn new(view: &'a DashboardView) -> askama::Result<Self> {
        let report = &view.report;
        let courses = Courses::new(view)?;
        let tally = report.totals.by_status.iter().filter(|(_, count)| *count > 0);
        Ok(Self {
            view,
            style: STYLE,
            script: SCRIPT,
            policy: csp::policy(STYLE, SCRIPT),
            project: text(&report.project, FIELD_CHARS_MAX),
            window: text(&report.window.text, 4 * FIELD_CHARS_MAX),
            about: sections::about(report),
            notes: report.notes.iter().map(|note| text(note, 4 * FIELD_CHARS_MAX)).collect(),
            answers: sections::answers(view),
            tally: tally
                .map(|(status, count)| Tally {
                    tone: tone(*status),
                    status: sentence::status(*status),
                    count: sentence::number(*count),
                })
                .collect(),
            period: figure::period_words(view.trend.period_seconds),
            runs: figure::runs(&view.trend),
            flakes: figure::flakes(&view.trend),
            numbers: sections::numbers(&view.trend),
            heat_ticks: figure::heat_ticks(&view.trend),
            heat: heat(view, courses.shown),
            heat_left_out: view.courses.len().saturating_sub(HTML_HEAT_ROWS_MAX)
                + view.courses_left_out,
            courses,
            rows: Rows::default(),
            clusters: Clusters::new(&view.clusters)?,
            owners: view.owners.sheet().into(),
            slower: view.slower.sheet().into(),
            durations: Durations::new(&view.durations),
            quarantine: view.quarantine.as_ref().map(Quarantine::new),
            outages: Outages::new(report),
        })
    }

    /// The whole page in at most so many bytes, as far as rows of tests can give way.
    pub(super) fn within(mut self, bytes: usize) -> askama::Result<String> {
        let room = bytes.saturating_sub(self.render()?.len() + NOTES_BYTES);
        let shown = self.courses.shown;
        let courses = &self.view.courses;
        let course = |place: usize| {
            let shown = courses.get(..shown)?;
            shown.binary_search_by_key(&place, |course| course.place).ok()
        };
        self.rows = Rows::new(&self.view.report, &course, room)?;
        self.render()
    }
}

/// Room for what is said about rows that gave way.
const NOTES_BYTES: usize = 500;

fn heat(view: &DashboardView, shown: usize) -> Vec<Heat> {
    let row = |(n, course): (usize, &super::super::view::CourseView)| {
        let test = view.report.tests.get(course.place)?;
        let squares = &course.periods;
        let ran: u64 = squares.iter().map(|square| u64::from(square.ran)).sum();
        let bad: u64 = squares.iter().map(|square| u64::from(square.bad)).sum();
        let failed = format!("{} of {}", sentence::number(bad), sentence::number(ran));
        let worst = squares.iter().zip(&view.trend.periods).max_by_key(|(square, _)| square.bad);
        let most = worst.filter(|(square, _)| square.bad > 0).map(|(square, of)| {
            let begins = figure::begins(of, view.trend.period_seconds);
            format!(", most from {begins} on: {} of {}", square.bad, square.ran)
        });
        Some(Heat {
            course: (n < shown).then_some(n),
            name: text(&test.label(), HEAT_NAME_CHARS_MAX),
            row: figure::heat(squares),
            said: format!(
                "Failed in {} of {}{}",
                sentence::number(bad),
                sentence::count(ran, "run"),
                most.unwrap_or_default()
            ),
            failed,
        })
    };
    let rows = view.courses.iter().enumerate().take(HTML_HEAT_ROWS_MAX);
    rows.filter_map(row).collect()
}

/// Characters of a name beside a row of the heat map; all of it stands in the course.
const HEAT_NAME_CHARS_MAX: usize = 200;
