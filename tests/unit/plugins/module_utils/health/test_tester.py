# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health import tester
from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import CheckVerdict, TargetVerdict
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT

BLUE = tester.endpoint_of(CONTACT, "blue")


def test_a_tester_names_a_colour_and_trusts_the_installed_certificate_alone():
    assert dict(BLUE.headers) == {"X-Greenlight-Tester": CONTACT.token, "X-Greenlight-Colour": "blue"}
    assert (BLUE.tls, BLUE.ca_file, BLUE.server_name) == (True, CONTACT.certificate, CONTACT.server_name)


@pytest.mark.parametrize(
    ("health", "names"),
    [
        ({"path": "/health", "readiness": "/ready", "websocket": "/ws"}, ["health", "readiness", "websocket"]),
        ({"path": "/health", "readiness": "", "websocket": ""}, ["health"]),
        ({"path": "", "readiness": "", "websocket": "/ws"}, ["websocket"]),
    ],
)
def test_only_paths_that_are_given_are_asked(health, names):
    assert [check.name for check in tester.checks_of(health, 5.0)] == names


@pytest.mark.parametrize(
    ("said", "problems"),
    [
        ("blue/b1/v1", ["health: status 502"]),
        ("", ["health: status 502"]),
        ("green/g2/v2", ["health: status 502", "green/g2/v2 answered, expected blue/b1/"]),
    ],
)
def test_problems_of_a_look_and_who_answered(monkeypatch, said, problems):
    verdict = CheckVerdict("health", "GET /health", ["status 502"], 502, 4.2, 0.1, "")
    monkeypatch.setattr(tester, "run_smoke", lambda *_targets, **_options: [TargetVerdict("", (verdict,))])
    answer = SimpleNamespace(header=lambda _name: said)
    monkeypatch.setattr(tester, "probe_http", lambda *_where, **_options: answer)
    checks = tester.checks_of({"path": "/health", "readiness": "", "websocket": ""}, 5.0)
    assert tester.look_at(BLUE, checks, 5.0, "blue/b1/") == problems
