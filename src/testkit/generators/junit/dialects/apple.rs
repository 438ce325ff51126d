//! XCTest and Swift Testing, as fastlane's trainer writes their result bundles.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, number};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, camel, pascal};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use crate::model::Outcome;

/// fastlane trainer, which marks repetitions by a property.
pub(super) static XCTEST: Dialect = Dialect {
    name: "xctest",
    runner: "XCTest or Swift Testing through fastlane trainer (extension .xml; Xcode 16 or later)",
    producer: "unknown",
    retries: Retries::Marked,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::None,
    step_ms: 1,
    qualified: false,
    types: ["", ""],
    names: |project, module, behaviour| Names {
        suites: vec![format!("{}Tests", pascal(project)), format!("{} Tests", pascal(project))],
        class: format!("{}Tests", pascal(module)),
        name: format!("test{}()", pascal(&camel(behaviour))),
        ..Names::default()
    },
    file: |_, _| "report.xml".into(),
    write,
};

const HAND: Hand = Hand {
    declaration: Some("xml version='1.0' encoding='UTF-8'"),
    around: '\'',
    value: Escapes::NAMED,
    ..Hand::USUAL
};

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let (tests, bad, skipped) = (sums.tests, sums.bad(), sums.skipped);
    let time = number(sums.total_ms);
    xml.open(
        "testsuites",
        &[("tests", &tests), ("failures", &bad), ("skipped", &skipped), ("time", &time)],
    )?;
    let project = pascal(&run.project);
    for name in [format!("{project}Tests"), format!("{project} Tests")] {
        xml.open(
            "testsuite",
            &[
                ("name", &name),
                ("time", &time),
                ("tests", &tests),
                ("failures", &bad),
                ("skipped", &skipped),
            ],
        )?;
    }
    for (module, case) in run.cases() {
        let is_retried = !case.earlier.is_empty();
        for (index, attempt) in case.attempts().enumerate() {
            record(&mut xml, run, module, case, attempt, is_retried.then_some(index + 1))?;
        }
    }
    xml.close("testsuite")?;
    xml.close("testsuite")?;
    xml.close("testsuites")?;
    xml.end()
}

fn record(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    attempt: &Attempt,
    repetition: Option<usize>,
) -> io::Result<()> {
    let names = XCTEST.names(run, module, case);
    let time = number(attempt.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 3] =
        [("name", &names.name), ("classname", &names.class), ("time", &time)];
    if attempt.outcome == Outcome::Passed && repetition.is_none() {
        return xml.empty("testcase", &attributes);
    }
    xml.open("testcase", &attributes)?;
    match attempt.outcome {
        Outcome::Passed => {}
        Outcome::Skipped => {
            let said = format!("Test '{}' skipped: {}", names.name, attempt.message);
            xml.empty("skipped", &[("message", &said)])?;
        }
        Outcome::Failed | Outcome::Errored => {
            let said =
                format!("{}Tests.swift:{}: {}", pascal(&module.name), case.line, attempt.message);
            xml.empty("failure", &[("message", &said)])?;
        }
    }
    if let Some(number) = repetition {
        let value = format!("Retry {number}");
        xml.open("properties", &[])?;
        xml.empty("property", &[("name", &"repetition"), ("value", &value)])?;
        xml.close("properties")?;
    }
    xml.close("testcase")
}
