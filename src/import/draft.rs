//! The report of one run while it is put together.

use crate::junit::collector::{Collector, Execution};
use crate::junit::{self};
use crate::model::{Outcome, Report, TestIdentity};

use super::finding::{Code, Finding};

/// A report that grows; findings are about the run that stands at `line`.
pub(super) struct Draft {
    collector: Collector,
    line: u32,
    nameless: u64,
}

impl Draft {
    pub(super) fn new(producer: &'static str, line: u32) -> Self {
        Self { collector: Collector::new(producer), line, nameless: 0 }
    }

    /// Adds what became of a test: all its attempts in order, the deciding one last.
    pub(super) fn add(
        &mut self,
        test: &TestIdentity<'_>,
        variant: Option<(&str, &str)>,
        executions: Vec<Execution>,
    ) {
        if test.name.is_empty() {
            self.nameless += 1;
        } else {
            self.collector.add(test, variant, executions);
        }
    }

    /// The report, with what is to be said about it.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) -> Report {
        let Self { collector, line, nameless } = self;
        let (mut report, warnings) = collector.finish();
        report.nameless = nameless;
        report.counts.cases += nameless;
        for warning in warnings {
            let code = match warning.code {
                junit::Code::AmbiguousId => Code::AmbiguousId,
                junit::Code::TestsFull => Code::TestsFull,
                _ => continue,
            };
            findings.push(Finding { code, line, column: 0, message: warning.message });
        }
        if nameless > 0 {
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
