"""Instruction counts of the steps of an ingest and of a judgement (gungraun, valgrind). See ../README.md.

Usage: python3 benches/instructions/run_instructions.py          (prints a table; exits with 0 and a word where valgrind is missing)
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / "target" / "tools"
# What each number is per.
UNITS = {"parse": 1_000, "parse_again": 1_000, "report_hash": 1_000, "identity_hash": 1_000, "batch": 1_000, "append": 1_000, "encode": 1_000,
         "decode": 1_000, "fold": 50_000, "judge": 50_000}
WORDS = {"parse": "read a report by a reader that knows no test", "parse_again": "read a report of tests that the reader has met",
         "report_hash": "hash the report's bytes", "identity_hash": "hash one test's identity", "batch": "make columns, hash and compress failures",
         "append": "write a report of known tests, commit included", "encode": "results into a segment", "decode": "a segment into results",
         "fold": "read runs from the history", "judge": "fold and judge all"}


def missing():
    """Why nothing can be counted here, or none."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed, so no instructions were counted (apt-get install valgrind)"
    return None


def runner():
    """gungraun's runner of the version in Cargo.toml, installed below target/ the first time."""
    version = re.search(r'gungraun = "=([\d.]+)"', (HERE / "Cargo.toml").read_text())[1]
    folder = TOOLS / f"gungraun-{version}"
    program = folder / "bin" / "gungraun-runner"
    if not program.exists():
        subprocess.run(["cargo", "install", "--quiet", "--locked", "gungraun-runner", "--version", version, "--root", folder], check=True)
    return program


def counts():
    """Step to instructions for one result (or test)."""
    environment = {**os.environ, "GUNGRAUN_RUNNER": str(runner()), "CARGO_TARGET_DIR": str(ROOT / "target" / "instructions"), "GUNGRAUN_COLOR": "never"}
    ran = subprocess.run(["cargo", "bench", "--quiet", "--bench", "instructions"], cwd=HERE, env=environment, text=True, stdout=subprocess.PIPE)
    if ran.returncode != 0:
        sys.exit(ran.stdout[-3000:])
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout)
    found = re.findall(r"::(\w+) \w+:.*\n\s+Instructions:\s+([\d,]+)\|", plain)
    if {name for name, _ in found} != set(UNITS):
        sys.exit(f"these are not the counts of all steps:\n{plain}")
    return {name: int(count.replace(",", "")) / UNITS[name] for name, count in found}


def rows():
    return [(WORDS[step], f"{count:,.0f}") for step, count in counts().items()]


if __name__ == "__main__":
    if missing():
        sys.exit(print(missing()))
    print("| step | instructions per result |\n| --- | --: |")
    for words, count in rows():
        print(f"| {words} | {count} |")
