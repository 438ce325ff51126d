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
PASS, INGEST, ONE_THREAD, PYTHON = "bare quick-xml pass", "flakedb ingest", "flakedb ingest, 1 thread", "junitparser + sqlite3"
COLUMNS = ("contender", "wall s", "CPU s", "MB/s", "results/s", "results/CPU s", "peak MiB", "bytes/result", "wall ÷ ingest", "CPU ÷ ingest",
           "CPU ÷ pass")
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
    peer, own, columns = WORK / "peer.db", WORK / "flakedb.db", WORK / "peer.duckdb"
    return [
        (PASS, [examples / f"attribute_pass{measure.EXE}", corpus], None),
        ("flakedb, parse only", [examples / f"parse_only{measure.EXE}", corpus], None),
        (INGEST, [flakedb, "ingest", corpus, "--db", own], own),
        (ONE_THREAD, [flakedb, "ingest", corpus, "--db", own, "--jobs", "1"], own),
        (PYTHON, [python, HERE / "junitparser_sqlite.py", corpus, peer], peer),
        ("lxml iterparse, read only", [python, HERE / "readers.py", "lxml", corpus], None),
        ("lxml iterparse + DuckDB", [python, HERE / "readers.py", "duckdb", corpus, columns], columns),
        ("codecov test-results-parser, read only", [python, HERE / "readers.py", "codecov", corpus], None),
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


def medians(costs):
    """Contender to its median wall time, CPU time and largest memory."""
    return {name: {what: statistics.median(getattr(c, what) for c in runs) for what in ("wall", "cpu", "rss_mib")}
            for name, runs in costs.items()}


def rows(costs, sizes, total):
    """The table of COLUMNS: medians over the rounds, and ratios to flakedb's ingest and to the pass."""
    median = medians(costs)
    own, bare, megabytes = median[INGEST], median[PASS], total["bytes"] / 1e6
    for name, cost in median.items():
        size = f"{sizes[name] / total['cases']:.1f}" if sizes[name] else "–"
        yield (name, f"{cost['wall']:.3f}", f"{cost['cpu']:.3f}", f"{megabytes / cost['wall']:.0f}", f"{total['cases'] / cost['wall']:,.0f}",
               f"{total['cases'] / cost['cpu']:,.0f}", f"{cost['rss_mib']:.0f}", size, f"{cost['wall'] / own['wall']:.2f}",
               f"{cost['cpu'] / own['cpu']:.2f}", f"{cost['cpu'] / bare['cpu']:.2f}")


def show(costs, sizes, total):
    """Print the table and the floors; true where all are held."""
    print(f"\n{total['cases']:,} results, {total['bytes'] / 1e6:.1f} MB; medians of {len(costs[INGEST])} rounds\n")
    for row in (COLUMNS, ["---"] + ["--:"] * (len(COLUMNS) - 1), *rows(costs, sizes, total)):
        print("| " + " | ".join(row) + " |")
    median = medians(costs)
    python, one = median[PYTHON]["wall"] / median[INGEST]["wall"], median[ONE_THREAD]["cpu"] / median[PASS]["cpu"]
    floors = [
        (f"ingest at least {FLOOR_PYTHON:.0f}× as fast as junitparser + sqlite3 (wall)", python >= FLOOR_PYTHON, python),
        (f"ingest with one thread at most {FLOOR_PASS:.0f}× the time of the bare pass (CPU)", one <= FLOOR_PASS, one),
    ]
    print()
    for label, held, ratio in floors:
        print(f"{'PASS' if held else 'FAIL'}  {label}: {ratio:.2f}")
    return all(held for _, held, _ in floors)


def prepare(counts, given=None):
    """Everything built and generated: the field of contenders, and what the corpus holds."""
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "flakedb.toml").touch()  # ends the search for a configuration here
    target, examples = measure.build("generate_reports", "attribute_pass", "parse_only")
    flakedb = (given or target / f"flakedb{measure.EXE}").resolve()
    corpus = WORK / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    total = measure.cost([examples / f"generate_reports{measure.EXE}", corpus, *counts, SEED], WORK).printed
    python = environment.python_with(HERE / "requirements.txt", WORK / "venv")
    return contenders(corpus, flakedb, examples, python), total


def compared(field, total, rounds):
    """The costs and sizes of a race in which all read the same results."""
    costs, sizes = race(field, rounds)
    for name, runs in costs.items():
        told = runs[-1].printed.get("cases", total["cases"])
        if told != total["cases"]:
            sys.exit(f"{name} read {told} results, not {total['cases']}")
    return costs, sizes


def main():
    wanted = arguments()
    field, total = prepare((wanted.runs, wanted.files, wanted.cases), wanted.flakedb)
    costs, sizes = compared(field, total, wanted.rounds)
    return 0 if show(costs, sizes, total) else 1


if __name__ == "__main__":
    sys.exit(main())
