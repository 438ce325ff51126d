"""The peer: plain failure rates per test over the last days, by DuckDB's GROUP BY over one row per result.

Usage: duckdb_rates.py DATABASE DAYS          (prints one line of JSON with the time of the query alone)
"""

import json
import sys
import time

import duckdb

SCHEMA = """
CREATE TABLE runs (run INTEGER, started BIGINT, branch TEXT);
CREATE TABLE tests (test INTEGER, name TEXT);
CREATE TABLE results (run INTEGER, test INTEGER, failed BOOLEAN);
"""
FIRST = "SELECT min(run) FROM runs WHERE started > (SELECT max(started) FROM runs) - ?"
RATES = """
SELECT name, rates.* FROM tests JOIN (
    SELECT test, count(*) AS executions, sum(failed::INTEGER) AS failures, avg(failed::INTEGER) AS rate
    FROM results WHERE run >= ? GROUP BY test
) AS rates USING (test) ORDER BY rate DESC, name
"""


def main(database, days):
    connection = duckdb.connect(database, read_only=True)
    begun = time.perf_counter()
    first = connection.execute(FIRST, [int(days) * 86_400_000]).fetchone()[0]
    rates = connection.execute(RATES, [first]).fetchall()
    seconds = time.perf_counter() - begun
    print(json.dumps({"tests": len(rates), "results": sum(row[2] for row in rates), "query_seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
