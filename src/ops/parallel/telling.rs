//! Runners that can tell which test is running: a report says so only when all is over.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::crash::Told;
use crate::ops::part::in_front;

/// The file that the tests tell of themselves in.
const FILE: &str = "told";
/// Names that file.
const VARIABLE: &str = "FLAKEDB_TOLD";
const MODULE: &str = "flakedb_told";
const PLUGINS: &str = "PYTEST_PLUGINS";
const PATH: &str = "PYTHONPATH";

/// Tells of each test as it begins and ends; one write a line, so that a crash cuts none short.
const PLUGIN: &str = "\
# Written by flakedb: tells which test runs, for the case that it takes the process with it.
import os

_path = os.environ.get(\"FLAKEDB_TOLD\")
_file = open(_path, \"ab\", 0) if _path else None
_state = {}


def _tell(what, seconds, nodeid):
    if _file is not None:
        line = \"%s\\t%s\\t%s\\n\" % (what, seconds, nodeid)
        _file.write(line.encode(\"utf-8\", \"replace\"))


def pytest_runtest_logstart(nodeid, location):
    _state[nodeid] = [\"passed\", 0.0]
    _tell(\"start\", \"\", nodeid)


def pytest_runtest_logreport(report):
    state = _state.get(report.nodeid)
    if state is not None:
        state[1] += getattr(report, \"duration\", 0.0)
        if report.failed:
            state[0] = \"failed\"
        elif report.skipped and state[0] == \"passed\":
            state[0] = \"skipped\"


def pytest_runtest_logfinish(nodeid, location):
    what, seconds = _state.pop(nodeid, (\"skipped\", 0.0))
    _tell(what, \"%.6f\" % seconds, nodeid)
";

/// Lets the tests of a command tell of themselves into `directory`, where the runner can.
///
/// # Errors
/// What the system says of the directory.
pub(super) fn let_tell(
    command: &mut Command,
    runner: &str,
    directory: &Path,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> io::Result<()> {
    if runner != "pytest" {
        return Ok(());
    }
    fs::write(directory.join(format!("{MODULE}.py")), PLUGIN)?;
    let set = |command: &Command, name: &str| {
        let own = command.get_envs().find(|(known, _)| *known == name);
        own.and_then(|(_, value)| value.map(OsString::from)).or_else(|| variable(name))
    };
    let mut plugins = OsString::from(MODULE);
    if let Some(others) = set(command, PLUGINS).filter(|others| !others.is_empty()) {
        plugins.push(",");
        plugins.push(others);
    }
    let path = in_front(directory, set(command, PATH));
    command.env(PLUGINS, plugins).env(PATH, path).env(VARIABLE, directory.join(FILE));
    Ok(())
}

/// What was told so far in a directory.
pub(super) fn told(directory: &Path) -> Told {
    let bytes = fs::read(directory.join(FILE)).unwrap_or_default();
    Told::read(&String::from_utf8_lossy(&bytes))
}
