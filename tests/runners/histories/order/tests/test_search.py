from catalogue.search import find


def test_finds_by_one_word():
    assert find("kettle") == ["Kettle"]


def test_needs_all_words():
    assert find("green teapot") == ["Green teapot"]


def test_ignores_case():
    assert find("TEAPOT") == ["Blue teapot", "Green teapot"]


def test_nothing_finds_nothing():
    assert find(" ") == []
