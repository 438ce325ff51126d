"""The peers that read reports fast from Python: lxml's iterparse, codecov's parser (Rust), and lxml with rows in DuckDB.

Usage: readers.py lxml DIR | codecov DIR | duckdb DIR DATABASE          (prints one line of JSON with the totals)
"""

import json
import pathlib
import sys

RESULTS = ("failure", "error", "skipped")


def reports(directory):
    """The runs in order, and the reports of each."""
    for run in sorted(pathlib.Path(directory).glob("run-*")):
        yield sorted(run.glob("*.xml"))


def lxml_cases(path):
    """Name, outcome, seconds, message and text of each case, whose elements are let go at once."""
    from lxml import etree

    for _, case in etree.iterparse(str(path), tag="testcase", huge_tree=True):
        outcome, message, details = "passed", None, None
        for child in case:
            if child.tag in RESULTS:
                outcome, message, details = child.tag, child.get("message"), child.text
        yield (case.get("file") or "", case.get("classname") or "", case.get("name")), outcome, float(case.get("time") or 0), message, details
        case.clear()
        while case.getprevious() is not None:
            del case.getparent()[0]


def lxml(directory):
    """Read every field of every case and keep nothing."""
    return sum(1 for run in reports(directory) for path in run for _ in lxml_cases(path))


def codecov(directory):
    """The wheel that Codecov reads its users' reports with."""
    from test_results_parser import parse_junit_xml

    return sum(len(parse_junit_xml(path.read_bytes()).testruns) for run in reports(directory) for path in run)


def duckdb(directory, database):
    """A table of tests, and one row per result, appended in columns, a run at a time."""
    import duckdb as engine
    import numpy

    connection = engine.connect(database)
    connection.execute("CREATE TABLE tests (id INTEGER, file VARCHAR, classname VARCHAR, name VARCHAR)")
    connection.execute("CREATE TABLE results (run INTEGER, test INTEGER, outcome VARCHAR, seconds DOUBLE, message VARCHAR, details VARCHAR)")
    known, total = {}, 0
    for number, run in enumerate(reports(directory)):
        first, rows = len(known), []
        for path in run:
            rows += [(known.setdefault(key, len(known)), *rest) for key, *rest in lxml_cases(path)]
        tests, outcomes, seconds, messages, details = zip(*rows)
        columns = {
            "run": numpy.full(len(rows), number, dtype=numpy.int32), "test": numpy.array(tests, dtype=numpy.int32),
            "outcome": numpy.array(outcomes, dtype=object), "seconds": numpy.array(seconds),
            "message": numpy.array(messages, dtype=object), "details": numpy.array(details, dtype=object),
        }
        connection.execute("BEGIN")
        connection.register("columns", columns)
        connection.execute("INSERT INTO results SELECT * FROM columns")
        fresh = list(known)[first:]
        if fresh:
            files, classes, names = (numpy.array(part, dtype=object) for part in zip(*fresh))
            ids = numpy.arange(first, len(known), dtype=numpy.int32)
            connection.register("fresh", {"id": ids, "file": files, "classname": classes, "name": names})
            connection.execute("INSERT INTO tests SELECT * FROM fresh")
        connection.execute("COMMIT")
        total += len(rows)
    connection.close()
    return total


if __name__ == "__main__":
    contender = {"lxml": lxml, "codecov": codecov, "duckdb": duckdb}[sys.argv[1]]
    print(json.dumps({"cases": contender(*sys.argv[2:])}))
