"""Run a command and say what it cost: wall time, CPU time of all its threads, largest memory."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXE = ".exe" if os.name == "nt" else ""


class Cost:
    """What one command cost, and the JSON object that it printed last."""

    def __init__(self, wall, usage, printed):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
        self.printed = printed


def cost(command, cwd):
    """Run a command to its end; anything but exit code 0 ends the benchmark with what was printed."""
    begun = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], cwd=cwd, env=clean(), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"exit {child.returncode} from: {' '.join(map(str, command))}\n{printed[-3000:]}")
    return Cost(wall, usage, last_object(printed))


def output(command, cwd):
    """What a command prints, whole."""
    told = subprocess.run([str(part) for part in command], cwd=cwd, env=clean(), text=True, stdout=subprocess.PIPE, check=True)
    return told.stdout


def clean():
    """The environment without this project's variables, so that every machine measures the same."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FLAKEDB_")}


def last_object(printed):
    lines = [line for line in printed.splitlines() if line.startswith("{") and line.endswith("}")]
    return json.loads(lines[-1]) if lines else {}


def database_bytes(path):
    """A SQLite file with its log, in bytes."""
    files = (pathlib.Path(f"{path}{suffix}") for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def remove_database(path):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)


def build(*examples):
    """Build the release binary and the named examples; returns the directory of each."""
    flags = [part for name in examples for part in ("--example", name)]
    subprocess.run(["cargo", "build", "--locked", "--release", "--bin", "flakedb", *flags], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "release"
    return target, target / "examples"
