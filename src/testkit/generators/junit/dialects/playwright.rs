//! Playwright, whose host is the browser and whose retries are elements of their own.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake, title};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use super::checkout;
use crate::model::Outcome;

/// Playwright's reporter with `includeRetries`.
pub(super) static PLAYWRIGHT: Dialect = Dialect {
    name: "playwright",
    runner: "Playwright 1.60 or later (--reporter=junit, includeRetries)",
    producer: "playwright",
    retries: Retries::Nested,
    tells_errors: true,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["Error", "TimeoutError"],
    names: |_, module, behaviour| {
        let file = format!("{}.spec.ts", snake(module));
        Names {
            suites: vec![file.clone()],
            class: file,
            name: format!("{} › {behaviour}", title(module)),
            ..Names::default()
        }
    },
    file: |_, _| "playwright.xml".into(),
    write,
};

const HAND: Hand =
    Hand { declaration: None, indent: Some((b' ', 0)), value: Escapes::NAMED, ..Hand::USUAL };

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuites",
        &[
            ("id", &""),
            ("name", &""),
            ("tests", &all.tests),
            ("failures", &all.failures),
            ("skipped", &all.skipped),
            ("errors", &all.errors),
            ("time", &number(all.total_ms)),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &format_args!("{}.spec.ts", snake(&module.name))),
                ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S%.3fZ")),
                ("hostname", &"chromium"),
                ("tests", &sums.tests),
                ("failures", &sums.failures),
                ("skipped", &sums.skipped),
                ("time", &number(sums.total_ms)),
                ("errors", &sums.errors),
            ],
        )?;
        for case in &module.cases {
            write_case(&mut xml, run, module, case)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

fn write_case(xml: &mut Markup<'_>, run: &TestRun, module: &Module, case: &Case) -> io::Result<()> {
    let names = PLAYWRIGHT.names(run, module, case);
    if case.outcome() == Outcome::Skipped {
        xml.open("testcase", &[("name", &names.name), ("classname", &names.class)])?;
        xml.open("skipped", &[])?;
        xml.close("skipped")?;
        return xml.close("testcase");
    }
    // A test that passes in the end shows its last attempt, one that fails its first.
    let shown = match case.outcome() {
        Outcome::Passed => &case.last,
        _ => case.earlier.first().unwrap_or(&case.last),
    };
    let time = number(shown.duration_ms);
    xml.open("testcase", &[("name", &names.name), ("classname", &names.class), ("time", &time)])?;
    let passed = case.outcome() == Outcome::Passed;
    for attempt in case.attempts().skip(usize::from(!passed)) {
        if let Some(element) = rerun(passed, attempt.outcome) {
            write_rerun(xml, run, module, case, attempt, element)?;
        }
    }
    if let Some(element) = failed(shown.outcome) {
        xml.open(element, &[("message", &shown.message), ("type", &PLAYWRIGHT.kind(shown))])?;
        xml.text("\n")?;
        xml.cdata(&format!(
            "  {}:{}:5 › {} ───\n\n    {}",
            names.class,
            case.line,
            names.name,
            text(run, module, case, shown)
        ))?;
        xml.text("\n")?;
        xml.close(element)?;
    }
    xml.close("testcase")
}

fn write_rerun(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    attempt: &Attempt,
    element: &str,
) -> io::Result<()> {
    xml.open(
        element,
        &[
            ("message", &attempt.message),
            ("type", &PLAYWRIGHT.kind(attempt)),
            ("time", &number(attempt.duration_ms)),
        ],
    )?;
    xml.open("stackTrace", &[])?;
    xml.text("\n")?;
    xml.cdata(&text(run, module, case, attempt))?;
    xml.text("\n")?;
    xml.close("stackTrace")?;
    xml.close(element)
}

const fn rerun(passed: bool, outcome: Outcome) -> Option<&'static str> {
    match (passed, outcome) {
        (true, Outcome::Failed) => Some("flakyFailure"),
        (true, Outcome::Errored) => Some("flakyError"),
        (false, Outcome::Failed) => Some("rerunFailure"),
        (false, Outcome::Errored) => Some("rerunError"),
        (_, Outcome::Passed | Outcome::Skipped) => None,
    }
}

const fn failed(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Failed => Some("failure"),
        Outcome::Errored => Some("error"),
        Outcome::Passed | Outcome::Skipped => None,
    }
}

fn text(run: &TestRun, module: &Module, case: &Case, attempt: &Attempt) -> String {
    format!(
        "{}: {}\n    at {}/{}.spec.ts:{}:5",
        PLAYWRIGHT.kind(attempt),
        attempt.message,
        checkout(&run.project),
        snake(&module.name),
        case.line
    )
}
