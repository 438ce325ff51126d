"""Each suite against a fresh mock: one PASS or FAIL line for each of its tests, and a count."""

import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import xml.etree.ElementTree

import examples
from mock import Mock, Trouble, rules

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("CLIENTS_WORK") or HERE.parent.parent / "target" / "clients")
FLAKEDB = os.environ.get("FLAKEDB", "flakedb")
SUITE_SECONDS = 1200
# What a suite says when it fails is cut here.
DETAIL_CHARS = 1500
CARGO = {
    "CARGO_INCREMENTAL": "0", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_PROFILE_TEST_DEBUG": "0",
    # A test of ollama-rs reads it while it is built.
    "USER": "root",
}
RULES = ["--seed", "7", "--auto", "--rules", rules("clients.toml")]
MODELS = ["llama3.2", "qwen3", "llava", "nomic-embed-text"]
WITH_MODELS = [word for model in MODELS for word in ("--model", model)]


def call(command, cwd, env=None, ok=(0,)):
    """Run a command to its end; any exit code outside `ok` is trouble."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})}, text=True, encoding="utf-8",
        errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=SUITE_SECONDS, check=False)
    if done.returncode not in ok:
        raise Trouble(f"exit {done.returncode} from: {' '.join(map(str, command))}\n{done.stdout[-6000:]}")
    return done.stdout


def installed(directory, recipe, install):
    """Install once per recipe; a stamp tells whether that was done."""
    stamp = directory / ".installed"
    key = hashlib.sha256(recipe.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != key:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        install()
        stamp.write_text(key)
    return directory


def python():
    """An interpreter with exactly what requirements.txt pins."""
    pinned = HERE / "python" / "requirements.txt"
    directory = WORK / "venv"

    def install():
        call([sys.executable, "-m", "venv", directory], WORK)
        call([directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
              "--no-deps", "-r", pinned], WORK)

    return installed(directory, pinned.read_text() + sys.version, install) / "bin" / "python"


def node(sources):
    """A folder with what package-lock.json pins, and these sources."""
    lock = (HERE / "js" / "package-lock.json").read_text()
    directory = WORK / "js"

    def install():
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / "js" / name, directory)
        call(["npm", "ci", "--silent", "--no-audit", "--no-fund"], directory)

    installed(directory, lock, install)
    for name in sources:
        shutil.copy(HERE / "js" / name, directory)
    return directory


def from_junit(path):
    """(name, why it failed or None, whether it ran) of each case."""
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        bad = [child for child in case if child.tag in ("failure", "error")]
        place = case.get("classname", "").split(".")[-1]
        name = f"{place}::{case.get('name')}" if place.startswith("Test") else case.get("name")
        why = "\n".join(f"{child.get('message') or ''}\n{child.text or ''}"[-DETAIL_CHARS:] for child in bad)
        yield name, why if bad else None, not any(child.tag == "skipped" for child in case)


def pytest(mock, target, cwd, more=(), env=None):
    report = WORK / "junit.xml"
    report.unlink(missing_ok=True)
    said = call(
        [python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", f"--junit-xml={report}", *more, *target],
        cwd, {"MOCK_URL": mock.url, "OLLAMA_HOST": mock.url, **(env or {})}, ok=(0, 1))
    if not report.is_file():
        raise Trouble(said[-6000:])
    return list(from_junit(report))


def node_test(mock, source):
    directory = node([source, "mock.mjs"])
    report = WORK / "junit.xml"
    report.unlink(missing_ok=True)
    call(["node", "--test", "--test-reporter=junit", f"--test-reporter-destination={report}", source],
         directory, {"MOCK_URL": mock.url}, ok=(0, 1))
    return list(from_junit(report))


def from_cargo(said):
    """What each `test NAME ... ok|FAILED|ignored` of libtest says."""
    found = re.findall(r"^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored)", said, re.MULTILINE)
    if not found:
        raise Trouble(f"no test ran\n{said[-6000:]}")
    for name, verdict in found:
        why = re.search(rf"^---- {re.escape(name)} stdout ----\n(.*?)(?=^---- |^failures:)", said, re.S | re.M)
        failed = verdict == "FAILED"
        yield name, (why.group(1)[:DETAIL_CHARS] if why else "it failed") if failed else None, verdict != "ignored"


def crate(mock, name, env=None):
    program = rust()[name]
    # One at a time: tests of one program share the models of the mock.
    said = call([program, "--test-threads=1"], WORK / "cargo", {"MOCK_URL": mock.url, **(env or {})}, ok=(0, 101))
    return list(from_cargo(said))


def sky(name, env):
    """The tests of one file of sky, the project of docs/mock.md."""
    return from_cargo(call([rust()[name], "--test-threads=1"], WORK / "cargo", env, ok=(0, 101)))


def from_registry(name):
    """The sources of a crate that rust/Cargo.lock pins."""
    lock = (HERE / "rust" / "Cargo.lock").read_text()
    [version] = re.findall(rf'^name = "{name}"\nversion = "([^"]+)"', lock, re.MULTILINE)
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    [source] = (home / "registry" / "src").glob(f"*/{name}-{version}")
    return source


def shipped_tests(tests):
    """The tests that the crates ship, as they are but for the address: ollama-rs knows one only."""
    shipped = tests / "shipped_ollama_rs"
    shutil.copytree(from_registry("ollama-rs") / "tests", shipped)
    names = sorted(path.stem for path in shipped.glob("*.rs"))
    for name in names:
        source = shipped / f"{name}.rs"
        text = re.sub(r"(ollama_rs::)?\bOllama::default\(\)", "flakedb_clients::ollama()", source.read_text())
        source.write_text(f"#![allow(unused_imports)]\n{text}")
    (shipped / "main.rs").write_text("".join(f"mod {name};\n" for name in names))
    # The others of async-openai are about types; this one opens a socket.
    shutil.copy(from_registry("async-openai") / "tests" / "boxed_future.rs", tests / "shipped_async_openai.rs")


@functools.cache
def rust():
    """The test programs of rust/ and of docs/mock.md, by name, from one build."""
    project = WORK / "cargo"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(HERE / "rust", project)
    examples.write(project / "sky", "cargo")
    (project / "sky" / "src").mkdir()
    (project / "sky" / "src" / "lib.rs").write_text("")
    # The page names the published crate; what is tested is this tree.
    with (project / "Cargo.toml").open("a") as manifest:
        manifest.write(f'\n[patch.crates-io]\nflakedb = {{ path = "{examples.ROOT}" }}\n')
    env = {**CARGO, "CARGO_TARGET_DIR": str(WORK / "rust")}
    call(["cargo", "fetch", "--quiet"], project, env)
    shipped_tests(project / "clients" / "tests")
    build = ["cargo", "test", "--workspace", "--tests", "--no-run"]
    call(build, project, env)
    # Again, to hear where the programs are: the first says what does not compile, without JSON around it.
    said = call([*build, "--quiet", "--message-format=json"], project, env)
    messages = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return {message["target"]["name"]: message["executable"] for message in messages
            if message.get("executable") and message["target"]["kind"] == ["test"]}


def sdist(name, version):
    """The sources of a Python package, as its registry has them."""
    def fetch():
        call([python(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary",
              name, f"{name}=={version}"], directory)
        [archive] = directory.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(directory, filter="data")

    directory = WORK / "sdist" / name
    installed(directory, f"{name} {version}", fetch)
    [unpacked] = [path for path in directory.iterdir() if path.is_dir()]
    return unpacked


def version_of(name):
    pinned = (HERE / "python" / "requirements.txt").read_text()
    return re.search(rf"^{re.escape(name)}==(\S+)$", pinned, re.MULTILINE).group(1)


def shipped_ollama_python(mock):
    """Its tests bring a server of their own; conftest.py puts the mock in its place."""
    sources = sdist("ollama", version_of("ollama"))
    shutil.copy(HERE / "shipped" / "ollama_python.py", sources / "tests" / "conftest.py")
    return pytest(mock, ["tests/test_client.py"], sources)


def shipped_langchain(mock):
    sources = sdist("langchain-ollama", version_of("langchain-ollama"))
    return pytest(mock, ["tests/integration_tests"], sources)


# What runs, and what the mock is told. Names are the command's arguments.
SUITES = {
    "python-ollama": (lambda mock: pytest(mock, ["test_ollama.py"], HERE / "python"), [*RULES, *WITH_MODELS]),
    "python-openai": (lambda mock: pytest(mock, ["test_openai.py"], HERE / "python"), [*RULES, *WITH_MODELS]),
    "python-anthropic": (lambda mock: pytest(mock, ["test_anthropic.py"], HERE / "python"), [*RULES, *WITH_MODELS]),
    "python-langchain": (lambda mock: pytest(mock, ["test_langchain.py"], HERE / "python"), [*RULES, *WITH_MODELS]),
    "npm-ollama": (lambda mock: node_test(mock, "ollama.test.mjs"), [*RULES, *WITH_MODELS]),
    "npm-openai": (lambda mock: node_test(mock, "openai.test.mjs"), [*RULES, *WITH_MODELS]),
    "crate-ollama-rs": (lambda mock: crate(mock, "ollama_rs"), [*RULES, *WITH_MODELS]),
    "crate-async-openai": (lambda mock: crate(mock, "async_openai"), [*RULES, *WITH_MODELS]),
    "shipped-ollama-python": (shipped_ollama_python, []),
    "shipped-langchain-ollama": (
        shipped_langchain,
        ["--seed", "7", "--auto", "--rules", rules("langchain-ollama.toml"), "--model", "llama3.1",
         "--model", "deepseek-r1:1.5b", "--model", "gpt-oss:20b"]),
    "shipped-ollama-rs": (
        lambda mock: crate(mock, "shipped_ollama_rs"),
        ["--seed", "7", "--auto", "--rules", rules("ollama-rs.toml"), "--model", "llama2", "--model", "llama3.2:1b",
         "--model", "granite-code:3b", "--model", "gpt-oss", "--model", "mario", "--model", "mario_copy",
         "--model", "test_model"]),
    "shipped-async-openai": (
        lambda mock: crate(
            mock, "shipped_async_openai", {"OPENAI_BASE_URL": f"{mock.url}/v1", "OPENAI_API_KEY": "ollama"}),
        ["--rules", rules("async-openai.toml"), "--model", "gpt-3.5-turbo-instruct"]),
}


def exclusions(suite):
    """Tests of a suite that cannot pass, by name, with the reason for each."""
    return tomllib.loads((HERE / "exclusions.toml").read_text()).get(suite, {})


def judged(suite, results):
    """Print a line for each test; (passed, failed, skipped)."""
    reasons = dict(exclusions(suite))
    counts = [0, 0, 0]
    for name, why, ran in results:
        reason = reasons.pop(name, None)
        if not ran or (reason and why):
            counts[2] += 1
            print(f"SKIP  {suite}: {name} ({reason or 'the suite skips it itself'})", flush=True)
            continue
        if reason:
            why = f"it passes, yet exclusions.toml says: {reason}"
        counts[bool(why)] += 1
        detail = "" if why is None else "\n" + "\n".join(f"      {line}" for line in why.strip().splitlines())
        print(f"{'PASS' if why is None else 'FAIL'}  {suite}: {name}{detail}", flush=True)
    for name in reasons:
        counts[1] += 1
        print(f"FAIL  {suite}: exclusions.toml names {name}, which the suite has no more", flush=True)
    if counts[0] == 0:
        counts[1] += 1
        print(f"FAIL  {suite}: not one test passed", flush=True)
    return counts


def run(suite):
    if suite == "examples":
        return judged(suite, examples.run(FLAKEDB, WORK / "examples", python, sky))
    body, arguments = SUITES[suite]
    with Mock(FLAKEDB, *arguments) as mock:
        counts = judged(suite, body(mock))
    ended = [("the mock ends cleanly on SIGTERM", None if mock.exit == 0 and "panicked" not in mock.said
              else f"exit {mock.exit}\n{mock.said[-DETAIL_CHARS:]}", True)]
    return [sum(pair) for pair in zip(counts, judged_end(suite, ended))]


def judged_end(suite, results):
    for name, why, _ in results:
        print(f"{'FAIL' if why else 'PASS'}  {suite}: {name}" + (f"\n      {why}" if why else ""), flush=True)
    return [sum(why is None for _, why, _ in results), sum(why is not None for _, why, _ in results), 0]


def main(names):
    WORK.mkdir(parents=True, exist_ok=True)
    if names == ["install"]:
        python(), node([]), rust()
        return 0
    known = [*SUITES, "examples"]
    if unknown := [name for name in names if name not in known]:
        print(f"run.py: no such suite: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    total = [0, 0, 0]
    for suite in names or known:
        try:
            counts = run(suite)
        except (Trouble, subprocess.TimeoutExpired) as trouble:
            print(f"FAIL  {suite}: {trouble}", flush=True)
            counts = [0, 1, 0]
        total = [sum(pair) for pair in zip(total, counts)]
    print("clients: {} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
