"""A long history, run by run: flaky tests, regressions, work on branches, outages, and re-runs of red commits.

Made to be large and plausible, fast, and the same everywhere; the histories with a known truth are in ../detection.

Usage: growing.py TESTS LENGTH FIRST LAST DATABASE DUCKDB FLAKEDB
       (the runs from FIRST up to LAST of a history of that length, into both databases)
"""

import json
import math
import pathlib
import subprocess
import sys
import time

import duckdb
import numpy as np

import duckdb_rates

BATCH_RESULTS = 5_000_000  # runs are written, ingested and removed in batches, so that the disk holds one only

START = 1_767_225_600_000  # 2026-01-01, in milliseconds
DAY = 86_400_000
RUNS_A_DAY, ON_MAIN, RERUN, OUTAGE = 10, .5, .1, .012
FLAKY, LIFE = .03, (14, 1.8)  # share of tests at any time; days, lognormal
BREAKS, BROKEN_COMMITS = .03, (2.5, 1.1)  # of a commit on main; lognormal
CHANGE_BREAKS = .35
TESTS_OF_MODULE = 500
SKIPPED = .004
PACES = 16  # durations that a passing test may have


class Growing:
    """Hands out the runs of a history in order of time; the same for the same tests and days."""

    def __init__(self, tests, runs, seed=1):
        self.rng, self.tests = np.random.default_rng([seed, tests]), tests
        self.pace = np.random.default_rng([seed, tests, 1])
        self.module = np.arange(tests) // TESTS_OF_MODULE
        self.names = [f"shop.module{i // TESTS_OF_MODULE:02d}.suite{i // 40:03d}::test_case_{i:05d}" for i in range(tests)]
        usual = self.pace.lognormal(-3, 1.4, tests)
        paces = usual * np.exp(self.pace.normal(0, .15, (PACES, tests)))
        self.passes = np.array([[f'[{i},"pass",{pace[i]:.4f}]' for i in range(tests)] for pace in paces], object)
        self.now, self.main, self.number, self.commit = START, 0, 0, ""
        self.broken = {}  # test -> main commit that mends it
        self.changes = {}  # branch -> tests broken there
        self.pending = 0  # re-runs of the last commit that are still due
        days, life = runs / RUNS_A_DAY, math.exp(math.log(LIFE[0]) + LIFE[1] ** 2 / 2)
        count = max(1, int(FLAKY * tests * (1 + days / life)))
        self.flaky = self.rng.integers(0, tests, count)
        self.rate = np.clip(self.rng.beta(.281, 3.869, count), 1e-4, .6)
        self.begins = START + DAY * self.rng.uniform(-life, days, count)
        self.ends = self.begins + DAY * np.minimum(self.rng.lognormal(math.log(LIFE[0]), LIFE[1], count), 10 * life)

    def some(self, size):
        """Tests of one module."""
        module = int(self.rng.integers(self.module[-1] + 1))
        first, last = np.searchsorted(self.module, [module, module + 1])
        return self.rng.integers(first, last, 1 + self.rng.geometric(1 / size)).tolist()

    def next(self):
        """One run: its facts, and the tests that failed and that did not run."""
        rng = self.rng
        if self.pending:
            self.pending -= 1
            self.attempt += 1
            self.now += 1_500_000
        else:
            self.number += 1
            self.now += int(rng.exponential(DAY / RUNS_A_DAY)) + 1
            self.attempt = 1
            if rng.random() < ON_MAIN:
                self.branch, self.main = "main", self.main + 1
                self.commit = f"{self.main:07x}{0xfeed:x}"
                self.broken = {test: until for test, until in self.broken.items() if until > self.main}
                if rng.random() < BREAKS:
                    until = self.main + max(1, round(rng.lognormal(math.log(BROKEN_COMMITS[0]), BROKEN_COMMITS[1])))
                    self.broken.update(dict.fromkeys(self.some(3), until))
            else:
                self.branch, self.commit = f"change/{self.number // 6}", f"{self.number:07x}{0xc0de:x}"
                work = self.some(3) if rng.random() < CHANGE_BREAKS else []
                self.changes = {self.branch: work}
            self.pending = int(rng.integers(1, 3)) if rng.random() < RERUN else 0
        failed = np.zeros(self.tests, bool)
        active = (self.begins <= self.now) & (self.now < self.ends) & (rng.random(len(self.flaky)) < self.rate)
        failed[self.flaky[active]] = True
        failed[list(self.broken)] = True
        failed[self.changes.get(self.branch, [])] = True
        if rng.random() < OUTAGE:
            failed |= rng.random(self.tests) < rng.uniform(.1, 1)
        absent = rng.random(self.tests) < SKIPPED
        return {"started": self.now, "branch": self.branch, "commit": self.commit, "attempt": self.attempt}, failed & ~absent, absent


