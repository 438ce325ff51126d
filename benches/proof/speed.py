"""The part `speed` of docs/PROOF.md: ingest beside its peers, bytes per result, and memory. See ../README.md.

Usage: python3 benches/proof/speed.py [--quick] [--rounds 5]

--quick takes a tenth of the results; its ratios are worse for flakedb, as starting and making a history weigh more.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / "peers"), str(HERE.parent / "instructions")]
import figures
import measure
import run as peers

CASES = 1_000
PASSING_TESTS, PASSING_RUNS = 2_000, 500
WHY_CORE = ("a bare pass keeps nothing; besides reading, an ingest hashes each report whole (the key that makes it idempotent), hashes, masks and "
            "compresses the stack traces of 2 % failures, and fills the indexes of tests and failures")
WHY_WALL = ("reports are read by all cores, but one transaction is written by one thread, flushed to the disk, and a new file is made before; "
            + WHY_CORE)
WHY_PYTHON = "see the row above: what is left is mostly the work on failures and the write"
WHY_BYTES = "durations in microseconds are kept whole; one in eight bits would take 1.6 bytes"
WHY_MEMORY = "names of 100,000 distinct tests, what two readers remember of them, and 16 MiB of pages"


def two_cores():
    """Keep this process and all that it starts to two cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def fixed_cost(flakedb, one, rounds):
    """Median wall milliseconds of an ingest of a single report: into no history yet, and into one that has it already."""
    database, costs = peers.WORK / "fixed.db", ([], [])
    for _ in range(rounds):
        measure.remove_database(database)
        for found in costs:
            found.append(measure.cost([flakedb, "ingest", one, "--db", database], peers.WORK).wall * 1000)
    return [statistics.median(found) for found in costs]


def memory(flakedb, generate, files):
    """Results, bytes read and peak memory of larger and larger ingests, each one transaction."""
    for runs in (1, 10, 40):
        corpus, database = peers.WORK / "memory", peers.WORK / "memory.db"
        shutil.rmtree(corpus, ignore_errors=True)
        measure.remove_database(database)
        total = measure.cost([generate, corpus, runs, files, CASES, peers.SEED], peers.WORK).printed
        cost = measure.cost([flakedb, "ingest", corpus, "--db", database], peers.WORK)
        yield total, cost, measure.database_bytes(database)
        shutil.rmtree(corpus, ignore_errors=True)
        measure.remove_database(database)


def bytes_per_passing(flakedb, generate):
    """Bytes of the file for each result, where all passed: names, runs, indexes and all else included."""
    corpus, database = peers.WORK / "passing", peers.WORK / "passing.db"
    shutil.rmtree(corpus, ignore_errors=True)
    measure.remove_database(database)
    measure.cost([generate, corpus, PASSING_RUNS, 1, PASSING_TESTS, peers.SEED, 0, "passing"], peers.WORK)
    measure.cost([flakedb, "ingest", corpus, "--db", database], peers.WORK)
    size = measure.database_bytes(database) / (PASSING_RUNS * PASSING_TESTS)
    shutil.rmtree(corpus, ignore_errors=True)
    measure.remove_database(database)
    return size


def instructions():
    """The table of instruction counts, or a word on why there is none."""
    import run_instructions

    why = run_instructions.missing()
    if why:
        return figures.table("Instructions", ("step", "instructions per result"), [], why)
    note = "Counted by valgrind, so the same on a busy machine; a processor with AVX-512 hashes faster than valgrind shows."
    return figures.table("Instructions", ("step", "instructions per result"), run_instructions.rows(), note)


def targets(median, size, peak):
    one = median[peers.ONE_THREAD]["cpu"] / median[peers.PASS]["cpu"]
    wall = median[peers.INGEST]["wall"] / median[peers.PASS]["wall"]
    python = median[peers.PYTHON]["wall"] / median[peers.INGEST]["wall"]
    levels = lambda *bounds: dict(zip(("safe", "hard", "moonshot"), bounds))
    target = lambda what, measured, bounds, why, shown=None: figures.target(what, measured, levels(*bounds), why, shown)
    return [
        target("ingest ÷ bare quick-xml pass, one core (CPU)", one, ("<= 2.0", "<= 1.2", "<= 0.7"), WHY_CORE),
        target("the same with two cores (wall)", wall, ("<= 1.3", "<= 0.8", "<= 0.5"), WHY_WALL),
        target("junitparser + sqlite3 ÷ ingest (wall)", python, (">= 10", ">= 20", ">= 40"), WHY_PYTHON, f"{python:.1f}×"),
        target("bytes per passing result", size, ("<= 3", "<= 2.5", "<= 1.6"), WHY_BYTES),
        target("peak memory of an ingest of any size, MiB", peak, ("< 200", "< 100", "< 64"), WHY_MEMORY, f"{peak:.0f}"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the results, three rounds")
    parser.add_argument("--rounds", type=int, help="how often each contender runs, in turn [default: 5, or 3]")
    wanted = parser.parse_args()
    begun = time.time()
    rounds, files = wanted.rounds or (3 if wanted.quick else 5), 10 if wanted.quick else 100
    two_cores()
    counted = instructions()
    field, total = peers.prepare((10, files, CASES))
    costs, sizes = peers.compared(field, total, rounds)
    target, examples = measure.build("generate_reports")
    flakedb, generate = target / f"flakedb{measure.EXE}", examples / f"generate_reports{measure.EXE}"
    fresh, known = fixed_cost(flakedb, peers.WORK / "corpus" / "run-00000" / "shard-000.xml", 2 * rounds + 1)
    size = bytes_per_passing(flakedb, generate)
    grown = list(memory(flakedb, generate, files))
    peak = max(cost.rss_mib for _, cost, _ in grown)
    shown = [(f"{total['cases']:,}", f"{total['bytes'] / 1e6:,.0f}", f"{cost.wall:.2f}", f"{cost.rss_mib:.0f}", f"{held / 1e6:.0f}")
             for total, cost, held in grown]
    tables = [
        figures.table(f"{total['cases']:,} results in {total['bytes'] / 1e6:.0f} MB of reports, medians of {rounds} rounds in turn",
                      peers.COLUMNS, list(peers.rows(costs, sizes, total)),
                      "All on two cores. The pass, the Python peers and the row of 1 thread use one of them; peak memory is that of the whole process."),
        figures.table("One ingest, larger and larger", ("results", "MB read", "wall s", "peak MiB", "file MB"), shown,
                      "All of it is one transaction, of as many distinct tests as one run has results."),
        figures.table("An ingest of one report of 1,000 cases", ("history", "wall ms"),
                      [("made by it", f"{fresh:.1f}"), ("has the report", f"{known:.1f}")], "Process, git, CI and configuration included."),
        counted,
    ]
    about = [f"Generated reports (`examples/generate_reports.rs`): pytest, Surefire and Jest names, 2 % failures with 1 to 4 kB of stack trace, 1 % skipped, "
             f"3 % with output, 0.2 % passed on retry; ten runs of the same {files * CASES:,} tests. How it is measured stands in benches/README.md."]
    figures.save("speed", "Speed", begun, about, tables, targets(peers.medians(costs), size, peak))


if __name__ == "__main__":
    main()
