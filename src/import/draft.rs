//! The report of one run while it is put together.

use crate::junit::collector::{Collector, Execution};
use crate::junit::{self};
use crate::model::{Counts, Outcome, Report, TestIdentity};

use super::finding::{Code, Finding};

/// A report that grows; findings are about the run that stands at `line`.
pub(super) struct Draft {
    collector: Collector,
    line: u32,
    /// What became of tests without a name.
    nameless: Counts,
}

impl Draft {
    pub(super) fn new(producer: &'static str, line: u32) -> Self {
        Self { collector: Collector::new(producer), line, nameless: Counts::default() }
    }

    /// Adds what became of a test: all its attempts in order, the deciding one last.
    pub(super) fn add(
        &mut self,
        test: &TestIdentity<'_>,
        variant: Option<(&str, &str)>,
        executions: Vec<Execution>,
    ) {
        if !test.name.is_empty() {
            self.collector.add(test, variant, executions);
        } else if let Some((last, before)) = executions.split_last() {
            let was_bad = before.iter().any(|execution| execution.outcome.is_bad());
            self.nameless.add(last.outcome, last.outcome == Outcome::Passed && was_bad);
        }
    }

    /// The report, with what is to be said about it.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) -> Report {
        let Self { collector, line, nameless } = self;
        let (mut report, warnings) = collector.finish();
        report.nameless = nameless.cases;
        report.counts.merge(&nameless);
        for warning in warnings {
            let code = match warning.code {
                junit::Code::AmbiguousId => Code::AmbiguousId,
                junit::Code::TestsFull => Code::TestsFull,
                _ => continue,
            };
            findings.push(Finding { code, line, column: 0, message: warning.message });
        }
        if report.nameless > 0 {
            let message = "a test without a name is counted, but has no history; name it";
            findings.push(Finding {
                code: Code::NoName,
                line,
                column: 0,
                message: message.to_owned(),
            });
        }
        if report.results.is_empty() {
            let message = "no test ran in this run; if that is not meant, look at what wrote it";
            findings.push(Finding {
                code: Code::NoTests,
                line,
                column: 0,
                message: message.to_owned(),
            });
        }
        report
    }
}

/// One execution without a time or a reason.
pub(super) const fn bare(outcome: Outcome) -> Execution {
    Execution { outcome, duration: None, failure: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::junit::identity::{RawIdentity, identify};

    #[test]
    fn a_test_without_a_name_counts_with_its_outcome() {
        let mut draft = Draft::new("unknown", 0);
        let test = identify(&RawIdentity { classname: "a.B", ..RawIdentity::default() });
        let test = test.identity();
        draft.add(&test, None, vec![bare(Outcome::Failed), bare(Outcome::Passed)]);
        draft.add(&test, None, vec![bare(Outcome::Errored)]);
        draft.add(&test, None, Vec::new());
        let report = draft.finish(&mut Vec::new());
        let expected = Counts { cases: 2, passed: 1, errored: 1, flaky: 1, ..Counts::default() };
        assert_eq!((report.nameless, report.counts), (2, expected));
    }
}
