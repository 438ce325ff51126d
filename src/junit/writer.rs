//! The model to JUnit XML, through quick-junit; attempts become `flaky*` and `rerun*` elements.

use std::io::Write;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use crate::model::tests::SUITE_SEPARATOR;
use crate::model::{Attempt, Failure, Micros, Outcome, Report, TestResult};

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The writer refused the bytes or the document could not be formed.
    #[error("the JUnit XML could not be written ({0}); look at the space and rights of its target")]
    Document(#[from] quick_junit::SerializeError),
}

/// Writes a report: one suite for each stretch of tests of one suite, one case for each result.
///
/// # Errors
/// [`WriteError`] where `out` fails.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<(), WriteError> {
    let name = if report.name.is_empty() { "flakedb" } else { &report.name };
    let mut document = Document::new(name);
    let mut suite: Option<TestSuite> = None;
    for result in &report.results {
        let Some(test) = report.tests.get(result.test) else { continue };
        let wanted = test.suite.replace(SUITE_SEPARATOR, " / ");
        if suite.as_ref().is_none_or(|open| open.name.as_str() != wanted) {
            document.add_test_suites(suite.take());
            suite = Some(TestSuite::new(wanted));
        }
        let mut case = TestCase::new(test.name, status(report, result));
        if !test.classname.is_empty() {
            case.set_classname(test.classname);
        }
        if let Some(duration) = result.duration {
            case.set_time(time(duration));
        }
        if !test.file.is_empty() {
            case.extra.insert("file".into(), test.file.into());
        }
        if let Some(open) = &mut suite {
            open.add_test_case(case);
        }
    }
    document.add_test_suites(suite);
    document.serialize(out)?;
    Ok(())
}

const fn time(micros: Micros) -> Duration {
    Duration::from_micros(micros.0)
}

fn status(report: &Report, result: &TestResult) -> TestCaseStatus {
    match (result.outcome, result.attempts.split_last()) {
        (Outcome::Skipped, _) => TestCaseStatus::skipped(),
        (Outcome::Passed, attempts) => {
            let mut status = TestCaseStatus::success();
            for attempt in attempts.map_or(&[][..], |(_, earlier)| earlier) {
                if attempt.outcome.is_bad() {
                    status.add_rerun(rerun(report, attempt));
                }
            }
            status
        }
        (Outcome::Failed | Outcome::Errored, _) => {
            let first = result.attempts.first();
            let shown = first.map_or(result.failure, |attempt| attempt.failure);
            let outcome = first.map_or(result.outcome, |attempt| attempt.outcome);
            let mut status = TestCaseStatus::non_success(kind(outcome));
            if let Some(failure) = failure(report, shown) {
                status.set_type(failure.kind.as_str());
                status.set_message(failure.message.as_str());
                status.set_description(failure.text.as_str());
            }
            for attempt in result.attempts.iter().skip(1) {
                status.add_rerun(rerun(report, attempt));
            }
            status
        }
    }
}

fn rerun(report: &Report, attempt: &Attempt) -> TestRerun {
    let mut rerun = TestRerun::new(kind(attempt.outcome));
    if let Some(duration) = attempt.duration {
        rerun.set_time(time(duration));
    }
    if let Some(failure) = failure(report, attempt.failure) {
        rerun.set_type(failure.kind.as_str());
        rerun.set_message(failure.message.as_str());
        rerun.set_description(failure.text.as_str());
    }
    rerun
}

const fn kind(outcome: Outcome) -> NonSuccessKind {
    match outcome {
        Outcome::Errored => NonSuccessKind::Error,
        Outcome::Passed | Outcome::Failed | Outcome::Skipped => NonSuccessKind::Failure,
    }
}

fn failure(report: &Report, place: Option<u32>) -> Option<&Failure> {
    report.failures.get(place? as usize)
}

#[cfg(test)]
mod tests {
    use crate::junit::read;

    #[test]
    fn a_report_is_written_with_all_that_was_read() {
        let document = r#"<testsuites name="n">
<testsuite name="s"><testcase classname="c" name="a" file="f.py" time="1.5"/>
<testcase name="b" time="0.25"><failure type="E" message="m">text</failure>
<rerunError type="F" message="o" time="0.5">other</rerunError></testcase></testsuite>
<testsuite name="t"><testcase name="c"><flakyFailure type="G" message="p"/></testcase>
<testcase name="d"><skipped/></testcase></testsuite></testsuites>"#;
        let mut written = Vec::new();
        super::write(&read(document.as_bytes(), &Default::default()).report, &mut written).unwrap();
        insta::assert_snapshot!(String::from_utf8(written).unwrap());
    }
}
