"""Parallel runs with real parts: a server that workers share, processes that die, orders that matter. See README.md."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from xml.sax.saxutils import quoteattr

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "runners"))

import suites  # noqa: E402
from tools import BIN, FLAKEDB, WORK, Trouble, call, check, python_with  # noqa: E402

PINS = ["pytest==9.2.0", "pytest-xdist==3.8.0", "redis==8.1.0"]


def fresh(name):
    """An empty directory with a git repository, as a project has one."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def flakedb(folder, *arguments, env=None, timeout=600):
    """Run flakedb in a project and return what it printed and its code."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLAKEDB_", "CI"))}
    return subprocess.run(
        [FLAKEDB, *map(str, arguments)], cwd=folder, env={**clean, **(env or {})}, text=True, capture_output=True,
        timeout=timeout, check=False)


def words(done):
    return f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def cases(path):
    """The cases of a report: name and whether it failed or errored."""
    found = []
    for case in xml.parse(path).getroot().iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error")]
        found.append((case.get("classname"), case.get("name"), bad[0] if bad else "passed"))
    return found


class Redis:
    """Debian's server on a port of its own, with nothing on disk."""

    @staticmethod
    def install():
        if not shutil.which("redis-server"):
            call(["apt-get", "update", "-qq"], WORK)
            call(["apt-get", "install", "-y", "-qq", "redis-server"], WORK)

    def __enter__(self):
        self.install()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL, cwd=WORK)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise Trouble("redis-server does not answer")

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()


def redis(python):
    """1,000 tests, the same keys, two workers: apart they pass, together they fail and the cause is named."""
    folder = fresh("redis")
    suites.redis_suite(folder, tests=1000, files=10)
    (folder / "flakedb.toml").write_text('[workers.lease]\nREDIS_DB = "0..16"\n')
    with Redis() as server:
        env = {"SUITE_REDIS_PORT": str(server.port)}
        command = ["--", python, "-m", "pytest", "-q", "--junitxml=report.xml"]
        apart = flakedb(folder, "run", "--workers", "2", *command, env=env)
        found = cases(folder / "report.xml")
        yield check(apart.returncode == 0, "redis: two workers with a database each pass", words(apart))
        yield check(len(found) == 1000 and all(bad == "passed" for *_, bad in found),
                    "redis: the merged report has all 1,000 tests, passed", str(len(found)))
        together = flakedb(folder, "run", "--workers", "2", "--no-isolation", "--retries", "1", *command, env=env)
        yield check(together.returncode != 0, "redis: the same suite fails where they share one", words(together))
        said = together.stdout + together.stderr
        yield check("REDIS_DB" in said and "share" in said, "redis: the shared resource is named", words(together))
        print("\n".join(f"      {line}" for line in together.stderr.splitlines()[-30:]))


def crash(python):
    """A test that kills its own process is named and recorded; all others still run."""
    folder = fresh("crash")
    suites.crashing_suite(folder, tests=60, dies=23)
    done = flakedb(folder, "run", "--workers", "2", "--", python, "-m", "pytest", "-q", "--junitxml=report.xml")
    found = cases(folder / "report.xml")
    yield check(done.returncode not in (0, 1), "crash: the run fails as a crash", words(done))
    bad = [(name, how) for _, name, how in found if how != "passed"]
    yield check(bad == [("test_works[23]", "error")], "crash: exactly the test that died is an error", f"{bad}")
    yield check(len({name for _, name, _ in found}) == 60, "crash: the rest was dealt again", str(len(found)))
    yield check("test_works[23]" in done.stdout + done.stderr, "crash: it is named on the screen", words(done))
    shown = flakedb(folder, "show", "test_works[23]")
    yield check(shown.returncode == 0 and "errored" in shown.stdout, "crash: the history has it", words(shown))


