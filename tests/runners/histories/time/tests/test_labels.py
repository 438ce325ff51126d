import pytest

from parcels import labels, slots


@pytest.mark.parametrize(("grams", "shown"), [(80, "80 g"), (999, "999 g"), (1500, "1.5 kg")])
def test_weight(grams, shown):
    assert labels.weight(grams) == shown


def test_city_is_in_capitals():
    assert "BERN" in labels.label("Ada", "Bern", 400)


def test_label_needs_a_city():
    with pytest.raises(ValueError):
        labels.label("Ada", "", 400)


def test_label_has_the_promised_day():
    assert f"{slots.promised('standard'):%Y-%m-%d}" in labels.label("Ada", "Bern", 400)
