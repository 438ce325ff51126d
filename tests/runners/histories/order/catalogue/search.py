"""Finding goods by name."""

GOODS = ["Blue teapot", "Green teapot", "Kettle", "Tea towel"]


def find(words):
    wanted = words.lower().split()
    return [name for name in GOODS if wanted and all(word in name.lower() for word in wanted)]
