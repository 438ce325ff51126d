//! What flakedb itself is tested with: reports, and histories of them.

use super::{Kind, setting};
use crate::testkit::generators::history::{self, Histories, RETRIES_MAX, RUNS_MAX};
use crate::testkit::generators::junit::{Dialect, Reports};
use crate::testkit::generators::order::{Format, GeneratedFile, Order, OrderError, Sink, items};
use crate::testkit::generators::{COUNT_MAX, Generate};

/// The dialect of reports where none is named.
const DIALECT: &str = "pytest";

type SetCount = fn(Histories, usize) -> Histories;

const ALL_FORMATS: &[Format] = &[Format::Json, Format::Jsonl, Format::Junit];

/// Reports.
pub(super) const REPORT: Kind = Kind {
    name: Reports::KIND,
    about: "a JUnit XML report in the dialect of a runner, with its truth",
    formats: ALL_FORMATS,
    settings: &[
        setting("dialect", "the runner, such as pytest, jest or surefire", DIALECT),
        setting("project", "what is tested", "shop"),
        setting("tests", "how many tests", "12"),
        setting("modules", "how many modules", "one for each eight tests"),
        setting("failed", "the probability that a test fails", "0.08"),
        setting("errored", "the probability that a test errs", "0.02"),
        setting("skipped", "the probability that a test is skipped", "0.05"),
        setting("retried", "the probability that a test is tried again", "0.1"),
    ],
    has_invalid: true,
    check: |order| reports(order).map(drop),
    items: |order, sink| {
        let reports = reports(order)?;
        if !order.wants_invalid() {
            return items(&reports, order, sink);
        }
        for mut stream in order.source().take(Reports::KIND, order.items() as u64) {
            for flawed in reports.invalid(&mut stream) {
                sink.item(&flawed)?;
            }
        }
        Ok(())
    },
    files: Some(report_files),
};

/// Histories.
pub(super) const HISTORY: Kind = Kind {
    name: Histories::KIND,
    about: "a whole CI history with known truth, as flakedb ingests it",
    formats: ALL_FORMATS,
    settings: &[
        setting("dialect", "the runner, such as pytest, jest or surefire", DIALECT),
        setting("project", "what is tested", "shop"),
        setting("runs", "how many builds", "60"),
        setting("healthy", "how many tests always pass", "24"),
        setting("flaky", "how many tests are flaky", "2"),
        setting("rate", "how often a flaky test fails", "0.15"),
        setting("broken", "how many tests break for good", "1"),
        setting("fixed", "how many tests break and are fixed", "1"),
        setting("renamed", "how many tests get another name", "1"),
        setting("slow", "how many tests become four times as slow", "1"),
        setting("outages", "how many builds the machine ruins", "1"),
        setting("retries", "how often the runner tries a failed test again", "0"),
    ],
    has_invalid: true,
    check: |order| histories(order).map(drop),
    items: history_items,
    files: Some(history_files),
};

fn dialect(order: &Order) -> Result<&'static Dialect, OrderError> {
    Ok(Dialect::named(order.text("dialect").unwrap_or(DIALECT))?)
}

