"""Chance, but the same each time the trial is made: each run has a SUITE_SEED of its own."""

import os
import random

import pytest


@pytest.fixture(autouse=True)
def chance():
    random.seed(int(os.environ["SUITE_SEED"]))
