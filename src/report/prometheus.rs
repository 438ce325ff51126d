//! The verdicts as the text exposition format of Prometheus, for a textfile collector.
//!
//! Every series is a gauge: what a window of the history says now. Series of single tests are only
//! for those that need attention, and no more than [`PROMETHEUS_TESTS_MAX`]; how many have none is a
//! series, too. No sample has a time, which the collector would refuse.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;

use super::limits::{PROMETHEUS_LABEL_CHARS_MAX, PROMETHEUS_TESTS_MAX};
use super::view::{ReportView, TestView};
use super::{Format, RenderError, Screen, View, escape};

/// Writes the verdicts in the text exposition format, version 0.0.4.
///
/// # Errors
/// [`RenderError`] where the writer fails, or the view has no verdicts.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let View::Report(view) = view else { return Format::Prometheus.check(view.kind()) };
    out.write_all(exposition(view).as_bytes()).map_err(RenderError::Write)
}

/// A number of one test, `None` where the method or the history has none.
type Measure = fn(&TestView) -> Option<f64>;

const MEASURES: [(&str, &str, Measure); 10] = [
    (
        "flakedb_test_failure_ratio",
        "Share of the executions of a test with a failed attempt.",
        |test| Some(test.rate.value),
    ),
    (
        "flakedb_test_flaky_probability_ratio",
        "Probability that a test is flaky, where the method gives one.",
        |test| test.probability,
    ),
    (
        "flakedb_test_executions",
        "Runs of the window in which a test passed or failed, outages left out.",
        |test| Some(test.executions.into()),
    ),
    ("flakedb_test_failures", "Runs of the window in which a test ended badly.", |test| {
        Some(test.failures.into())
    }),
    (
        "flakedb_test_retried",
        "Runs of the window in which a test passed only after a failed attempt.",
        |test| Some(test.retried.into()),
    ),
    (
        "flakedb_test_runs_reddened",
        "Runs of the window that were red, and in which a test failed in the end.",
        |test| Some(test.harm.reddened.into()),
    ),
    (
        "flakedb_test_runs_reddened_alone",
        "Runs of the window that were red for this test alone.",
        |test| Some(test.harm.alone.into()),
    ),
    (
        "flakedb_test_lost_seconds",
        "Test time that the failures of a test made worthless.",
        |test| Some(test.harm.lost_seconds),
    ),
    (
        "flakedb_test_duration_median_seconds",
        "Median time of the passing attempts of a test.",
        |test| test.duration_seconds,
    ),
    (
        "flakedb_test_quarantine_recommended",
        "1 where the method recommends to quarantine a test, else 0.",
        |test| Some(f64::from(u8::from(test.quarantine))),
    ),
];

fn exposition(view: &ReportView) -> String {
    let mut page = String::new();
    let project = format!("project=\"{}\"", label(&view.project));
    family(&mut page, "flakedb_tests", "Tests of the window by status, each variant counted.");
    for (status, count) in &view.totals.by_status {
        let labels = format!("{project},status=\"{}\"", status.word());
        sample(&mut page, "flakedb_tests", &labels, *count as f64);
    }
    family(&mut page, "flakedb_runs", "Runs of the window: green, red, or an outage.");
    let runs = &view.runs;
    let green = runs.total.saturating_sub(runs.red + runs.outages);
    for (state, count) in [("green", green), ("red", runs.red), ("outage", runs.outages)] {
        let labels = format!("{project},state=\"{state}\"");
        sample(&mut page, "flakedb_runs", &labels, count as f64);
    }
    let recommended = "flakedb_quarantine_recommended";
    family(&mut page, recommended, "Tests that the method recommends to quarantine.");
    sample(&mut page, recommended, &project, view.totals.quarantine as f64);
    if let Some(last) = view.runs.last_started.as_deref().and_then(seconds) {
        let name = "flakedb_last_run_timestamp_seconds";
        family(&mut page, name, "When the last run of the window started, in Unix time.");
        sample(&mut page, name, &project, last);
    }
    let tests: Vec<&TestView> = view.tests.iter().filter(|test| test.needs_attention()).collect();
    let shown = tests.get(..PROMETHEUS_TESTS_MAX).unwrap_or(&tests);
    let name = "flakedb_tests_left_out";
    family(&mut page, name, "Tests that need attention and have no series of their own.");
    sample(&mut page, name, &project, (tests.len() - shown.len()) as f64);
    each(&mut page, shown, &project);
    page
}

