# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.probes import AT_ONCE, Prober
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.fake_app import FakeApp
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import answer, serving

HEALTH = {"path": "/health", "readiness": "/readiness", "websocket": "/ws/sync"}


def probing(talk, act, health=None, served_by="blue/", timeout=2.0):
    """What ``act`` returns, called with a prober whose server runs meanwhile."""

    async def main():
        async with serving(talk) as endpoint:
            return await asyncio.to_thread(
                act, Prober(endpoint, HEALTH if health is None else health, served_by, timeout)
            )

    return run_async(main())


def test_a_look_at_every_path():
    app = FakeApp()
    looked = probing(app.talk, Prober.look)
    assert sorted(app.asked) == ["GET /health", "GET /readiness", "GET /ws/sync"]
    assert (looked.problems, looked.late, looked.figures.requests, looked.figures.opened) == ((), False, 2, 1)
    assert sum(looked.figures.latencies.values()) == 2


def test_as_many_more_as_are_wanted():
    app = FakeApp()
    figures = probing(app.talk, lambda prober: prober.further(25, 7))
    assert (figures.requests, figures.handshakes, figures.errors) == (25, 7, 0)
    assert sorted(set(app.asked)) == ["GET /health", "GET /readiness", "GET /ws/sync"]
    assert probing(app.talk, lambda prober: prober.further(0, 0)) == Figures()


def test_an_empty_path_is_left_out():
    app = FakeApp()
    health = {"path": "/health", "readiness": "", "websocket": ""}
    assert probing(app.talk, Prober.look, health=health).figures.handshakes == 0
    assert probing(app.talk, lambda prober: prober.further(3, 3), health=health).requests == 3
    assert set(app.asked) == {"GET /health"}
    assert probing(app.talk, lambda prober: prober.further(3, 3), health={}) == Figures()


def test_what_is_wrong_is_said():
    app = FakeApp()
    app.fail_every = 1
    looked = probing(app.talk, Prober.look)
    assert (looked.figures.errors, looked.figures.requests) == (2, 2)
    assert looked.problems[0] == "/health: status 503, answer begins 'sorry'"
    looked = probing(FakeApp().talk, Prober.look, served_by="green/")
    assert looked.problems[0] == "/health: blue/r1/v1 answered, expected green/"


def test_websockets_that_are_refused():
    async def talk(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(status="403 Forbidden") if b"/ws/" in head else answer(b"ok"))

    looked = probing(talk, Prober.look)
    assert (looked.figures.refused, looked.figures.opened, looked.figures.errors) == (1, 0, 0)
    assert looked.problems == ("WebSocket /ws/sync: handshake answered 403, not 101",)


def test_no_answer_in_time_is_late():
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(30)

    looked = probing(talk, Prober.look, timeout=0.1)
    assert (looked.late, looked.figures.errors, looked.figures.refused) == (True, 2, 1)


def test_only_a_few_at_once():
    now, most = 0, 0

    async def talk(reader, writer):
        nonlocal now, most
        await reader.readuntil(b"\r\n\r\n")
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        writer.write(answer(b"ok"))
        await writer.drain()
        now -= 1

    probing(talk, lambda prober: prober.further(60, 0), health={"path": "/health"})
    assert 1 <= most <= AT_ONCE
