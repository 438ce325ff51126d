//! cargo-nextest.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use crate::model::{Outcome, Timestamp};

/// cargo-nextest, which writes every attempt and no ignored test.
pub(super) static NEXTEST: Dialect = Dialect {
    name: "nextest",
    runner: "cargo-nextest 0.9 ([profile.ci.junit], retries)",
    producer: "cargo-nextest",
    retries: Retries::Nested,
    tells_errors: false,
    writes_skips: false,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["test failure with exit code 101", "test timeout"],
    names: |project, module, behaviour| {
        let binary = format!("{project}::{}", snake(module));
        Names {
            suites: vec![binary.clone()],
            class: binary,
            name: snake(behaviour),
            ..Names::default()
        }
    },
    file: |_, _| "junit.xml".into(),
    write,
};

const HAND: Hand =
    Hand { indent: Some((b' ', 4)), value: Escapes::NAMED, text: Escapes::NAMED, ..Hand::USUAL };

const STAMP: &str = "%Y-%m-%dT%H:%M:%S%.3f+00:00";

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuites",
        &[
            ("name", &"nextest-run"),
            ("tests", &(all.tests - all.skipped)),
            ("skipped", &0),
            ("failures", &all.bad()),
            ("errors", &0),
            ("uuid", &run.id),
            ("timestamp", &clock(run.started, STAMP)),
            ("time", &seconds(all.total_ms)),
        ],
    )?;
    let mut at = run.started;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &format_args!("{}::{}", run.project, snake(&module.name))),
                ("tests", &(sums.tests - sums.skipped)),
                ("skipped", &0),
                ("errors", &0),
                ("failures", &sums.bad()),
            ],
        )?;
        for case in module.cases.iter().filter(|case| case.outcome() != Outcome::Skipped) {
            write_case(&mut xml, run, module, case, at)?;
            at = after(at, case.total_ms());
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

const fn after(at: Timestamp, millis: u64) -> Timestamp {
    Timestamp(at.0.saturating_add_unsigned(millis))
}

fn write_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    at: Timestamp,
) -> io::Result<()> {
    let names = NEXTEST.names(run, module, case);
    let passed = case.outcome() == Outcome::Passed;
    let before: u64 = case.earlier.iter().map(|attempt| attempt.duration_ms).sum();
    // A test that passes in the end shows its last attempt, one that fails its first.
    let (shown, start) = match (passed, case.earlier.first()) {
        (true, _) => (&case.last, after(at, before)),
        (false, first) => (first.unwrap_or(&case.last), at),
    };
    let (stamp, time) = (clock(start, STAMP), seconds(shown.duration_ms));
    let attributes: [(&str, &dyn std::fmt::Display); 4] = [
        ("name", &names.name),
        ("classname", &names.class),
        ("timestamp", &stamp),
        ("time", &time),
    ];
    if passed && case.earlier.is_empty() {
        return xml.empty("testcase", &attributes);
    }
    xml.open("testcase", &attributes)?;
    if !passed {
        let said = panicked(&names, module, case, shown);
        let text = format!("{said}\n{}", shown.message);
        xml.element("failure", &[("message", &said), ("type", &NEXTEST.kind(shown))], &text)?;
    }
    let element = if passed { "flakyFailure" } else { "rerunFailure" };
    let mut start = at;
    for attempt in case.attempts() {
        let is_shown = std::ptr::eq(attempt, shown);
        if !is_shown {
            let said = panicked(&names, module, case, attempt);
            let text = format!("{said}\n{}", attempt.message);
            xml.element(
                element,
                &[
                    ("timestamp", &clock(start, STAMP)),
                    ("time", &seconds(attempt.duration_ms)),
                    ("message", &said),
                    ("type", &NEXTEST.kind(attempt)),
                ],
                &text,
            )?;
        }
        start = after(start, attempt.duration_ms);
    }
    xml.close("testcase")
}

/// The line that nextest takes out of the output.
fn panicked(names: &Names, module: &Module, case: &Case, attempt: &Attempt) -> String {
    match attempt.outcome {
        Outcome::Errored => "test timed out".to_owned(),
        _ => format!(
            "thread '{}' panicked at tests/{}.rs:{}:5",
            names.name,
            snake(&module.name),
            case.line
        ),
    }
}
