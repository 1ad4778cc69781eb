# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks this host's proxy, as a tester of one colour, how that colour is; the other colour never answers for it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import (
    Check,
    HttpCheck,
    HttpExpectation,
    HttpRequest,
    WebSocketCheck,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import probe_http
from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import Target, run_smoke
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact

SERVED_BY = "X-Greenlight-Served-By"


def endpoint_of(contact: Contact, colour: str) -> Endpoint:
    """This proxy, asked as a tester of one colour."""
    return Endpoint(
        address=contact.address,
        port=contact.port,
        tls=True,
        server_name=contact.server_name,
        ca_file=contact.certificate,
        headers=(("X-Greenlight-Tester", contact.token), ("X-Greenlight-Colour", colour)),
    )


def checks_of(health: Mapping[str, str], timeout: float) -> list[Check]:
    """One look: each path that is given."""
    checks: list[Check] = [
        HttpCheck(name, HttpRequest(path=path), HttpExpectation(), timeout=timeout)
        for name, path in (("health", health["path"]), ("readiness", health["readiness"]))
        if path
    ]
    if health["websocket"]:
        checks.append(WebSocketCheck("websocket", health["websocket"], timeout=timeout))
    return checks


def look_at(endpoint: Endpoint, checks: Sequence[Check], timeout: float, served_by: str) -> list[str]:
    """Look once and return the problems. ``served_by`` is how the answer must begin, such as ``blue/<release>/``."""
    verdicts = run_smoke([Target(endpoint, "")], checks, deadline=timeout, unique=secrets.token_hex(4))
    problems = [f"{check.name}: {problem}" for check in verdicts[0].checks for problem in check.problems]
    path = next((check.request.path for check in checks if isinstance(check, HttpCheck)), "/")
    said = probe_http(endpoint, path, timeout=timeout).header(SERVED_BY) if served_by else ""
    if said and not said.startswith(served_by):
        problems.append(f"{said} answered, expected {served_by}")
    return problems
