"""The snippets of docs/ci and action.yml, read by parsers and run with every ending of a test run. See README.md."""

import concurrent.futures
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

import after
import providers
from job import HERE, Job, variables
from lint import lint
from snippets import Trouble, snippets

WORK = pathlib.Path(os.environ["CI_WORK"])
FLAKEDB = pathlib.Path(os.environ["FLAKEDB"])
SEED_RUNS = 8
SEED_FAILURES = (1, 4, 6)
LIST = '[[entry]]\ntest = "tests.test_cart::test_delivery"\nowner = "@shop/cart"\nreason = "waits for the courier"\n' \
    'ticket = "SHOP-12"\nsince = 2026-11-01\nexpires = 2999-01-01\n'


@dataclasses.dataclass(frozen=True)
class Scenario:
    """How the tests end, what is wrong with flakedb, and what the job must end with."""

    name: str
    outcome: str
    code: int
    flakedb: str = "there"
    history: str = "there"
    full: bool = False
    saved: bool = True


SCENARIOS = [
    Scenario("tests pass", "pass", 0),
    Scenario("a quarantined test fails", "quarantined", 0),
    Scenario("another test fails", "new", 1),
    Scenario("the runner crashes", "crash", 139),
    Scenario("no flakedb, tests pass", "pass", 0, flakedb="missing", saved=False),
    Scenario("no flakedb, a quarantined test fails", "quarantined", 1, flakedb="missing", saved=False),
    Scenario("flakedb crashes, tests pass", "pass", 0, flakedb="broken", saved=False),
    Scenario("flakedb crashes, a quarantined test fails", "quarantined", 1, flakedb="broken", saved=False),
    Scenario("damaged history, tests pass", "pass", 0, history="damaged", saved=False),
    Scenario("damaged history, a quarantined test fails", "quarantined", 1, history="damaged", saved=False),
    Scenario("no history, a quarantined test fails", "quarantined", 1, history="none", saved=False),
    Scenario("locked history, tests pass", "pass", 0, history="locked", saved=False),
    Scenario("full disk, tests pass", "pass", 0, full=True, saved=False),
    Scenario("full disk, another test fails", "new", 1, full=True, saved=False),
]
# Which variables each kind of snippet is run with, and how; the first set with all scenarios, the others with two.
RUNS = {
    "shell": (providers.generic, ["teamcity-no-files"]),
    "github": (providers.github, ["github-pull-request", "github-push", "github-merge-group"]),
    "gitlab": (providers.gitlab, ["gitlab-merge-request", "gitlab-branch"]),
    "gitlab, sh": (providers.gitlab_sh, ["gitlab-detached-merge-request"]),
    "buildkite": (providers.buildkite, ["buildkite-pull-request", "buildkite-retry"]),
    "circleci": (providers.circleci, ["circleci-fork-pull-request", "circleci-branch"]),
    "azure": (providers.azure, ["azure-pull-request", "azure-branch"]),
    "jenkins": (providers.jenkins, ["jenkins-pull-request"]),
}
ALWAYS_RUN = slice(1, 3)


def seed(name):
    """A history as the provider's project would have it: a test that fails now and then, and four that do not."""
    folder = WORK / "seeds" / name
    shutil.rmtree(folder, ignore_errors=True)
    history = folder / "history.db"
    first = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=SEED_RUNS)
    for number in range(SEED_RUNS):
        job = Job(folder, variables(name), outcome="quarantined" if number in SEED_FAILURES else "pass")
        started = (first + datetime.timedelta(days=number)).isoformat()
        job.ran([HERE / "fakes" / "pytest", f"--junitxml=reports-{number}/junit.xml"])
        code = job.ran([
            FLAKEDB, "--db", history, "ingest", f"reports-{number}", "--build", f"seed-{number}", "--attempt", "1",
            "--branch", "main", "--lane", "default", "--revision", f"{number:040x}", "--started", started])
        if code:
            raise SystemExit(f"seed {name}: exit code {code}\n{job.log}")
    return history


def runs_of(history):
    done = subprocess.run([FLAKEDB, "--db", history, "db", "info", "--format", "json"], text=True, capture_output=True, check=False)
    return json.loads(done.stdout)["runs"] if done.returncode == 0 else None


