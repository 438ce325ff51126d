"""Run a script with the pinned requirements, whatever python3 started it."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "detection"


def enter():
    """Continue in the environment of requirements.txt; made below target/ the first time."""
    venv = WORK / "venv"
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    wanted = (HERE / "requirements.txt").read_text()
    stamp = venv / "installed.txt"
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    sys.exit(subprocess.run([python, *sys.argv], check=False).returncode)