/// The series of single tests, family by family, as the format wants them.
fn each(page: &mut String, tests: &[&TestView], project: &str) {
    let mut met = HashSet::new();
    let labels: Vec<String> = tests.iter().map(|test| labels(test, project, &mut met)).collect();
    if tests.is_empty() {
        return;
    }
    family(page, "flakedb_test_status", "1 for the status of a test that needs attention.");
    for (test, labels) in tests.iter().zip(&labels) {
        let labels = format!("{labels},status=\"{}\"", test.status.word());
        sample(page, "flakedb_test_status", &labels, 1.0);
    }
    for (name, help, measure) in MEASURES {
        let mut samples = tests.iter().zip(&labels).filter_map(|(test, labels)| {
            measure(test).filter(|number| number.is_finite()).map(|number| (labels, number))
        });
        let Some(first) = samples.next() else { continue };
        family(page, name, help);
        for (labels, number) in std::iter::once(first).chain(samples) {
            sample(page, name, labels, number);
        }
    }
}

/// The labels of one test; its identity is in them only where the name alone would not be unique.
fn labels(test: &TestView, project: &str, met: &mut HashSet<(String, String)>) -> String {
    let mut name = escape::line(&test.test).into_owned();
    let variant = label(&test.variant);
    if name.chars().count() > PROMETHEUS_LABEL_CHARS_MAX {
        let kept: String = name.chars().take(PROMETHEUS_LABEL_CHARS_MAX).collect();
        name = format!("{kept}… #{}", test.id);
    }
    // What was cut may be equal: two series of one name are an error to whoever reads them.
    let whole = name.clone();
    let mut times = 1_u32;
    while !met.insert((name.clone(), variant.clone())) {
        name = match times {
            1 => format!("{whole} #{}", test.id),
            times => format!("{whole} #{} {times}", test.id),
        };
        times += 1;
    }
    format!("{project},test=\"{}\",variant=\"{variant}\"", escaped(&name))
}

fn family(page: &mut String, name: &str, help: &str) {
    let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} gauge\n");
}

fn sample(page: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(page, "{name}{{{labels}}} {value}");
}

