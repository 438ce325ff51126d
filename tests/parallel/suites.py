"""The suites that the checks run, written down from a few numbers."""

import random

REDIS = '''
import os
import time

import pytest
import redis

CLIENT = redis.Redis(port=int(os.environ["SUITE_REDIS_PORT"]), db=int(os.environ.get("REDIS_DB", "0")))


@pytest.mark.parametrize("number", range({first}, {end}))
def test_counts(number):
    """Every test of the suite counts under the same keys, as if it were alone."""
    CLIENT.delete("counter", "owner")
    CLIENT.set("owner", number)
    for _ in range(10):
        CLIENT.incr("counter")
        time.sleep(0.0002)
    assert int(CLIENT.get("owner")) == number, "redis: another test wrote `owner`"
    assert int(CLIENT.get("counter")) == 10, "redis: another test counted, too"
'''

POLLUTED = '''
import state


def test_{number:03}():
    {body}
'''


def redis_suite(folder, tests, files):
    """So many tests in so many files, all of which write the same keys of one server."""
    for place in range(files):
        first, end = place * tests // files, (place + 1) * tests // files
        (folder / f"test_redis_{place:02}.py").write_text(REDIS.format(first=first, end=end))


def polluted_suite(folder, tests, polluter, victim):
    """A suite in which one test leaves something behind that another one does not expect."""
    (folder / "state.py").write_text("CURRENCY = 'EUR'\n")
    for number in range(tests):
        body = "assert state.CURRENCY in ('EUR', 'JPY')"
        if number == polluter:
            body = "state.CURRENCY = 'JPY'"
        if number == victim:
            body = "assert state.CURRENCY == 'EUR'"
        (folder / f"test_shop_{number:03}.py").write_text(POLLUTED.format(number=number, body=body))


def crashing_suite(folder, tests, dies):
    """A suite one of whose tests ends its own process."""
    lines = ["import os, signal, time, pytest", "", f"@pytest.mark.parametrize('number', range({tests}))",
             "def test_works(number):", "    time.sleep(0.01)",
             f"    if number == {dies}:", "        os.kill(os.getpid(), signal.SIGKILL)", ""]
    (folder / "test_dies.py").write_text("\n".join(lines))


def sleeping_suite(folder, tests, seconds):
    """A suite that waits."""
    lines = ["import time, pytest", "", f"@pytest.mark.parametrize('number', range({tests}))",
             "def test_waits(number):", f"    time.sleep({seconds})", ""]
    (folder / "test_waits.py").write_text("\n".join(lines))


def busy_suite(folder, tests, rounds):
    """A suite that computes."""
    lines = ["import pytest", "", f"@pytest.mark.parametrize('number', range({tests}))",
             "def test_computes(number):", "    total = 0", f"    for step in range({rounds}):",
             "        total = (total * 31 + step) % 1000003", "    assert total >= 0", ""]
    (folder / "test_computes.py").write_text("\n".join(lines))


def uneven_suite(folder, tests, seed):
    """So many tests in files of different sizes, and how long each takes: most are short, and the long ones stand
    together, as those of a slow area do."""
    dice = random.Random(seed)
    times, number = {}, 0
    while number < tests:
        size = min(dice.randint(1, 60), tests - number)
        name = f"test_area_{len(list(folder.glob('test_area_*.py'))):03}"
        body = [f"def test_{place}():\n    pass\n" for place in range(size)]
        (folder / f"{name}.py").write_text("\n".join(body))
        slow = 12 if dice.random() < 0.15 or number < tests / 10 else 1
        for place in range(size):
            times[(name, f"test_{place}")] = min(slow * dice.lognormvariate(-3.0, 1.2), 20.0)
        number += size
    return times
