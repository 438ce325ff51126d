"""Run a script with its pinned requirements, whatever python3 started it."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = "Scripts" if os.name == "nt" else "bin"


def python_with(requirements, venv):
    """The python of an environment with these requirements; made the first time."""
    python, stamp, wanted = venv / BIN / "python", venv / "installed.txt", requirements.read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        stamp.write_text(wanted)
    return python


def enter(requirements, venv):
    """Continue the running script with the python of that environment."""
    if pathlib.Path(sys.prefix).resolve() != venv.resolve():
        sys.exit(subprocess.run([python_with(requirements, venv), *sys.argv], check=False).returncode)
