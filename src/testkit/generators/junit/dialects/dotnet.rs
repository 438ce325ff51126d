//! dotnet test.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, number};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal};
use super::super::report::{Sums, TestRun};
use crate::model::Outcome;

/// JunitXml.TestLogger, one suite for the assembly.
pub(super) static DOTNET: Dialect = Dialect {
    name: "dotnet",
    runner: "dotnet test with JunitXml.TestLogger 3 or later (--logger junit)",
    producer: "unknown",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Local,
    step_ms: 1,
    qualified: true,
    types: ["failure", "failure"],
    names: |project, module, behaviour| Names {
        suites: vec![assembly(project)],
        class: format!("{}.Tests.{}Tests", pascal(project), pascal(module)),
        name: pascal(behaviour),
        ..Names::default()
    },
    file: |_, _| "TestResults.xml".into(),
    write,
};

const HAND: Hand = Hand {
    declaration: Some(r#"xml version="1.0" encoding="utf-8""#),
    before_slash: " ",
    value: Escapes { apostrophe: "'", newline: "&#xA;", ..Escapes::NAMED },
    end: "",
    ..Hand::USUAL
};

fn assembly(project: &str) -> String {
    format!("{}.Tests.dll", pascal(project))
}

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    xml.open("testsuites", &[])?;
    xml.open(
        "testsuite",
        &[
            ("name", &assembly(&run.project)),
            ("tests", &sums.tests),
            ("skipped", &sums.skipped),
            ("failures", &sums.bad()),
            ("errors", &0),
            ("time", &number(sums.total_ms)),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S")),
            ("hostname", &run.host),
            ("id", &0),
            ("package", &assembly(&run.project)),
        ],
    )?;
    xml.empty("properties", &[])?;
    for (module, case) in run.cases() {
        let names = DOTNET.names(run, module, case);
        let time = number(case.last.duration_ms);
        let attributes: [(&str, &dyn std::fmt::Display); 3] =
            [("classname", &names.class), ("name", &names.name), ("time", &time)];
        if case.outcome() == Outcome::Passed {
            xml.empty("testcase", &attributes)?;
            continue;
        }
        let message = &case.last.message;
        xml.open("testcase", &attributes)?;
        if case.outcome() == Outcome::Skipped {
            xml.empty("skipped", &[("message", message)])?;
        } else {
            let text = format!(
                "   at {}.{}() in /home/ci/{}/{}Tests.cs:line {}\n",
                names.class,
                names.name,
                run.project,
                pascal(&module.name),
                case.line
            );
            let kind = DOTNET.kind(&case.last);
            xml.element("failure", &[("type", &kind), ("message", message)], &text)?;
        }
        xml.close("testcase")?;
    }
    xml.empty("system-out", &[])?;
    xml.empty("system-err", &[])?;
    xml.close("testsuite")?;
    xml.close("testsuites")?;
    xml.end()
}
