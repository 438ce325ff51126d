"""The figures of one part of docs/PROOF.md: gathered by its script, kept as JSON, printed by ../prove.py."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIGURES = pathlib.Path(__file__).resolve().parent / "figures"
LEVELS = ("moonshot", "hard", "safe")


def table(title, columns, rows, note=""):
    """A table with the columns' names and rows of texts; numbers are written as they shall be read."""
    for row in rows:
        assert len(row) == len(columns), (title, row)
    return {"title": title, "columns": list(columns), "rows": [[str(cell) for cell in row] for row in rows], "note": note}


def target(what, measured, levels, reason="", shown=None):
    """A number beside its targets, a text each such as `<= 2.0`, under the names `safe`, `hard` and `moonshot`.

    The reason says why a level above was not reached; it must be there where none was.
    """
    reached = next((level for level in LEVELS if level in levels and holds(measured, levels[level])), "missed")
    assert reached != "missed" or reason, f"{what}: a miss needs its reason"
    return {"what": what, "measured": shown or f"{measured:.2f}", "levels": levels, "reached": reached, "reason": reason}


def holds(measured, level):
    sign, bound = re.fullmatch(r"(<=|>=|<|>) ([\d.]+).*", level).groups()
    return {"<=": measured <= float(bound), ">=": measured >= float(bound),
            "<": measured < float(bound), ">": measured > float(bound)}[sign]


def save(part, title, begun, about=(), tables=(), targets=()):
    """Write the figures of a part; `begun` is `time.time()` at its start, `about` its paragraphs."""
    FIGURES.mkdir(exist_ok=True)
    document = {
        "title": title,
        "command": f"python3 benches/prove.py {part}",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": told("git", "rev-parse", "--short=10", "HEAD"),
        "machine": machine(),
        "minutes": round((time.time() - begun) / 60, 1),
        "about": list(about),
        "targets": list(targets),
        "tables": list(tables),
    }
    (FIGURES / f"{part}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def kept(part):
    """The figures of a part as they were written last."""
    return json.loads((FIGURES / f"{part}.json").read_text())


def told(*command):
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def machine():
    """The machine in one line: processor, cores that may be used, memory, system, compiler."""
    processor = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.*)", cpuinfo.read_text())
        processor = found[1] if found else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0
    return f"{cores} cores of {processor}, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}, {told('rustc', '--version').split(' (')[0]}"
