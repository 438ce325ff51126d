"""When a parcel arrives."""

from datetime import datetime, timedelta, timezone

SPEEDS = {"express": timedelta(hours=3), "standard": timedelta(days=2), "saver": timedelta(days=5)}


def now():
    return datetime.now(timezone.utc)


def promised(speed):
    """The time by which a parcel ordered now is there."""
    return now() + SPEEDS[speed]


def days_late(promise):
    return max(0, (now() - promise).days)
