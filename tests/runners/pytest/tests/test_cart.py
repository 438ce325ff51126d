"""A suite whose truth is known: see ../../README.md for what each test does in which run."""

import os

import pytest

RUN = int(os.environ.get("SUITE_RUN", "1"))
FAILS_IN_ALL_ATTEMPTS = {3, 6, 8}
PASSES_ON_RETRY = {2, 5, 9}

attempts = {"settle": 0}


def settle():
    """Stand for a slow worker: too late in some runs, late only at first in others."""
    attempts["settle"] += 1
    late = RUN in FAILS_IN_ALL_ATTEMPTS or (RUN in PASSES_ON_RETRY and attempts["settle"] == 1)
    return "pending" if late else "settled"


def test_total_of_nothing():
    assert sum([]) == 0


class TestSettlement:
    @pytest.mark.parametrize("goods", ["one item", "two items [gift]", "3 items"])
    def test_settles(self, goods):
        state = settle() if goods == "two items [gift]" else "settled"
        assert state == "settled", f"{goods}: order {RUN} is {state} after 200 ms"

    def test_settles_twice(self):
        assert True


def test_rounding_is_broken():
    assert round(2.675, 2) == 2.68


@pytest.mark.skip(reason="needs the payment sandbox")
def test_refund():
    raise AssertionError("never run")
