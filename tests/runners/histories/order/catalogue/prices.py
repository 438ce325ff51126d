"""Prices as people read them."""

from catalogue import settings


def tag(cents):
    return f"{cents / 100:.2f} {settings.currency}" if cents else "free"


def discounted(cents, share):
    return round(cents * (1 - share))


def total(lines):
    return f"Total: {tag(sum(cents for _, cents in lines))}"
