"""A history of any length, grown by ingesting JUnit XML of examples/generate_history.rs, batch by batch; kept under target/scale.

It is grown once: the next script that wants the same finds it there, with what each batch cost.
"""

import json
import pathlib
import shutil
import sys

import measure

WORK = measure.ROOT / "target" / "scale"
PROJECT = "bench"
BATCH_RESULTS = 1_000_000  # reports are written, ingested and removed in batches, so that the disk holds one only


class Tools:
    """The binaries that are measured; built unless a folder with a flakedb and the examples is given."""

    def __init__(self, folder=None):
        if folder is None:
            target, examples = measure.build("generate_history", "fold_window")
        else:
            target = examples = pathlib.Path(folder).resolve()
        self.flakedb, self.generate, self.fold = (
            where / f"{name}{measure.EXE}"
            for where, name in ((target, "flakedb"), (examples, "generate_history"), (examples, "fold_window")))
        WORK.mkdir(parents=True, exist_ok=True)
        (WORK / "flakedb.toml").touch()  # ends the search for a configuration here


def reports(tools, tests, length, first, last, rows=None):
    """Write the runs from `first` up to `last` as JUnit XML; returns the folder and the totals."""
    folder = WORK / f"reports-{first}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [tools.generate, folder, tests, length, first, last, *([rows] if rows else [])]
    return folder, measure.cost(command, WORK).printed


def ingest(tools, folder, database):
    return measure.cost([tools.flakedb, "ingest", folder, "--db", database, "--quiet", "--exit-zero"], WORK)


def append(tools, database, tests, length, first, last):
    """Ingest the runs from `first` up to `last`; returns what each batch was and cost."""
    batch, batches = max(1, BATCH_RESULTS // tests), []
    for start in range(first, last, batch):
        folder, totals = reports(tools, tests, length, start, min(start + batch, last))
        cost = ingest(tools, folder, database)
        shutil.rmtree(folder)
        batches.append({**totals, "first": start, "wall": cost.wall, "cpu": cost.cpu, "rss_mib": cost.rss_mib,
                        "file": measure.database_bytes(database)})
        print(f"{start + totals['runs']} of {last} runs, {cost.cpu / totals['results'] * 1e6:.2f} CPU s per million results",
              file=sys.stderr, flush=True)
    return batches


def history(tools, tests, length, first=0):
    """The history of the runs from `first` to `length`, and what its batches cost; grown where it is not there yet."""
    database = WORK / f"{tests}x{first}-{length}.db"
    record = database.with_suffix(".json")
    if not (database.exists() and record.exists()):
        measure.remove_database(database)
        record.unlink(missing_ok=True)
        batches = append(tools, database, tests, length, first, length)
        record.write_text(json.dumps(batches))
    return database, json.loads(record.read_text())
