"""One job of a CI provider in a folder of its own: its files, its variables, its shells and what became of it."""

import os
import pathlib
import shutil
import subprocess
import sys

from snippets import ROOT

HERE = pathlib.Path(__file__).resolve().parent
SHELL_SECONDS = 120
# The shells as providers start them, before the script.
SHELLS = {
    "github": ["bash", "-e"],
    "github-bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
    "gitlab": ["bash", "-eo", "pipefail"],
    "gitlab-sh": ["sh", "-e"],
    "buildkite": ["bash", "-e"],
    "circleci": ["bash", "-eo", "pipefail"],
    "azure": ["bash", "--noprofile", "--norc"],
    "sh": ["sh"],
}


class Job:
    """A checkout, a home, and a PATH without cargo and flakedb: the fakes stand in for what a snippet installs."""

    def __init__(self, folder, variables, **test):
        self.folder = folder
        self.project, self.home, self.calls = folder / "project", folder / "home", folder / "calls"
        for path in (self.project, self.home, folder / "bin"):
            path.mkdir(parents=True, exist_ok=True)
        tools = {"python3": sys.executable, **{name: shutil.which(name) for name in ("git", "jq")}}
        for name, real in tools.items():
            link = folder / "bin" / name
            if not link.exists():
                link.symlink_to(real)
        self.env = {
            **variables, "HOME": str(self.home), "TEST_CALLS": str(self.calls), "LC_ALL": "C.UTF-8", "TERM": "dumb",
            "JAVA_HOME": os.environ["JAVA_HOME"],
            "PATH": os.pathsep.join(map(str, [HERE / "fakes", folder / "bin", "/usr/bin", "/bin"])),
            **{f"TEST_{name.upper()}": str(value) for name, value in test.items()},
        }
        self.log, self.saved, self.artifacts = "", [], {}
        self.history = self.project / ".flakedb" / "history.db"

    def shell(self, shell, script, env=None):
        """Runs one script and returns its exit code, as shells tell it."""
        file = self.folder / "step.sh"
        file.write_text(script, encoding="utf-8")
        return self.ran([*SHELLS[shell], file], env)

    def ran(self, command, env=None):
        done = subprocess.run(
            [str(word) for word in command], cwd=self.project, env={**self.env, **(env or {})}, text=True,
            encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=SHELL_SECONDS, check=False)
        self.log += done.stdout
        return done.returncode if done.returncode >= 0 else 128 - done.returncode

    def called(self):
        return self.calls.read_text(encoding="utf-8") if self.calls.exists() else ""


def variables(name):
    """The real variables of a provider's job, from fixtures/ci."""
    folder = ROOT / "fixtures" / "ci"
    lines = (folder / f"{name}.env").read_text(encoding="utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    if "GITHUB_EVENT_PATH" in pairs:
        pairs["GITHUB_EVENT_PATH"] = str(folder / pairs["GITHUB_EVENT_PATH"])
    return pairs
