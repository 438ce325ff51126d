"""The peer: what a straightforward Python tool does with reports: junitparser, and one row per result in SQLite.

Usage: junitparser_sqlite.py DIR DATABASE          (prints one line of JSON with the totals)
"""

import json
import pathlib
import sqlite3
import sys

from junitparser import Error, Failure, JUnitXml, Skipped

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE tests (id INTEGER PRIMARY KEY, file TEXT, classname TEXT, name TEXT, UNIQUE (file, classname, name));
CREATE TABLE results (run_id INT, test_id INT, outcome TEXT, seconds REAL, message TEXT, details TEXT);
CREATE INDEX results_by_test ON results (test_id, run_id);
"""


def cases(path):
    """The results of one report."""
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            outcome, message, details = "passed", None, None
            for result in case.result:
                if isinstance(result, (Failure, Error)):
                    outcome, message, details = "failed", result.message, result.text
                elif isinstance(result, Skipped):
                    outcome = "skipped"
            key = (case._elem.get("file") or "", case.classname or "", case.name)
            yield key, (outcome, case.time, message, details)


def main(directory, database):
    connection = sqlite3.connect(database)
    connection.executescript(SCHEMA)
    known, total = {}, 0
    for run_id, run in enumerate(sorted(pathlib.Path(directory).glob("run-*"))):
        for path in sorted(run.glob("*.xml")):
            rows = []
            for key, result in cases(path):
                if key not in known:
                    row = connection.execute("INSERT INTO tests (file, classname, name) VALUES (?, ?, ?)", key)
                    known[key] = row.lastrowid
                rows.append((run_id, known[key], *result))
            connection.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.commit()
            total += len(rows)
    connection.close()
    print(json.dumps({"cases": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
