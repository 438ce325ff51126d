//! mocha in two ways, and cucumber-js, which lays out its reports like it.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake, title};
use super::super::report::{Sums, TestRun};
use super::checkout;
use super::javascript::{SCRIPT_TYPES, trace};
use crate::model::Outcome;

/// mocha-junit-reporter with its defaults: the name is the full title, the class the title.
pub(super) static MOCHA: Dialect = Dialect {
    name: "mocha",
    runner: "mocha or Cypress with mocha-junit-reporter 2 (defaults)",
    producer: "mocha-junit-reporter",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: false,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: false,
    types: SCRIPT_TYPES,
    names: |project, module, behaviour| Names {
        suites: vec![title(module)],
        class: behaviour.to_owned(),
        name: format!("{} {behaviour}", title(module)),
        file: format!("{}/test/{}.js", checkout(project), snake(module)),
    },
    file: |_, _| "test-results.xml".into(),
    write: mocha,
};

const MOCHA_HAND: Hand = Hand { value: Escapes::NAMED, ..Hand::USUAL };

fn mocha(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&MOCHA_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    let stamp = clock(run.started, "%Y-%m-%dT%H:%M:%S");
    xml.open(
        "testsuites",
        &[
            ("name", &"Mocha Tests"),
            ("time", &seconds(all.total_ms)),
            ("tests", &all.tests),
            ("failures", &all.bad()),
        ],
    )?;
    xml.empty(
        "testsuite",
        &[
            ("name", &"Root Suite"),
            ("timestamp", &stamp),
            ("tests", &0),
            ("time", &seconds(0)),
            ("failures", &0),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        let file = format!("{}/test/{}.js", checkout(&run.project), snake(&module.name));
        xml.open(
            "testsuite",
            &[
                ("name", &title(&module.name)),
                ("timestamp", &stamp),
                ("tests", &sums.tests),
                ("file", &file),
                ("time", &seconds(sums.total_ms)),
                ("failures", &sums.bad()),
            ],
        )?;
        for case in module.cases.iter().filter(|case| case.outcome() != Outcome::Skipped) {
            let names = MOCHA.names(run, module, case);
            xml.open(
                "testcase",
                &[
                    ("name", &names.name),
                    ("time", &seconds(case.last.duration_ms)),
                    ("classname", &names.class),
                ],
            )?;
            if case.outcome().is_bad() {
                xml.marked(
                    "failure",
                    &[("message", &case.last.message), ("type", &MOCHA.kind(&case.last))],
                    &trace(&MOCHA, run, module, case, &case.last),
                )?;
            }
            xml.close("testcase")?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

/// mocha's own xunit reporter.
pub(super) static MOCHA_XUNIT: Dialect = Dialect {
    name: "mocha-xunit",
    runner: "mocha 8 to 11 (--reporter xunit)",
    producer: "mocha",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: false,
    types: SCRIPT_TYPES,
    names: |_, module, behaviour| Names {
        suites: vec!["Mocha Tests".into()],
        class: title(module),
        name: behaviour.to_owned(),
        file: format!("test/{}.js", snake(module)),
    },
    file: |_, _| "xunit.xml".into(),
    write: mocha_xunit,
};

const ENTITIES: Escapes = Escapes { quote: "&#x22;", apostrophe: "&#x27;", newline: "\n" };

const MOCHA_XUNIT_HAND: Hand =
    Hand { declaration: None, indent: None, value: ENTITIES, text: ENTITIES, ..Hand::USUAL };

fn mocha_xunit(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&MOCHA_XUNIT_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuite",
        &[
            ("name", &"Mocha Tests"),
            ("tests", &all.tests),
            ("failures", &0),
            // It counts failures as errors.
            ("errors", &all.bad()),
            ("skipped", &all.skipped),
            ("timestamp", &clock(run.started, "%a, %d %b %Y %H:%M:%S GMT")),
            ("time", &number(all.total_ms)),
        ],
    )?;
    for (module, case) in run.cases() {
        let names = MOCHA_XUNIT.names(run, module, case);
        let time = number(case.last.duration_ms);
        let attributes: [(&str, &dyn std::fmt::Display); 4] = [
            ("classname", &names.class),
            ("name", &names.name),
            ("file", &names.file),
            ("time", &time),
        ];
        xml.text("\n")?;
        if case.outcome() == Outcome::Passed {
            xml.empty("testcase", &attributes)?;
            continue;
        }
        xml.open("testcase", &attributes)?;
        if case.outcome() == Outcome::Skipped {
            xml.empty("skipped", &[])?;
        } else {
            let text = trace(&MOCHA_XUNIT, run, module, case, &case.last);
            xml.element("failure", &[], &format!("{}\n{text}", case.last.message))?;
        }
        xml.close("testcase")?;
    }
    xml.text("\n")?;
    xml.close("testsuite")?;
    xml.end()
}

/// cucumber-js, whose class is the title of the feature.
pub(super) static CUCUMBER: Dialect = Dialect {
    name: "cucumber",
    runner: "cucumber-js 10 and 11 (--format junit)",
    producer: "cucumber",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: false,
    types: SCRIPT_TYPES,
    names: |_, module, behaviour| Names {
        suites: vec!["Cucumber".into()],
        class: title(module),
        name: behaviour.to_owned(),
        ..Names::default()
    },
    file: |_, _| "cucumber.xml".into(),
    write: cucumber,
};

const CUCUMBER_HAND: Hand = Hand { declaration: Some(r#"xml version="1.0""#), ..Hand::USUAL };

fn cucumber(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&CUCUMBER_HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open(
        "testsuite",
        &[
            ("name", &"Cucumber"),
            ("time", &number(all.total_ms)),
            ("tests", &all.tests),
            ("skipped", &all.skipped),
            ("failures", &all.bad()),
            ("errors", &0),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S%.3fZ")),
        ],
    )?;
    for (module, case) in run.cases() {
        let names = CUCUMBER.names(run, module, case);
        xml.open(
            "testcase",
            &[
                ("classname", &names.class),
                ("name", &names.name),
                ("time", &number(case.last.duration_ms)),
            ],
        )?;
        let step = match case.outcome() {
            Outcome::Passed => "passed",
            Outcome::Skipped => {
                xml.empty("skipped", &[])?;
                "skipped"
            }
            Outcome::Failed | Outcome::Errored => {
                xml.marked(
                    "failure",
                    &[("type", &CUCUMBER.kind(&case.last)), ("message", &case.last.message)],
                    &trace(&CUCUMBER, run, module, case, &case.last),
                )?;
                "failed"
            }
        };
        let given = format!("Given the {}", module.name);
        xml.marked("system-out", &[], &format!("{given:.<76}{step}"))?;
        xml.close("testcase")?;
    }
    xml.close("testsuite")?;
    xml.end()
}
