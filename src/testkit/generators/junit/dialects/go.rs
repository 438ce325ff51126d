//! gotestsum.

use std::io::{self, Write};

use super::super::dialect::{Clock, Dialect, Retries, clock};
use super::super::markup::{Escapes, Hand, Markup};
use super::super::names::{Names, pascal, snake};
use super::super::report::{Attempt, Case, Module, Sums, TestRun};
use crate::model::Outcome;

/// gotestsum, which writes a record for each attempt, the failed ones first.
pub(super) static GOTESTSUM: Dialect = Dialect {
    name: "gotestsum",
    runner: "gotestsum 1 (--junitfile, --rerun-fails)",
    producer: "gotestsum",
    retries: Retries::Records,
    tells_errors: false,
    writes_skips: true,
    file_per_module: false,
    clock: Clock::Utc,
    // Go measures tests in hundredths of a second.
    step_ms: 10,
    qualified: true,
    types: ["", ""],
    names: |project, module, behaviour| {
        let package = format!("example.com/{project}/{}", snake(module));
        Names {
            suites: vec![package.clone()],
            class: package,
            name: format!("Test{}", pascal(behaviour)),
            ..Names::default()
        }
    },
    file: |_, _| "gotestsum.xml".into(),
    write,
};

const ENTITIES: Escapes = Escapes { quote: "&#34;", apostrophe: "&#39;", newline: "&#xA;" };

const HAND: Hand =
    Hand { indent: Some((b'\t', 1)), value: ENTITIES, text: ENTITIES, ..Hand::USUAL };

fn seconds(millis: u64) -> String {
    format!("{}.{:02}0000", millis / 1000, millis % 1000 / 10)
}

fn write(run: &TestRun, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Markup::begin(&HAND, out)?;
    let all = Sums::of(run.cases().map(|(_, case)| case));
    let attempts = || run.cases().flat_map(|(_, case)| case.attempts());
    xml.open(
        "testsuites",
        &[
            ("tests", &attempts().count()),
            ("failures", &attempts().filter(|attempt| attempt.outcome.is_bad()).count()),
            ("errors", &0),
            ("time", &seconds(all.total_ms)),
        ],
    )?;
    for module in &run.modules {
        let sums = Sums::of(&module.cases);
        let attempts = || module.cases.iter().flat_map(Case::attempts);
        xml.open(
            "testsuite",
            &[
                ("tests", &attempts().count()),
                ("failures", &attempts().filter(|attempt| attempt.outcome.is_bad()).count()),
                ("time", &seconds(sums.total_ms)),
                ("name", &format_args!("example.com/{}/{}", run.project, snake(&module.name))),
                ("timestamp", &clock(run.started, "%Y-%m-%dT%H:%M:%SZ")),
            ],
        )?;
        xml.open("properties", &[])?;
        xml.hollow("property", &[("name", &"go.version"), ("value", &"go1.24.2 linux/amd64")])?;
        xml.close("properties")?;
        let mut records: Vec<(&Case, &Attempt)> = module
            .cases
            .iter()
            .flat_map(|case| case.attempts().map(move |attempt| (case, attempt)))
            .collect();
        records.sort_by_key(|(_, attempt)| match attempt.outcome {
            Outcome::Failed | Outcome::Errored => 0,
            Outcome::Skipped => 1,
            Outcome::Passed => 2,
        });
        for (case, attempt) in records {
            record(&mut xml, run, module, case, attempt)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

fn record(
    xml: &mut Markup<'_>,
    run: &TestRun,
    module: &Module,
    case: &Case,
    attempt: &Attempt,
) -> io::Result<()> {
    let names = GOTESTSUM.names(run, module, case);
    let time = seconds(attempt.duration_ms);
    let attributes: [(&str, &dyn std::fmt::Display); 3] =
        [("classname", &names.class), ("name", &names.name), ("time", &time)];
    let (word, element) = match attempt.outcome {
        Outcome::Passed => return xml.hollow("testcase", &attributes),
        Outcome::Skipped => ("SKIP", "skipped"),
        Outcome::Failed | Outcome::Errored => ("FAIL", "failure"),
    };
    let output = format!(
        "=== RUN   {name}\n    {file}_test.go:{line}: {message}\n--- {word}: {name} ({time:.4}s)\n",
        name = names.name,
        file = snake(&module.name),
        line = case.line,
        message = attempt.message,
    );
    xml.open("testcase", &attributes)?;
    if attempt.outcome == Outcome::Skipped {
        xml.hollow(element, &[("message", &output)])?;
    } else {
        xml.element(element, &[("message", &"Failed"), ("type", &"")], &output)?;
    }
    xml.close("testcase")
}
