"""Leaving a colour by the drain contract: the middleware around this application."""

import json

from channels.testing import HttpCommunicator

from mobile_sync.asgi import application
from tests import CONTROL_TOKEN
from tests.support import WAIT, Socket, TenantCase

MOVED = {"closed": 4012}


async def ask(method, path, token=CONTROL_TOKEN, **wanted):
    """What a process answers to its deployment: status and JSON."""
    headers = [(b"x-greenlight-control", token.encode())]
    body = json.dumps(wanted).encode()
    answer = await HttpCommunicator(application, method, f"/.greenlight/{path}", body, headers).get_response(WAIT)
    return answer["status"], json.loads(answer["body"])


async def drain(classes, over=0):
    """How many sockets of this process are asked to leave."""
    status, answer = await ask("POST", "drain", classes=classes, over=over)
    assert status == 202, answer
    return answer["asked"]


class DrainTest(TenantCase):
    async def test_its_classes_only(self):
        mine, other = [(b"x-greenlight-class", b"c03")], [(b"x-greenlight-class", b"c50")]
        async with Socket(headers=mine) as leaving, Socket(headers=other) as staying:
            self.assertEqual(await drain("0-9"), 1)
            self.assertEqual(await leaving.receive(), MOVED)
            await staying.send(type="ping")
            self.assertEqual((await staying.receive())["type"], "pong")
            self.assertEqual((await ask("GET", "sockets"))[1]["classes"], {"c50": 1})

    async def test_what_came_before_the_close_is_acknowledged_before_it(self):
        async with Socket() as socket:
            names = [f"s-{number}" for number in range(50)]
            for name in names:
                await socket.send_item(name)
            await drain("none")
            answers = [await socket.receive() for _ in names]
            self.assertEqual(await socket.receive(), MOVED)
        self.assertEqual([answer["id"] for answer in answers], names)

    async def test_who_comes_after_the_question_stays(self):
        async with Socket() as leaving:
            await drain("all")
            async with Socket() as late:
                self.assertEqual(await leaving.receive(), MOVED)
                await late.send(type="ping")
                self.assertEqual((await late.receive())["type"], "pong")

    async def test_clients_cannot_ask(self):
        for method, path in (("POST", "drain"), ("GET", "sockets")):
            self.assertEqual((await ask(method, path, token="guessed", classes="all"))[0], 404)
