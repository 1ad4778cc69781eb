"""Settings that are missing or wrong are refused with what to do."""

import os
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from mobile_sync import environment


class EnvironmentTest(SimpleTestCase):
    def test_database(self):
        url = "postgresql://us%40er:p%2Fw@db.example:5433/na%20me?sslmode=require"
        with patch.dict(os.environ, DATABASE_URL=url):
            found = environment.database("DATABASE_URL", 3)
        self.assertEqual([found[name] for name in ("NAME", "USER", "PASSWORD")], ["na me", "us@er", "p/w"])
        self.assertEqual([found[name] for name in ("HOST", "PORT")], ["db.example", "5433"])
        self.assertEqual(found["OPTIONS"]["sslmode"], "require")
        self.assertEqual(found["OPTIONS"]["pool"]["max_size"], 3)
        self.assertEqual(found["CONN_MAX_AGE"], 0)

    def test_not_a_database(self):
        for url in ("mysql://a/b", "postgresql://host", "nonsense"):
            with (
                self.subTest(url),
                patch.dict(os.environ, DATABASE_URL=url),
                self.assertRaisesRegex(ImproperlyConfigured, "DATABASE_URL does not name a database: expected"),
            ):
                environment.database("DATABASE_URL", 1)

    def test_missing(self):
        with patch.dict(os.environ, REDIS_URL=""), self.assertRaisesRegex(ImproperlyConfigured, "REDIS_URL is not set"):
            environment.required("REDIS_URL")

    def test_short_key(self):
        with patch.dict(os.environ, KEY="x" * 49), self.assertRaisesRegex(ImproperlyConfigured, "49 characters"):
            environment.secret_key("KEY")

    def test_number(self):
        with patch.dict(os.environ, N="x"), self.assertRaisesRegex(ImproperlyConfigured, "expected a whole number"):
            environment.number("N", 1)
        with patch.dict(os.environ, N=""):
            self.assertEqual(environment.number("N", 7), 7)
