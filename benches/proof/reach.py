"""Run the tests of a program that holds many mutants: first each test alone, to learn what it reaches, then each mutant with the tests that reach it."""

import concurrent.futures
import math
import os
import pathlib
import resource
import subprocess
import tempfile
import threading
import time

WORKERS = 2 * (os.cpu_count() or 1)  # many tests wait for the disk
WALL_SECONDS = 120  # and ten times what the tests take on the original: what waits for ever ends here
LEARN_SECONDS = 1_800  # of one test on the original, on a busy machine
MEMORY_BYTES = 4 << 30
GROUPS = (1, 4, 16, 64, 1 << 20)  # quick tests first, in growing groups: most mutants die in the first


class Trial:
    """A test program in its tree."""

    def __init__(self, program, tree, environment):
        self.program, self.tree, self.environment = program, tree, environment
        self.reached, self.seconds, self.walls, self.broken = {}, {}, {}, []

    def run(self, tests, cpu_seconds, wall_seconds, **variables):
        """Run these tests; returns the exit code and the CPU seconds."""
        def limits():
            os.nice(10)
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu_seconds), math.ceil(cpu_seconds) + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            child = subprocess.Popen([self.program, "--exact", "--test-threads", "1", *tests], cwd=self.tree, preexec_fn=limits,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env={**self.environment, "TMPDIR": folder, **variables})
            watch = threading.Timer(wall_seconds, child.kill)
            watch.start()
            _, status, used = os.wait4(child.pid, 0)
            watch.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
        return child.returncode, used.ru_utime + used.ru_stime

    def learn(self):
        """Run each test alone on the original."""
        told = subprocess.run([self.program, "--list", "--format", "terse"], cwd=self.tree, check=True, text=True, stdout=subprocess.PIPE, env=self.environment)
        tests = [line.removesuffix(": test") for line in told.stdout.splitlines() if line.endswith(": test")]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(self.learn_one, tests))
        return tests

    def learn_one(self, test):
        with tempfile.TemporaryDirectory(prefix="reached-") as folder:
            record = pathlib.Path(folder, "reached")
            begun = time.monotonic()
            code, self.seconds[test] = self.run([test], 600, LEARN_SECONDS, MUTANTS_REACHED=str(record))
            self.walls[test] = time.monotonic() - begun
            if code:
                self.broken.append(test)
            else:
                self.reached[test] = {int(line) for line in record.read_text().split()} if record.exists() else set()

    def tried(self, number, passed=frozenset()):
        """What becomes of a mutant: killed, missed, or unreached where no test runs it; tests in `passed` do not notice it."""
        reaching = [test for test, seen in self.reached.items() if number in seen]
        if not reaching:
            return "unreached"
        tests = sorted((test for test in reaching if test not in passed), key=self.seconds.get)
        if not tests:
            return "missed"
        for size in GROUPS:
            group, tests = tests[:size], tests[size:]
            cpu, wall = (10 * sum(map(known.get, group)) for known in (self.seconds, self.walls))
            code, _ = self.run(group, 3 + cpu, WALL_SECONDS + wall, MUTANT=str(number))
            if code:
                return "killed"
            if not tests:
                return "missed"
        return "missed"

    def try_all(self, numbers, passed, until=None):
        """The number and the outcome of each of these mutants, as they come; none is begun after this time. `passed` says which tests do not notice one."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            in_time = lambda number: self.tried(number, passed(number)) if until is None or time.time() < until else None
            began = {pool.submit(in_time, number): number for number in numbers}
            for done in concurrent.futures.as_completed(began):
                if done.result() is not None:
                    yield began[done], done.result()
