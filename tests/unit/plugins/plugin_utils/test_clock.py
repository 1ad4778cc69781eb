# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.plugin_utils import clock


def test_seconds_count_from_the_start_of_the_process_above():
    first = clock.seconds_since_start()
    assert 0 <= first <= clock.seconds_since_start()


def test_ticks_are_compared_with_the_time_since_boot(tmp_path, monkeypatch):
    (tmp_path / "uptime").write_text("9.50 1.00\n")
    monkeypatch.setattr(clock, "UPTIME", tmp_path / "uptime")
    monkeypatch.setattr(clock.processes, "process", lambda _pid: SimpleNamespace(started="500"))
    monkeypatch.setattr(clock.os, "sysconf", lambda _name: 100)
    assert clock.seconds_since_start() == 4.5


@pytest.mark.parametrize("started", ["?", ""])
def test_without_a_start_it_is_what_this_process_has_used(monkeypatch, started):
    monkeypatch.setattr(clock.processes, "process", lambda _pid: SimpleNamespace(started=started))
    assert clock.seconds_since_start() >= 0