def binary(which):
    """What `cargo install` brings: flakedb, nothing, or one that crashes."""
    if which == "missing":
        return ""
    if which == "there":
        return FLAKEDB
    broken = WORK / "broken-flakedb"
    broken.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    broken.chmod(0o755)
    return broken


@contextlib.contextmanager
def locked(history):
    """Somebody else who writes, for as long as the job takes."""
    with contextlib.closing(sqlite3.connect(history, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def attempt(snippet, run, name, scenario, history, folder):
    """One job; returns (label, what is wrong or nothing)."""
    label = f"{snippet.label}: {name}: {scenario.name}"
    shutil.rmtree(folder, ignore_errors=True)
    job = Job(folder, variables(name), outcome=scenario.outcome, flakedb=binary(scenario.flakedb))
    if scenario.full:
        job.env["TEST_FILL"] = "1"
        if not after.small_disk(job.project):
            return label, "SKIP: a small file system cannot be mounted here"
    try:
        return label, "\n".join(judged(snippet, run, scenario, history, job))
    except (Trouble, subprocess.TimeoutExpired, OSError, ValueError) as trouble:
        return label, f"{type(trouble).__name__}: {trouble}\n{job.log[-4000:]}"
    finally:
        if scenario.full:
            after.unmount(job.project)


def judged(snippet, run, scenario, history, job):
    (job.project / "quarantine.toml").write_text(LIST, encoding="utf-8")
    places = [job.project / ".flakedb", *(job.home / ".flakedb" / slug for slug in ("shop-ci", "shop"))]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        if scenario.history in ("there", "locked"):
            shutil.copy(history, place / "history.db")
        if scenario.history == "damaged":
            (place / "history.db").write_bytes(b"SQLite format 3\0" + b"nonsense" * 999)
    with locked(places[0] / "history.db") if scenario.history == "locked" else contextlib.nullcontext():
        code = run(job, snippet)
    wrong = []
    if code != scenario.code:
        wrong.append(f"ended with {code}, not {scenario.code}")
    if scenario.saved:
        wrong += after.checked(snippet, scenario, job, runs_of(job.history), SEED_RUNS + 1)
    return [*wrong, job.log[-4000:]] if wrong else []


def tries(found):
    """Every job to be run, as arguments of `attempt`."""
    first_workflows = [one for one in found if one.kind == "github" and one.page.endswith("github.md")]
    for kind, (run, names) in RUNS.items():
        base = kind.split(",")[0]
        of_kind = [one for one in found if one.kind == base]
        if base == "github":
            # The one with the action, and the one by hand; the others are run by `after`.
            of_kind = [one for one in first_workflows if one.path.endswith("tests.yml") and "matrix:" not in one.text]
        if base == "shell":
            of_kind = [one for one in found if one.path == "ci.sh"]
        for snippet in of_kind:
            for place, name in enumerate(names):
                for scenario in SCENARIOS if place == 0 else SCENARIOS[ALWAYS_RUN]:
                    # flakedb waits a minute for a lock; that it gives up then is shown once.
                    if scenario.history != "locked" or base == "shell":
                        yield snippet, run, name, scenario


def run_all(found):
    jobs = list(tries(found))
    names = sorted({name for _, _, name, _ in jobs})
    # One more than there are cores: one waits for a lock.
    with concurrent.futures.ThreadPoolExecutor(max_workers=1 + os.cpu_count()) as pool:
        seeds = dict(zip(names, pool.map(seed, names)))
        given = [(snippet, run, name, scenario, seeds[name], WORK / "jobs" / str(place))
                 for place, (snippet, run, name, scenario) in enumerate(jobs)]
        yield from pool.map(lambda one: attempt(*one), given)


PARTS = {"lint": lint, "run": run_all, "comments": after.comments, "nightly": after.nightly, "shards": after.shards}


def main(wanted):
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"run.py: nothing named {', '.join(unknown)}; choose from {', '.join(PARTS)}", file=sys.stderr)
        return 2
    found = snippets()
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for part in wanted or PARTS:
        started = time.monotonic()
        for label, wrong in PARTS[part](found):
            word = "SKIP" if wrong.startswith("SKIP") else "FAIL" if wrong else "PASS"
            counts[word] += 1
            print(f"{word}  {label}" + (f"\n      {wrong}" if wrong else ""), flush=True)
        print(f"      {part}: {time.monotonic() - started:.0f} s", flush=True)
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
