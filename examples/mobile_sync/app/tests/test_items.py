"""Items are checked before they come near the database."""

from django.test import SimpleTestCase

from core.sync.items import InvalidItem, Item, Outcome

GOOD = {"id": "run-1", "domain": "journal", "payload": {"a": 1}}


class ItemTest(SimpleTestCase):
    def test_takes_what_is_right(self):
        item = Item.parse({**GOOD, "entity": "journal/7", "version": 3}, 5, "d1")
        self.assertEqual(item, Item(5, "d1", "run-1", "journal", {"a": 1}, "journal/7", 3))
        self.assertEqual(item.key, (5, "run-1"))

    def test_payload_may_be_missing(self):
        self.assertEqual(Item.parse({"id": "a", "domain": "journal"}, 1, "").payload, {})

    def test_says_what_is_wrong(self):
        wrong = {
            "id": [None, "", 7, "a b", "x" * 129, "a\0"],
            "domain": [None, "Journal", "1a", "x" * 65],
            "payload": [[], "x", 1],
        }
        for name, values in wrong.items():
            for value in values:
                with self.subTest(name=name, value=value), self.assertRaisesRegex(InvalidItem, f"^{name} "):
                    Item.parse({**GOOD, name: value}, 1, "")

    def test_entity_and_version_belong_together(self):
        for more in ({"entity": "a"}, {"version": 1}):
            with self.subTest(more), self.assertRaisesRegex(InvalidItem, "belong together"):
                Item.parse({**GOOD, **more}, 1, "")
        for version in (-1, "1", True, 1.5, 2**63):
            with self.subTest(version), self.assertRaisesRegex(InvalidItem, "^version "):
                Item.parse({**GOOD, "entity": "a", "version": version}, 1, "")

    def test_outcome_answers_with_its_effects(self):
        self.assertEqual(Outcome(duplicate=True).answer(), {"duplicate": True})
        self.assertEqual(Outcome(duplicate=False, effects={"a": 1}).answer(), {"duplicate": False, "a": 1})
