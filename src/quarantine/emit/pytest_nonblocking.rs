//! pytest, run but not failing: a plugin file that takes the listed tests out of the exit code.
//!
//! A mark such as `xfail` would write a skipped test into the report, and its true outcome would be
//! lost. So the tests run and report as ever, and the plugin alone changes the exit code from 1 to
//! 0: where every failure that pytest counted is of a listed test, and nothing stopped the run
//! before its end. Any other code stays: a crash, an interruption, a usage error. Tried with
//! pytest-xdist 3.8, whose workers report to the process that decides, and pytest-rerunfailures.

use super::pytest::node_id;
use super::pytest_plugin::{ONLY, python_set};
use super::request::{Purpose, Request};
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
PHASES = ('setup', 'call', 'teardown')
excused = []
outcome = {'blocks': True}


def pytest_runtest_logreport(report):
    # A crashed worker of pytest-xdist is reported as a test that failed in no phase.
    failed = report.failed and not hasattr(report, 'wasxfail') and report.when in PHASES
    if failed and report.nodeid in QUARANTINED:
        excused.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    whole = not session.shouldstop and not session.shouldfail
    if exitstatus == 1 and excused and whole and len(excused) == session.testsfailed:
        session.exitstatus = 0
        outcome['blocks'] = False


def pytest_terminal_summary(terminalreporter):
    word = 'quarantined, but the run fails' if outcome['blocks'] else 'quarantined, does not block'
    for nodeid in sorted(set(excused)):
        terminalreporter.write_line('%s: %s' % (word, nodeid))
";

fn emit(request: &Request<'_>) -> Emitted {
    let request = request.with(Purpose::Excuse);
    let mut emitted = Emitted::default();
    let ids = request.express(node_id, &mut emitted.notes);
    emitted.text = format!("{HEAD}{}{BODY}", python_set("QUARANTINED", ids.by_word.keys()));
    emitted
}
