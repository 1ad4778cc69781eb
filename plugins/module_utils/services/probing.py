# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the instances of this host themselves whether they serve: port, HTTP, WebSocket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener, listeners
from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import probe_http
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import probe_websocket
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import (
    READY,
    WAITING,
    Limits,
    Probe,
    Watch,
    first_failed,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

SERVED_BY = "X-Greenlight-Served-By"
EVERY_ADDRESS = ("0.0.0.0", "::", "*")  # noqa: S104 - what others listen on, never we

Look = Callable[[Sequence[str]], Mapping[str, UnitState]]
Ask = Callable[[Instance, UnitState, Sequence[Listener]], Probe]


@dataclass(frozen=True)
class Questions:
    """What to ask an instance at ``address``; an empty path is not asked. ``host`` is the name that clients use."""

    address: str
    release: str
    host: str = ""
    health: str = ""
    readiness: str = ""
    websocket: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 5.0

    def ask(self, instance: Instance, unit: UnitState, holders: Sequence[Listener]) -> Probe:
        """Everything in order; the first thing that is wrong is the answer."""
        held = self._port(instance, unit, holders)
        if not held.ok or not instance.probe:
            return held
        endpoint = Endpoint(
            self.address,
            instance.port,
            server_name=self.host,
            headers=(("X-Forwarded-Proto", "https"),),
        )
        for path, expect in ((self.health, self.expect), (self.readiness, {})):
            probe = self._http(endpoint, path, expect) if path else Probe(ok=True)
            if not probe.ok:
                return probe
        return self._websocket(endpoint) if self.websocket else Probe(ok=True)

    def _port(self, instance: Instance, unit: UnitState, holders: Sequence[Listener]) -> Probe:
        asked = f"port {instance.port}"
        if not unit.running:
            return Probe(ok=False, asked=asked, answer=f"the unit is {unit.active}/{unit.sub}")
        holder = holder_of(self.address, instance.port, holders)
        if holder is None:
            return Probe(ok=False, asked=asked, answer=f"nothing listens on {self.address}:{instance.port}")
        if holder.unit != instance.unit and holder.pid != unit.pid:
            return Probe(ok=False, asked=asked, answer=f"held by {name_of(holder)}, not by the unit")
        return Probe(ok=True)

    def _http(self, endpoint: Endpoint, path: str, expect: Mapping[str, Any]) -> Probe:
        answer = probe_http(endpoint, path, timeout=self.timeout)
        wrong = self._wrong(answer, expect)
        text = f"{answer.describe()}{wrong}"
        if answer.status:
            text += f"; first bytes: {answer.first_bytes}"
        good = answer.status == 200 and not wrong
        return Probe(ok=good, asked=f"GET {path}", answer=text, refused=bool(answer.status) and not good)

    def _wrong(self, answer: HttpAnswer, expect: Mapping[str, Any]) -> str:
        """What an answer with status 200 says that is not wanted."""
        served = answer.header(SERVED_BY)
        if served and served.split("/")[1:2] != [self.release]:
            return f", answered by {served}, not by release {self.release}"
        found = answer.json() if expect else {}
        missing = [name for name, value in expect.items() if not isinstance(found, dict) or found.get(name) != value]
        return f", but {missing[0]!r} is not {expect[missing[0]]!r}" if missing else ""

    def _websocket(self, endpoint: Endpoint) -> Probe:
        origin = (("Origin", f"https://{self.host}"),) if self.host else ()
        answer = probe_websocket(endpoint, self.websocket, headers=origin, timeout=self.timeout, first_message=False)
        return Probe(ok=answer.status == 101, asked=f"WebSocket {self.websocket}", answer=answer.describe())


def holder_of(address: str, port: int, holders: Sequence[Listener]) -> Listener | None:
    """Who would get a connection to ``address``:``port``."""
    return next((each for each in holders if each.port == port and each.address in (address, *EVERY_ADDRESS)), None)


def name_of(holder: Listener) -> str:
    """A listening program for people, as far as this host shows it."""
    if not holder.pid:
        return "a program that this host does not show"
    return f"{holder.program} (pid {holder.pid}{', ' + holder.unit if holder.unit else ''})"


@dataclass(frozen=True)
class Clock:
    """Time as the wait sees it, in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def wait(watches: Sequence[Watch], look: Look, ask: Ask, limits: Limits, clock: Clock | None = None) -> Watch | None:
    """Ask all instances side by side until all are ready (None) or one never will be (that one)."""
    clock = clock or Clock()
    with ThreadPoolExecutor(max_workers=max(1, min(len(watches), 32))) as pool:
        while True:
            began = clock.now()
            waiting = [watch for watch in watches if watch.state == WAITING]
            states, holders = look([watch.instance.unit for watch in waiting]), listeners()
            asked = [
                (
                    watch,
                    states[watch.instance.unit],
                    pool.submit(ask, watch.instance, states[watch.instance.unit], holders),
                )
                for watch in waiting
            ]
            for watch, state, answer in asked:
                watch.observe(clock.now(), state, answer.result())
            failed = first_failed(watches)
            if failed or all(watch.state == READY for watch in watches):
                return failed
            clock.sleep(max(0.0, limits.interval - (clock.now() - began)))
