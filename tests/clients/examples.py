"""The code of docs/mock.md, exactly as it stands there. A comment before each block says what it is: a file, or a
command (`sh`)."""

import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

from mock import Trouble

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "mock.md"
SECONDS = 900
BLOCK = re.compile(r"^(?:<!-- example: (?P<name>\S+) -->\n)?```(?P<kind>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    """(line, what it is, code) of each block."""
    text = PAGE.read_text()
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found["name"], found["code"]


def write(directory, project):
    """The files of one project of the page; their paths there."""
    paths = []
    for _, name, code in blocks():
        if name is not None and name.startswith(f"{project}/"):
            path = directory / name.removeprefix(f"{project}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
            paths.append(path)
    return paths


def call(command, cwd, env):
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=cwd, env={**os.environ, **env}, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise Trouble(f"not done within {SECONDS} s: {' '.join(map(str, command))}") from late


def cases(report):
    if not report.is_file():
        return
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        bad = [child for child in case if child.tag in ("failure", "error")]
        yield case.get("name"), bad[0].text if bad else None


def shell(line, code, cwd, env):
    # Jobs as at a prompt: `%1` is the first, and what is left running ends with the block.
    script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{code}"
    done = call(["bash", "-c", script], cwd, env)
    return f"line {line}: sh", None if done.returncode == 0 else f"exit {done.returncode}\n{done.stdout[-1500:]}", True


def pytest(cwd, env, python):
    done = call([python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml=report.xml"], cwd, env)
    return done, list(cases(cwd / "report.xml"))


def vitest(cwd, env):
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / "examples" / name, cwd)
    installed = call(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd, env)
    if installed.returncode:
        return installed, []
    done = call(["npx", "vitest", "run", "--reporter=default", "--reporter=junit", "--outputFile.junit=report.xml"], cwd, env)
    return done, list(cases(cwd / "report.xml"))


def run(flakedb, work, python, sky):
    """(name, why it failed or None, whether it ran) of each example."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "bin").mkdir(parents=True)
    (work / "bin" / "flakedb").symlink_to(flakedb)
    env = {"PATH": f"{work / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    projects = {}
    for line, name, _ in blocks():
        if name is None:
            yield f"line {line}", "a block of code that nothing runs: say what it is before it", True
        elif name != "sh":
            projects.setdefault(name.partition("/")[0], None)
    files = {project: write(work / project, project) for project in projects}
    for line, name, code in blocks():
        if name == "sh":
            yield shell(line, code, work / "shell", env)
    for name, (done, found) in {
        "pytest": pytest(work / "pytest", env, python),
        "vitest": vitest(work / "vitest", env),
    }.items():
        for case, why in found:
            yield f"{name}: {case}", why, True
        wrong = done.returncode != 0 and not any(why for _, why in found)
        yield f"{name}: ends well", f"exit {done.returncode}\n{done.stdout[-3000:]}" if wrong or not found else None, True
    for path in files["cargo"]:
        if path.parent.name == "tests":
            yield from ((f"cargo: {path.stem}::{case}", why, ran) for case, why, ran in sky(path.stem, env))
