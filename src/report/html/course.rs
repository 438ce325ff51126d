//! The worst tests one by one: what each did run by run, since when, and why.

use askama::Template;

use super::super::view::{CourseView, DashboardView, FailedRunView, HintView, TestView};
use super::super::{phrase, sentence};
use super::figure::{self, StripFigure};
use super::{link, page, text};
use crate::report::limits::{
    FIELD_CHARS_MAX, HEADLINE_CHARS_MAX, HTML_COURSES_BYTES_MAX, HTML_FACTS_MAX, NAME_CHARS_MAX,
};

/// One test.
#[derive(Template)]
#[template(path = "course.html")]
struct Course<'a> {
    n: usize,
    name: String,
    tone: &'static str,
    status: &'static str,
    /// How sure, how often, at what rate.
    told: Vec<String>,
    strip: StripFigure,
    /// The strip in words.
    caption: String,
    reason: &'a str,
    /// Doubts and costs.
    more: Vec<String>,
    facts: Vec<String>,
    hints: Vec<String>,
    next: Vec<&'a str>,
    failures: Vec<Failure>,
    owners: String,
    file: String,
    id: &'a str,
}

/// A run in which it failed.
struct Failure {
    when: String,
    what: String,
    build: String,
    link: Option<String>,
}

/// The courses that fit, and how many did not.
#[derive(Debug, Default)]
pub(super) struct Courses {
    /// The courses, in order.
    pub html: String,
    /// How many there are.
    pub shown: usize,
    /// Tests that failed and have no course here.
    pub left_out: usize,
}

impl Courses {
    /// The courses of a dashboard, as many as have room.
    pub(super) fn new(view: &DashboardView) -> askama::Result<Self> {
        let mut found = Self::default();
        for (n, course) in view.courses.iter().enumerate() {
            let Some(test) = view.report.tests.get(course.place) else { continue };
            let html = told(n, test, course).render()?;
            if found.html.len() + html.len() > HTML_COURSES_BYTES_MAX {
                break;
            }
            found.html.push_str(&html);
            found.shown += 1;
        }
        found.left_out = view.courses.len() - found.shown + view.courses_left_out;
        Ok(found)
    }
}

fn told<'a>(n: usize, test: &'a TestView, course: &CourseView) -> Course<'a> {
    let failing = test.failing();
    let rate = failing.rate.filter(|_| test.executions > 0).map(sentence::rate);
    let hint = |hint: &HintView| text(&hint.sentence, 2 * HEADLINE_CHARS_MAX);
    // The reason is one of the facts; said once is enough.
    let facts = test.facts.iter().filter(|fact| fact.sentence != test.reason);
    Course {
        n,
        name: text(&test.label(), NAME_CHARS_MAX),
        tone: page::tone(test.status),
        status: sentence::status(test.status),
        told: sentence::certainty(test.certainty)
            .into_iter()
            .chain([phrase::failed_runs(test)])
            .chain(rate)
            .chain(sentence::trend_of(failing.trend).map(str::to_owned))
            .collect(),
        strip: figure::strip(&test.strip, course.changes.iter().map(|change| change.place)),
        caption: caption(test, course),
        reason: &test.reason,
        more: sentence::may_be_broken(test.status, test.broken_probability)
            .into_iter()
            .chain(sentence::harm(test.harm))
            .collect(),
        facts: facts.take(HTML_FACTS_MAX).map(|fact| fact.sentence.clone()).collect(),
        hints: test.hints.iter().take(HTML_FACTS_MAX).map(hint).collect(),
        next: test.next.iter().map(|next| next.sentence.as_str()).collect(),
        failures: course.last_failures.iter().map(failure).collect(),
        owners: text(&test.owners.join(" "), FIELD_CHARS_MAX),
        file: text(&test.file, HEADLINE_CHARS_MAX),
        id: &test.id,
    }
}

/// What the strip shows, for those who do not see it and those who do.
fn caption(test: &TestView, course: &CourseView) -> String {
    let count =
        |marks: &[char]| test.strip.chars().filter(|mark| marks.contains(mark)).count() as u64;
    let mut parts = vec![sentence::count(test.strip.chars().count() as u64, "run")];
    if let Some(first) = &course.first_run {
        parts.push(format!("{} to {}", phrase::day(first), phrase::day(&test.last_run)));
    }
    for (marks, words) in [
        (['F', 'E'], "failed"),
        (['r', 'r'], "passed on retry"),
        (['x', 'x'], "failed with many others"),
        (['s', 's'], "skipped"),
    ] {
        let n = count(&marks);
        if n > 0 {
            parts.push(format!("{} {words}", sentence::number(n)));
        }
    }
    if test.flips > 0 {
        parts.push(sentence::count(test.flips, "flip"));
    }
    let changes = course.changes.iter().map(|change| change.sentence.clone());
    parts.into_iter().chain(changes).collect::<Vec<_>>().join(" · ")
}

fn failure(run: &FailedRunView) -> Failure {
    let what = match run.mark {
        'E' => "errored",
        'r' => "passed on retry",
        'x' => "failed with many others",
        _ => "failed",
    };
    let cause = run.causes.map(|causes| format!(": {}", causes.words()));
    let revision = run.revision.as_deref().map(sentence::revision);
    let branch = run.branch.as_deref().map(|branch| text(branch, FIELD_CHARS_MAX));
    let on: Vec<String> = revision.into_iter().chain(branch).collect();
    let place = if on.is_empty() { String::new() } else { format!(" on {}", on.join(", ")) };
    Failure {
        when: phrase::minute(&run.started),
        what: format!("{what}{}{place}", cause.unwrap_or_default()),
        build: run.build.as_deref().map(|build| text(build, FIELD_CHARS_MAX)).unwrap_or_default(),
        link: run.url.as_deref().and_then(link),
    }
}
