# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.modules import host_info


@pytest.fixture
def described(monkeypatch):
    """What the module looked for; the host is a made-up one with nginx on its ports."""
    looked = []

    def describe(*arguments):
        looked.append(arguments)
        return {"time": 1.5, "nginx": "1.22.1", "requires": []}

    holders = [
        Listener("0.0.0.0", 80, "nginx", 812, "nginx.service"),
        Listener("::", 443, "nginx", 812, "nginx.service"),
    ]
    monkeypatch.setattr(host_info.host, "describe", describe)
    monkeypatch.setattr(host_info, "listeners", lambda: holders)
    return looked


def test_what_was_seen_and_who_holds_the_ports(run_module, described):
    result = run_module(host_info, {})
    assert (result["changed"], result["time"], result["nginx"]) == (False, 1.5, "1.22.1")
    assert result["ports"]["443"] == {
        "address": "::", "port": 443, "program": "nginx", "pid": 812, "unit": "nginx.service"
    }  # fmt: skip
    assert sorted(result["ports"]) == ["443", "80"]
    assert described == [("python3", [], "/opt", 5.0)]


def test_the_parameters_reach_the_look_at_the_host(run_module, described):
    wanted = {"python": "python3.12", "requires": ["tcp://192.0.2.5:5432"], "folder": "/srv", "timeout": 2}
    run_module(host_info, wanted, check=True)
    assert described == [("python3.12", ["tcp://192.0.2.5:5432"], "/srv", 2.0)]


def test_what_it_has_of_an_application_is_told_with_it(run_module, described, monkeypatch):
    asked = []
    monkeypatch.setattr(host_info, "presence", lambda *arguments: asked.append(arguments) or {"answers": True})
    result = run_module(host_info, {"app": "shop", "health": {"readiness": "/ready"}, "timeout": 2})
    assert result["answers"] is True
    assert asked == [("shop", "/opt", {"path": "/health", "readiness": "/ready", "websocket": ""}, 2.0)]
