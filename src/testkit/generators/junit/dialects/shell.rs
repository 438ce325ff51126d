//! bats.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake};
use super::super::report::{Sums, TestRun};
use crate::model::Outcome;

/// bats-core, which writes UTC without saying so.
pub(super) static BATS: Dialect = Dialect {
    name: "bats",
    runner: "bats-core 1 (--report-formatter junit)",
    producer: "bats",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["failure", "failure"],
    names: |_, module, behaviour| {
        let file = format!("test/{}.bats", snake(module));
        Names {
            suites: vec![file.clone()],
            class: file,
            name: behaviour.to_owned(),
            ..Names::default()
        }
    },
    file: |_, _| "report.xml".into(),
    write,
};

const HAND: Hand = Hand {
    indent: Some((b' ', 4)),
    before_slash: " ",
    value: Escapes { apostrophe: "&#39;", ..Escapes::NAMED },
    text: Escapes { apostrophe: "&#39;", ..Escapes::NAMED },
    ..Hand::USUAL
};

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open("testsuites", &[("time", &seconds(all.total_ms))])?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        let file = format!("test/{}.bats", snake(&module.name));
        xml.open(
            "testsuite",
            &[
                ("name", &file),
                ("tests", &sums.tests),
                ("failures", &sums.bad()),
                ("errors", &0),
                ("skipped", &sums.skipped),
                ("time", &seconds(sums.total_ms)),
                ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S")),
                ("hostname", &run.host),
            ],
        )?;
        for case in &module.cases {
            let names = BATS.names(run, module, case);
            let time = seconds(case.last.duration_ms);
            let attributes: [(&str, &dyn std::fmt::Display); 3] =
                [("classname", &names.class), ("name", &names.name), ("time", &time)];
            let message = &case.last.message;
            match case.outcome() {
                Outcome::Passed => xml.empty("testcase", &attributes)?,
                Outcome::Skipped => {
                    xml.open("testcase", &attributes)?;
                    xml.element("skipped", &[], message)?;
                    xml.close("testcase")?;
                }
                Outcome::Failed | Outcome::Errored => {
                    let text = format!(
                        "(in test file {file}, line {})\n  `[ \"$status\" -eq 0 ]' failed\n{message}",
                        case.line
                    );
                    xml.open("testcase", &attributes)?;
                    xml.element("failure", &[("type", &BATS.kind(&case.last))], &text)?;
                    xml.close("testcase")?;
                }
            }
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}
