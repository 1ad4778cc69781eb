"""From v1.0.0 to v2.0.0-sync and to a broken v2.1.0, on one database, with both colours running."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, TypeVar

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import WebSocket, connect
from world import WAIT_SECONDS, Instance, Postgres, Release, Server

V1, V2, BROKEN = "v1.0.0", "v2.0.0-sync", "v2.1.0"
DRAINED = 4012
# Longer than any timeout that an idle connection may meet on its way: 5 s (redis 8), 10 s.
IDLE_SECONDS = 13

Result = TypeVar("Result")
Start = Callable[[Release, str], Instance]


class Client:
    """A device: sends items, remembers what was acknowledged."""

    connected: ClassVar[list[Client]] = []

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.connected.append(self)

    @classmethod
    async def connect(cls, instance: Instance, name: str = "none") -> Client:
        """A connection in a client class, after its hello."""
        headers = [("X-Greenlight-Class", name)]
        client = cls(await connect(instance.endpoint, "/ws/sync?device=d1", headers, WAIT_SECONDS))
        hello = await client.receive()
        assert (hello["type"], hello["colour"], hello["class"]) == ("hello", instance.colour, name)
        return client

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        return json.loads(await self.socket.receive(WAIT_SECONDS))

    def send(self, **message: Any) -> None:
        """Sends a message."""
        self.socket.send(json.dumps(message))

    async def store(self, item: str) -> bool:
        """Sends an item; whether it was there before."""
        self.send(type="sync", id=item, domain="journal", payload={"text": "hello"})
        answer = await self.receive()
        assert (answer["type"], answer["id"]) == ("ack", item), answer
        return answer["duplicate"]

    async def closed(self) -> int:
        """The code with which the server closes."""
        with pytest.raises(ProbeError, match="closed"):
            await self.socket.receive(WAIT_SECONDS)
        return self.socket.code


def play(scene: Coroutine[Any, Any, Result]) -> Result:
    """Runs a scene, and hangs up what it left connected."""

    async def play_and_hang_up() -> Result:
        try:
            return await scene
        finally:
            for client in Client.connected:
                await client.socket.close()
            Client.connected.clear()

    return asyncio.run(play_and_hang_up())


def counts(instance: Instance, run: str) -> tuple[int, int]:
    """How many items of a run were applied, and how many of them more than once."""
    _, body = instance.get(f"/api/v1/sync/stats?run={run}")
    return body["distinct"], body["doubled"]


@pytest.fixture
def migrated(releases: dict[str, Release]) -> dict[str, Release]:
    done = releases[V2].manage("migrate", "--noinput")
    assert not done.returncode, done.stderr
    return releases


def test_every_version_passes_the_checks_before_it_runs(releases: dict[str, Release]) -> None:
    for release in releases.values():
        done = release.manage("check", "--deploy", "--fail-level", "WARNING")
        assert not done.returncode, (release.version, done.stderr)


def test_upgrade_with_both_colours_on_one_database(releases: dict[str, Release], start: Start) -> None:
    old, new = releases[V1], releases[V2]
    assert not old.manage("migrate", "--noinput").returncode
    blue, green = start(old, "blue"), start(new, "green")
    assert blue.get("/health")[1]["code"] == "1.0.0"
    assert blue.get("/readiness")[0] == 200
    pending = ["core.0014_sync_device_health", "core.0015_conflict_resolution_log"]
    pending.append("voice_recognition.0001_voice_verification_log")
    assert new.pending() == pending
    status, body = green.get("/readiness")
    assert (status, body["checks"]["migrations"]["error"]) == (503, "NotReady: not applied: " + ", ".join(pending))

    assert not new.manage("migrate", "--noinput").returncode
    assert [instance.get("/readiness")[0] for instance in (blue, green)] == [200, 200]
    assert [instance.get("/api/v1/devices/d1/health")[0] for instance in (blue, green)] == [404, 404]

    async def both() -> list[bool]:
        one, other = await Client.connect(blue), await Client.connect(green)
        return [await one.store("up-1"), await other.store("up-1"), await other.store("up-2"), await one.store("up-2")]

    assert play(both()) == [False, True, False, True]
    assert [counts(instance, "up-") for instance in (blue, green)] == [(2, 0), (2, 0)]
    assert green.get("/api/v1/devices/d1/health")[1]["items"] == 2


def test_broken_version_listens_and_is_not_ready(migrated: dict[str, Release], start: Start) -> None:
    assert migrated[BROKEN].pending() == []
    instance = start(migrated[BROKEN], "green")
    assert instance.get("/health")[1]["code"] == "2.1.0"
    status, body = instance.get("/readiness")
    failed = {name: part["error"] for name, part in body["checks"].items() if not part["ok"]}
    assert (status, list(failed)) == (503, ["policies"])
    assert "priority does not exist" in failed["policies"]


def test_idle_sockets_stay_and_hear_broadcasts_of_the_other_colour(migrated: dict[str, Release], start: Start) -> None:
    blue, green = start(migrated[V1], "blue"), start(migrated[V2], "green")

    async def idle() -> None:
        one, other = await Client.connect(blue), await Client.connect(green)
        await asyncio.sleep(IDLE_SECONDS)
        one.send(type="broadcast", text="anybody there?")
        answers = [await one.receive(), await other.receive()]
        assert [(answer["text"], answer["colour"]) for answer in answers] == [("anybody there?", "blue")] * 2
        assert not await other.store("idle-1")

    play(idle())


def test_drain_by_class_loses_no_acknowledgement(migrated: dict[str, Release], start: Start) -> None:
    blue, green = start(migrated[V2], "blue"), start(migrated[V2], "green")

    async def drain() -> None:
        leaving = [await Client.connect(blue, f"c0{number}") for number in range(10)]
        staying, elsewhere = await Client.connect(blue, "c10"), await Client.connect(green, "c00")
        sending = asyncio.gather(*(send_until_closed(client, number) for number, client in enumerate(leaving)))
        begin = time.monotonic()
        asked = await asyncio.to_thread(blue.ask_to_drain, "0-9", 2)
        assert (asked["asked"], asked["open"]) == (10, 11)
        results = await sending
        assert {code for code, _ in results} == {DRAINED}
        assert time.monotonic() - begin < WAIT_SECONDS
        assert not await staying.store("drain-stay")
        assert not await elsewhere.store("drain-else")
        assert await asyncio.to_thread(blue.sockets) == {
            "open": 1, "classes": {"c10": 1}, "leaving": 0, "closed": 10, "by_themselves": 0, "requests": 0,
        }  # fmt: skip
        _, stored = await asyncio.to_thread(green.get, "/api/v1/sync/stats?run=drain-c&ids=1")
        assert stored["doubled"] == 0
        assert set().union(*(acked for _, acked in results)) == set(stored["ids"])

    async def send_until_closed(client: Client, number: int) -> tuple[int, set[str]]:
        acked: set[str] = set()
        while True:
            item = f"drain-c{number}-{len(acked)}"
            try:
                await client.store(item)
            except ProbeError:
                return client.socket.code, acked
            acked.add(item)

    play(drain())


def test_killed_in_the_middle_and_sent_again(migrated: dict[str, Release], start: Start) -> None:
    blue, green = start(migrated[V2], "blue"), start(migrated[V2], "green")
    items = [f"kill-{number}" for number in range(200)]

    async def run() -> None:
        client = await Client.connect(blue)
        for item in items:
            client.send(type="sync", id=item, domain="journal", payload={})
        await client.receive()
        blue.stop(signal.SIGKILL)
        again = await Client.connect(green)
        for item in items:
            await again.store(item)

    play(run())
    assert counts(green, "kill-") == (len(items), 0)


def test_restart_of_the_database_delays_and_loses_nothing(
    migrated: dict[str, Release], start: Start, postgres: Postgres
) -> None:
    blue = start(migrated[V2], "blue")

    async def run() -> None:
        client = await Client.connect(blue)
        assert not await client.store("db-1")
        postgres.stop(signal.SIGINT)
        assert (await asyncio.to_thread(blue.get, "/health"))[0] == 200
        with ThreadPoolExecutor(1) as aside:
            starting = aside.submit(postgres.start)
            assert not await client.store("db-2")
            starting.result()

    play(run())
    assert counts(blue, "db-") == (2, 0)
    assert blue.get("/readiness")[0] == 200


def test_restart_of_redis_keeps_the_sockets(migrated: dict[str, Release], start: Start, redis: Server) -> None:
    blue = start(migrated[V2], "blue")

    async def heard(client: Client) -> bool:
        client.send(type="broadcast", text="again")
        try:
            return json.loads(await client.socket.receive(0.5))["type"] == "broadcast"
        except ProbeError as error:
            if error.kind != "timeout":
                raise
            return False

    async def run() -> None:
        client = await Client.connect(blue)
        redis.stop()
        assert (await asyncio.to_thread(blue.get, "/readiness"))[0] == 503
        assert not await client.store("redis-1")
        redis.start()
        end = time.monotonic() + WAIT_SECONDS
        while not await heard(client):
            assert time.monotonic() < end

    play(run())
