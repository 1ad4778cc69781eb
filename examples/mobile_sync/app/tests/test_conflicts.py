"""Conflicts between devices."""

from django.core.cache import cache
from django.test import SimpleTestCase

from core.models import ConflictPolicy, ConflictResolution
from core.services.conflicts import winner
from tests.support import Socket, TenantCase


class WinnerTest(SimpleTestCase):
    def test_rules(self):
        cases = {
            ("client_wins", 1, 5): "client",
            ("server_wins", 5, 1): "server",
            ("highest_version", 2, 1): "client",
            ("highest_version", 1, 1): "server",
            ("manual", 1, 2): None,
        }
        for (rule, client, server), expected in cases.items():
            with self.subTest(rule):
                self.assertEqual(winner(rule, client, server), expected)


class ConflictTest(TenantCase):
    async def test_an_older_version_is_logged_and_told(self):
        await cache.aclear()
        await ConflictPolicy.objects.acreate(tenant=self.tenant, domain="journal", rule="client_wins")
        async with Socket() as socket:
            answers = []
            for name, version in (("c-1", 3), ("c-2", 4), ("c-3", 4), ("c-3", 4)):
                await socket.send_item(name, entity="journal/1", version=version)
                answers.append(await socket.receive())
            await socket.send_item("c-4", entity="journal/2", version=1)
            answers.append(await socket.receive())
        conflict = {"rule": "client_wins", "winner": "client", "version": 4}
        self.assertEqual([answer.get("conflict") for answer in answers], [None, None, conflict, None, None])
        logged = await ConflictResolution.objects.aget()
        self.assertEqual((logged.item_id, logged.client_version, logged.server_version), ("c-3", 4, 4))

    async def test_conflicts_within_one_group(self):
        async with Socket() as socket:
            for name in ("c-1", "c-2"):
                await socket.send_item(name, entity="journal/1", version=1)
            answers = [await socket.receive(), await socket.receive()]
        self.assertEqual(["conflict" in answer for answer in answers], [False, True])
