"""The card terminal, which answers when it likes."""

import random
import time

ANSWERS_AFTER = 0.06  # seconds, on average


class TerminalTimeout(Exception):
    pass


def pay(cents, deadline=0.1):
    needs = random.expovariate(1 / ANSWERS_AFTER)
    time.sleep(min(needs, deadline))
    if needs > deadline:
        raise TerminalTimeout(f"no answer within {deadline * 1000:.0f} ms")
    return {"paid": cents}
