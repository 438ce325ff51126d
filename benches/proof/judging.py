"""What judging costs at the end of 100 million results, beside DuckDB, and every command on a small history. The part `judging` of docs/PROOF.md.

Usage: python3 benches/proof/judging.py [--tests 20000] [--runs 5000] [--quick] [--rounds 7] [--binaries FOLDER]

The long history is that of scale.py, and grown here where it is not there yet.
"""

import shutil
import statistics
import sys
import time

import figures
import scale

sys.path.insert(0, str(figures.ROOT / "benches"))
import environment
import growing
import measure

WINDOW, DAYS = 50, 30
SMALL = (200, 20)  # tests and runs


def race(tools, wanted, database, windows):
    """The same counts from flakedb's segments and from DuckDB's rows, process by process in turn; costs of both for each window."""
    python = environment.python_with(figures.ROOT / "benches" / "peers" / "judge-requirements.txt", growing.WORK / "venv")
    script, rows, peer = figures.ROOT / "benches" / "peers" / "duckdb_rates.py", growing.WORK / "rows.csv", growing.WORK / "rows.duckdb"
    measure.cost([tools.generate, "-", wanted.tests, wanted.runs, wanted.runs - max(windows), wanted.runs, rows], growing.WORK)
    measure.cost([python, script, "load", rows, peer], growing.WORK)
    rows.unlink()
    costs = {runs: ([], []) for runs in windows}
    for number in range(wanted.rounds + 1):
        for runs, (own, other) in costs.items():
            one = measure.cost([tools.fold, database, growing.PROJECT, runs, 1], growing.WORK)
            two = measure.cost([python, script, "count", peer, wanted.runs - runs], growing.WORK)
            agree(one.printed, two.printed)
            if number > 0:  # the first reads the files into memory
                own.append(one)
                other.append(two)
    peer.unlink()
    return costs


def alone(costs):
    """The median of the seconds that the counting itself took, without process and output."""
    return statistics.median(cost.printed["seconds"][0] for cost in costs)


def agree(own, other):
    """Both counted the same."""
    kinds = ("tests", "executions", "failures")
    if [own[kind] for kind in kinds] != [other[kind] for kind in kinds]:
        sys.exit(f"flakedb and DuckDB do not count the same: {own} {other}")


def judgements(tools, wanted, database):
    """Full judgements of the last days and of the default window, in turn."""
    with_db = ["--db", database, "--project", growing.PROJECT, "--format", "json"]
    commands = {
        f"report --days {DAYS}": [tools.flakedb, "report", "--days", DAYS, *with_db],
        "report (1,000 runs)": [tools.flakedb, "report", *with_db],
        f"report --days {DAYS} --method wilson": [tools.flakedb, "report", "--days", DAYS, "--method", "wilson", *with_db],
        f"quarantine --days {DAYS}": [tools.flakedb, "quarantine", "--days", DAYS, *with_db],
    }
    costs = {name: [] for name in commands}
    for _ in range(wanted.rounds):
        for name, command in commands.items():
            costs[name].append(measure.cost(command, growing.WORK))
    return costs


def small(tools, wanted):
    """Every kind of command on a small history that is in memory."""
    tests, runs = SMALL
    database = growing.WORK / "small.db"
    measure.remove_database(database)
    folder, _ = growing.reports(tools, tests, runs, 0, runs)
    growing.ingest(tools, folder, database)
    test, report = "shop.module00.suite000::test_case_00000", next(folder.rglob("junit.xml"))
    with_db = ["--db", database, "--project", growing.PROJECT]
    names = growing.WORK / "names.txt"
    names.write_text("".join(f"shop.module00.suite{number // 40:03}::test_case_{number:05}\n" for number in range(tests)))
    commands = {
        "report": ["report", *with_db],
        "report --format html": ["report", "--format", "html", *with_db],
        "show TEST": ["show", test, *with_db],
        "quarantine": ["quarantine", *with_db],
        "quarantine --emit pytest": ["quarantine", "--emit", "pytest", *with_db],
        "split --shard 1/4": ["split", "--tests", names, "--shard", "1/4", *with_db],
        "ingest of a known report": ["ingest", report, "--exit-zero", *with_db],
        "validate": ["validate", report],
        "db info": ["db", "info", *with_db],
        "db check": ["db", "check", *with_db],
        "db prune --dry-run": ["db", "prune", "--keep-runs", 10, "--dry-run", *with_db],
        "--version": ["--version"],
    }
    costs = {name: [] for name in commands}
    for number in range(5 * wanted.rounds):
        for name, command in commands.items():
            cost = measure.cost([tools.flakedb, *command], growing.WORK)
            if number > 0:
                costs[name].append(cost)
    shutil.rmtree(folder)
    return costs


