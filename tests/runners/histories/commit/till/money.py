"""Money with two decimals."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def vat(net, percent):
    """Value added tax, to the cent."""
    return (Decimal(net) * percent / 100).quantize(CENT, ROUND_HALF_UP)


def gross(net, percent):
    return Decimal(net) + vat(net, percent)


def change(due, given):
    if Decimal(given) < Decimal(due):
        raise ValueError("not enough")
    return Decimal(given) - Decimal(due)
