//! JUnit XML of the verdicts, so that any dashboard that reads test reports shows them.
//!
//! A case is a test in one variant; a suite holds the cases of one class or suite. What is broken
//! fails; what is flaky passes with one `flakyFailure`; a test without a result that counts is
//! skipped; everything else passes. Each case has the verdict in its properties.
//!
//! One `flakyFailure` a test, with its latest failure, whatever the number of flakes: dashboards add
//! up these elements over a document, and what they should come to is the number of flaky tests. How
//! often it flaked stands in the message and the properties.

use std::io::Write;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::limits::{HEADLINE_CHARS_MAX, JUNIT_TEXT_CHARS_MAX};
use super::view::{LatestFailureView, ReportView, TestView};
use super::{Format, RenderError, Screen, View, escape, phrase};
use crate::analysis::verdict::Status;
use crate::model::{Outcome, in_variant};

/// Writes the verdicts as JUnit XML.
///
/// # Errors
/// [`RenderError`] where the writer fails, or the view has no verdicts.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let View::Report(view) = view else { return Format::Junit.check(view.kind()) };
    let page = document(view)
        .to_string()
        .map_err(|error| RenderError::Write(std::io::Error::other(error)))?;
    // XML has no such characters, and the writer lets them through.
    let page = page.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    out.write_all(page.as_bytes()).map_err(RenderError::Write)
}

fn document(view: &ReportView) -> Document {
    let mut document = Document::new(format!("flakedb: {}", view.project));
    let mut suites: Vec<TestSuite> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for test in &view.tests {
        let name = if test.classname.is_empty() { &test.suite } else { &test.classname };
        let place = *places.entry(name.as_str()).or_insert_with(|| {
            suites.push(suite(name, view));
            suites.len() - 1
        });
        if let Some(suite) = suites.get_mut(place) {
            suite.add_test_case(case(test));
        }
    }
    document.add_test_suites(suites);
    document
}

fn suite(name: &str, view: &ReportView) -> TestSuite {
    let mut suite = TestSuite::new(if name.is_empty() { &view.project } else { name });
    for (name, value) in [
        ("project", &view.project),
        ("window", &view.window.text),
        ("method", &view.method.to_owned()),
    ] {
        suite.add_property(Property::new(format!("flakedb.{name}"), value.as_str()));
    }
    suite
}

fn case(test: &TestView) -> TestCase {
    // A variant is part of the name, as everywhere: two cells of one test are two cases.
    let name = in_variant(&test.name, &test.variant);
    let mut case = TestCase::new(name, status(test));
    if !test.classname.is_empty() {
        case.set_classname(test.classname.as_str());
    }
    if let Some(time) =
        test.duration_seconds.and_then(|time| Duration::try_from_secs_f64(time).ok())
    {
        case.set_time(time);
    }
    if !test.file.is_empty() {
        case.extra.insert("file".into(), test.file.as_str().into());
    }
    for (name, value) in properties(test) {
        case.add_property(Property::new(format!("flakedb.{name}"), value));
    }
    case
}

fn status(test: &TestView) -> TestCaseStatus {
    let failure = test.latest_failure.as_ref();
    match test.status {
        Status::NewlyBroken | Status::Broken => {
            let mut status = TestCaseStatus::non_success(kind(failure));
            status.set_message(message(test));
            if let Some(failure) = failure {
                status.set_type(failure.kind.as_str());
                status.set_description(text(failure));
            }
            status
        }
        Status::Flaky => {
            let mut flake = TestRerun::new(kind(failure));
            flake.set_message(message(test));
            if let Some(failure) = failure {
                flake.set_type(failure.kind.as_str());
                flake.set_description(text(failure));
            }
            let mut status = TestCaseStatus::success();
            status.add_rerun(flake);
            status
        }
        _ if test.executions == 0 => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(test.reason.as_str());
            status
        }
        _ => TestCaseStatus::success(),
    }
}

fn kind(failure: Option<&LatestFailureView>) -> NonSuccessKind {
    match failure.map(|failure| failure.outcome) {
        Some(Outcome::Errored) => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    }
}

