# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemctl and journalctl are told."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.services import systemd as systemds

SHOWN = "Id=a@1.service\nLoadState=loaded\nActiveState=active\nMainPID=7\n"


@pytest.fixture
def told(monkeypatch):
    """The command lines, and what they print by their first two words."""
    lines: list[list[str]] = []
    prints = {"systemctl show": SHOWN}

    def run(argv, _context, **_options):
        lines.append(list(argv))
        return prints.get(" ".join(argv[:2]), "")

    monkeypatch.setattr(systemds, "run", run)
    return lines, prints


@pytest.fixture
def systemd(tmp_path):
    return systemds.Systemd(30.0, tmp_path)


def test_one_question_for_all_units_and_an_answer_for_each(told, systemd):
    states = systemd.show(["a@1.service", "a@2.service"])
    assert len(told[0]) == 1
    assert told[0][0][-2:] == ["a@1.service", "a@2.service"]
    assert states["a@1.service"].running
    assert states["a@2.service"].load == "not-found"


def test_nothing_is_asked_or_told_for_no_unit(told, systemd):
    assert systemd.show([]) == {}
    for tell in (systemd.start, systemd.stop, systemd.enable, systemd.disable):
        tell([])
    assert told[0] == []


def test_failures_of_before_are_forgotten_at_a_start(told, systemd):
    systemd.start(["a@1.service"])
    assert [line[1] for line in told[0]] == ["reset-failed", "restart"]


def test_instances_are_those_that_run_and_those_that_a_boot_would_start(told, systemd, tmp_path):
    told[1]["systemctl list-units"] = "a@1.service loaded active running A\n"
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    (wants / "a@2.service").write_text("")
    (wants / "ab@3.service").write_text("")
    assert systemd.instances("a@.service") == ["a@1.service", "a@2.service"]


def test_the_journal_since_the_start(told, systemd):
    systemd.journal("a@1.service", 1800000000.9)
    assert "--since=@1800000000" in told[0][0]
    assert "--lines=20" in told[0][0]
    assert "--unit=a@1.service" in told[0][0]
