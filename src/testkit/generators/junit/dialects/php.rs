//! PHPUnit.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, seconds};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal};
use super::super::report::{Case, Module, Sums, TestRun};
use super::checkout;
use crate::model::Outcome;

/// PHPUnit, whose suites nest and whose files are absolute.
pub(super) static PHPUNIT: Dialect = Dialect {
    name: "phpunit",
    runner: "PHPUnit 9 to 12 (--log-junit)",
    producer: "phpunit",
    retries: Retries::LastOnly,
    tells_errors: true,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::None,
    step_ms: 1,
    qualified: true,
    types: ["PHPUnit\\Framework\\ExpectationFailedException", "RuntimeException"],
    names: |project, module, behaviour| Names {
        suites: vec![String::new(), "unit".into(), class(project, module, "\\")],
        class: class(project, module, "."),
        name: format!("test{}", pascal(behaviour)),
        file: path(project, module),
    },
    file: |_, _| "phpunit.xml".into(),
    write,
};

fn class(project: &str, module: &str, between: &str) -> String {
    format!("{}{between}Tests{between}{}Test", pascal(project), pascal(module))
}

fn path(project: &str, module: &str) -> String {
    format!("{}/tests/{}Test.php", checkout(project), pascal(module))
}

const HAND: Hand = Hand { value: Escapes { apostrophe: "'", ..Escapes::LINES }, ..Hand::USUAL };

fn micro(millis: u64) -> String {
    format!("{}000", seconds(millis))
}

fn suite(xml: &mut Markup<'_>, name: &str, file: Option<&str>, sums: Sums) -> io::Result<()> {
    let time = micro(sums.total_ms);
    let assertions = sums.tests - sums.skipped;
    let mut attributes: Vec<(&str, &dyn std::fmt::Display)> = vec![("name", &name)];
    if let Some(file) = &file {
        attributes.push(("file", file));
    }
    attributes.extend([
        ("tests", &sums.tests as &dyn std::fmt::Display),
        ("assertions", &assertions),
        ("errors", &sums.errors),
        ("warnings", &0),
        ("failures", &sums.failures),
        ("skipped", &sums.skipped),
        ("time", &time),
    ]);
    xml.open("testsuite", &attributes)
}

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    xml.open("testsuites", &[])?;
    suite(&mut xml, "", None, all)?;
    suite(&mut xml, "unit", None, all)?;
    for module in &run.modules {
        let file = path(&run.project, &module.name);
        let name = class(&run.project, &module.name, "\\");
        suite(&mut xml, &name, Some(&file), Sums::of(&module.cases))?;
        for case in &module.cases {
            write_case(&mut xml, run, module, case)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuite")?;
    xml.close("testsuite")?;
    xml.close("testsuites")?;
    xml.end()
}

fn write_case(xml: &mut Markup<'_>, run: &TestRun, module: &Module, case: &Case) -> io::Result<()> {
    let names = PHPUNIT.names(run, module, case);
    let class = class(&run.project, &module.name, "\\");
    let time = micro(case.last.duration_ms);
    let assertions = u32::from(case.outcome() != Outcome::Skipped);
    let attributes: [(&str, &dyn std::fmt::Display); 7] = [
        ("name", &names.name),
        ("class", &class),
        ("classname", &names.class),
        ("file", &names.file),
        ("line", &case.line),
        ("assertions", &assertions),
        ("time", &time),
    ];
    let element = match case.outcome() {
        Outcome::Passed => return xml.empty("testcase", &attributes),
        Outcome::Skipped => {
            xml.open("testcase", &attributes)?;
            xml.empty("skipped", &[])?;
            return xml.close("testcase");
        }
        Outcome::Failed => "failure",
        Outcome::Errored => "error",
    };
    let text =
        format!("{class}::{}\n{}\n\n{}:{}", names.name, case.last.message, names.file, case.line);
    xml.open("testcase", &attributes)?;
    xml.element(element, &[("type", &PHPUNIT.kind(&case.last))], &text)?;
    xml.close("testcase")
}