def milliseconds(cost):
    return f"{cost * 1e3:.1f}"


def main():
    wanted, begun = scale.arguments(), time.time()
    tools = growing.Tools(wanted.binaries)
    database, _ = growing.history(tools, wanted.tests, wanted.runs)
    window_of_days = scale.printed([tools.flakedb, "report", "--days", DAYS, "--format", "json", "--db", database, "--project", growing.PROJECT])["runs"]["total"]
    counted = race(tools, wanted, database, (WINDOW, window_of_days))
    judged = {name: scale.medians(costs) for name, costs in judgements(tools, wanted, database).items()}
    quick = {name: scale.medians(costs) for name, costs in small(tools, wanted).items()}
    slowest = max(quick, key=lambda name: quick[name]["wall"])
    full, size = judged[f"report --days {DAYS}"], f"{wanted.tests * wanted.runs / 1e6:.0f} M"
    figures.save(
        "judging", "Judging", begun,
        about=[f"At the end of {size} results ({wanted.tests:,} tests × {wanted.runs:,} runs, as under Scale). DuckDB {version()} holds the rows of the "
               "longest window alone and counts executions and failures per test; flakedb folds the segments of its file of all results into the "
               "same counts, and both must be equal. A judgement is more: the filter over every test and run, with process, names and output."],
        targets=[
            figures.target(f"fold of {WINDOW} runs × {wanted.tests:,} tests against DuckDB's GROUP BY, CPU of both processes",
                           scale.ratio(*reversed(counted[WINDOW])), {"safe": ">= 5", "hard": ">= 20", "moonshot": ">= 50"}, REASONS["fold"]),
            figures.target(f"full judgement of {DAYS} days ({window_of_days} runs) at {size}, wall s", full["wall"],
                           {"safe": "< 3", "hard": "< 1", "moonshot": "< 0.3"}, REASONS["judge"], shown=f"{full['wall']:.3f}"),
            figures.target(f"slowest command on a warm small history (`{slowest}`), wall ms", quick[slowest]["wall"] * 1e3,
                           {"safe": "< 20", "hard": "< 10", "moonshot": "< 5"}, REASONS["small"], shown=milliseconds(quick[slowest]["wall"])),
        ],
        tables=[
            figures.table("Counts per test, from flakedb's file and from DuckDB's",
                          ["window", "results", "flakedb CPU s", "DuckDB CPU s", "ratio", "flakedb, counting alone, wall s", "DuckDB, query alone, wall s"],
                          [[f"{runs} runs", f"{own[0].printed['executions']:,}", f"{scale.medians(own)['cpu']:.3f}", f"{scale.medians(other)['cpu']:.3f}",
                            f"{scale.ratio(other, own):.1f}×", f"{alone(own):.4f}", f"{alone(other):.4f}"] for runs, (own, other) in counted.items()],
                          "DuckDB's process is Python's with the module loaded, and its query may use all threads; flakedb uses one. DuckDB reads three "
                          "columns of which it needs all; flakedb verifies and decodes every column, durations among them."),
            figures.table(f"Full judgements at {size}", ["command", "wall s", "CPU s", "peak MiB"],
                          [[f"`{name}`", f"{m['wall']:.3f}", f"{m['cpu']:.3f}", f"{m['rss_mib']:.0f}"] for name, m in judged.items()]),
            figures.table(f"Every command on a warm history of {SMALL[0]} tests × {SMALL[1]} runs", ["command", "wall ms", "CPU ms"],
                          [[f"`{name}`", milliseconds(m["wall"]), milliseconds(m["cpu"])] for name, m in quick.items()],
                          "Starting a process from Python is within the wall time."),
        ])


def version():
    """The peer's version, as its requirements pin it."""
    pinned = (figures.ROOT / "benches" / "peers" / "judge-requirements.txt").read_text()
    return pinned.split("==")[1].split()[0]


REASONS = {
    "fold": "segments are checked by their hash and decoded with all columns, durations among them; DuckDB needs two small columns",
    "judge": "an outage makes every test one that failed in the window, and each of those is weighed run by run; the filter is half of the time",
    "small": "what runs in a repository waits for git, of which three processes run side by side; the rest is starting, opening the file and laying out the screen",
}

if __name__ == "__main__":
    main()
