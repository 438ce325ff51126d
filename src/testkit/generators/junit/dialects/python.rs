//! pytest, and unittest through unittest-xml-reporting.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal, snake};
use super::super::report::{Case, Module, Sums, TestRun};
use super::checkout;
use crate::model::Outcome;

/// pytest with pytest-rerunfailures, which writes failed attempts as empty records.
pub static PYTEST: Dialect = Dialect {
    name: "pytest",
    runner: "pytest 8 and 9 (--junitxml) with pytest-rerunfailures 16.6.1 or later",
    producer: "pytest",
    retries: Retries::EmptyRecords,
    tells_errors: true,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["AssertionError", "TimeoutError"],
    names: |_, module, behaviour| Names {
        suites: vec!["pytest".into()],
        class: format!("tests.test_{}", snake(module)),
        name: format!("test_{}", snake(behaviour)),
        ..Names::default()
    },
    file: |_, _| "pytest.xml".into(),
    write: pytest,
};

const PYTEST_HAND: Hand = Hand {
    declaration: Some(r#"xml version="1.0" encoding="utf-8""#),
    indent: None,
    before_slash: " ",
    value: Escapes { apostrophe: "'", ..Escapes::LINES },
    end: "",
    ..Hand::USUAL
};

fn pytest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&PYTEST_HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let records: usize = run.cases().map(|(_, case)| case.earlier.len() + 1).sum();
    xml.open("testsuites", &[("name", &"pytest tests")])?;
    xml.open(
        "testsuite",
        &[
            ("name", &"pytest"),
            ("errors", &sums.errors),
            ("failures", &sums.failures),
            ("skipped", &sums.skipped),
            ("tests", &records),
            ("time", &seconds(sums.total_ms)),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S%.6f+00:00")),
            ("hostname", &run.host),
        ],
    )?;
    for (module, case) in run.cases() {
        let names = PYTEST.names(run, module, case);
        for attempt in &case.earlier {
            xml.empty(
                "testcase",
                &[
                    ("classname", &names.class),
                    ("name", &names.name),
                    ("time", &seconds(attempt.duration_ms)),
                ],
            )?;
        }
        pytest_case(&mut xml, run, module, case, &names)?;
    }
    xml.close("testsuite")?;
    xml.close("testsuites")?;
    xml.end()
}

fn pytest_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    names: &Names,
) -> io::Result<()> {
    let (message, kind) = (&case.last.message, PYTEST.kind(&case.last));
    let time = seconds(case.last.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 3] =
        [("classname", &names.class), ("name", &names.name), ("time", &time)];
    if case.outcome() == Outcome::Passed {
        return xml.empty("testcase", &attributes);
    }
    xml.open("testcase", &attributes)?;
    let place = format!("tests/test_{}.py:{}", snake(&module.name), case.line);
    match case.outcome() {
        Outcome::Skipped => {
            let text = format!("{}/{place}: {message}", checkout(&run.project));
            xml.element("skipped", &[("type", &"pytest.skip"), ("message", message)], &text)?;
        }
        Outcome::Errored => {
            let said = format!("failed on setup with \"{kind}: {message}\"");
            let text = format!(
                "@pytest.fixture\n>   def {}():\nE       {kind}: {message}\n\n{place}: {kind}",
                snake(&module.name)
            );
            xml.element("error", &[("message", &said)], &text)?;
        }
        Outcome::Failed | Outcome::Passed => {
            let said = format!("{kind}: {message}");
            let text = format!(
                "def {}():\n>       check()\nE       {said}\n\n{place}: {kind}",
                names.name
            );
            xml.element("failure", &[("message", &said)], &text)?;
        }
    }
    xml.close("testcase")
}

/// unittest-xml-reporting, whose suites end in the time of the run.
pub(super) static UNITTEST: Dialect = Dialect {
    name: "unittest",
    runner: "unittest-xml-reporting 4 (xmlrunner)",
    producer: "xmlrunner",
    retries: Retries::LastOnly,
    tells_errors: true,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Local,
    step_ms: 1,
    qualified: true,
    types: ["AssertionError", "TimeoutError"],
    names: |_, module, behaviour| {
        let class = format!("tests.test_{}.{}Test", snake(module), pascal(module));
        Names {
            suites: vec![class.clone()],
            class,
            name: format!("test_{}", snake(behaviour)),
            file: format!("tests/test_{}.py", snake(module)),
        }
    },
    file: |_, _| "unittest.xml".into(),
    write: unittest,
};

const UNITTEST_HAND: Hand = Hand {
    indent: Some((b'\t', 1)),
    value: Escapes { apostrophe: "'", newline: "\n", ..Escapes::NAMED },
    ..Hand::USUAL
};

fn unittest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&UNITTEST_HAND, out)?;
    let time = clock(run.started, "%Y-%m-%dT%H:%M:%S");
    let stamp = clock(run.started, "%Y%m%d%H%M%S");
    xml.open("testsuites", &[])?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        let file = format!("tests/test_{}.py", snake(&module.name));
        let suite =
            format!("tests.test_{}.{}Test-{stamp}", snake(&module.name), pascal(&module.name));
        xml.open(
            "testsuite",
            &[
                ("name", &suite),
                ("tests", &sums.tests),
                ("file", &file),
                ("time", &seconds(sums.total_ms)),
                ("timestamp", &time),
                ("failures", &sums.failures),
                ("errors", &sums.errors),
                ("skipped", &sums.skipped),
            ],
        )?;
        // It groups by outcome: first what passed, then failures, errors and skips.
        let mut cases: Vec<&Case> = module.cases.iter().collect();
        cases.sort_by_key(|case| case.outcome());
        for case in cases {
            unittest_case(&mut xml, run, module, case, &time)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

fn unittest_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    stamp: &str,
) -> io::Result<()> {
    let names = UNITTEST.names(run, module, case);
    let (message, kind) = (&case.last.message, UNITTEST.kind(&case.last));
    let time = seconds(case.last.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 6] = [
        ("classname", &names.class),
        ("name", &names.name),
        ("time", &time),
        ("timestamp", &stamp),
        ("file", &names.file),
        ("line", &case.line),
    ];
    let element = match case.outcome() {
        Outcome::Passed => return xml.empty("testcase", &attributes),
        Outcome::Skipped => {
            xml.open("testcase", &attributes)?;
            xml.empty("skipped", &[("type", &"skip"), ("message", message)])?;
            return xml.close("testcase");
        }
        Outcome::Failed => "failure",
        Outcome::Errored => "error",
    };
    xml.open("testcase", &attributes)?;
    xml.open(element, &[("type", &kind), ("message", message)])?;
    xml.text("\n")?;
    xml.cdata(&format!(
        "Traceback (most recent call last):\n  File \"{}/{}\", line {}, in {}\n{kind}: {message}\n",
        checkout(&run.project),
        names.file,
        case.line,
        names.name,
    ))?;
    xml.text("\t\t\t")?;
    xml.close(element)?;
    xml.close("testcase")
}
