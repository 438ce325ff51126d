"""What is printed on a parcel."""

from parcels.slots import promised


def weight(grams):
    return f"{grams / 1000:.1f} kg" if grams >= 1000 else f"{grams} g"


def label(name, city, grams, speed="standard"):
    if not city:
        raise ValueError("a label needs a city")
    return f"{name}\n{city.upper()}\n{weight(grams)}\nuntil {promised(speed):%Y-%m-%d}"
