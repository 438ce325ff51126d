from catalogue import prices, settings


def test_tag_has_two_decimals():
    assert prices.tag(1990).startswith("19.90 ")


def test_tag_shows_euros():
    # Holds only as long as nobody has opened the Swiss shop.
    assert prices.tag(1990) == "19.90 EUR"


def test_swiss_shop_shows_francs():
    settings.use("CHF")  # and never back
    assert prices.tag(1990) == "19.90 CHF"


def test_nothing_to_pay_is_free():
    assert prices.tag(0) == "free"


def test_discount_is_taken_off():
    assert prices.discounted(2000, 0.25) == 1500
