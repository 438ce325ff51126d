//! pytest, run but not failing: a plugin file that takes the listed tests out of the exit code.
//!
//! A mark such as `xfail` would write a skipped test into the report, and its true outcome would be
//! lost. So the tests run and report as ever, and the plugin alone changes the exit code from 1 to
//! 0: where every failure that pytest counted is of a listed test, and nothing stopped the run
//! before its end. Any other code stays: a crash, an interruption, a usage error. Works with
//! pytest-xdist, whose workers report to the process that decides.

use super::pytest::node_id;
use super::pytest_plugin::{ONLY, python_set};
use super::request::Request;
use super::{Emitted, Format};

pub(super) const FORMAT: Format = Format {
    name: "pytest-nonblocking",
    aliases: &[],
    summary: "a plugin file that runs the listed tests without failing for them",
    usage: "write it to flakedb_nonblocking.py, then: python -m pytest -p flakedb_nonblocking",
    producers: &["pytest"],
    emit,
    only: Some(ONLY),
};

const HEAD: &str = "\
# Written by `flakedb quarantine --emit pytest-nonblocking`.
# Use: python -m pytest -p flakedb_nonblocking
import pytest

";

const BODY: &str = "
excused = []


def pytest_runtest_logreport(report):
    if report.failed and not hasattr(report, 'wasxfail') and report.nodeid in QUARANTINED:
        excused.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    whole = not session.shouldstop and not session.shouldfail
    if exitstatus == 1 and excused and whole and len(excused) == session.testsfailed:
        session.exitstatus = 0


def pytest_terminal_summary(terminalreporter, exitstatus):
    for nodeid in sorted(set(excused)):
        blocks = 'does not block' if exitstatus == 0 else 'would not block'
        terminalreporter.write_line('quarantined, %s: %s' % (blocks, nodeid))
";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let ids = request.express(node_id, &mut emitted.notes);
    emitted.text = format!("{HEAD}{}{BODY}", python_set("QUARANTINED", ids.by_word.keys()));
    emitted
}
