"""Each run has a time of its own: SUITE_NOW, in UTC. Then the clock stands still."""

import os

import freezegun
import pytest


@pytest.fixture(autouse=True)
def clock():
    with freezegun.freeze_time(os.environ["SUITE_NOW"]):
        yield