/// How often, and how it last failed.
fn message(test: &TestView) -> String {
    let mut said = phrase::failed_runs(test);
    if let Some(failure) = test.latest_failure.as_ref().filter(|one| !one.headline.is_empty()) {
        let headline = escape::shortened(&failure.headline, HEADLINE_CHARS_MAX);
        said += &format!(", last with: {headline}");
    }
    said
}

fn text(failure: &LatestFailureView) -> String {
    escape::shortened(&failure.text, JUNIT_TEXT_CHARS_MAX).into_owned()
}

fn properties(test: &TestView) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("id", test.id.clone()),
        ("status", test.status.word().to_owned()),
        ("reason", test.reason.clone()),
        ("executions", test.executions.to_string()),
        ("failures", test.failures.to_string()),
        ("retried", test.retried.to_string()),
        ("skipped", test.skipped.to_string()),
        ("rate", test.rate.value.to_string()),
        ("quarantine", test.quarantine.to_string()),
        ("reddened_alone", test.harm.alone.to_string()),
        ("lost_seconds", test.harm.lost_seconds.to_string()),
        ("last_run", test.last_run.clone()),
    ];
    let optional = [
        ("probability", test.probability.map(|number| number.to_string())),
        ("broken_probability", test.broken_probability.map(|number| number.to_string())),
        ("score", test.score.map(|number| number.to_string())),
        ("last_failure", test.last_failure.clone()),
        ("variant", Some(test.variant.clone()).filter(|variant| !variant.is_empty())),
        ("owners", Some(test.owners.join(" ")).filter(|owners| !owners.is_empty())),
    ];
    properties
        .extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
    properties
}

#[cfg(test)]
mod tests {
    use super::super::view::Listing;
    use super::super::{render, sample};
    use super::*;
    use crate::junit::{ReadOptions, read};

    fn page(view: &ReportView) -> String {
        let mut out = Vec::new();
        render(View::Report(view), Format::Junit, Screen::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn screen() {
        let mut view = sample::report_of(&sample::usual(), Listing::Attention);
        sample::fail(&mut view);
        insta::assert_snapshot!("report_junit", page(&view));
    }

    /// How many verdicts become passed, failed, errored, skipped and flaky cases.
    fn wanted(view: &ReportView) -> [u64; 5] {
        let mut counts = [0; 5];
        for test in &view.tests {
            let errored =
                test.latest_failure.as_ref().is_some_and(|f| f.outcome == Outcome::Errored);
            match test.status {
                Status::Broken | Status::NewlyBroken => counts[if errored { 2 } else { 1 }] += 1,
                Status::Flaky => {
                    counts[0] += 1;
                    counts[4] += 1;
                }
                _ if test.executions == 0 => counts[3] += 1,
                _ => counts[0] += 1,
            }
        }
        counts
    }

    #[test]
    fn our_own_reader_counts_the_same() {
        let mut usual = sample::report_of(&sample::usual(), Listing::All);
        sample::fail(&mut usual);
        let mut skipped = usual.clone();
        skipped.tests[9].executions = 0;
        let mut variants = usual.clone();
        for test in &usual.tests {
            let variant = "os=windows,x=1".to_owned();
            variants.tests.push(TestView { variant, ..test.clone() });
        }
        for view in [usual, skipped, variants, sample::hostile_report()] {
            let page = page(&view);
            let reading = read(page.as_bytes(), &ReadOptions::default());
            let counts = reading.report.counts;
            let read = [counts.passed, counts.failed, counts.errored, counts.skipped, counts.flaky];
            assert_eq!(read, wanted(&view), "{page}");
            assert_eq!(counts.cases, view.tests.len() as u64);
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let mut view = sample::report_of(&sample::usual(), Listing::All);
        view.tests[0].name = "a\u{ffff}b\u{fffe}c\u{1}".to_owned();
        let page = page(&view);
        assert!(page.contains("a\u{fffd}b\u{fffd}c"), "{page}");
        assert!(!page.contains(['\u{ffff}', '\u{fffe}', '\u{1}']));
    }
}
