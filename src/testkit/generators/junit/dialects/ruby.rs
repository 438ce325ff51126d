//! RSpec.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, snake, title};
use super::super::report::{Sums, TestRun};
use crate::model::Outcome;

/// rspec_junit_formatter.
pub(super) static RSPEC: Dialect = Dialect {
    name: "rspec",
    runner: "RSpec 3 with rspec_junit_formatter 0.6",
    producer: "rspec",
    retries: Retries::LastOnly,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    step_ms: 1,
    qualified: true,
    types: ["RSpec::Expectations::ExpectationNotMetError", "Timeout::Error"],
    names: |_, module, behaviour| Names {
        suites: vec!["rspec".into()],
        class: format!("spec.{}_spec", snake(module)),
        name: format!("{} {behaviour}", title(module)),
        file: format!("./spec/{}_spec.rb", snake(module)),
    },
    file: |_, _| "rspec.xml".into(),
    write,
};

const HAND: Hand =
    Hand { indent: Some((b' ', 0)), value: Escapes::NAMED, text: Escapes::NAMED, ..Hand::USUAL };

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let sums = Sums::of(run.cases().map(|(_, case)| case));
    let micro = |millis| format!("{}000", seconds(millis));
    xml.open(
        "testsuite",
        &[
            ("name", &"rspec"),
            ("tests", &sums.tests),
            ("skipped", &sums.skipped),
            ("failures", &sums.bad()),
            ("errors", &0),
            ("time", &micro(sums.total_ms)),
            ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%S+00:00")),
            ("hostname", &run.host),
        ],
    )?;
    xml.open("properties", &[])?;
    xml.empty(
        "property",
        &[("name", &"seed"), ("value", &(run.started.0.unsigned_abs() % 65_536))],
    )?;
    xml.close("properties")?;
    for (module, case) in run.cases() {
        let names = RSPEC.names(run, module, case);
        let time = micro(case.last.duration_ms);
        let attributes: [(&str, &dyn std::fmt::Display); 4] = [
            ("classname", &names.class),
            ("name", &names.name),
            ("file", &names.file),
            ("time", &time),
        ];
        if case.outcome() == Outcome::Passed {
            xml.hollow("testcase", &attributes)?;
            continue;
        }
        xml.open("testcase", &attributes)?;
        // Children stand on the line of their case.
        xml.text("")?;
        if case.outcome() == Outcome::Skipped {
            xml.empty("skipped", &[])?;
        } else {
            let (kind, message) = (RSPEC.kind(&case.last), &case.last.message);
            let text = format!(
                "Failure/Error: expect(subject).to hold\n\n  {message}\n{}:{}:in `block (2 levels) in <top (required)>'",
                names.file, case.line
            );
            xml.element("failure", &[("message", message), ("type", &kind)], &text)?;
        }
        xml.text("")?;
        xml.close("testcase")?;
    }
    xml.close("testsuite")?;
    xml.end()
}