/// Foreign text as the value of a label: control characters spelled out, at a bounded length.
fn label(foreign: &str) -> String {
    let shown = escape::line(foreign);
    escaped(&escape::shortened(&shown, PROMETHEUS_LABEL_CHARS_MAX))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(time: &str) -> Option<f64> {
    let time = chrono::DateTime::parse_from_rfc3339(time).ok()?;
    Some(time.timestamp_millis() as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::view::Listing;
    use super::super::{render, sample as samples};
    use super::*;

    type Series = (String, BTreeMap<String, String>);

    fn page(view: &ReportView) -> String {
        let mut out = Vec::new();
        render(View::Report(view), Format::Prometheus, Screen::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Reads the format as its documentation has it, and insists on every rule.
    fn read(page: &str) -> BTreeMap<Series, f64> {
        let mut series = BTreeMap::new();
        let (mut families, mut open) = (BTreeSet::new(), String::new());
        assert!(page.ends_with('\n'));
        for line in page.trim_end_matches('\n').split('\n') {
            if let Some(help) = line.strip_prefix("# HELP ") {
                open = help.split(' ').next().unwrap().to_owned();
                assert!(families.insert(open.clone()), "{open} twice");
                continue;
            }
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                assert_eq!(kind, format!("{open} gauge"));
                continue;
            }
            let (name, rest) = line.split_once('{').unwrap();
            assert_eq!(name, open, "outside its family");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            let (labels, value) = read_labels(rest);
            assert!(series.insert((name.to_owned(), labels), value.parse().unwrap()).is_none());
        }
        series
    }

    fn read_labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
        let mut labels = BTreeMap::new();
        loop {
            let (key, after) = rest.split_once("=\"").unwrap();
            assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{key}");
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().unwrap() {
                    (_, '\\') => value.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        c => panic!("\\{c}"),
                    }),
                    (at, '"') => break at,
                    (_, c) => value.push(c),
                }
            };
            assert!(labels.insert(key.to_owned(), value).is_none());
            rest = &after[end + 1..];
            if let Some(value) = rest.strip_prefix("} ") {
                return (labels, value);
            }
            rest = rest.strip_prefix(',').unwrap();
        }
    }

    #[test]
    fn screen() {
        let view = samples::report_of(&samples::usual(), Listing::Attention);
        insta::assert_snapshot!("report_prometheus", page(&view));
        let empty = samples::report_of(&samples::tiny(0), Listing::Attention);
        insta::assert_snapshot!("report_prometheus_empty", page(&empty));
    }

    #[test]
    fn hostile_names_are_labels_and_stay_apart() {
        let mut view = samples::hostile_report();
        for test in &mut view.tests {
            test.test = "y".repeat(5_000);
        }
        let twice = TestView { id: "other".to_owned(), ..view.tests[0].clone() };
        view.tests.push(TestView { test: "a\nb".to_owned(), ..twice.clone() });
        view.tests.push(TestView { test: "a\\nb".to_owned(), ..twice });
        let read = read(&page(&view));
        let states = read.keys().filter(|(name, _)| name == "flakedb_test_status").count();
        assert_eq!(states, view.tests.len());
        assert!(read.keys().flat_map(|(_, labels)| labels.values()).all(|v| v.len() < 400));
    }

    #[test]
    fn tests_are_capped_and_counted() {
        let mut view = samples::report_of(&samples::usual(), Listing::All);
        let flaky = view.tests.iter().find(|test| test.needs_attention()).unwrap().clone();
        for number in 0..1_000 {
            view.tests.push(TestView { id: number.to_string(), ..flaky.clone() });
        }
        let attention = view.tests.iter().filter(|test| test.needs_attention()).count();
        let read = read(&page(&view));
        let states = read.keys().filter(|(name, _)| name == "flakedb_test_status").count();
        assert_eq!(states, PROMETHEUS_TESTS_MAX);
        let left = read.iter().find(|((name, _), _)| name == "flakedb_tests_left_out").unwrap();
        assert_eq!(*left.1, (attention - PROMETHEUS_TESTS_MAX) as f64);
    }

    proptest! {
        #[test]
        fn any_name_reads_back(name in any::<String>(), variant in any::<String>(), project in any::<String>()) {
            let mut view = samples::report_of(&samples::usual(), Listing::Attention);
            view.project = project;
            view.tests[0].test.clone_from(&name);
            view.tests[0].variant = variant;
            let read = read(&page(&view));
            let shown = escape::line(&name);
            if shown.chars().count() <= PROMETHEUS_LABEL_CHARS_MAX {
                prop_assert!(read.keys().any(|(_, labels)| labels.get("test").is_some_and(|test| *test == shown)));
            }
        }
    }

    #[test]
    fn what_is_cut_to_the_same_label_stays_a_series_of_its_own() {
        let mut view = samples::report_of(&samples::usual(), Listing::Attention);
        let test = view.tests[0].clone();
        view.tests = (0..4)
            .map(|cell| {
                let variant = format!("k={}{cell}", "x".repeat(400));
                crate::report::view::TestView { variant, ..test.clone() }
            })
            .collect();
        let series = read(&page(&view));
        let of = |(name, _): &&Series| name == "flakedb_test_failures";
        assert_eq!(series.keys().filter(of).count(), 4);
    }
}