def write(path, growing, runs):
    """Write that many runs as JSON Lines; returns started, branch, and the failed and the absent tests of each."""
    kept = []
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps({"type": "meta", "tests": growing.names}) + "\n")
        for _ in range(runs):
            facts, failed, absent = growing.next()
            passed = np.flatnonzero(~failed & ~absent)
            results = growing.passes[growing.pace.integers(0, PACES, len(passed)), passed].tolist()
            results += [f'[{i},"fail",0.25,"assert:{i}"]' for i in np.flatnonzero(failed)]
            head = {"type": "run", "ts": facts["started"] / 1000, "branch": facts["branch"], "commit": facts["commit"],
                    "attempt": facts["attempt"], "host": f"w{facts['started'] % 8}"}
            out.write(f"{json.dumps(head)[:-1]}, \"results\": [{','.join(results)}]}}\n")
            kept.append((facts["started"], facts["branch"], failed, absent))
    return kept


def load(connection, first, kept, tests):
    """One row per result into DuckDB."""
    connection.executemany("INSERT INTO runs VALUES (?, ?, ?)", [(first + k, run[0], run[1]) for k, run in enumerate(kept)])
    ran = ~np.concatenate([run[3] for run in kept])
    rows = {
        "run": np.repeat(np.arange(first, first + len(kept), dtype=np.int32), tests)[ran],
        "test": np.tile(np.arange(tests, dtype=np.int32), len(kept))[ran],
        "failed": np.concatenate([run[2] for run in kept])[ran],
    }
    connection.register("rows", rows)
    connection.execute("INSERT INTO results SELECT run, test, failed FROM rows")
    connection.unregister("rows")


def main(tests, length, first, last, database, peer, flakedb):
    tests, length, first, last = map(int, (tests, length, first, last))
    history = Growing(tests, length)
    for _ in range(first):
        history.next()  # its durations differ from those of a history written in one go, its results do not
    connection = duckdb.connect(peer)
    if first == 0:
        connection.execute(duckdb_rates.SCHEMA)
        connection.register("names", {"test": np.arange(tests, dtype=np.int32), "name": np.array(history.names, object)})
        connection.execute("INSERT INTO tests SELECT test, name FROM names")
    spent, batch, path = dict.fromkeys(("write", "ingest", "load"), 0.0), max(1, BATCH_RESULTS // tests), pathlib.Path("batch.jsonl")
    for start in range(first, last, batch):
        count = min(batch, last - start)
        marks = [time.monotonic()]
        kept = write(path, history, count)
        marks.append(time.monotonic())
        subprocess.run([flakedb, "ingest", path, "--db", database, "--project", "bench"], stdout=subprocess.DEVNULL, check=True)
        marks.append(time.monotonic())
        load(connection, start, kept, tests)
        marks.append(time.monotonic())
        for name, seconds in zip(spent, np.diff(marks)):
            spent[name] += seconds
        path.unlink()
        print(f"{start + count} of {last} runs; " + ", ".join(f"{name} {s:.0f} s" for name, s in spent.items()), file=sys.stderr, flush=True)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
