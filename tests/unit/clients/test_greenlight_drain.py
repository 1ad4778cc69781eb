# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ASGI middleware, with a server whose queues the tests hold."""

from __future__ import annotations

import asyncio
import json

import pytest

from greenlight_drain import DrainMiddleware, classes, middleware, sockets

TOKEN = "a token of the tests"
LIMIT = 5  # seconds; a limit, never waited for
CONNECT, DISCONNECT = {"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}
MOVED = {"type": "websocket.close", "code": 4012, "reason": sockets.REASON}


class Client:
    """One connection as a server sees it: what comes in and what goes out are queues."""

    def __init__(self, application, name="c03"):
        self.to_application: asyncio.Queue = asyncio.Queue()
        self.sent: asyncio.Queue = asyncio.Queue()
        headers = [(b"X-Greenlight-Class", name.encode())] if name else []
        scope = {"type": "websocket", "path": "/ws", "headers": headers}
        self.task = asyncio.create_task(application(scope, self.to_application.get, self.sent.put))

    @classmethod
    async def connect(cls, application, name="c03"):
        client = cls(application, name)
        client.to_application.put_nowait(CONNECT)
        assert (await client.next())["type"] == "websocket.accept"
        return client

    def say(self, text):
        self.to_application.put_nowait({"type": "websocket.receive", "text": text})

    async def next(self):
        return await asyncio.wait_for(self.sent.get(), LIMIT)

    async def heard(self):
        return (await self.next())["text"]

    async def ended(self):
        await asyncio.wait_for(asyncio.gather(self.task, return_exceptions=True), LIMIT)
        return [self.sent.get_nowait() for _turn in range(self.sent.qsize())]


class Recorder:
    """An application that answers each message with ``ack MESSAGE`` once ``gate`` is open, and keeps its events."""

    def __init__(self):
        self.events = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()

    async def __call__(self, scope, receive, send):
        while True:
            event = await receive()
            self.events.append(event)
            if event["type"] == "websocket.disconnect":
                return
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
                continue
            self.began.set()
            await self.gate.wait()
            await send({"type": "websocket.send", "text": f"ack {event['text']}"})


async def request(application, method, path, body=b"", token=TOKEN):
    """The status and JSON value that an HTTP request is answered with."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    headers = [(b"x-greenlight-control", token.encode())] if token is not None else []
    await application({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def drain(application, **wanted):
    return await request(application, "POST", "/.greenlight/drain", json.dumps(wanted).encode())


async def report(application):
    return (await request(application, "GET", "/.greenlight/sockets"))[1]


def play(scene):
    """Run a scene with a fresh application and its middleware."""

    async def whole():
        inner = Recorder()
        return await asyncio.wait_for(scene(DrainMiddleware(inner, token=TOKEN), inner), 2 * LIMIT)

    return asyncio.run(whole())


def test_an_asked_socket_is_closed_and_the_application_told():
    async def scene(application, inner):
        client = await Client.connect(application)
        status, answer = await drain(application, classes="0-9", over=0, code=4012)
        assert (status, answer["asked"], answer["open"], answer["code"]) == (202, 1, 1, 4012)
        assert await client.ended() == [MOVED]
        assert inner.events[-1] == {"type": "websocket.disconnect", "code": 4012, "reason": sockets.REASON}
        assert await report(application) == {
            "open": 0, "classes": {}, "leaving": 0, "closed": 1, "by_themselves": 0, "requests": 0,
        }  # fmt: skip

    play(scene)


def test_the_message_in_hand_is_acknowledged_before_the_close():
    async def scene(application, inner):
        client = await Client.connect(application)
        inner.gate.clear()
        client.say("one")
        await inner.began.wait()
        await drain(application, classes="all", over=0)
        for _turn in range(20):
            await asyncio.sleep(0)
        assert client.sent.empty()
        inner.gate.set()
        assert [message.get("text") for message in await client.ended()] == ["ack one", None]

    play(scene)


def test_what_was_sent_before_is_acknowledged_before_the_close():
    async def scene(application, inner):
        client = await Client.connect(application)
        for number in range(50):
            client.say(str(number))
        await drain(application, classes="all", over=0)
        sent = await client.ended()
        assert [message.get("text") for message in sent] == [f"ack {number}" for number in range(50)] + [None]
        assert sent[-1] == MOVED

    play(scene)


def test_who_never_stops_sending_is_closed_all_the_same(monkeypatch):
    async def scene(application, inner):
        client = await Client.connect(application)
        for number in range(50):
            client.say(str(number))
        await drain(application, classes="all", over=0)
        assert await client.ended() == [MOVED]

    monkeypatch.setattr(sockets, "PATIENCE", -1.0)
    play(scene)


def test_an_application_that_reads_ahead_answers_what_it_has_read():
    async def reader(scope, receive, send):
        inbox: asyncio.Queue = asyncio.Queue()

        async def pump():
            while True:
                inbox.put_nowait(await receive())

        pumping = asyncio.create_task(pump())
        while (event := await inbox.get())["type"] != "websocket.disconnect":
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            else:
                await asyncio.sleep(0.01)
                await send({"type": "websocket.send", "text": event["text"]})
        pumping.cancel()

    async def scene(_application, _inner):
        application = DrainMiddleware(reader, token=TOKEN)
        client = await Client.connect(application)
        for number in range(3):
            client.say(str(number))
        await asyncio.sleep(0)
        await drain(application, classes="all", over=0)
        assert [message.get("text") for message in await client.ended()] == ["0", "1", "2", None]

    play(scene)


def test_other_classes_and_those_who_come_later_stay():
    async def scene(application, _inner):
        leaving = [await Client.connect(application, name) for name in ("c00", "c09")]
        other, unclassed = await Client.connect(application, "c10"), await Client.connect(application, "")
        assert (await drain(application, classes="0-9", over=0))[1]["asked"] == 2
        late = await Client.connect(application, "c05")
        for client in leaving:
            assert await client.ended() == [MOVED]
        for client in (other, unclassed, late):
            client.say("still here")
            assert await client.heard() == "ack still here"
        assert (await report(application))["classes"] == {"c05": 1, "c10": 1, "none": 1}
        assert (await drain(application, classes="none", over=0))[1]["asked"] == 1
        assert (await drain(application, classes="all", over=0))[1]["asked"] >= 2
        for client in (other, unclassed, late):
            assert await client.ended() == [MOVED]

    play(scene)


def test_asked_twice_the_earlier_moment_counts(monkeypatch):
    async def scene(application, _inner):
        moments = iter([3600.0, 0.0, 3600.0])
        monkeypatch.setattr(application._sockets, "_choose", lambda _low, _high: next(moments))
        client = await Client.connect(application)
        for _turn in range(3):
            await drain(application, classes="all", over=3600)
        assert await client.ended() == [MOVED]

    play(scene)


def test_the_moments_are_spread_over_the_time():
    async def scene(application, inner):
        chosen = []
        application._sockets._choose = lambda low, high: chosen.append((low, high)) or 3600.0
        client = await Client.connect(application)
        await drain(application, classes="all", over=7.5)
        client.say("not yet")
        assert await client.heard() == "ack not yet"
        assert chosen == [(0.0, 7.5)]
        assert (await report(application))["leaving"] == 1
        client.to_application.put_nowait(DISCONNECT)
        assert await client.ended() == []
        assert inner.events[-1] == DISCONNECT
        assert {"closed": 0, "by_themselves": 1}.items() <= (await report(application)).items()

    play(scene)


def test_a_client_that_went_in_the_same_moment_went_by_itself():
    async def scene(application, _inner):
        client = await Client.connect(application)
        client.to_application.put_nowait(DISCONNECT)
        await drain(application, classes="all", over=0)
        assert await client.ended() == []
        assert (await report(application))["by_themselves"] == 1

    play(scene)


def test_a_handshake_that_is_going_on_leaves_after_it():
    async def scene(application, _inner):
        client = Client(application)
        await asyncio.sleep(0)
        assert (await drain(application, classes="all", over=0))[1]["asked"] == 1
        for _turn in range(5):
            await asyncio.sleep(0)
        client.to_application.put_nowait(CONNECT)
        assert await client.ended() == [{"type": "websocket.accept"}, MOVED]

    play(scene)


def test_an_application_that_never_ends_is_closed_after_the_grace():
    async def stubborn(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await asyncio.Event().wait()

    async def scene(_application, _inner):
        application = DrainMiddleware(stubborn, token=TOKEN, grace=0)
        client = await Client.connect(application)
        await drain(application, classes="all", over=0)
        assert await client.next() == MOVED
        client.task.cancel()
        await client.ended()
        assert (await report(application))["closed"] == 1

    play(scene)


def test_the_application_s_own_close_becomes_ours_and_nothing_follows_it():
    async def polite(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        await send({"type": "websocket.send", "text": "too late"})

    async def scene(_application, _inner):
        application = DrainMiddleware(polite, token=TOKEN)
        client = await Client.connect(application)
        await drain(application, classes="all", over=0)
        assert await client.ended() == [MOVED]

    play(scene)


def test_an_application_that_fails_when_told_is_closed_as_moved():
    async def failing(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        raise RuntimeError((await receive())["type"])

    async def scene(_application, _inner):
        application = DrainMiddleware(failing, token=TOKEN)
        client = await Client.connect(application)
        await drain(application, classes="all", over=0)
        with pytest.raises(RuntimeError, match="disconnect"):
            await client.task
        assert client.sent.get_nowait() == MOVED

    play(scene)


def test_a_server_that_cannot_close_any_more_is_forgiven():
    async def scene(application, _inner):
        client = await Client.connect(application)

        async def broken(message):
            raise OSError("gone")

        client.sent.put = broken
        (socket,) = application._sockets._open
        socket._server_send = broken
        await drain(application, classes="all", over=0)
        assert await client.ended() == []
        assert client.task.exception() is None
        assert (await report(application))["by_themselves"] == 1

    play(scene)


def test_a_cancelled_wait_loses_no_message():
    async def impatient(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await send({"type": "websocket.send", "text": (await receive())["text"]})

    async def scene(_application, _inner):
        client = await Client.connect(DrainMiddleware(impatient, token=TOKEN))
        await asyncio.sleep(0)
        client.say("kept")
        assert await client.heard() == "kept"

    play(scene)


@pytest.mark.parametrize(
    ("can", "asked", "code"), [(False, 1012, 4012), (True, 1012, 1012), (True, 4012, 4012), (True, "1012", 4012)]
)
def test_service_restart_only_where_the_server_can(can, asked, code):
    async def scene(_application, _inner):
        application = DrainMiddleware(Recorder(), token=TOKEN, service_restart=can)
        client = await Client.connect(application)
        assert (await drain(application, classes="all", over=0, code=asked))[1]["code"] == code
        assert (await client.ended())[0]["code"] == code

    play(scene)


def test_requests_of_others_pass_and_are_counted_while_they_last():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["path"])
        answer = json.dumps(await report(application)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    application = DrainMiddleware(inner, token=TOKEN)
    status, answer = asyncio.run(request(application, "GET", "/orders"))
    assert (seen, status, answer["requests"]) == (["/orders"], 200, 1)
    assert asyncio.run(report(application))["requests"] == 0


def test_lifespan_passes():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(DrainMiddleware(inner, token=TOKEN)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("token", "brought"), [(TOKEN, None), (TOKEN, ""), (TOKEN, TOKEN + "x"), ("", ""), ("", None), ("", TOKEN)]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "drain"), ("GET", "sockets"), ("GET", "other")])
def test_without_the_token_nothing_is_there(token, brought, method, path):
    async def inner(scope, receive, send):
        raise AssertionError

    application = DrainMiddleware(inner, token=token)
    answer = asyncio.run(request(application, method, f"/.greenlight/{path}", b'{"classes": "all"}', brought))
    assert answer == (404, {"error": "not found"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "drain", b"", 405),
        ("POST", "sockets", b"", 405),
        ("GET", "other", b"", 404),
        ("POST", "drain", b"", 400),
        ("POST", "drain", b"[]", 400),
        ("POST", "drain", b"[" * 5000, 400),
        ("POST", "drain", b"{}", 400),
        ("POST", "drain", b'{"classes": "100"}', 400),
        ("POST", "drain", b'{"classes": "all", "over": -1}', 400),
        ("POST", "drain", b'{"classes": "all", "over": NaN}', 400),
        ("POST", "drain", b'{"classes": "all", "over": true}', 400),
        ("POST", "drain", b'{"classes": "all", "over": "5"}', 400),
        ("POST", "drain", b" " * (middleware.LARGEST_BODY + 1), 413),
    ],
)
def test_what_is_not_in_the_contract_is_refused_with_a_sentence(method, path, body, status):
    application = DrainMiddleware(None, token=TOKEN)
    answered, answer = asyncio.run(request(application, method, f"/.greenlight/{path}", body))
    assert (answered, list(answer)) == (status, ["error"])


def test_the_token_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("GREENLIGHT_CONTROL_TOKEN", TOKEN)
    assert asyncio.run(report(DrainMiddleware(None)))["open"] == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7", {"c07"}),
        ("0-2,15", {"c00", "c01", "c02", "c15"}),
        ("5,5,none", {"c05", "none"}),
        ("0-99", set(classes.NUMBERED)),
        ("all", {*classes.NUMBERED, "none"}),
    ],
)
def test_lists_of_classes(text, found):
    assert classes.parse(text) == found


@pytest.mark.parametrize("text", ["", "100", "9-1", "a", "1-", "-1", "1,,2", "1 ", "\u0661"])
def test_lists_that_cannot_be_read(text):
    with pytest.raises(ValueError, match="is no class"):
        classes.parse(text)


@pytest.mark.parametrize(("value", "name"), [(b"c00", "c00"), (b"c100", "none"), (b"", "none"), (b"c1\n", "none")])
def test_the_class_of_a_connection(value, name):
    assert classes.class_of([(b"host", b"x"), (b"x-greenlight-class", value)]) == name
