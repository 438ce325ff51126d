"""What all checks with real runners need: commands, virtual environments, PASS and FAIL lines."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("RUNNERS_DIR") or HERE.parent.parent / "target" / "runners")
FLAKEDB = os.environ.get("FLAKEDB", "flakedb")
COMMAND_SECONDS = 900
BIN = "Scripts" if os.name == "nt" else "bin"


class Trouble(Exception):
    """The check could not be carried out: what was done, and what it printed."""


def call(command, cwd, env=None, ok=(0,), inherited=None):
    """Run a command to its end and return what it printed; any exit code outside `ok` is trouble."""
    inherited = os.environ if inherited is None else inherited
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**inherited, **(env or {})}, text=True, encoding="utf-8",
        capture_output=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode not in ok:
        shown = " ".join(map(str, command))
        raise Trouble(f"exit {done.returncode} from: {shown}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def stamped(directory, recipe, install):
    """Install once per recipe: a stamp with its hash tells whether that was done."""
    stamp = directory / ".installed"
    key = hashlib.sha256(recipe.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == key:
        return
    install()
    stamp.write_text(key)


def python_with(directory, requirements):
    """A virtual environment that holds exactly these requirements."""
    def install():
        call([sys.executable, "-m", "venv", "--clear", directory], WORK)
        call([directory / BIN / "python", "-m", "pip", "install", "--quiet", *requirements], WORK)
    directory.mkdir(parents=True, exist_ok=True)
    stamped(directory, " ".join(requirements) + sys.version, install)
    return directory / BIN


def copy_suite(suite, target):
    """Copy a suite from here to the work directory, keeping what was installed there before; one that
    is written by its runner alone has nothing here."""
    target.mkdir(parents=True, exist_ok=True)
    if (HERE / suite).is_dir():
        built = shutil.ignore_patterns("target", "node_modules", "__pycache__")
        shutil.copytree(HERE / suite, target, dirs_exist_ok=True, ignore=built)
    return target


def check(condition, label, detail=""):
    """Print one PASS or FAIL line and tell which it was."""
    print(f"{'PASS' if condition else 'FAIL'}  {label}" + ("" if condition else f"\n      {detail}"), flush=True)
    return bool(condition)


def flakedb(database, *arguments, ok=(0,)):
    return call([FLAKEDB, *arguments, "--db", database], WORK, ok=ok)
