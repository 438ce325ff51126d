"""A full judgement of the last 30 days at the end of a long history, beside DuckDB's plain failure rates. See ../README.md.

Usage: python3 benches/peers/judge.py [--tests 20000] [--runs 500 5000] [--days 30] [--rounds 5] [--method NAME] [--keep]
                                      [--flakedb PATH]
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment
import measure

WORK = measure.ROOT / "target" / "judge"
FLOOR_WALL, FLOOR_RSS = 1.0, 200.0  # seconds and MiB


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=20_000)
    parser.add_argument("--runs", type=int, nargs="+", default=[500, 5_000], help="lengths of the history at which judging is measured")
    parser.add_argument("--days", type=int, default=30, help="days judged")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs, in turn")
    parser.add_argument("--method", help="of flakedb report [default: its own]")
    parser.add_argument("--keep", action="store_true", help="use histories of an earlier call with the same sizes, and keep these")
    parser.add_argument("--flakedb", type=pathlib.Path, help="a binary [default: build this tree]")
    return parser.parse_args()


def race(flakedb, python, files, wanted):
    """Both contenders in turn; returns their costs."""
    own, peer = files
    field = {
        "flakedb report": [flakedb, "report", "--db", own, "--project", "bench", "--days", wanted.days, "--format", "json",
                           *(("--method", wanted.method) if wanted.method else ())],
        "DuckDB GROUP BY": [python, HERE / "duckdb_rates.py", peer, wanted.days],
    }
    costs = {name: [] for name in field}
    for _ in range(wanted.rounds):
        for name, command in field.items():
            costs[name].append(measure.cost(command, WORK))
    return costs


def show(runs, costs, wanted, files):
    """One line for each contender; returns what is held against the floors."""
    query = statistics.median(cost.printed["query_seconds"] for cost in costs["DuckDB GROUP BY"])
    window = costs["DuckDB GROUP BY"][0].printed["results"]
    median = {name: [statistics.median(getattr(c, what) for c in found) for what in ("wall", "cpu", "rss_mib")] for name, found in costs.items()}
    for (name, (wall, cpu, rss)), file in zip(median.items(), files):
        print(f"| {runs * wanted.tests:,} | {window:,} | {name} | {wall:.3f} | {cpu:.3f} | {rss:.0f} "
              f"| {measure.database_bytes(file) / 1e6:.0f} |", flush=True)
    print(f"| {runs * wanted.tests:,} | {window:,} | the query alone | {query:.3f} | | | |", flush=True)
    wall, _, rss = median["flakedb report"]
    return wall, rss, median["DuckDB GROUP BY"][0] / wall, query / wall


def histories(wanted, flakedb, python):
    """Both histories at each length, each grown from a copy of the one before; made when they are asked for.

    Another process makes them, because what this one holds would count as memory of the commands that it measures.
    """
    sizes, done, before = sorted(wanted.runs), 0, None
    for runs in sizes:
        files = [WORK / f"{wanted.tests}x{runs}-of-{sizes[-1]}.{kind}" for kind in ("db", "duckdb")]
        if not (wanted.keep and all(file.exists() for file in files)):
            for file, previous in zip(files, before or (None, None)):
                measure.remove_database(file)
                for suffix in ("", "-wal") if previous else ():
                    source = pathlib.Path(f"{previous}{suffix}")
                    if source.exists():
                        shutil.copyfile(source, f"{file}{suffix}")
            numbers = (wanted.tests, sizes[-1], done, runs)
            subprocess.run([python, HERE / "growing.py", *map(str, numbers), *files, flakedb], cwd=WORK, env=measure.clean(), check=True)
        done, before = runs, files
        yield runs, files


def main():
    wanted = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "flakedb.toml").touch()  # ends the search for a configuration here
    flakedb = (wanted.flakedb or measure.build()[0] / f"flakedb{measure.EXE}").resolve()
    python = environment.python_with(HERE / "judge-requirements.txt", WORK / "venv")
    print(f"\n{wanted.tests:,} tests, the last {wanted.days} days judged; medians of {wanted.rounds} rounds\n")
    print("| results | in the window | contender | wall s | CPU s | peak MiB | file MB |")
    print("| --: | --: | --- | --: | --: | --: | --: |", flush=True)
    made = []
    for runs, files in histories(wanted, flakedb, python):
        wall, rss, process, query = show(runs, race(flakedb, python, files, wanted), wanted, files)
        made.append(files)
    if not wanted.keep:
        for file in (file for files in made for file in files):
            measure.remove_database(file)
    floors = [
        (f"the last {wanted.days} days are judged in less than {FLOOR_WALL} s", wall < FLOOR_WALL, f"{wall:.3f} s"),
        (f"and within {FLOOR_RSS:.0f} MiB", rss < FLOOR_RSS, f"{rss:.0f} MiB"),
    ]
    print(f"\nDuckDB's plain rates take {process:.2f}× the time of the judgement; the query alone, without process and output, {query:.2f}×")
    for label, held, value in floors:
        print(f"{'PASS' if held else 'FAIL'}  {label}: {value}")
    return 0 if all(held for _, held, _ in floors) else 1


if __name__ == "__main__":
    sys.exit(main())
