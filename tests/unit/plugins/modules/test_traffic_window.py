# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import Decision
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision_file import write_decision
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.probes import Looked
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import shifting
from ansible_collections.greenlight.deploy.plugins.modules import traffic_window
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.gate.test_lines import line
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT, TOKEN

ASKED = {"app": "mobile-sync", "colour": "green"}


@pytest.fixture
def proxy(tmp_path, monkeypatch):
    """A proxy below a directory; ``probers`` are those that were made, and see nothing wrong."""
    layout = Layout("mobile-sync", tmp_path)
    files = TrafficFiles(layout.traffic)
    (files.directory / "states").mkdir(parents=True)
    files.write_contact(CONTACT)
    files.switch(shifting("green", 10))
    layout.log.parent.mkdir(parents=True)
    layout.log.write_bytes(line())
    seen = SimpleNamespace(layout=layout, probers=[], now=0.0)

    def prober(endpoint, health, served_by, timeout):
        seen.probers.append((endpoint, health, served_by, timeout))
        return SimpleNamespace(look=lambda: Looked(Figures(requests=2)), further=lambda *counts: Figures())

    def sleep(seconds):
        seen.now += seconds

    monkeypatch.setattr(traffic_window, "Layout", lambda app: Layout(app, tmp_path))
    monkeypatch.setattr(traffic_window, "Prober", prober)
    clock = SimpleNamespace(monotonic=lambda: seen.now, sleep=sleep, process_time=lambda: 0.25)
    monkeypatch.setattr(traffic_window, "time", clock)
    return seen


def test_from_where_the_call_before_stopped(run_module, proxy):
    first = run_module(traffic_window, ASKED)
    assert (first["changed"], first["colours"]["green"]["requests"], first["state"]) == (False, 0, "green-10")
    with proxy.layout.log.open("ab") as log:
        log.write(line() + line(status="500"))
    second = run_module(traffic_window, {**ASKED, "since": first["cursor"], "seconds": 8})
    green = second["colours"]["green"]
    assert (green["requests"], green["errors"], second["seconds"], second["cpu_seconds"]) == (2, 1, 8.0, 0.25)
    assert (second["decision"], second["gap"], second["unreadable"]) == (None, False, 0)


def test_probes_go_through_this_proxy_as_a_tester(run_module, proxy):
    health = {"readiness": "/readiness", "websocket": "/ws"}
    taken = run_module(traffic_window, {**ASKED, "release": "r1", "health": health})
    ((endpoint, paths, served_by, timeout),) = proxy.probers
    assert endpoint.headers == (("X-Greenlight-Tester", TOKEN), ("X-Greenlight-Colour", "green"))
    assert (paths["path"], served_by, timeout, taken["probes"]["requests"]) == ("/health", "green/r1/", 5.0, 2)
    assert run_module(traffic_window, {**ASKED, "probe": False})["probes"] is None


def test_check_mode_does_not_wait(run_module, proxy):
    assert run_module(traffic_window, {**ASKED, "seconds": 60}, check=True)["seconds"] == 0


def test_the_decision_of_a_person_comes_with_it(run_module, proxy):
    write_decision(proxy.layout, Decision("1", "abort", "late", "alice", "now"))
    assert run_module(traffic_window, ASKED)["decision"]["by"] == "alice"


def test_what_is_missing_is_said(run_module, proxy):
    Path(proxy.layout.log).unlink()
    assert "the access log cannot be read" in run_module(traffic_window, ASKED)["msg"]
    assert "not installed on this proxy" in run_module(traffic_window, {**ASKED, "app": "shop"})["msg"]
