from decimal import Decimal

import pytest

from till import money


def test_vat_of_a_hundred():
    assert money.vat("100", 19) == 19


def test_vat_of_nothing():
    assert money.vat("0", 19) == 0


def test_half_a_cent_rounds_up():
    assert money.vat("1.50", 19) == Decimal("0.29")  # 0.285


def test_less_than_half_a_cent_rounds_down():
    assert money.vat("1.49", 19) == Decimal("0.28")  # 0.2831


def test_gross_is_net_and_vat():
    assert money.gross("100", 7) == 107


def test_change_is_given():
    assert money.change("17.30", "20") == Decimal("2.70")


def test_too_little_is_refused():
    with pytest.raises(ValueError):
        money.change("17.30", "15")
