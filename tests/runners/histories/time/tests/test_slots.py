from datetime import timedelta

import pytest

from parcels import slots


def test_express_takes_three_hours():
    assert slots.promised("express") - slots.now() == timedelta(hours=3)


def test_express_arrives_today():
    # Wrong from 21:00 on: then three hours later is tomorrow.
    assert slots.promised("express").date() == slots.now().date()


def test_standard_takes_two_days():
    assert slots.promised("standard").date() == slots.now().date() + timedelta(days=2)


def test_saver_is_the_slowest():
    assert slots.promised("saver") == max(map(slots.promised, slots.SPEEDS))


def test_unknown_speed_is_refused():
    with pytest.raises(KeyError):
        slots.promised("teleport")


def test_parcel_of_last_week_is_late():
    assert slots.days_late(slots.now() - timedelta(days=7)) == 7


def test_parcel_of_tomorrow_is_not_late():
    assert slots.days_late(slots.now() + timedelta(days=1)) == 0
