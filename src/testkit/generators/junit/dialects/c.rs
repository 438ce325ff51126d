//! CTest, GoogleTest and Catch2.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal, snake};
use super::super::report::{Case, Module, Sums, TestRun};
use crate::model::Outcome;

/// CTest, whose failures have no text but the output of the test.
pub(super) static CTEST: Dialect = Dialect {
    name: "ctest",
    runner: "CTest 3.21 or later (--output-junit)",
    producer: "ctest",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Local,
    step_ms: 1,
    qualified: false,
    types: ["", ""],
    names: |_, module, behaviour| {
        let name = format!("{}.{}", snake(module), snake(behaviour));
        Names { suites: vec!["(empty)".into()], class: name.clone(), name, ..Names::default() }
    },
    file: |_, _| "ctest.xml".into(),
    write: ctest,
};

const CTEST_HAND: Hand = Hand { indent: Some((b'\t', 1)), value: Escapes::NAMED, ..Hand::USUAL };

fn ctest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&CTEST_HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    xml.open_listed(
        "testsuite",
        &[
            ("name", &"(empty)"),
            ("tests", &sums.tests),
            ("failures", &sums.bad()),
            ("disabled", &0),
            ("skipped", &sums.skipped),
            ("hostname", &run.host),
            ("time", &(sums.total_ms / 1000)),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S")),
        ],
    )?;
    for (module, case) in run.cases() {
        let names = CTEST.names(run, module, case);
        let status = match case.outcome() {
            Outcome::Passed => "run",
            Outcome::Skipped => "notrun",
            Outcome::Failed | Outcome::Errored => "fail",
        };
        xml.open(
            "testcase",
            &[
                ("name", &names.name),
                ("classname", &names.class),
                ("time", &number(case.last.duration_ms)),
                ("status", &status),
            ],
        )?;
        match case.outcome() {
            Outcome::Passed => {}
            Outcome::Skipped => xml.empty("skipped", &[("message", &"SKIP_RETURN_CODE=77")])?,
            Outcome::Failed | Outcome::Errored => xml.empty("failure", &[("message", &"")])?,
        }
        let said = &case.last.message;
        let output = if said.is_empty() { String::new() } else { format!("{said}\n") };
        xml.element("system-out", &[], &output)?;
        xml.close("testcase")?;
    }
    xml.close("testsuite")?;
    xml.end()
}

/// GoogleTest.
pub(super) static GTEST: Dialect = Dialect {
    name: "gtest",
    runner: "GoogleTest 1.11 or later (--gtest_output=xml)",
    producer: "gtest",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Local,
    step_ms: 1,
    qualified: false,
    types: ["", ""],
    names: |_, module, behaviour| {
        let class = format!("{}Test", pascal(module));
        Names {
            suites: vec![class.clone()],
            class,
            name: pascal(behaviour),
            file: format!("tests/{}_test.cc", snake(module)),
        }
    },
    file: |_, _| "gtest.xml".into(),
    write: gtest,
};

const GTEST_HAND: Hand =
    Hand { value: Escapes { newline: "&#x0A;", ..Escapes::NAMED }, ..Hand::USUAL };

