"""What `flakedb run` costs beside the bare command, which takes 1 s and writes 5,000 cases. See ../README.md.

Usage: python3 benches/peers/overhead.py [--cases 5000] [--past 50] [--rounds 9] [--flakedb PATH]
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import measure

WORK = measure.ROOT / "target" / "overhead"
SEED = 1
OVERHEAD_S = 0.150  # at most so much more than the bare command, in the median


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000, help="cases of the report")
    parser.add_argument("--past", type=int, default=50, help="runs in the history beforehand")
    parser.add_argument("--rounds", type=int, default=9, help="how often each contender runs, in turn")
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    return parser.parse_args()


def prepare(flakedb, examples, wanted):
    """A git working copy with a history, and one new report for each round and contender."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    (WORK / "flakedb.toml").write_text('project = "overhead"\n')
    new = 2 * wanted.rounds
    generator = examples / f"generate_reports{measure.EXE}"
    measure.cost([generator, "corpus", wanted.past + new, 1, wanted.cases, SEED], WORK)
    runs = sorted((WORK / "corpus").iterdir())
    measure.cost([flakedb, "ingest", *runs[: wanted.past]], WORK)
    for command in (["init", "-q"], ["add", "flakedb.toml"],
                    ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "bench"]):
        subprocess.run(["git", *command], cwd=WORK, check=True)
    return [next(run.glob("*.xml")) for run in runs[wanted.past:]]


def timed(command):
    """Wall time of a command, whatever its exit code, with its output thrown away."""
    begun = time.perf_counter()
    subprocess.run([str(part) for part in command], cwd=WORK, env=measure.clean(), check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main():
    wanted = arguments()
    target, examples = measure.build("generate_reports")
    flakedb = (wanted.flakedb or target / f"flakedb{measure.EXE}").resolve()
    reports = prepare(flakedb, examples, wanted)
    costs = {"bare command": [], "flakedb run, it passes": [], "flakedb run, it fails": []}
    for round_ in range(wanted.rounds):
        for place, (name, code) in enumerate([("bare command", 1), ("flakedb run, it passes", 0), ("flakedb run, it fails", 1)]):
            report = reports[2 * round_ + max(place - 1, 0)]
            bare = ["sh", "-c", f"sleep 1; cp {report} report.xml; exit {code}"]
            wrapped = [flakedb, "run", "--junit", "report.xml", "--runner", "pytest", "--", *bare]
            costs[name].append(timed(bare if place == 0 else wrapped))
        print(f"round {round_ + 1} of {wanted.rounds} done", file=sys.stderr, flush=True)
    median = {name: statistics.median(times) for name, times in costs.items()}
    bare = median["bare command"]
    print(f"\n{wanted.cases:,} cases, {wanted.past} runs in the history; medians of {wanted.rounds} rounds, {os.cpu_count()} cores\n")
    print("| | wall s | over the bare command, ms | fastest s | slowest s |")
    print("| --- | --: | --: | --: | --: |")
    for name, times in costs.items():
        print(f"| {name} | {median[name]:.3f} | {(median[name] - bare) * 1000:.0f} | {min(times):.3f} | {max(times):.3f} |")
    print()
    held = True
    for name in list(costs)[1:]:
        over = median[name] - bare
        held = held and over <= OVERHEAD_S
        print(f"{'PASS' if over <= OVERHEAD_S else 'FAIL'}  {name}: at most {OVERHEAD_S * 1000:.0f} ms over the bare command: {over * 1000:.0f} ms")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
