"""Ingest against its peers, on the same files, interleaved in one run. See ../README.md.

Usage: python3 benches/peers/run.py [--runs 10] [--files 10] [--cases 1000] [--rounds 3] [--flakedb PATH]
"""

import argparse
import pathlib
import shutil
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment
import measure

WORK = measure.ROOT / "target" / "peers"
SEED = 1
FLOOR_PYTHON = 10.0  # end-to-end ingest: at least this many times as fast as junitparser + sqlite3
FLOOR_PASS = 2.0  # and at most this many times the cost of a bare pass over the attributes


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="runs in the corpus")
    parser.add_argument("--files", type=int, default=10, help="reports of each run")
    parser.add_argument("--cases", type=int, default=1000, help="cases of each report")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs, in turn")
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    return parser.parse_args()


def contenders(corpus, flakedb, examples, python):
    """Name, command and database (or none) of each contender."""
    peer, own = WORK / "peer.db", WORK / "flakedb.db"
    return [
        ("bare quick-xml pass", [examples / f"attribute_pass{measure.EXE}", corpus], None),
        ("flakedb, parse only", [examples / f"parse_only{measure.EXE}", corpus], None),
        ("flakedb ingest", [flakedb, "ingest", corpus, "--db", own], own),
        ("flakedb ingest, 1 thread", [flakedb, "ingest", corpus, "--db", own, "--jobs", "1"], own),
        ("junitparser + sqlite3", [python, HERE / "junitparser_sqlite.py", corpus, peer], peer),
    ]


def race(field, rounds):
    """Run all contenders in turn, `rounds` times; returns the costs and the size of each database."""
    costs, sizes = {name: [] for name, _, _ in field}, {}
    for number in range(rounds):
        for name, command, database in field:
            if database:
                measure.remove_database(database)
            costs[name].append(measure.cost(command, WORK))
            sizes[name] = measure.database_bytes(database) if database else None
        print(f"round {number + 1} of {rounds} done", file=sys.stderr, flush=True)
    return costs, sizes


def show(costs, sizes, total):
    """One table: medians over the rounds, and ratios to flakedb's ingest."""
    median = {name: {what: statistics.median(getattr(c, what) for c in runs) for what in ("wall", "cpu", "rss_mib")}
              for name, runs in costs.items()}
    own = median["flakedb ingest"]
    megabytes = total["bytes"] / 1e6
    print(f"\n{total['cases']:,} results, {megabytes:.1f} MB; medians of {len(costs['flakedb ingest'])} rounds\n")
    print("| contender | wall s | CPU s | MB/s | results/s | results/CPU s | peak MiB | bytes/result | wall ÷ ingest | CPU ÷ ingest |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |")
    for name, cost in median.items():
        size = f"{sizes[name] / total['cases']:.1f}" if sizes[name] else "–"
        print(f"| {name} | {cost['wall']:.3f} | {cost['cpu']:.3f} | {megabytes / cost['wall']:.0f} "
              f"| {total['cases'] / cost['wall']:,.0f} | {total['cases'] / cost['cpu']:,.0f} | {cost['rss_mib']:.0f} "
              f"| {size} | {cost['wall'] / own['wall']:.2f} | {cost['cpu'] / own['cpu']:.2f} |")
    python, bare = median["junitparser + sqlite3"], median["bare quick-xml pass"]
    floors = [
        (f"ingest at least {FLOOR_PYTHON:.0f}× as fast as junitparser + sqlite3 (wall)", python["wall"] / own["wall"] >= FLOOR_PYTHON,
         python["wall"] / own["wall"]),
        (f"ingest at most {FLOOR_PASS:.0f}× the time of the bare pass (wall)", own["wall"] / bare["wall"] <= FLOOR_PASS,
         own["wall"] / bare["wall"]),
    ]
    print()
    for label, held, ratio in floors:
        print(f"{'PASS' if held else 'FAIL'}  {label}: {ratio:.2f}")
    return all(held for _, held, _ in floors)


def main():
    wanted = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "flakedb.toml").touch()  # ends the search for a configuration here
    target, examples = measure.build("generate_reports", "attribute_pass", "parse_only")
    flakedb = (wanted.flakedb or target / f"flakedb{measure.EXE}").resolve()
    corpus = WORK / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    counts = (wanted.runs, wanted.files, wanted.cases, SEED)
    total = measure.cost([examples / f"generate_reports{measure.EXE}", corpus, *counts], WORK).printed
    python = environment.python_with(HERE / "requirements.txt", WORK / "venv")
    costs, sizes = race(contenders(corpus, flakedb, examples, python), wanted.rounds)
    for name, runs in costs.items():
        told = runs[-1].printed.get("cases", total["cases"])
        if told != total["cases"]:
            sys.exit(f"{name} read {told} results, not {total['cases']}")
    return 0 if show(costs, sizes, total) else 1


if __name__ == "__main__":
    sys.exit(main())
