# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.retire import stopper

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 154D630A:1FA5 0B4D630A:D2F0 01 00000000:00000000 00:00000000 00000000   990        0 111 1
   1: 154D630A:1FA5 00000000:0000 0A 00000000:00000000 00:00000000 00000000   990        0 112 1
   2: 154D630A:0016 0B4D630A:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 113 1
   3: 154D630A:1FA5 0B4D630A:D2F1 06 00000000:00000000 00:00000000 00000000     0        0 0 1
"""


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host whose blue is to be stopped at second 100."""
    seen = SimpleNamespace(file=tmp_path / "blue.json", now=101.0, connected=[], ran=[])
    told = {"colour": "blue", "release": "b1", "state": "scheduled", "stop_at": 100.0, "ports": [8101], "units": ["u"]}
    seen.file.write_text(json.dumps(told))
    monkeypatch.setattr(stopper.time, "time", lambda: seen.now)
    monkeypatch.setattr(stopper.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(stopper, "connections", lambda ports: seen.connected.pop(0) if seen.connected else 0)
    monkeypatch.setattr(stopper.subprocess, "run", lambda argv, check: seen.ran.append(argv))
    return seen


def state(host):
    return json.loads(host.file.read_text())["state"]


def test_its_time_is_over(host):
    assert stopper.main(host.file) == 0
    assert host.ran == [["systemctl", "disable", "--quiet", "--now", "--", "u"]]
    assert state(host) == "stopped"
    assert stopper.main(host.file) == 0
    assert len(host.ran) == 1


def test_it_was_called_back(host):
    host.file.write_text(host.file.read_text().replace("scheduled", "cancelled"))
    assert (stopper.main(host.file), host.ran, state(host)) == (0, [], "cancelled")


def test_its_time_has_not_come(host):
    host.now = 50.0
    assert (stopper.main(host.file), host.ran, state(host)) == (0, [], "scheduled")


def test_somebody_is_connected_so_that_it_is_looked_at_again(host):
    host.connected = [0, 0, 3]
    assert (stopper.main(host.file), host.ran, state(host)) == (stopper.LATER, [], "scheduled")


def test_established_connections_to_its_ports_count(tmp_path):
    (tmp_path / "tcp").write_text(TABLE)
    assert stopper.connections({8101, 8102}, tmp_path) == 1
