"""The WebSocket, against real PostgreSQL and Redis."""

import asyncio

from asgiref.sync import sync_to_async

from core.models import AppliedItem
from core.services import stats
from core.sync import consumer
from mobile_sync.identity import COLOUR, IDENTITY
from tests.support import Socket, TenantCase


class SocketTest(TenantCase):
    async def counts(self, run):
        counted = await sync_to_async(stats.count)(self.tenant.id, run)
        return counted["stored"], counted["applied"], counted["doubled"]

    async def test_hello_says_who_answers(self):
        async with Socket(headers=[(b"x-greenlight-class", b"c07")]) as socket:
            hello = socket.hello
        self.assertEqual((hello["type"], hello["class"], hello["tenant"]), ("hello", "c07", "demo"))
        self.assertEqual({name: hello[name] for name in IDENTITY}, IDENTITY)

    async def test_an_item_is_acknowledged_once_it_is_stored(self):
        async with Socket() as socket:
            await socket.send_item("s-1")
            self.assertEqual(await socket.receive(), {"type": "ack", "id": "s-1", "colour": COLOUR, "duplicate": False})
            self.assertEqual(await self.counts("s-"), (1, 1, 0))
        stored = await AppliedItem.objects.aget()
        self.assertEqual((stored.device_id, stored.domain, stored.payload), ("d1", "journal", {"n": 1}))

    async def test_an_item_sent_again_is_applied_once(self):
        async with Socket() as socket:
            for _ in range(3):
                await socket.send_item("s-1")
            answers = [await socket.receive() for _ in range(3)]
            await socket.send_item("s-1")
            answers.append(await socket.receive())
        self.assertEqual([answer["duplicate"] for answer in answers], [False, True, True, True])
        self.assertEqual(await self.counts("s-"), (1, 1, 0))

    async def test_two_sockets_with_the_same_item(self):
        async with Socket() as one, Socket("device=d2") as other:
            await asyncio.gather(one.send_item("s-1"), other.send_item("s-1"))
            answers = [await one.receive(), await other.receive()]
        self.assertEqual(sorted(answer["duplicate"] for answer in answers), [False, True])
        self.assertEqual(await self.counts("s-"), (1, 1, 0))

    async def test_what_is_wrong_is_told_and_the_socket_stays(self):
        async with Socket() as socket:
            await socket.communicator.send_to(text_data="{")
            await socket.communicator.send_to(text_data="[]")
            await socket.communicator.send_to(bytes_data=b"\0")
            await socket.communicator.send_to(text_data='"' + "x" * 70_000 + '"')
            await socket.send(type="dance")
            await socket.send(type="broadcast")
            await socket.send_item("not valid")
            answers = [await socket.receive() for _ in range(7)]
            await socket.send(type="ping", t=5)
            self.assertEqual(await socket.receive(), {"type": "pong", "t": 5, "colour": COLOUR})
        self.assertEqual({(answer["type"], answer["code"]) for answer in answers}, {("error", "invalid")})
        self.assertEqual(answers[-1]["id"], "not valid")

    async def test_text_that_the_database_refuses(self):
        async with Socket() as socket:
            await socket.send(type="sync", id="s-1", domain="journal", payload={"a": "\0"})
            await socket.send_item("s-2")
            answers = {answer["id"]: answer for answer in [await socket.receive(), await socket.receive()]}
        self.assertEqual(answers["s-1"]["code"], "invalid")
        self.assertEqual(answers["s-2"]["type"], "ack")

    async def test_broadcast_reaches_the_tenant(self):
        async with Socket() as one, Socket("device=d2") as other:
            await one.send(type="broadcast", text="hallo")
            expected = {"type": "broadcast", "text": "hallo", "device": "d1", "colour": COLOUR}
            self.assertEqual([await one.receive(), await other.receive()], [expected, expected])

    async def test_unknown_tenant(self):
        async with Socket("tenant=nobody") as socket:
            self.assertEqual(socket.hello, {"closed": consumer.CLOSE_UNKNOWN_TENANT})

    async def test_unknown_path_and_foreign_page_are_refused(self):
        async with Socket(headers=[(b"host", b"api.example.com"), (b"origin", b"https://evil.example")]) as socket:
            self.assertFalse(socket.is_accepted)

    async def test_events_of_a_newer_release_are_ignored(self):
        async with Socket() as socket:
            layer = consumer.get_channel_layer()
            await layer.group_send(consumer.tenant_group(self.tenant.id), {"type": "something.new"})
            await socket.send(type="broadcast", text="after")
            self.assertEqual((await socket.receive())["text"], "after")
