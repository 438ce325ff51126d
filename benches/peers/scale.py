"""What a growing history costs: report time over a fixed window, and bytes per result. See ../README.md.

Usage: python3 benches/peers/scale.py [--tests 2000] [--results 100000 1000000 10000000] [--window 50] [--rounds 5]
                                      [--mixed] [--flakedb PATH]
"""

import argparse
import pathlib
import shutil
import statistics
import sys

import measure

WORK = measure.ROOT / "target" / "scale"
SEED = 1
BATCH_RESULTS = 500_000  # reports are written, ingested and removed in batches, so that the disk holds one only
FLOOR_GROWTH = 1.1
FLOOR_BYTES = 3.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=2000, help="tests of the suite; a run has one report of all")
    parser.add_argument("--results", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000], help="sizes of the history")
    parser.add_argument("--window", type=int, default=50, help="runs in the window")
    parser.add_argument("--rounds", type=int, default=5, help="how often each report is made, in turn")
    parser.add_argument("--mixed", action="store_true", help="with failures, skips and retries, not only passed tests")
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    return parser.parse_args()


def grow(database, first, last, wanted, tools):
    """Append the runs from `first` up to `last` to a history."""
    flakedb, generate = tools
    batch = max(1, BATCH_RESULTS // wanted.tests)
    kind = "mixed" if wanted.mixed else "passing"
    for start in range(first, last, batch):
        corpus = WORK / "batch"
        shutil.rmtree(corpus, ignore_errors=True)
        count = min(batch, last - start)
        measure.cost([generate, corpus, count, 1, wanted.tests, SEED, start, kind], WORK)
        measure.cost([flakedb, "ingest", corpus, "--db", database], WORK)
        print(f"{start + count} of {last} runs", file=sys.stderr, flush=True)
    shutil.rmtree(WORK / "batch", ignore_errors=True)


def histories(wanted, tools):
    """One history for each size, each grown from a copy of the one before."""
    made, previous = {}, (None, 0)
    for results in sorted(wanted.results):
        database = WORK / f"{results}.db"
        measure.remove_database(database)
        if previous[0]:
            for suffix in ("", "-wal"):
                source = pathlib.Path(f"{previous[0]}{suffix}")
                if source.exists():
                    shutil.copyfile(source, f"{database}{suffix}")
        runs = max(1, results // wanted.tests)
        grow(database, previous[1], runs, wanted, tools)
        made[results] = (database, runs)
        previous = (database, runs)
    return made


def main():
    wanted = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "flakedb.toml").touch()  # ends the search for a configuration here
    target, examples = measure.build("generate_reports")
    flakedb = (wanted.flakedb or target / f"flakedb{measure.EXE}").resolve()
    made = histories(wanted, (flakedb, examples / f"generate_reports{measure.EXE}"))
    costs = {results: [] for results in made}
    for _ in range(wanted.rounds):
        for results, (database, _) in made.items():
            command = [flakedb, "report", "--format", "json", "--runs", wanted.window, "--db", database]
            costs[results].append(measure.cost(command, WORK))
    print(f"\n{wanted.tests:,} tests, window of {wanted.window} runs; medians of {wanted.rounds} rounds\n")
    print("| results | runs | report wall s | report CPU s | peak MiB | bytes/result |")
    print("| --: | --: | --: | --: | --: | --: |")
    walls, sizes = {}, {}
    for results, (database, runs) in made.items():
        wall, cpu, rss = (statistics.median(getattr(c, what) for c in costs[results]) for what in ("wall", "cpu", "rss_mib"))
        walls[results], sizes[results] = wall, measure.database_bytes(database) / (runs * wanted.tests)
        print(f"| {runs * wanted.tests:,} | {runs:,} | {wall:.4f} | {cpu:.4f} | {rss:.0f} | {sizes[results]:.2f} |")
    last = max(made)
    before = sorted(made)[-2] if len(made) > 1 else last
    growth = walls[last] / walls[before]
    floors = [(f"report time grows by less than {FLOOR_GROWTH}× from {before:,} to {last:,} results", growth < FLOOR_GROWTH, growth)]
    if not wanted.mixed:
        label = f"at most {FLOOR_BYTES:.0f} bytes per passing result on disk, all included"
        floors.append((label, sizes[last] <= FLOOR_BYTES, sizes[last]))
    print()
    for label, held, value in floors:
        print(f"{'PASS' if held else 'FAIL'}  {label}: {value:.3f}")
    return 0 if all(held for _, held, _ in floors) else 1


if __name__ == "__main__":
    sys.exit(main())
