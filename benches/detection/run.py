"""How well does `flakedb report` tell flaky tests? Simulated histories with a known truth, against the reference filter.

Usage: python3 benches/detection/run.py [--regimes oss google …] [--seeds 1 2 3 4] [--methods filter reference … | all]
                                        [--flakedb PATH] [--jobs 2]

See ../README.md. Exits with 1 where the filter misses a target (the reference, where the filter does not take part).
"""

import argparse
import dataclasses
import datetime
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment

WORK = environment.ROOT / "target" / "detection"
if __name__ == "__main__":
    environment.enter(HERE / "requirements.txt", WORK / "venv")

import numpy as np

import reference
import score
import sim

EXE = ".exe" if os.name == "nt" else ""
WATCH = 12  # every so many runs a detector is asked, for delays and false quarantines
MEASURED = 20  # checkpoints, evenly from WARM to the end, for all else
WARM = .3

# What is run: detectors in Python, and flags of `flakedb report`
PYTHON = {"reference": reference.FilterGuard, "oracle": reference.CauseOracle}
ALL = ["--runs", "100000"]
FLAGS = {
    "filter": ["--method", "filter", *ALL],
    "filter, strict": ["--method", "filter", "--strict", *ALL],
    "evidence": ["--method", "evidence", "--runs", "200"],  # it judges a window as a whole
}
RULES = ("threshold", "same-revision", "flip-rate", "entropy", "wilson", "changepoint")  # these look back as far as each defines
for name in RULES:
    FLAGS[name] = ["--method", name, *ALL]
for name in RULES:
    FLAGS[f"{name}, no outages"] = ["--method", name, "--set", f"judging.{name}.outages=leave-out", *ALL]

# metric, at least or at most, bound
TARGETS = [
    ("f1", ">=", .90), ("lowest f1 of a regime", ">=", .78), ("precision", ">=", .98), ("recall", ">=", .83), ("pr", ">=", .92),
    ("false", "<=", .5), ("masked", "<=", .02), ("delay", "<=", 40), ("flakes", "<=", 3),
    ("broken precision", ">=", .95), ("broken recall", ">=", .80), ("ece", "<=", .01),
]
WORDS = {
    "f1": "mean F1 over the regimes", "lowest f1 of a regime": "lowest F1 of a regime", "pr": "area under precision and recall",
    "roc": "area under ROC", "false": "false quarantines per 100 tests in 60 days", "masked": "share of regressions masked",
    "delay": "executions until flagged (median)", "flakes": "flakes until flagged (median)", "ece": "calibration error",
}
MEANS = ("precision", "recall", "f1", "roc", "pr")  # over regimes; all else is pooled


class Unsupported(Exception):
    """The binary does not know a method or a setting."""


@dataclasses.dataclass(frozen=True)
class Task:
    """One history, and who judges it."""

    label: str
    regime: str
    overrides: tuple
    seed: int
    methods: tuple
    flakedb: str


def arguments(description, regimes, seeds):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--regimes", nargs="+", choices=regimes, default=list(regimes))
    parser.add_argument("--seeds", nargs="+", type=int, default=seeds)
    parser.add_argument("--methods", nargs="+", choices=[*PYTHON, *FLAGS, "all"], default=["filter", "reference"], metavar="METHOD",
                        help="of: " + "; ".join([*PYTHON, *FLAGS, "all"]))
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    wanted = parser.parse_args()
    if "all" in wanted.methods:
        wanted.methods = [*FLAGS, *PYTHON]
    return wanted


def binary(wanted):
    """The binary to judge, or nothing where only Python is judged."""
    if not set(wanted.methods) & set(FLAGS):
        return ""
    if not wanted.flakedb:
        subprocess.run(["cargo", "build", "--locked", "--release", "--bin", "flakedb"], cwd=environment.ROOT, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or environment.ROOT / "target")
        wanted.flakedb = target / "release" / f"flakedb{EXE}"
    return str(wanted.flakedb.resolve())


