"""flakedb run --workers beside pytest-xdist: the same suites, one after the other, in one run.

Usage: python3 benches/peers/parallel.py [--quick]   (FLAKEDB=path/to/flakedb, default target/release/flakedb)
Prints one table of ratios. A suite that waits (sleeps) is run by one worker and by eight, one that computes by one and
by two, by plain pytest, pytest-xdist and flakedb; the time is that of the whole command, start-up and reports included.
Every figure is the best of the rounds: what else the machine does only ever adds.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "parallel"), str(ROOT / "tests" / "runners")]
os.environ.setdefault("RUNNERS_DIR", str(ROOT / "target" / "parallel"))

import suites  # noqa: E402
from run import PINS  # noqa: E402
from tools import WORK, python_with  # noqa: E402

FLAKEDB = os.environ.get("FLAKEDB", str(ROOT / "target" / "release" / "flakedb"))


def seconds(command, folder):
    start = time.monotonic()
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    took = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"exit {done.returncode}: {' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return took


def measure(python, name, write, workers, rounds):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write(folder)
        pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
        ways = {
            "pytest": pytest,
            "flakedb 1": [FLAKEDB, "run", "--workers", 1, "--", *pytest],
            f"pytest-xdist {workers}": [*pytest, "-n", workers],
            f"flakedb {workers}": [FLAKEDB, "run", "--workers", workers, "--", *pytest],
        }
        best = {}
        for _ in range(rounds):
            for way, command in ways.items():
                took = seconds(command, folder)
                best[way] = min(best.get(way, took), took)
    one, peer, ours = best["flakedb 1"], best[f"pytest-xdist {workers}"], best[f"flakedb {workers}"]
    print(f"| {name} | {workers} | {best['pytest']:.1f} s | {one:.1f} s | {peer:.1f} s | {ours:.1f} s "
          f"| {one / ours:.2f} | {best['pytest'] / ours:.2f} | {ours / peer:.2f} |", flush=True)


def main():
    quick = "--quick" in sys.argv[1:]
    python = python_with(WORK / "venv", PINS) / "python"
    print("| suite | workers | pytest | flakedb, 1 | pytest-xdist | flakedb | speed-up over 1 | over pytest | of xdist's time |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    waits = (80, 0.25) if quick else (400, 0.5)
    busy = (40, 400_000) if quick else (200, 2_000_000)
    rounds = 1 if quick else 2
    measure(python, f"{waits[0]} tests that wait {waits[1]} s", lambda at: suites.sleeping_suite(at, *waits), 8, rounds)
    measure(python, f"{busy[0]} tests that compute", lambda at: suites.busy_suite(at, *busy), 2, rounds)


if __name__ == "__main__":
    main()
