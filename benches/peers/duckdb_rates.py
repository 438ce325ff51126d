"""The peer: executions and failures per test by DuckDB's GROUP BY over one row per result, in its own file.

Usage: duckdb_rates.py load ROWS DATABASE       (ROWS has lines of run,test,failed, in order of time)
       duckdb_rates.py count DATABASE FIRST     (the window begins at the run FIRST)

The second prints one line of JSON: what was counted, and the seconds of the query alone.
"""

import json
import pathlib
import sys
import time

import duckdb

RATES = """
SELECT test, count(*) AS executions, sum(failed) AS failures, avg(failed) AS rate
FROM results WHERE run >= ? GROUP BY test
"""


def load(rows, database):
    pathlib.Path(database).unlink(missing_ok=True)
    connection = duckdb.connect(database)
    connection.execute("CREATE TABLE results (run INTEGER, test INTEGER, failed TINYINT)")
    connection.execute("INSERT INTO results SELECT * FROM read_csv(?, header = false, "
                       "columns = {'run': 'INTEGER', 'test': 'INTEGER', 'failed': 'TINYINT'})", [rows])
    connection.close()


def count(database, first):
    connection = duckdb.connect(database, read_only=True)
    begun = time.perf_counter()
    rates = connection.execute(RATES, [int(first)]).fetchall()
    print(json.dumps({"tests": len(rates), "executions": sum(row[1] for row in rates), "failures": int(sum(row[2] for row in rates)),
                      "seconds": [time.perf_counter() - begun]}))


if __name__ == "__main__":
    {"load": load, "count": count}[sys.argv[1]](*sys.argv[2:])
