from catalogue import prices


def test_total_adds_up():
    assert "30.00" in prices.total([("teapot", 2000), ("kettle", 1000)])


def test_total_is_in_euros():
    # The Swiss shop of the other file spoils this one, too.
    assert prices.total([("teapot", 2000)]) == "Total: 20.00 EUR"


def test_total_of_nothing_is_free():
    assert prices.total([]) == "Total: free"