def call(flakedb, *command, cwd):
    """What flakedb prints; anything but exit code 0 is trouble."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FLAKEDB_")}
    done = subprocess.run([flakedb, *map(str, command)], cwd=cwd, env=clean, text=True, encoding="utf-8", capture_output=True, check=False)
    if done.returncode == 2 and command[0] == "report":
        raise Unsupported(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode} from: flakedb {' '.join(map(str, command))}\n{done.stderr[-3000:]}")
    return done.stdout


class Judge:
    """Asks `flakedb report` about a history, at any run of it."""

    def __init__(self, history, flakedb, home):
        self.flakedb, self.home, self.database = flakedb, home, home / "history.db"
        self.index = {name: i for i, name in enumerate(history.names)}
        self.starts = sim.times(history)
        self.clear()
        home.mkdir(parents=True)
        (home / "flakedb.toml").touch()  # ends the search for a configuration here
        sim.dump(history, home / "history.jsonl")
        call(flakedb, "ingest", home / "history.jsonl", "--db", self.database, "--project", "sim", cwd=home)

    def clear(self):
        shutil.rmtree(self.home, ignore_errors=True)

    def labels(self, flags, r):
        """Flaky, broken and score of each test, where run r is the last that is known."""
        end = datetime.datetime.fromtimestamp((self.starts[r] + 1) / 1000, datetime.timezone.utc)  # runs before this are judged
        printed = call(self.flakedb, "report", "--db", self.database, "--project", "sim", "--format", "json", "--all", "--until",
                       end.isoformat(timespec="milliseconds"), *flags, cwd=self.home)
        flaky, broken = np.zeros(len(self.index), bool), np.zeros(len(self.index), bool)
        points = np.zeros(len(self.index))
        for test in json.loads(printed)["tests"]:
            i = self.index[test["test"]]
            flaky[i] = test["status"] == "flaky"
            broken[i] = test["status"] in ("broken", "newly-broken")
            points[i] = next((test[key] for key in ("probability", "score") if test.get(key) is not None), float(flaky[i]))
        return flaky, broken, points


def checkpoints(runs):
    """The runs after which detectors are asked, and those of them that are measured."""
    measured = set(np.linspace(runs * WARM, runs - 1, MEASURED).astype(int).tolist())
    return sorted(measured | set(range(0, runs, WATCH))), measured


def judge(task):
    """All methods on one history: their results and their times."""
    history = sim.simulate(task.regime, task.seed, **dict(task.overrides))
    asked, measured = checkpoints(len(history.runs))
    results, seconds = {}, {}
    home = WORK / f"{task.label}-{task.seed}".replace(" ", "-")
    flakedb = Judge(history, task.flakedb, home) if task.flakedb else None
    for name in task.methods:
        scorer, begun = score.Scorer(history), time.monotonic()
        if name in PYTHON:
            detector = PYTHON[name](history.first.shape[1])
            for r in range(asked[-1] + 1):
                detector.step(history, r)
                labels = detector.labels()  # after every run, because labels hold on to what they were
                if r in asked:
                    scorer.checkpoint(r, *labels, measure=r in measured)
        else:
            for r in asked:
                scorer.checkpoint(r, *flakedb.labels(FLAGS[name], r), measure=r in measured)
        results[name], seconds[name] = scorer.result(), time.monotonic() - begun
    if flakedb:
        flakedb.clear()
    return task, results, seconds


def supported(methods, flakedb):
    """The methods that this binary knows; the others are named on standard error."""
    if not flakedb:
        return methods
    history, known = sim.simulate("oss", 0, n_tests=10, days=2), []
    probe = Judge(history, flakedb, WORK / "probe")
    for name in methods:
        try:
            if name in FLAGS:
                probe.labels(FLAGS[name], len(history.runs) - 1)
            known.append(name)
        except Unsupported as trouble:
            print(f"left out: {name}: {str(trouble).splitlines()[0]}", file=sys.stderr)
    probe.clear()
    return known


def contest(regimes, wanted):
    """Run every method on every history; returns method -> regime -> results."""
    flakedb = binary(wanted)
    methods = supported(wanted.methods, flakedb)
    tasks = [Task(label, regime, tuple(overrides.items()), seed, tuple(methods), flakedb)
             for label, (regime, overrides) in regimes.items() if label in wanted.regimes for seed in wanted.seeds]
    results = {name: {label: [] for label in wanted.regimes} for name in methods}
    spent = dict.fromkeys(methods, 0.0)
    with multiprocessing.get_context("spawn").Pool(wanted.jobs) as pool:
        for number, (task, found, seconds) in enumerate(pool.imap_unordered(judge, tasks), 1):
            for name in methods:
                results[name][task.label].append(found[name])
                spent[name] += seconds[name]
            print(f"{number} of {len(tasks)}: {task.label}, seed {task.seed}", file=sys.stderr, flush=True)
    print("seconds: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in spent.items()), file=sys.stderr)
    return results


def metrics(by_regime):
    """One method's row, and its metrics by regime."""
    regimes = {label: score.combine(results) for label, results in by_regime.items()}
    row = score.combine([result for results in by_regime.values() for result in results])
    for name in MEANS:
        row[name] = float(np.mean([regime[name] for regime in regimes.values()]))
    row["lowest f1 of a regime"] = min(regime["f1"] for regime in regimes.values())
    return row, regimes


def show(results):
    """The tables in Markdown; returns the metrics of each method."""
    rows = {name: metrics(by_regime) for name, by_regime in results.items()}
    head = "precision|recall|F1|ROC|PR-AUC|delay|flakes|false q. /100|masked|broken precision|broken recall|ECE".split("|")
    print(f"\n| method | {' | '.join(head)} |\n| --- |" + " --: |" * len(head))
    for name, (row, _) in rows.items():
        print(f"| {name} | {row['precision']:.3f} | {row['recall']:.3f} | **{row['f1']:.3f}** | {row['roc']:.3f} | {row['pr']:.3f} "
              f"| {row['delay']:.0f} | {row['flakes']:.0f} | {row['false']:.2f} | {row['masked']:.3f} "
              f"| {row['broken precision']:.3f} | {row['broken recall']:.3f} | {row['ece']:.4f} |")
    labels = list(next(iter(results.values())))
    print(f"\n| F1 by regime | {' | '.join(labels)} |\n| --- |" + " --: |" * len(labels))
    for name, (_, regimes) in rows.items():
        print(f"| {name} |" + "".join(f" {regimes[label]['f1']:.3f} |" for label in labels))
    return rows


def judged(rows):
    """The method that is held to the targets."""
    return next((name for name in ("filter", "reference") if name in rows), next(iter(rows)))


def held(name, row):
    """Print PASS or FAIL for each target."""
    print(f"\n{name}")
    kept = [row[metric] >= bound if sign == ">=" else row[metric] <= bound for metric, sign, bound in TARGETS]
    for (metric, sign, bound), good in zip(TARGETS, kept):
        print(f"{'PASS' if good else 'FAIL'}  {WORDS.get(metric, metric)} {sign} {bound}: {row[metric]:.3f}")
    return all(kept)


def main():
    regimes = {name: (name, {}) for name in sim.REGIMES}
    wanted = arguments(__doc__, regimes, [1, 2, 3, 4])
    results = contest(regimes, wanted)
    if not results:
        sys.exit("no method is left")
    rows = show(results)
    name = judged(rows)
    return 0 if held(name, rows[name][0]) else 1


if __name__ == "__main__":
    sys.exit(main())
