//! jest, vitest and deno, and the stack traces of V8.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake, title};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use super::checkout;
use crate::model::Outcome;

pub(super) const SCRIPT_TYPES: [&str; 2] = ["AssertionError", "TimeoutError"];

/// jest-junit with its defaults: class and name are the full title.
pub(super) static JEST: Dialect = Dialect {
    name: "jest",
    runner: "jest with jest-junit 16 or 17 (defaults)",
    producer: "jest-junit",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: false,
    types: SCRIPT_TYPES,
    names: |_, module, behaviour| {
        let name = format!("{} {behaviour}", title(module));
        Names { suites: vec![title(module)], class: name.clone(), name, ..Names::default() }
    },
    file: |_, _| "junit.xml".into(),
    write: jest,
};

const JEST_HAND: Hand = Hand { value: Escapes::NAMED, text: Escapes::NAMED, ..Hand::USUAL };

fn jest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&JEST_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuites",
        &[
            ("name", &"jest tests"),
            ("tests", &all.tests),
            ("failures", &all.bad()),
            ("errors", &0),
            ("time", &number(all.total_ms)),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &title(&module.name)),
                ("errors", &0),
                ("failures", &sums.bad()),
                ("skipped", &sums.skipped),
                ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S")),
                ("time", &number(sums.total_ms)),
                ("tests", &sums.tests),
            ],
        )?;
        for case in &module.cases {
            let names = JEST.names(run, module, case);
            xml.open(
                "testcase",
                &[
                    ("classname", &names.class),
                    ("name", &names.name),
                    ("time", &number(case.last.duration_ms)),
                ],
            )?;
            match case.outcome() {
                Outcome::Passed => {}
                Outcome::Skipped => xml.empty("skipped", &[])?,
                Outcome::Failed | Outcome::Errored => {
                    xml.element("failure", &[], &trace(&JEST, run, module, case, &case.last))?;
                }
            }
            xml.close("testcase")?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

/// What V8 prints of an error.
pub(super) fn trace(
    dialect: &Dialect,
    run: &TestRun,
    module: &Module,
    case: &Case,
    attempt: &Attempt,
) -> String {
    format!(
        "{}: {}\n    at Object.<anonymous> ({}/tests/{}.test.js:{}:5)",
        dialect.kind(attempt),
        attempt.message,
        checkout(&run.project),
        snake(&module.name),
        case.line,
    )
}

/// vitest's own reporter.
pub(super) static VITEST: Dialect = Dialect {
    name: "vitest",
    runner: "vitest 1 to 4 (--reporter=junit)",
    producer: "vitest",
    retries: Retries::FailuresOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: SCRIPT_TYPES,
    names: |_, module, behaviour| {
        let file = format!("tests/{}.test.js", snake(module));
        let name = format!("{module} > {behaviour}");
        Names { suites: vec![file.clone()], class: file, name, ..Names::default() }
    },
    file: |_, _| "vitest.xml".into(),
    write: vitest,
};

const VITEST_HAND: Hand = Hand {
    declaration: Some(r#"xml version="1.0" encoding="UTF-8" "#),
    indent: Some((b' ', 4)),
    value: Escapes::NAMED,
    text: Escapes::NAMED,
    ..Hand::USUAL
};

fn vitest(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&VITEST_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuites",
        &[
            ("name", &"vitest tests"),
            ("tests", &all.tests),
            ("failures", &all.bad()),
            ("errors", &0),
            ("time", &number(all.total_ms)),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &format_args!("tests/{}.test.js", snake(&module.name))),
                ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S%.3fZ")),
                ("hostname", &run.host),
                ("tests", &sums.tests),
                ("failures", &sums.bad()),
                ("errors", &0),
                ("skipped", &sums.skipped),
                ("time", &number(sums.total_ms)),
            ],
        )?;
        for case in &module.cases {
            vitest_case(&mut xml, run, module, case)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

fn vitest_case(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
) -> io::Result<()> {
    let names = VITEST.names(run, module, case);
    xml.open(
        "testcase",
        &[
            ("classname", &names.class),
            ("name", &names.name),
            ("time", &number(case.last.duration_ms)),
        ],
    )?;
    match case.outcome() {
        Outcome::Passed => {}
        Outcome::Skipped => xml.empty("skipped", &[])?,
        Outcome::Failed | Outcome::Errored => {
            for attempt in case.attempts() {
                let (kind, message) = (VITEST.kind(attempt), &attempt.message);
                let text = format!(
                    "\n{kind}: {message}\n ❯ {}:{}:5\n            ",
                    names.class, case.line
                );
                xml.element("failure", &[("message", message), ("type", &kind)], &text)?;
            }
        }
    }
    xml.close("testcase")
}

/// deno test.
pub(super) static DENO: Dialect = Dialect {
    name: "deno",
    runner: "deno 2 (deno test --junit-path)",
    producer: "deno",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::None,
    step_ms: 1,
    qualified: true,
    types: SCRIPT_TYPES,
    names: |_, module, behaviour| {
        let file = format!("./tests/{}.test.ts", snake(module));
        Names {
            suites: vec![file.clone()],
            class: file,
            name: format!("{module} {behaviour}"),
            ..Names::default()
        }
    },
    file: |_, _| "deno.xml".into(),
    write: deno,
};

const DENO_HAND: Hand =
    Hand { indent: Some((b' ', 4)), value: Escapes::NAMED, text: Escapes::NAMED, ..Hand::USUAL };

fn deno(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&DENO_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuites",
        &[
            ("name", &"deno test"),
            ("tests", &all.tests),
            ("failures", &all.bad()),
            ("errors", &0),
            ("time", &seconds(all.total_ms)),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("name", &format_args!("./tests/{}.test.ts", snake(&module.name))),
                ("tests", &sums.tests),
                ("disabled", &sums.skipped),
                ("errors", &0),
                ("failures", &sums.bad()),
            ],
        )?;
        for case in &module.cases {
            let names = DENO.names(run, module, case);
            xml.open(
                "testcase",
                &[
                    ("name", &names.name),
                    ("classname", &names.class),
                    ("time", &seconds(case.last.duration_ms)),
                    ("line", &case.line),
                    ("col", &6),
                ],
            )?;
            match case.outcome() {
                Outcome::Passed => {}
                Outcome::Skipped => xml.empty("skipped", &[])?,
                Outcome::Failed | Outcome::Errored => {
                    let (kind, message) = (DENO.kind(&case.last), &case.last.message);
                    let text = format!(
                        "{kind}: {message}\n    at file://{}/tests/{}.test.ts:{}:6",
                        checkout(&run.project),
                        snake(&module.name),
                        case.line
                    );
                    let said = format!("Uncaught {kind}: {message}");
                    xml.element("failure", &[("message", &said)], &text)?;
                }
            }
            xml.close("testcase")?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}