def interrupt(python):
    """Ctrl-C ends every process that a worker has started."""
    folder = fresh("interrupt")
    suites.sleeping_suite(folder, tests=40, seconds=30)
    (folder / "conftest.py").write_text(
        "import os, pathlib\n\ndef pytest_runtest_setup(item):\n"
        "    pathlib.Path(__file__).with_name(f'{os.getpid()}.pid').touch()\n")
    running = subprocess.Popen(
        [FLAKEDB, "run", "--workers", "4", "--", python, "-m", "pytest", "-q", "--junitxml=report.xml"], cwd=folder,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    for _ in range(600):
        pids = [int(path.stem) for path in folder.glob("*.pid")]
        if len(pids) == 4:
            break
        time.sleep(0.1)
    yield check(len(pids) == 4, "interrupt: four workers are at work", f"{pids}")
    running.send_signal(2)
    out, err = running.communicate(timeout=120)
    yield check(running.returncode == 130, "interrupt: the code says so", f"{running.returncode}\n{out}\n{err}")
    alive = [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]
    yield check(not alive, "interrupt: no process is left", f"{alive}")


def order(python):
    """The polluter of a planted order dependence among 300 tests is named within 30 replays."""
    for victim, polluter in ((41, 217), (250, 17)):
        folder = fresh(f"order-{victim}")
        suites.polluted_suite(folder, tests=300, polluter=polluter, victim=victim)
        done = flakedb(folder, "hunt", "--order", "--format", "json", "--",
                       python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml")
        try:
            found = json.loads(done.stdout)
        except ValueError:
            yield check(False, "order: the answer is JSON", words(done))
            continue
        proven = [(case["test"], case["needed"]) for case in found["cases"] if case["verdict"] == "proven"]
        named = len(proven) == 1 and f"test_{victim:03}" in proven[0][0] and len(proven[0][1]) == 1
        yield check(named and f"test_{polluter:03}" in proven[0][1][0],
                    f"order: test_{polluter:03} is named as what breaks test_{victim:03}", words(done))
        made = len(found["replays"])
        yield check(0 < made <= 30, f"order: {made} replays, at most 30", words(done))


def night(folder, times):
    """One night's report of a suite: what each test took."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>',
             '<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="0" skipped="0" '
             f'tests="{len(times)}" timestamp="2026-11-01T02:00:00+00:00">']
    for (classname, name), seconds in times.items():
        lines.append(f"<testcase classname={quoteattr(classname)} name={quoteattr(name)} time=\"{seconds:.3f}\"/>")
    (folder / "night.xml").write_text("\n".join(lines) + "</testsuite></testsuites>\n")


def shards(python):
    """2,000 tests of very uneven length: complete, disjoint and even, by pytest's own listing."""
    folder = fresh("shards")
    times = suites.uneven_suite(folder, tests=2000, seed=7)
    night(folder, times)
    done = flakedb(folder, "ingest", "night.xml", "--project", "shop")
    yield check(done.returncode == 0, "shards: one night is in the history", words(done))
    listed = [line for line in call([python, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"], folder)
              .splitlines() if "::" in line]
    yield check(len(listed) == 2000, "shards: pytest lists 2,000 tests", str(len(listed)))
    (folder / "tests.txt").write_text("\n".join(listed) + "\n")

    def takes(word):
        file, name = word.split("::")
        return times[(file.removesuffix(".py"), name)]

    for count in (2, 4, 8, 16):
        parts = []
        for number in range(1, count + 1):
            done = flakedb(folder, "split", "--shard", f"{number}/{count}", "--runner", "pytest", "--tests", "tests.txt")
            if done.returncode != 0:
                yield check(False, f"shards: shard {number}/{count}", words(done))
                break
            parts.append(done.stdout.split("\n")[:-1])
        whole = sorted(word for part in parts for word in part)
        loads = [sum(map(takes, part)) for part in parts]
        uneven = max(loads) / (sum(loads) / count)
        size = -(-len(listed) // count)
        cut = [sum(map(takes, listed[at:at + size])) for at in range(0, len(listed), size)]
        by_count = max(cut) / (sum(cut) / count)
        yield check(whole == sorted(listed), f"shards: {count} are complete and disjoint", f"{len(whole)}")
        yield check(uneven <= 1.05, f"shards: of {count} the slowest is {uneven:.3f} of the mean (cut by count: "
                    f"{by_count:.2f})", f"{loads}")


CHECKS = {"redis": redis, "crash": crash, "interrupt": interrupt, "order": order, "shards": shards}


def main(names):
    if names == ["install"]:
        python_with(WORK / "venv", PINS)
        Redis.install()
        return 0
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    python = python_with(WORK / "venv", PINS) / "python"
    passed = failed = 0
    for name in names or CHECKS:
        try:
            for good in CHECKS[name](python):
                passed, failed = passed + good, failed + (not good)
        except (Trouble, subprocess.TimeoutExpired, OSError, KeyError) as error:
            failed += 1
            check(False, f"{name} could not be carried out", f"{type(error).__name__}: {error}")
    print(f"parallel: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
