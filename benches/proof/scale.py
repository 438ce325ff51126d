"""A history of 100 million results: what ingest, reports, and looking after the file cost there. The part `scale` of docs/PROOF.md.

Usage: python3 benches/proof/scale.py [--tests 20000] [--runs 5000] [--quick] [--rounds 5] [--binaries FOLDER]

It is grown by real ingests of JUnit XML (about 20 minutes, 1 GB of disk) and kept below target/scale for the next call and for judging.py.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import sys
import time

import figures

sys.path.insert(0, str(figures.ROOT / "benches" / "peers"))
import growing
import measure

WINDOW = 50  # runs of the fixed window, and of the short history


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=20_000, help="tests of the suite; a run has one report of all")
    parser.add_argument("--runs", type=int, default=5_000, help="runs of the long history")
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs, in turn")
    parser.add_argument("--binaries", type=pathlib.Path, help="a folder with flakedb and the examples [default: build this tree]")
    wanted = parser.parse_args()
    wanted.runs //= 10 if wanted.quick else 1
    return wanted


def copy_of(database, name):
    """A copy that may be written to."""
    copy = growing.WORK / name
    measure.remove_database(copy)
    shutil.copyfile(database, copy)
    return copy


def medians(costs):
    return {what: statistics.median(getattr(cost, what) for cost in costs) for what in ("wall", "cpu", "rss_mib")}


def ratio(left, right, what="cpu"):
    """The median of the ratios within each round: a busy machine slows both."""
    return statistics.median(getattr(one, what) / getattr(other, what) for one, other in zip(left, right))


def one_run(tools, wanted, long, short):
    """Ingest of one run after another into copies of both histories, and into a new one."""
    files = {"100 M": copy_of(long, "one-long.db"), "1 M": copy_of(short, "one-short.db"), "0": growing.WORK / "one-new.db"}
    costs = {name: [] for name in files}
    for number in range(wanted.rounds + 1):
        first = wanted.runs + number
        # The history's length decides which tests are flaky when; what comes behind its end is like it.
        folder, _ = growing.reports(tools, wanted.tests, wanted.runs, first, first + 1)
        measure.remove_database(files["0"])
        for name, file in files.items():
            cost = growing.ingest(tools, folder, file)
            if number > 0:  # the first reads the copies into memory
                costs[name].append(cost)
        shutil.rmtree(folder)
    for file in files.values():
        measure.remove_database(file)
    return costs


def commands(tools, database, test):
    with_db = ["--db", database, "--project", growing.PROJECT]
    return {
        f"report --runs {WINDOW}": [tools.flakedb, "report", "--runs", WINDOW, "--format", "json", *with_db],
        "report --days 30": [tools.flakedb, "report", "--days", 30, "--format", "json", *with_db],
        "report": [tools.flakedb, "report", "--format", "json", *with_db],
        "show TEST": [tools.flakedb, "show", test, "--format", "json", *with_db],
        "quarantine": [tools.flakedb, "quarantine", "--format", "json", *with_db],
        "db info": [tools.flakedb, "db", "info", *with_db],
    }


def reading(tools, wanted, long, short, test):
    """Each reading command on both histories, in turn."""
    costs = {name: ([], []) for name in commands(tools, long, test)}
    for number in range(wanted.rounds + 1):
        for database, place in ((long, 0), (short, 1)):
            for name, command in commands(tools, database, test).items():
                cost = measure.cost(command, growing.WORK)
                if number > 0:
                    costs[name][place].append(cost)
    return costs


def printed(command):
    return json.loads(measure.output(command, growing.WORK))


def verdicts(tools, database):
    """The verdicts of the fixed window; when a test was first seen is a matter of the whole history."""
    report = printed(commands(tools, database, "")[f"report --runs {WINDOW}"])
    return [{key: value for key, value in one.items() if "seen" not in key} for one in report["tests"]]


def upkeep(tools, wanted, long):
    """Backup, check, merge and prune of the long history; returns a row for each."""
    db = [tools.flakedb, "db"]
    backup, merged = growing.WORK / "backup.db", growing.WORK / "merged.db"
    for file in (backup, merged):
        measure.remove_database(file)
    days = wanted.runs // 10 // 5  # of ten runs a day, a fifth stays
    steps = [
        ("backup", [*db, "backup", backup, "--db", long], backup),
        ("check", [*db, "check", "--db", long], long),
        ("merge into a new history", [*db, "merge", long, "--db", merged], merged),
        ("the same merge again", [*db, "merge", long, "--db", merged], merged),
        (f"prune --keep-days {days}", [*db, "prune", "--keep-days", days, "--db", backup, "--format", "json"], backup),
        ("prune --shrink", [*db, "prune", "--shrink", "--db", backup], backup),
        ("check of what is left", [*db, "check", "--db", backup], backup),
    ]
    rows = []
    for name, command, file in steps:
        cost = measure.cost(command, growing.WORK)
        rows.append([name, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.rss_mib:.0f}", f"{measure.database_bytes(file) / 1e6:.0f}"])
        print(rows[-1], file=sys.stderr, flush=True)
    same = verdicts(tools, backup) == verdicts(tools, long)
    for file in (backup, merged):
        measure.remove_database(file)
    if not same:
        sys.exit("the report of the pruned history differs from that of the whole one")
    return rows


def ingest_table(batches, tests):
    """The batches by tenths of the history."""
    tenth, rows = max(1, len(batches) // 10), []
    for first in range(0, len(batches), tenth):
        some = batches[first:first + tenth]
        results = sum(one["results"] for one in some)
        cpu, wall, bad = (sum(one[what] for one in some) for what in ("cpu", "wall", "bad"))
        rows.append([f"{(some[-1]['first'] + some[-1]['runs']) * tests / 1e6:.0f} M", f"{cpu / results * 1e6:.2f}", f"{wall / results * 1e6:.2f}",
                     f"{bad / results * 100:.2f} %", f"{max(one['rss_mib'] for one in some):.0f}", f"{some[-1]['file'] / 1e6:.0f}"])
    return rows


def main():
    wanted, begun = arguments(), time.time()
    tools = growing.Tools(wanted.binaries)
    short, _ = growing.history(tools, wanted.tests, wanted.runs, wanted.runs - WINDOW)
    long, batches = growing.history(tools, wanted.tests, wanted.runs)
    results = wanted.tests * wanted.runs
    once = verdicts(tools, long)
    if once != verdicts(tools, short):
        sys.exit("the report of the fixed window differs between the long and the short history")
    test = next(one["test"] for one in once if one["status"] == "flaky")
    single = one_run(tools, wanted, long, short)
    read = reading(tools, wanted, long, short, test)
    rows = upkeep(tools, wanted, long)
    size = f"{results / 1e6:.0f} M"
    bytes_each = measure.database_bytes(long) / results
    window = read[f"report --runs {WINDOW}"]
    peak = max(*(one["rss_mib"] for one in batches), *(cost.rss_mib for cost in single["100 M"]))
    one = {name: medians(costs) for name, costs in single.items()}
    figures.save(
        "scale", f"Scale: a history of {size} results", begun,
        about=[f"{wanted.tests:,} tests × {wanted.runs:,} runs over {wanted.runs // 10} days, ingested from JUnit XML in batches of "
               f"{growing.BATCH_RESULTS / 1e6:.0f} million: flaky tests, regressions, changes, outages, re-runs (`examples/generate_history.rs`). "
               f"The short history has its last {WINDOW} runs alone; both give the same verdicts for that window, and so does the long one after a "
               "prune. [What happens at a billion](scale.md) is worked out from these slopes."],
        targets=[
            figures.target(f"ingest of one run of {wanted.tests:,} at {size} against at 1 M, CPU", ratio(single["100 M"], single["1 M"]),
                           {"safe": "<= 1.2", "hard": "<= 1.05", "moonshot": "<= 1.0"}, REASONS["one"]),
            figures.target("the same against a new history, CPU", ratio(single["100 M"], single["0"]),
                           {"safe": "<= 1.2", "hard": "<= 1.05", "moonshot": "<= 1.0"}, REASONS["one"]),
            figures.target(f"report over {WINDOW} runs, {size} against 1 M, CPU", ratio(*window),
                           {"safe": "<= 1.2", "hard": "<= 1.1", "moonshot": "<= 1.02"}, REASONS["window"]),
            figures.target("bytes per result, all included (failures, too)", bytes_each,
                           {"safe": "<= 3", "hard": "<= 2.5", "moonshot": "<= 1.6"}, REASONS["bytes"]),
            figures.target("peak memory of an ingest of a million results, MiB", peak,
                           {"safe": "< 200", "hard": "< 100", "moonshot": "< 64"}, REASONS["memory"], shown=f"{peak:.0f}"),
        ],
        tables=[
            figures.table("Ingest while the history grows, by tenths", ["history", "CPU s per million", "wall s per million", "bad", "peak MiB", "file MB"],
                          ingest_table(batches, wanted.tests), "An outage makes a batch dearer: half its tests may fail."),
            figures.table(f"One run of {wanted.tests:,} results", ["history", "wall s", "CPU s", "peak MiB"],
                          [[name.replace("100 M", size), f"{m['wall']:.3f}", f"{m['cpu']:.3f}", f"{m['rss_mib']:.0f}"] for name, m in one.items()]),
            figures.table("Reading", ["command", f"CPU s at {size}", "at 1 M", "ratio", f"wall s at {size}", f"peak MiB at {size}"],
                          [[f"`{name}`", f"{medians(a)['cpu']:.3f}", f"{medians(b)['cpu']:.3f}", f"{ratio(a, b):.2f}", f"{medians(a)['wall']:.3f}",
                            f"{medians(a)['rss_mib']:.0f}"] for name, (a, b) in read.items()],
                          f"Only the first looks at the same runs in both: the others judge 30 days or 1,000 runs, of which the short history has {WINDOW}."),
            figures.table(f"Looking after {size} results", ["`db` command", "wall s", "CPU s", "peak MiB", "file MB after it"], rows),
        ])


REASONS = {
    "one": "reading the report and starting up are all of it but a few percent; what differs is pages of bad attempts",
    "window": "the runs of the window cost the same; finding them and their failures goes through deeper trees and more pages",
    "bytes": "four tenths of the bytes are failures and bad attempts, which a history of passed tests does not have",
    "memory": "a batch is held whole until it is written; one with an outage has ten thousand failures",
}

if __name__ == "__main__":
    main()
