//! Maven Surefire, Gradle and TestNG.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, camel, pascal};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use crate::model::Outcome;

const TYPES: [&str; 2] =
    ["org.opentest4j.AssertionFailedError", "java.util.concurrent.TimeoutException"];

fn class(project: &str, module: &str) -> String {
    format!("com.example.{project}.{}Test", pascal(module))
}

fn report_file(project: &str, module: &str) -> String {
    format!("TEST-{}.xml", class(project, module))
}

/// What a stack trace begins with.
fn trace(dialect: &Dialect, names: &Names, module: &Module, case: &Case, of: &Attempt) -> String {
    format!(
        "{}: {}\n\tat {}.{}({}Test.java:{})\n",
        dialect.kind(of),
        of.message,
        names.class,
        names.name.trim_end_matches("()"),
        pascal(&module.name),
        case.line,
    )
}

const fn element(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Errored => "error",
        Outcome::Failed | Outcome::Passed | Outcome::Skipped => "failure",
    }
}

/// Surefire and Failsafe with `rerunFailingTestsCount`.
pub(super) static SUREFIRE: Dialect = Dialect {
    name: "surefire",
    runner: "Maven Surefire or Failsafe 3 (rerunFailingTestsCount)",
    producer: "surefire",
    retries: Retries::Nested,
    tells_errors: true,
    writes_skips: true,
    file_per_module: true,
    clock: Clock::None,
    step_ms: 1,
    qualified: true,
    types: TYPES,
    names: |project, module, behaviour| {
        let class = class(project, module);
        let name = camel(behaviour);
        Names { suites: vec![class.clone()], class, name, ..Names::default() }
    },
    file: report_file,
    write: surefire,
};

const SUREFIRE_SCHEMA: &str =
    "https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd";

fn surefire(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&Hand::USUAL, out)?;
    // It counts attempts: a test that failed twice and then passed is three tests and two failures.
    let attempts = || run.cases().flat_map(|(_, case)| case.attempts());
    let count = |outcome| attempts().filter(|attempt| attempt.outcome == outcome).count();
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let module = run.modules.first().map_or("", |module| &module.name);
    xml.open(
        "testsuite",
        &[
            ("xmlns:xsi", &"http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:noNamespaceSchemaLocation", &SUREFIRE_SCHEMA),
            ("version", &"3.0.2"),
            ("name", &class(&run.project, module)),
            ("time", &seconds(sums.total_ms)),
            ("tests", &attempts().count()),
            ("errors", &count(Outcome::Errored)),
            ("skipped", &count(Outcome::Skipped)),
            ("failures", &count(Outcome::Failed)),
        ],
    )?;
    xml.open("properties", &[])?;
    xml.empty("property", &[("name", &"java.version"), ("value", &"21.0.5")])?;
    xml.empty("property", &[("name", &"os.name"), ("value", &"Linux")])?;
    xml.close("properties")?;
    for (module, case) in run.cases() {
        surefire_case(&mut xml, run, module, case)?;
    }
    xml.close("testsuite")?;
    xml.end()
}

fn surefire_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
) -> io::Result<()> {
    let names = SUREFIRE.names(run, module, case);
    let passed = case.outcome() == Outcome::Passed;
    // A test that passes in the end shows its last attempt, one that fails its first.
    let shown = if passed { &case.last } else { case.earlier.first().unwrap_or(&case.last) };
    let time = seconds(shown.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 3] =
        [("name", &names.name), ("classname", &names.class), ("time", &time)];
    if passed && case.earlier.is_empty() {
        return xml.empty("testcase", &attributes);
    }
    xml.open("testcase", &attributes)?;
    match case.outcome() {
        Outcome::Skipped => xml.empty("skipped", &[("message", &shown.message)])?,
        Outcome::Failed | Outcome::Errored => xml.marked(
            element(shown.outcome),
            &[("message", &shown.message), ("type", &SUREFIRE.kind(shown))],
            &trace(&SUREFIRE, &names, module, case, shown),
        )?,
        Outcome::Passed => {}
    }
    for attempt in case.attempts().skip(usize::from(!passed)) {
        let element = match (passed, attempt.outcome) {
            (true, Outcome::Failed) => "flakyFailure",
            (true, Outcome::Errored) => "flakyError",
            (false, Outcome::Failed) => "rerunFailure",
            (false, Outcome::Errored) => "rerunError",
            (_, Outcome::Passed | Outcome::Skipped) => continue,
        };
        xml.open(element, &[("message", &attempt.message), ("type", &SUREFIRE.kind(attempt))])?;
        xml.marked("stackTrace", &[], &trace(&SUREFIRE, &names, module, case, attempt))?;
        xml.close(element)?;
    }
    xml.close("testcase")
}