fn gtest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&GTEST_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    let stamp = clock(run.started, "%Y-%m-%dT%H:%M:%S%.3f");
    xml.open(
        "testsuites",
        &[
            ("tests", &all.tests),
            ("failures", &all.bad()),
            ("disabled", &0),
            ("errors", &0),
            ("time", &number(all.total_ms)),
            ("timestamp", &stamp),
            ("name", &"AllTests"),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &format_args!("{}Test", pascal(&module.name))),
                ("tests", &sums.tests),
                ("failures", &sums.bad()),
                ("disabled", &0),
                ("skipped", &sums.skipped),
                ("errors", &0),
                ("time", &number(sums.total_ms)),
                ("timestamp", &stamp),
            ],
        )?;
        for case in &module.cases {
            gtest_case(&mut xml, run, module, case, &stamp)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

fn gtest_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    stamp: &str,
) -> io::Result<()> {
    let names = GTEST.names(run, module, case);
    let result = if case.outcome() == Outcome::Skipped { "skipped" } else { "completed" };
    let time = number(case.last.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 8] = [
        ("name", &names.name),
        ("file", &names.file),
        ("line", &case.line),
        ("status", &"run"),
        ("result", &result),
        ("time", &time),
        ("timestamp", &stamp),
        ("classname", &names.class),
    ];
    let place = format!("{}:{}", names.file, case.line);
    match case.outcome() {
        Outcome::Passed => return xml.empty("testcase", &attributes),
        Outcome::Skipped => {
            let text = format!("{place}\n{}", case.last.message);
            xml.open("testcase", &attributes)?;
            xml.marked("skipped", &[("message", &text)], &text)?;
        }
        Outcome::Failed | Outcome::Errored => {
            let text = format!("{place}\nFailed\n{}", case.last.message);
            xml.open("testcase", &attributes)?;
            xml.marked("failure", &[("message", &text), ("type", &"")], &text)?;
        }
    }
    xml.close("testcase")
}

/// Catch2, whose classes are named after the program.
pub(super) static CATCH2: Dialect = Dialect {
    name: "catch2",
    runner: "Catch2 2 and 3 (-r junit)",
    producer: "catch2",
    retries: Retries::LastOnly,
    tells_errors: true,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["REQUIRE", "TEST_CASE"],
    names: |project, module, behaviour| {
        let program = format!("{project}_tests");
        let class = format!("{program}.global");
        Names {
            suites: vec![program],
            class,
            name: format!("{module} {behaviour}"),
            ..Names::default()
        }
    },
    file: |_, _| "catch2.xml".into(),
    write: catch2,
};

const CATCH2_HAND: Hand =
    Hand { value: Escapes { apostrophe: "'", ..Escapes::NAMED }, ..Hand::USUAL };

fn catch2(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&CATCH2_HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    xml.open("testsuites", &[])?;
    xml.open(
        "testsuite",
        &[
            ("name", &format_args!("{}_tests", run.project)),
            ("errors", &sums.errors),
            ("failures", &sums.failures),
            ("skipped", &sums.skipped),
            ("tests", &sums.tests),
            ("hostname", &"tbd"),
            ("time", &seconds(sums.total_ms)),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%SZ")),
        ],
    )?;
    for (module, case) in run.cases() {
        catch2_case(&mut xml, run, module, case)?;
    }
    xml.element("system-out", &[], "\n    ")?;
    xml.element("system-err", &[], "\n    ")?;
    xml.close("testsuite")?;
    xml.close("testsuites")?;
    xml.end()
}

fn catch2_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
) -> io::Result<()> {
    let names = CATCH2.names(run, module, case);
    let time = seconds(case.last.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 4] =
        [("classname", &names.class), ("name", &names.name), ("time", &time), ("status", &"run")];
    let message = &case.last.message;
    let place = format!("at {}_test.cpp:{}", snake(&module.name), case.line);
    match case.outcome() {
        Outcome::Passed => return xml.empty("testcase", &attributes),
        Outcome::Skipped => {
            xml.open("testcase", &attributes)?;
            let text = format!("\nSKIPPED\n{message}\n{place}\n      ");
            xml.element("skipped", &[("type", &"TEST_CASE"), ("message", message)], &text)?;
        }
        Outcome::Failed | Outcome::Errored => {
            xml.open("testcase", &attributes)?;
            let element = if case.outcome() == Outcome::Failed { "failure" } else { "error" };
            let text = format!("\nFAILED:\n{message}\n{place}\n      ");
            let kind = CATCH2.kind(&case.last);
            xml.element(element, &[("message", message), ("type", &kind)], &text)?;
        }
    }
    xml.close("testcase")
}
