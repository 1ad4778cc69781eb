"""Client classes, and which pages may connect."""

from django.test import SimpleTestCase

from core.sync import classes
from core.sync.origin import is_welcome


class ClassesTest(SimpleTestCase):
    def test_class_of_a_connection(self):
        for value, name in ((b"c00", "c00"), (b"c99", "c99"), (b"c100", "none"), (b"", "none"), (b"c1\n", "none")):
            with self.subTest(value):
                self.assertEqual(classes.of({b"x-greenlight-class": value}), name)
        self.assertEqual(classes.of({}), "none")

    def test_origin(self):
        host = {b"host": b"api.example.com"}
        self.assertTrue(is_welcome(host, []))
        self.assertTrue(is_welcome({**host, b"origin": b"https://api.example.com"}, []))
        self.assertTrue(is_welcome({**host, b"origin": b"https://app.example.com"}, ["https://app.example.com"]))
        self.assertFalse(is_welcome({**host, b"origin": b"https://evil.example"}, ["https://app.example.com"]))
        self.assertFalse(is_welcome({**host, b"origin": b"null"}, []))