/// Gradle with the test-retry plugin.
pub(super) static GRADLE: Dialect = Dialect {
    name: "gradle",
    runner: "Gradle 4 to 9 with the test-retry plugin",
    producer: "gradle",
    retries: Retries::Records,
    tells_errors: false,
    writes_skips: true,
    file_per_module: true,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: TYPES,
    names: |project, module, behaviour| {
        let class = class(project, module);
        let name = format!("{}()", camel(behaviour));
        Names { suites: vec![class.clone()], class, name, ..Names::default() }
    },
    file: report_file,
    write: gradle,
};

fn gradle(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&Hand::USUAL, out)?;
    let attempts = || run.cases().flat_map(|(_, case)| case.attempts());
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let module = run.modules.first().map_or("", |module| &module.name);
    xml.open(
        "testsuite",
        &[
            ("name", &class(&run.project, module)),
            ("tests", &attempts().count()),
            ("skipped", &sums.skipped),
            ("failures", &attempts().filter(|attempt| attempt.outcome.is_bad()).count()),
            ("errors", &0),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S")),
            ("hostname", &run.host),
            ("time", &number(sums.total_ms)),
        ],
    )?;
    xml.empty("properties", &[])?;
    for (module, case) in run.cases() {
        let names = GRADLE.names(run, module, case);
        for attempt in case.attempts() {
            let time = number(attempt.duration_ms);
            let attributes: [(&str, &dyn std::fmt::Display); 3] =
                [("name", &names.name), ("classname", &names.class), ("time", &time)];
            if attempt.outcome == Outcome::Passed {
                xml.empty("testcase", &attributes)?;
                continue;
            }
            xml.open("testcase", &attributes)?;
            if attempt.outcome == Outcome::Skipped {
                xml.empty("skipped", &[])?;
            } else {
                let kind = GRADLE.kind(attempt);
                let said = format!("{kind}: {}", attempt.message);
                xml.element(
                    "failure",
                    &[("message", &said), ("type", &kind)],
                    &trace(&GRADLE, &names, module, case, attempt),
                )?;
            }
            xml.close("testcase")?;
        }
    }
    xml.marked("system-out", &[], "")?;
    xml.marked("system-err", &[], "")?;
    xml.close("testsuite")?;
    xml.end()
}

/// TestNG's `JUnitReportReporter`, which writes a skip as an error.
pub(super) static TESTNG: Dialect = Dialect {
    name: "testng",
    runner: "TestNG 6 and 7 (JUnitReportReporter, retryAnalyzer)",
    producer: "testng",
    retries: Retries::Records,
    tells_errors: true,
    writes_skips: true,
    file_per_module: true,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["java.lang.AssertionError", "org.testng.internal.thread.ThreadTimeoutException"],
    names: |project, module, behaviour| Names {
        suites: vec![class(project, module)],
        class: class(project, module),
        name: camel(behaviour),
        ..Names::default()
    },
    file: report_file,
    write: testng,
};

const TESTNG_HAND: Hand = Hand { value: Escapes::LINES, ..Hand::USUAL };

fn testng(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&TESTNG_HAND, out)?;
    let attempts = || run.cases().flat_map(|(_, case)| case.attempts());
    let count = |outcome| attempts().filter(|attempt| attempt.outcome == outcome).count();
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let module = run.modules.first().map_or("", |module| &module.name);
    xml.comment(" Generated by org.testng.reporters.JUnitReportReporter ")?;
    xml.open(
        "testsuite",
        &[
            ("hostname", &run.host),
            ("failures", &count(Outcome::Failed)),
            ("tests", &attempts().count()),
            ("name", &class(&run.project, module)),
            ("time", &seconds(sums.total_ms)),
            ("errors", &(count(Outcome::Errored) + count(Outcome::Skipped))),
            ("timestamp", &clock(run.started, "%d %b %Y %H:%M:%S GMT")),
        ],
    )?;
    for (module, case) in run.cases() {
        let names = TESTNG.names(run, module, case);
        for attempt in case.attempts() {
            let time = seconds(attempt.duration_ms);
            let attributes: [(&str, &dyn std::fmt::Display); 3] =
                [("classname", &names.class), ("name", &names.name), ("time", &time)];
            if attempt.outcome == Outcome::Passed {
                xml.empty("testcase", &attributes)?;
                continue;
            }
            let (element, kind) = match attempt.outcome {
                Outcome::Skipped => ("error", "org.testng.SkipException"),
                outcome => (element(outcome), TESTNG.kind(attempt)),
            };
            xml.open("testcase", &attributes)?;
            xml.open(element, &[("message", &attempt.message), ("type", &kind)])?;
            xml.text("\n      ")?;
            xml.cdata(&format!(
                "{kind}: {}\n\tat {}.{}({}Test.java:{})\n",
                attempt.message,
                names.class,
                names.name,
                pascal(&module.name),
                case.line
            ))?;
            xml.text("\n    ")?;
            xml.close(element)?;
            xml.close("testcase")?;
        }
    }
    xml.close("testsuite")?;
    xml.end()
}
