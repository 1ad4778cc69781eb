"""Group commit, without a database."""

import asyncio
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

import psycopg

from core.sync.items import InvalidItem, Item, Outcome
from core.sync.writer import LARGEST_GROUP, GroupWriter, Unavailable


def item(name):
    return Item(1, "d", name, "journal", {})


class FakeStore:
    """Remembers the groups it was given; refuses with the errors in `errors` first, and always what is in `bad`."""

    def __init__(self, *errors, bad=()):
        self.errors, self.bad, self.groups = list(errors), bad, []

    async def __call__(self, items):
        self.groups.append([item.item_id for item in items])
        if self.errors:
            raise self.errors.pop(0)
        if any(item.item_id in self.bad for item in items):
            raise psycopg.DataError("bad text")
        return {item.key: Outcome(duplicate=False) for item in items}


class GroupWriterTest(IsolatedAsyncioTestCase):
    def writer(self, store):
        return GroupWriter(store, window=0, pauses=(0, 0))

    async def submit(self, store, *names):
        writer = self.writer(store)
        return await asyncio.gather(*(writer.submit(item(name)) for name in names), return_exceptions=True)

    async def test_what_comes_together_is_written_together(self):
        store = FakeStore()
        outcomes = await self.submit(store, "a", "b", "c")
        self.assertEqual(store.groups, [["a", "b", "c"]])
        self.assertEqual([outcome.duplicate for outcome in outcomes], [False, False, False])

    async def test_what_comes_twice_is_written_once(self):
        store = FakeStore()
        outcomes = await self.submit(store, "a", "a")
        self.assertEqual(store.groups, [["a"]])
        self.assertEqual([outcome.duplicate for outcome in outcomes], [False, True])

    async def test_large_groups_are_cut(self):
        store = FakeStore()
        await self.submit(store, *(str(number) for number in range(LARGEST_GROUP + 1)))
        self.assertEqual([len(group) for group in store.groups], [LARGEST_GROUP, 1])

    async def test_a_lost_connection_is_tried_again(self):
        store = FakeStore(psycopg.OperationalError("gone"), psycopg.OperationalError("still gone"))
        with self.assertLogs("core.sync.writer", "WARNING"):
            outcomes = await self.submit(store, "a")
        self.assertEqual((len(store.groups), outcomes[0].duplicate), (3, False))

    async def test_a_database_that_stays_away_is_told(self):
        store = FakeStore(*[psycopg.OperationalError("gone")] * 3)
        with self.assertLogs("core.sync.writer", "WARNING"):
            outcomes = await self.submit(store, "a", "b")
        self.assertEqual([type(outcome) for outcome in outcomes], [Unavailable, Unavailable])

    async def test_a_defect_fails_its_group_and_not_the_writer(self):
        store = FakeStore(KeyError("defect"))
        writer = self.writer(store)
        with self.assertLogs("core.sync.writer", "ERROR"), self.assertRaises(Unavailable):
            await writer.submit(item("a"))
        self.assertFalse((await writer.submit(item("a"))).duplicate)

    async def test_one_bad_item_does_not_spoil_the_others(self):
        outcomes = await self.submit(FakeStore(bad=("b",)), "a", "b", "c")
        self.assertEqual([type(outcome) for outcome in outcomes], [Outcome, InvalidItem, Outcome])

    async def test_too_many_waiting_items_are_refused(self):
        writer = self.writer(FakeStore())
        with patch("core.sync.writer.LARGEST_QUEUE", 1):
            waiting = writer.submit(item("a"))
            with self.assertRaisesRegex(Unavailable, "too many"):
                await writer.submit(item("b"))
        self.assertFalse((await waiting).duplicate)

    async def test_nobody_waits_for_the_outcome_any_more(self):
        store = FakeStore()
        writer = self.writer(store)
        writer.submit(item("a")).cancel()
        self.assertFalse((await writer.submit(item("b"))).duplicate)
        self.assertEqual(store.groups, [["a", "b"]])
