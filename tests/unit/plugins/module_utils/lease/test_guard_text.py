# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock, guard_text
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import parse_returned
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state, settled

BOOT = clock.boot()
OVER, HOLDS = f"{BOOT} 1\n", f"{BOOT} 99999999999\n"


class Proxy:
    """The script with real files, and a systemctl that only writes down what it is told."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout("shop", root)
        self.traffic = TrafficFiles(self.layout.traffic)
        (self.layout.traffic / "states").mkdir(parents=True)
        self.layout.deployment.mkdir()
        self.layout.script.write_text(guard_text.script(self.layout))
        self.told = root / "told"
        (root / "bin").mkdir()
        (root / "bin/systemctl").write_text(f'#!/bin/sh\necho "$@" >> {self.told}\n')
        (root / "bin/systemctl").chmod(0o755)
        self.path = f"{root / 'bin'}:{os.environ['PATH']}"
        self.traffic.switch(settled("blue"))

    def begin(self, state: str, lease: str) -> None:
        self.traffic.switch(parse_state(state))
        self.layout.guard.write_text("blue d1 120\n")
        self.layout.lease.write_text(lease)

    def look(self) -> str:
        words = ["/bin/sh", str(self.layout.script)]
        done = subprocess.run(words, env={"PATH": self.path}, capture_output=True, text=True, check=True, timeout=20)
        assert done.stderr == ""
        return done.stdout

    @property
    def armed(self) -> bool:
        return self.layout.guard.exists()

    @property
    def state(self) -> str:
        return self.traffic.state().name


@pytest.fixture
def proxy(tmp_path):
    return Proxy(tmp_path)


@pytest.mark.parametrize("lease", [OVER, "another-boot 99999999999\n", "", f"{BOOT}\n", f"{BOOT} soon\n"])
def test_a_lease_that_is_over_brings_the_clients_home_once(proxy, lease):
    proxy.begin("green-10", lease)
    said = proxy.look()
    assert proxy.state == "blue"
    assert (
        said
        == "<4>shop: all clients go to blue again (it was green-10): no sign of life from the controller for 120 s\n"
    )
    report = parse_returned(proxy.layout.returned.read_text())
    assert (report.source, report.home, report.deployment) == ("green-10", "blue", "d1")
    assert not proxy.armed
    assert proxy.told.read_text() == "disable --quiet --now greenlight-shop-return.timer\n"
    assert json.loads(proxy.layout.journal.read_text())["data"]["to"] == "blue"
    assert proxy.look() == ""


def test_a_lease_that_is_not_there_is_over(proxy):
    proxy.begin("green-100", OVER)
    proxy.layout.lease.unlink()
    proxy.look()
    assert proxy.state == "blue"


def test_while_the_lease_holds_nothing_happens(proxy):
    proxy.begin("green-10", HOLDS)
    assert proxy.look() == ""
    assert (proxy.state, proxy.armed, proxy.told.exists()) == ("green-10", True, False)


@pytest.mark.parametrize("state", ["green", "blue", "none"])
def test_a_shift_that_was_settled_is_left_alone(proxy, state):
    proxy.begin(state, OVER)
    assert proxy.look() == ""
    assert (proxy.state, proxy.armed, proxy.layout.returned.exists()) == (state, False, False)


def test_one_that_is_not_armed_does_nothing(proxy):
    proxy.begin("green-10", OVER)
    proxy.layout.guard.unlink()
    assert proxy.look() == ""
    assert proxy.state == "green-10"


def test_a_change_of_the_traffic_is_waited_for_and_looked_at_again(proxy):
    proxy.begin("green-10", OVER)
    with proxy.traffic.locked():
        words = ["/bin/sh", str(proxy.layout.script)]
        waiting = subprocess.Popen(words, env={"PATH": proxy.path}, stdout=subprocess.PIPE, close_fds=True)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=0.3)
        proxy.traffic.switch(settled("green"))
    assert waiting.communicate(timeout=10)[0] == b""
    assert proxy.state == "green"


def test_a_journal_that_was_torn_does_not_swallow_the_entry(proxy):
    proxy.begin("green-10", OVER)
    proxy.layout.journal.write_text('{"at": "t')
    proxy.look()
    assert json.loads(proxy.layout.journal.read_text().splitlines()[-1])["event"] == "returned"


def test_a_report_that_cannot_be_written_does_not_keep_the_clients_away(proxy):
    proxy.begin("green-10", OVER)
    proxy.layout.returned.with_name("returned.json.next").mkdir()
    proxy.look()
    assert proxy.state == "blue"


def test_the_units_start_nothing_but_the_script():
    layout = Layout("shop")
    service, timer = guard_text.service(layout), guard_text.timer(layout)
    assert "ExecStart=/bin/sh /var/lib/greenlight/shop/deployment/return\n" in service
    assert "ConditionPathExists=/var/lib/greenlight/shop/deployment/guard\n" in service
    assert "WantedBy=timers.target" in timer
