//! ExUnit.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal, snake};
use super::super::report::{Sums, TestRun};
use crate::model::Outcome;

/// junit_formatter, whose files end in a line.
pub(super) static EXUNIT: Dialect = Dialect {
    name: "exunit",
    runner: "ExUnit with junit_formatter 3 and `include_filename?`",
    producer: "exunit",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::None,
    step_ms: 1,
    qualified: true,
    types: ["ExUnit.AssertionError", "ExUnit.TimeoutError"],
    names: |project, module, behaviour| {
        let class = class(project, module);
        Names {
            suites: vec![class.clone()],
            class,
            name: format!("test {behaviour}"),
            file: format!("test/{}_test.exs", snake(module)),
        }
    },
    file: |_, _| "test-junit-report.xml".into(),
    write,
};

fn class(project: &str, module: &str) -> String {
    format!("Elixir.{}.{}Test", pascal(project), pascal(module))
}

const HAND: Hand = Hand {
    declaration: Some(r#"xml version="1.0""#),
    indent: None,
    value: Escapes { apostrophe: "'", newline: "\n", ..Escapes::NAMED },
    end: "",
    ..Hand::USUAL
};

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let precise = |millis| format!("{}0", seconds(millis));
    xml.open("testsuites", &[])?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        xml.open(
            "testsuite",
            &[
                ("errors", &0),
                ("failures", &sums.bad()),
                ("skipped", &sums.skipped),
                ("name", &class(&run.project, &module.name)),
                ("tests", &sums.tests),
                ("time", &precise(sums.total_ms)),
            ],
        )?;
        let date = clock(run.started, "%Y-%m-%dT%H:%M:%S%.6fZ");
        xml.open("properties", &[])?;
        xml.empty("property", &[("name", &"date"), ("value", &date)])?;
        xml.empty(
            "property",
            &[("name", &"seed"), ("value", &(run.started.0.unsigned_abs() % 1_000_000))],
        )?;
        xml.close("properties")?;
        for case in &module.cases {
            let names = EXUNIT.names(run, module, case);
            let (time, file) =
                (precise(case.last.duration_ms), format!("{}:{}", names.file, case.line));
            let attributes: [(&str, &dyn std::fmt::Display); 4] = [
                ("file", &file),
                ("classname", &names.class),
                ("name", &names.name),
                ("time", &time),
            ];
            let message = &case.last.message;
            match case.outcome() {
                Outcome::Passed => {
                    xml.empty("testcase", &attributes)?;
                    continue;
                }
                Outcome::Skipped => {
                    xml.open("testcase", &attributes)?;
                    xml.empty("skipped", &[("message", message)])?;
                }
                Outcome::Failed | Outcome::Errored => {
                    let kind = EXUNIT.kind(&case.last);
                    let text = format!(
                        "  1) {} ({})\n     {file}\n     ** ({kind}) {message}\n     stacktrace:\n       {file}: (test)\n",
                        names.name,
                        names.class.trim_start_matches("Elixir."),
                    );
                    xml.open("testcase", &attributes)?;
                    xml.element(
                        "failure",
                        &[("message", &format_args!("error: {message}"))],
                        &text,
                    )?;
                }
            }
            xml.close("testcase")?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}
