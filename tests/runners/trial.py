"""Three real histories, tried as a new user would: flaky by time, flaky by order, broken by a commit. See README.md."""

import datetime
import json
import os
import random
import re
import shutil
import subprocess
import time
from xml.etree import ElementTree

from tools import BIN, FLAKEDB, HERE, WORK, Trouble, call, check, copy_suite, python_with

HOME = WORK / "trial"
WIDTHS = (80, 120)
# Only these: what a CI service tells in its variables is not part of the trial.
INHERITED = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
# Words that nobody should need, and a number that does not fit its noun.
JARGON = re.compile(r"\b(nats?|posterior|prior|likelihood|log.odds|Bayes\w*|p.value|null)\b|(?<![\d.,])1 (runs|tests|failures|times|builds|branches|revisions)\b", re.I)


class Story:
    """A small project with a git repository, whose suite really runs once for each run of its history."""

    def __init__(self):
        self.home = HOME / self.name
        self.repository = self.home / self.project
        self.reports = self.home / "reports"
        self.python = None

    def prepare(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.reports.mkdir(parents=True)
        copy_suite(f"histories/{self.name}", self.repository)
        pins = (HERE / "histories" / "requirements.txt").read_text().split()
        self.python = python_with(HOME / "venv", pins) / "python"
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments, at=None):
        env = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.com"}
            env |= {f"GIT_{role}_DATE": at.isoformat()} if at else {}
        return call(["git", *arguments], self.repository, env, inherited=INHERITED).strip()

    def commit(self, number, at, message=None):
        """A commit of its own: whatever was changed, and a line in the list of changes."""
        message = message or f"Describe change {number}"
        with open(self.repository / "CHANGES", "a", encoding="utf-8") as changes:
            changes.write(f"{number}. {message}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def run(self, report, *arguments, **env):
        """Run the suite for real; returns the names of its tests in their order, and of those that failed."""
        command = [self.python, "-B", "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        call(command, self.repository, env, ok=(0, 1), inherited=INHERITED)
        cases = list(ElementTree.parse(report).iter("testcase"))
        name = lambda case: f"{case.get('classname')}::{case.get('name')}"
        return [name(case) for case in cases], {name(case) for case in cases if case.find("failure") is not None}

    def flakedb(self, *arguments, **env):
        command = [FLAKEDB, *arguments, "--db", self.home / "history.db"]
        return call(command, self.repository, env, ok=(0, 1), inherited=INHERITED)

    def json(self, *arguments):
        return json.loads(self.flakedb(*arguments, "--format", "json"))

    def shown(self, test):
        return self.json("show", test)["variants"][0]

    def hint(self, test, kind):
        return next((hint for hint in self.shown(test)["hints"] if hint["kind"] == kind), {})


class Time(Story):
    """An express parcel takes three hours and must arrive "today": from 21:00 on it does not."""

    name, project = "time", "parcels"
    flaky = ["tests.test_slots::test_express_arrives_today"]
    broken = []

    def live(self):
        """Thirty days, one run a day; every third is nightly. Each run is told by a file beside its report."""
        chance, first = random.Random(3), datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
        self.failed = {test: 0 for test in self.flaky}
        self.revisions = []
        for day in range(30):
            hour = chance.randrange(21, 24) if day % 3 == 2 else chance.randrange(7, 21)
            started = first + datetime.timedelta(days=day, hours=hour, minutes=chance.randrange(60))
            revision = self.commit(day + 1, started - datetime.timedelta(minutes=9))
            where = self.reports / f"{started:%Y-%m-%d}"
            where.mkdir()
            _, failed = self.run(where / "junit.xml", SUITE_NOW=started.isoformat())
            if failed != (set(self.flaky) if hour >= 21 else set()):
                raise Trouble(f"the suite itself is not as it should be at {started}: {failed}")
            self.failed[self.flaky[0]] += len(failed)
            (where / "flakedb-run.toml").write_text(
                f'revision = "{revision}"\nbranch = "main"\nbuild = "{100 + day}"\nstarted = {started:%Y-%m-%dT%H:%M:%SZ}\n')
        self.flakedb("ingest", self.reports)

    def hints(self):
        hint = self.hint(self.flaky[0], "time")
        late = hint.get("what", "").startswith("started between 21:00 and midnight")
        yield check(late and hint["inside"]["failed"] == hint["inside"]["runs"] and hint["outside"]["failed"] == 0,
                    "time: the hint names the hours from 21:00 to midnight", hint)

    def confirm(self, skip):
        report = self.home / "confirm.xml"
        _, failed = self.run(report, f"@{skip}", SUITE_NOW="2026-11-01T22:00:00Z")
        yield check(not failed, "time: without the listed test the suite is green at 22:00", failed)


class Order(Story):
    """One test opens the Swiss shop and leaves it open; two that expect euros fail whenever they run after it."""

    name, project = "order", "catalogue"
    flaky = ["tests.test_invoice::test_total_is_in_euros", "tests.test_prices::test_tag_shows_euros"]
    broken = []
    polluter = "tests.test_prices::test_swiss_shop_shows_francs"

    def live(self):
        """Twenty commits, two runs each, every run in an order of its own (pytest-randomly). All is told by flags."""
        first = datetime.datetime(2026, 10, 5, 8, 12, tzinfo=datetime.timezone.utc)
        self.failed = {test: 0 for test in self.flaky}
        self.revisions = []
        for number in range(40):
            started = first + datetime.timedelta(days=number // 2, hours=number % 2 * 7)
            if number % 2 == 0:
                revision = self.commit(number // 2 + 1, started - datetime.timedelta(minutes=9))
            report = self.reports / f"{number:02}.xml"
            order, failed = self.run(report, f"--randomly-seed={number}")
            late = {test for test in self.flaky if order.index(test) > order.index(self.polluter)}
            if failed != late:
                raise Trouble(f"the suite itself is not as it should be with seed {number}: {failed}, not {late}")
            for test in failed:
                self.failed[test] += 1
            self.flakedb("ingest", report, "--revision", revision, "--branch", "main", "--build", str(700 + number),
                         "--started", started.isoformat())

    def hints(self):
        beside, elsewhere = (self.hint(test, "order") for test in reversed(self.flaky))
        yield check(beside.get("test") == self.polluter and beside.get("others") == 0,
                    "order: the hint names the test that spoils the one beside it", beside)
        yield check("tests.test_prices" in elsewhere.get("sentence", ""),
                    "order: the hint names the file that spoils the one in another file", elsewhere)

    def confirm(self, skip):
        report = self.home / "confirm.xml"
        failed = [seed for seed in range(3) if self.run(report, f"@{skip}", f"--randomly-seed={seed}")[1]]
        yield check(not failed, "order: without the listed tests the suite is green in three orders", failed)


class Commit(Story):
    """Commit 15 loses the rounding mode. Beside it a test waits for a card terminal that is too slow at times."""

    name, project = "commit", "till"
    flaky = ["tests.test_terminal::test_card_is_charged"]
    broken = ["tests.test_money::test_half_a_cent_rounds_up"]
    commits, bad = 26, 15
    rerun = {8: 6, 15: 15, 22: 20, 24: 14, 26: 13}  # after which commit an earlier one is built again
    change = (".quantize(CENT, ROUND_HALF_UP)", ".quantize(CENT)")

    def live(self):
        """Each commit is built as it is pushed, some again later: flaky ones, and good ones to see whether they still are.

        Git itself tells the revision, but for these."""
        first = datetime.datetime(2026, 10, 12, 9, 30, tzinfo=datetime.timezone.utc)
        self.failed = {test: 0 for test in self.flaky + self.broken}
        self.revisions, self.at = [], first
        for number in range(1, self.commits + 1):
            self.at += datetime.timedelta(hours=9 if number % 2 else 15)
            if number == self.bad:
                money = self.repository / "till" / "money.py"
                money.write_text(money.read_text().replace(*self.change).replace("ROUND_HALF_UP, ", ""))
            self.revisions.append(self.commit(
                number, self.at - datetime.timedelta(minutes=9), "Round as Decimal does" if number == self.bad else None))
            self.build(number, 1)
            if number in self.rerun:
                earlier = self.rerun[number]
                self.at += datetime.timedelta(hours=1)
                self.git("checkout", "--quiet", "--detach", self.revisions[earlier - 1])
                self.build(earlier, 2, "--branch", "main")
                self.git("checkout", "--quiet", "main")

    def build(self, number, attempt, *flags):
        report = self.reports / f"{number:02}-{attempt}.xml"
        _, failed = self.run(report, SUITE_SEED=str(400 + 1000 * attempt + number))
        if not failed <= set(self.flaky + self.broken) or (self.broken[0] in failed) != (number >= self.bad):
            raise Trouble(f"the suite itself is not as it should be after commit {number}: {failed}")
        for test in failed:
            self.failed[test] += 1
        self.flakedb("ingest", report, "--build", str(500 + number), "--attempt", str(attempt),
                     "--started", self.at.isoformat(), *flags)

    def hints(self):
        since = next((fact for fact in self.shown(self.broken[0])["facts"] if fact["kind"] == "fails-since"), {})
        found = (since.get("last_good"), since.get("first_bad"))
        yield check(found == (self.revisions[self.bad - 2], self.revisions[self.bad - 1]),
                    "commit: the range of the breakage is the commit that broke it", found)

    def confirm(self, skip):
        _, failed = self.run(self.home / "confirm.xml", f"@{skip}", SUITE_SEED="1")
        yield check(failed == set(self.broken), "commit: without the listed test only the broken one is red", failed)


def verify(story):
    """Verdicts, causes, hints and the list; one truth value per check."""
    tests = {test["test"]: test for test in story.json("report", "--all")["tests"]}
    truth = {test: "flaky" for test in story.flaky} | {test: "newly-broken" for test in story.broken}
    wrong = {name: test["status"] for name, test in tests.items() if test["status"] != truth.get(name, "healthy")}
    yield check(len(tests) >= 12 and truth.keys() <= tests.keys() and not wrong,
                f"{story.name}: all {len(tests)} tests have their true status", wrong)
    for name, status in truth.items():
        rows = story.shown(name)["timeline"]
        causes = [max(row["causes"], key=row["causes"].get) for row in rows if row["causes"]]
        expected = ["regression" if status == "newly-broken" else "flake"] * story.failed[name]
        short = name.partition("::")[2]
        yield check(causes == expected, f"{story.name}: each of {len(expected)} failures of {short} has its true cause", causes)
    yield from story.hints()
    skip = story.home / "skip.txt"
    skip.write_text(story.flakedb("quarantine", "--emit", "pytest"), encoding="utf-8")
    listed = sorted(line.partition("=")[2].replace("/", ".").replace(".py::", "::") for line in skip.read_text().splitlines())
    yield check(listed == story.flaky, f"{story.name}: exactly the flaky tests are on the list", listed)
    yield from story.confirm(skip)
    yield from screens(story, list(truth))


def screens(story, tests):
    """Every screen at both widths, kept as files to read."""
    where = story.home / "screens"
    where.mkdir()
    commands = {"report": ["report"], "explain": ["report", "--explain"], "quarantine": ["quarantine"]}
    commands |= {f"show-{test.partition('::')[2]}": ["show", test] for test in tests}
    found = []
    for name, command in commands.items():
        for width in WIDTHS:
            text = story.flakedb(*command, COLUMNS=str(width))
            (where / f"{name}-{width}.txt").write_text(text, encoding="utf-8")
            found += [f"{name} at {width}: {word.group()}" for word in JARGON.finditer(text)]
            found += [f"{name} at {width}: a line of {len(line)}" for line in text.splitlines() if len(line) > width]
    yield check(not found, f"{story.name}: {len(commands)} screens fit and need no statistics", found)


def told(story):
    """One story from its first commit to its screens; trouble on the way counts as one failed check."""
    began = time.monotonic()
    try:
        story.prepare()
        story.live()
        results = list(verify(story))
    except (Trouble, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as trouble:
        results = [check(False, f"{story.name}: could not be carried through", f"{type(trouble).__name__}: {trouble}")]
    print(f"      {story.name}: {time.monotonic() - began:.0f} s", flush=True)
    return results
