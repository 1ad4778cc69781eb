# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of it, asked of the proxies and their files, never of the playbooks."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.stage.project import APP, CA_FILE, DOMAIN, Project
from tools import lab
from tools.console import Trouble
from tools.demo import count_voices
from tools.hosts import HOSTS, Host
from tools.places import COLLECTIONS

HEALTH = "ansible_collections.greenlight.deploy.plugins.module_utils.health"
STATE = f"/var/lib/greenlight/{APP}"
FILES = {"record": "traffic/traffic.json", "lock": "deployment/lock.json", "deployment": "deployment/deployment.json"}
VOICES = 40
NOBODY = "nobody"


@dataclass(frozen=True)
class Proxy:
    """One proxy: the state in force and its files, None for one that is not there; ``voices`` says who answers."""

    name: str
    state: str
    record: Mapping[str, Any] | None
    lock: Mapping[str, Any] | None
    deployment: Mapping[str, Any] | None
    voices: str

    @property
    def settled(self) -> bool:
        """Whether one colour has all clients."""
        return self.state in ("blue", "green")

    @property
    def version(self) -> str:
        """The version that answers every client; ``mixed`` when it is not one."""
        return self.voices.partition(" ")[0].rstrip(":")


def look(project: Project) -> list[Proxy]:
    """Each proxy as it is now."""
    return [_look_at(HOSTS[name]) for name in project.proxies]


def _look_at(host: Host) -> Proxy:
    names = " ".join(FILES.values())
    script = f"cd {STATE} 2>/dev/null || exit 0; readlink traffic/current || echo; for f in {names}; do "
    said = lab.tell(host, script + 'test -f "$f" && tr -d "\\n" < "$f"; echo; done').splitlines()
    state, *texts = said or ["", *[""] * len(FILES)]
    found = {name: json.loads(text) if text else None for name, text in zip(FILES, texts, strict=True)}
    return Proxy(host.name, state.rpartition("/")[2], **found, voices=voices(host))


def voices(host: Host) -> str:
    """Who answers 40 different clients of one proxy: ``v1.0.0 (blue)``, ``nobody``, or each with its share."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    endpoint = importlib.import_module(f"{HEALTH}.endpoint").Endpoint
    probe_many = importlib.import_module(f"{HEALTH}.http_client").probe_many
    common = {"tls": True, "server_name": DOMAIN, "ca_file": str(CA_FILE)}
    callers = [
        endpoint(host.address, 443, headers=(("X-Device-Id", f"who-{number}"),), **common) for number in range(VOICES)
    ]
    answers = probe_many([(caller, "/health") for caller in callers])
    return count_voices([answer.header("x-greenlight-served-by") for answer in answers])


def one_voice(proxies: list[Proxy]) -> str:
    """Who serves, in one word for all proxies."""
    found = dict.fromkeys(proxy.voices for proxy in proxies)
    return next(iter(found)) if len(found) == 1 else "; ".join(f"{proxy.name} {proxy.voices}" for proxy in proxies)


def wait_for_state(host: Host, states: str, seconds: float) -> None:
    """Wait until the state in force on a proxy is one of ``states`` (of the shell: ``*-10``, ``blue|green``)."""
    case = "|".join(f"states/{state}" for state in states.split("|"))
    script = (
        f"i=0; while [ $i -lt {round(seconds / 0.05)} ]; do case $(readlink {STATE}/traffic/current) in "
        f"{case}) exit 0;; esac; sleep 0.05; i=$((i+1)); done; exit 1"
    )
    try:
        lab.tell(host, script)
    except Trouble as never:
        raise Trouble(f"{host.name} was not at {states} within {seconds:.0f} s.") from never


def wait_for_home(project: Project, seconds: float) -> float:
    """Wait until every proxy has given all clients to one colour; how many seconds that took."""
    started = time.monotonic()
    for name in project.proxies:
        wait_for_state(HOSTS[name], "blue|green", seconds)
    return time.monotonic() - started
