"""Write the fixture that holds the Rust filter to the reference: histories with the state that the reference reaches.

Usage: python3 benches/detection/agreement.py [--histories 100] [--out fixtures/filter/reference.jsonl]

The format is described in fixtures/filter/README.md. The same numpy writes the same file; another differs in last digits.
"""

import argparse
import json
import pathlib
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment

if __name__ == "__main__":
    environment.enter(HERE / "requirements.txt", environment.ROOT / "target" / "detection" / "venv")

import numpy as np

import reference

OUT = environment.ROOT / "fixtures" / "filter" / "reference.jsonl"
# letter -> failing attempts, passing attempts
LETTERS = {".": (0, 1), "F": (1, 0), "G": (2, 0), "H": (3, 0), "f": (1, 1), "g": (2, 1), "h": (3, 1)}
WIDE = 17  # one history in so many has many tests: only there can an outage be told from tests that flake together
LONG = 65  # runs; enough for the memory of groups to overflow
OUTAGES_SHOWN = 2  # runs of each history whose outage weights are written


class Writer:
    """Grows one history, run by run."""

    def __init__(self, rng, tests):
        self.rng, self.tests = rng, tests
        self.modules = 2 if tests > 30 else int(rng.integers(1, 4))
        self.module = np.sort(rng.integers(0, self.modules, tests))
        self.runs, self.now = [], 0

    def add(self, branch, commit, row):
        self.now += int(self.rng.integers(60, 9000))
        self.runs.append({"branch": branch, "commit": commit, "ts": self.now, "y": "".join(row)})

    def letter(self, stubborn):
        """A failing test: attempts in the run, where each retry fails again with a chance."""
        if self.rng.random() < self.retries:
            count = 1 + int(self.rng.random() < stubborn) + int(self.rng.random() < stubborn ** 2)
            return "FGH"[count - 1] if self.rng.random() < stubborn else "fgh"[count - 1]
        return "F"

    def noise(self, runs):
        """Everything at random: branches, commits that come back, and letters."""
        rng = self.rng
        branches = ["main", "main", "main", "a", "b", "c"] if rng.random() < .85 else ["a", "b"]
        commits, rate, absent = ["c0"], .5 if runs == LONG else rng.choice([.02, .1, .4]), rng.choice([0, .05, .3])
        for number in range(1, runs + 1):
            if rng.random() < .55:
                commits.append(f"c{number}")
            commit = commits[-1] if rng.random() < .8 else str(rng.choice(commits))
            letters = rng.choice(list("FGHfgh"), self.tests, p=[.5, .08, .04, .26, .08, .04])
            row = np.where(rng.random(self.tests) < rate, letters, ".")
            row[rng.random(self.tests) < absent] = "-"
            self.add(str(rng.choice(branches)), commit, row)

    def project(self, runs):
        """Flakes, groups that flake together, regressions, work in progress, outages, and re-runs of red commits."""
        rng, n = self.rng, self.tests
        self.retries = rng.choice([0, .3, 1])
        rate = np.where(rng.random(n) < rng.choice([.05, .2]), rng.choice([.03, .1, .3, .6], n), 0)
        group = rng.choice(n, int(rng.integers(2, min(n, 6))), replace=False)
        together, outages = rng.choice([0, .05, .2], p=[.5, .25, .25]), .2 if n > 30 else rng.choice([.02, .05, .15])
        born = np.where(rng.random(n) < .15, rng.integers(0, runs, n), 0)
        broken, mended, wip = set(), {}, {"a": set(), "b": set()}
        number = 0
        while len(self.runs) < runs:
            number += 1
            branch = str(rng.choice(["main", "a", "b"], p=[.6, .2, .2]))
            if branch == "main":
                broken = {i for i in broken if mended[i] > number}
                if rng.random() < .12:
                    here = np.flatnonzero(self.module == rng.choice(self.module))
                    for i in rng.choice(here, int(rng.integers(1, len(here) + 1)), replace=False):
                        broken.add(int(i))
                        mended[int(i)] = number + int(rng.integers(1, 14))
            else:
                wip[branch] = set() if rng.random() < .4 else wip[branch] | {int(i) for i in rng.integers(0, n, int(rng.integers(0, 3)))}
            stuck = broken | wip.get(branch, set())
            for _ in range(1 + int(rng.integers(1, 3)) * int(rng.random() < .35)):
                scope = self.module == rng.choice(self.module) if rng.random() < .5 else np.ones(n, bool)
                outage = scope & (rng.random(n) < rng.uniform(.8 if n > 30 else .4, 1)) if rng.random() < outages else np.zeros(n, bool)
                shared = rng.random() < together
                row = []
                for i in range(n):
                    if len(self.runs) < born[i] or rng.random() < .03:
                        row.append("-")
                    elif i in stuck:
                        row.append(self.letter(.99))
                    elif outage[i]:
                        row.append(self.letter(.9))
                    elif rng.random() < (.85 if shared and i in group else rate[i]):
                        row.append(self.letter(.3))
                    else:
                        row.append(".")
                self.add(branch, f"{branch}{number}", row)
                if not set("".join(row)) & set("FGH"):
                    break

    def write(self, kind, runs):
        getattr(self, kind)(runs)
        return {"tests": self.tests, "module": self.module.tolist(), "runs": self.runs}


def parsed(written):
    """A written history, as the reference reads one."""
    rows = [run["y"] for run in written["runs"]]
    attempts = np.array([[LETTERS.get(letter, (0, 0)) for letter in row] for row in rows], np.int8)
    first = np.array([[-1 if letter == "-" else int(letter != ".") for letter in row] for row in rows], np.int8)
    runs = [types.SimpleNamespace(**run) for run in written["runs"]]
    return types.SimpleNamespace(runs=runs, first=first, n_fail=attempts[:, :, 0], n_pass=attempts[:, :, 1], module=np.array(written["module"]))


def floats(array):
    return np.asarray(array, float).tolist()


def expected(written):
    """What the reference makes of a history."""
    history, outages = parsed(written), []
    filter_ = reference.FilterGuard(written["tests"])
    for r in range(len(history.runs)):
        filter_.step(history, r)
        outages.append(filter_.outage.copy())
    heavy = sorted(range(len(outages)), key=lambda r: -outages[r].max())[:OUTAGES_SHOWN]
    before = {"ev_before": filter_.evidence.astype(int).tolist(), "same_before": filter_.same.astype(int).tolist()}
    flaky, broken, score = filter_.labels()
    return {
        "P": floats(filter_.P), "pb_main": floats(filter_.main()), "pbroken": floats(filter_.broken()), "score": floats(score),
        **before, "ev": filter_.evidence.astype(int).tolist(), "same": filter_.same.astype(int).tolist(),
        "flaky": np.flatnonzero(flaky).tolist(), "broken": np.flatnonzero(broken).tolist(),
        "pi": {str(r): floats(outages[r]) for r in sorted(heavy)},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    wanted = parser.parse_args()
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with open(wanted.out, "w", encoding="utf-8", newline="\n") as out:
        for number in range(wanted.histories):
            rng = np.random.default_rng([2026, number])
            wide, kind = number % WIDE == 0, "noise" if number % 3 == 2 else "project"
            tests, runs = (rng.integers(36, 48), 30) if wide else (rng.integers(5, 10), rng.integers(25, 38))
            if number % 20 == 2:
                runs = LONG
            written = Writer(rng, int(tests)).write("project" if wide else kind, int(runs))
            out.write(json.dumps({**written, "expect": expected(written)}, separators=(",", ":")) + "\n")
    print(f"{wanted.histories} histories, {wanted.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
