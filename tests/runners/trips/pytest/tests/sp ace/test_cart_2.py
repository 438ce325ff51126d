import unittest


class Old(unittest.TestCase):
    def test_total(self):
        for number in range(2):
            with self.subTest(number=number):
                pass


class TestÜber:
    def test_größe(self):
        pass