/// A project is part of names in every language, so that only lower-case letters do.
fn project(order: &Order) -> Result<Option<String>, OrderError> {
    order.value("project", "one to thirty lower-case letters", |name: &String| {
        (1..=30).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

fn reports(order: &Order) -> Result<Reports, OrderError> {
    let mut reports = Reports::of(dialect(order)?);
    if let Some(project) = project(order)? {
        reports = reports.project(project);
    }
    if let Some(tests) = order.number("tests", 0, COUNT_MAX)? {
        reports = reports.tests(tests);
    }
    if let Some(modules) = order.number("modules", 1, COUNT_MAX)? {
        reports = reports.modules(modules);
    }
    if let Some(rate) = order.probability("failed")? {
        reports = reports.failed(rate);
    }
    if let Some(rate) = order.probability("errored")? {
        reports = reports.errored(rate);
    }
    if let Some(rate) = order.probability("skipped")? {
        reports = reports.skipped(rate);
    }
    if let Some(rate) = order.probability("retried")? {
        reports = reports.retried(rate);
    }
    Ok(reports)
}

fn report_files(order: &Order) -> Result<Vec<GeneratedFile>, OrderError> {
    let reports = reports(order)?;
    let mut files = Vec::new();
    let several = order.items() > 1;
    let streams = order.source().take(Reports::KIND, order.items() as u64);
    for (mut stream, number) in streams.zip(1_usize..) {
        if order.wants_invalid() {
            for flawed in reports.invalid(&mut stream) {
                let path = format!("{}/{}", flawed.flaw, flawed.path);
                let path = if several { format!("{number:04}/{path}") } else { path };
                files.push(GeneratedFile { path, bytes: flawed.bytes });
            }
            continue;
        }
        for file in reports.generate(&mut stream).files {
            let mut file = GeneratedFile::from(file);
            if several {
                file.path = format!("{number:04}/{}", file.path);
            }
            files.push(file);
        }
    }
    Ok(files)
}

fn histories(order: &Order) -> Result<Histories, OrderError> {
    let mut histories = Histories::of(dialect(order)?);
    if let Some(project) = project(order)? {
        histories = histories.project(project);
    }
    if let Some(rate) = order.probability("rate")? {
        histories = histories.rate(rate);
    }
    let setters: [(&'static str, usize, usize, SetCount); 9] = [
        ("runs", 1, RUNS_MAX, Histories::runs),
        ("healthy", 0, COUNT_MAX, Histories::healthy),
        ("flaky", 0, COUNT_MAX, Histories::flaky),
        ("broken", 0, COUNT_MAX, Histories::broken),
        ("fixed", 0, COUNT_MAX, Histories::fixed),
        ("renamed", 0, COUNT_MAX, Histories::renamed),
        ("slow", 0, COUNT_MAX, Histories::slow),
        ("outages", 0, RUNS_MAX, Histories::outages),
        ("retries", 0, RETRIES_MAX, Histories::retries),
    ];
    for (name, least, greatest, set) in setters {
        if let Some(count) = order.number(name, least, greatest)? {
            histories = set(histories, count);
        }
    }
    Ok(histories)
}

/// The same, where all settings together ask for no more than memory holds.
fn fitting(order: &Order) -> Result<Histories, OrderError> {
    let histories = histories(order)?;
    if histories.fits() {
        return Ok(histories);
    }
    Err(OrderError::Value {
        kind: HISTORY.name,
        name: "runs",
        value: order.text("runs").unwrap_or("60").to_owned(),
        wanted: "less, or fewer tests or retries: together they make more than 2000000 attempts"
            .into(),
    })
}

fn history_items(order: &Order, sink: &mut Sink<'_>) -> Result<(), OrderError> {
    let histories = fitting(order)?;
    for mut stream in order.source().take(Histories::KIND, order.items() as u64) {
        if order.wants_invalid() {
            for flawed in histories.invalid(&mut stream) {
                sink.item(&flawed)?;
            }
            continue;
        }
        let history = histories.generate(&mut stream);
        if sink.is_lines() {
            for line in history.lines() {
                sink.item(&line)?;
            }
        } else {
            sink.item(&history)?;
        }
    }
    Ok(())
}

fn history_files(order: &Order) -> Result<Vec<GeneratedFile>, OrderError> {
    let histories = fitting(order)?;
    let mut files = Vec::new();
    let streams = order.source().take(Histories::KIND, order.items() as u64);
    for (mut stream, number) in streams.zip(1_usize..) {
        let made: Vec<GeneratedFile> = if order.wants_invalid() {
            histories.invalid(&mut stream).into_iter().flat_map(history::Flawed::files).collect()
        } else {
            histories.generate(&mut stream).files()
        };
        files.extend(made.into_iter().map(|mut file| {
            if order.items() > 1 {
                file.path = format!("{number:04}/{}", file.path);
            }
            file
        }));
    }
    Ok(files)
}
