# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packet filter on a host whose nft and systemd are played."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services import nftables
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

UNIT = "greenlight-app-firewall.service"


class Kernel:
    """Takes rules files, or refuses them; remembers what it was told."""

    def __init__(self) -> None:
        self.table = ""
        self.refuses = False
        self.told: list[str] = []

    def run(self, argv, _context, **_options) -> str:
        self.told.append(argv[1])
        if self.refuses and argv[1] != "list":
            raise CommandFailed("ended with status 1: Operation not permitted")
        if argv[1] == "--file":
            self.table = Path(argv[2]).read_text()
        return self.table if argv[1] == "list" else ""


class Systemd:
    """Enough of systemd for one unit."""

    def __init__(self, folder: Path, kernel: Kernel) -> None:
        self.folder = folder
        self.kernel = kernel
        self.enabled = False

    def show(self, names):
        active = "active" if self.enabled else "inactive"
        return {name: UnitState(name, "loaded", active, enabled=self.enabled) for name in names}

    def reload(self) -> None:
        """Nothing to read."""

    def start(self, _names) -> None:
        """Loaded already."""

    def enable(self, _names) -> None:
        self.enabled = True

    def disable(self, _names) -> None:
        self.enabled = False

    def stop(self, _names) -> None:
        self.kernel.table = ""


@pytest.fixture
def kernel(monkeypatch):
    kernel = Kernel()
    monkeypatch.setattr(nftables, "run", kernel.run)
    monkeypatch.setattr(nftables.shutil, "which", lambda program: program)
    return kernel


@pytest.fixture
def systemd(tmp_path, kernel):
    folder = tmp_path / "systemd"
    folder.mkdir()
    return Systemd(folder, kernel)


@pytest.fixture
def wanted(tmp_path):
    return nftables.Firewall("app", tmp_path / "etc", "table inet x { chain input_1 {} }\n", "input_1")


def test_rules_are_in_force_now_and_at_the_next_boot(wanted, systemd, kernel):
    assert not wanted.in_force(systemd)
    assert wanted.load(systemd) == "loaded"
    assert wanted.in_force(systemd)
    assert systemd.enabled
    assert (systemd.folder / UNIT).exists()


@pytest.mark.parametrize("loss", ["table", "file", "unit", "boot"])
def test_what_was_lost_is_seen(wanted, systemd, kernel, loss):
    wanted.load(systemd)
    if loss == "table":
        kernel.table = ""
    elif loss == "file":
        (wanted.folder / "firewall.nft").unlink()
    elif loss == "unit":
        (systemd.folder / UNIT).write_text("other")
    else:
        systemd.enabled = False
    assert not wanted.in_force(systemd)


def test_rules_that_are_no_longer_wanted_go(wanted, systemd, kernel):
    wanted.load(systemd)
    none = nftables.Firewall("app", wanted.folder, "", "")
    assert not none.in_force(systemd)
    assert none.load(systemd) == "none"
    assert none.in_force(systemd)
    assert kernel.table == ""
    assert list(systemd.folder.iterdir()) == []


def test_a_trial_leaves_nothing(wanted, kernel):
    wanted.require_usable()
    assert kernel.told == ["--check"]
    assert list(wanted.folder.iterdir()) == []


def test_a_kernel_that_refuses_is_told_before_any_change(wanted, kernel):
    kernel.refuses = True
    with pytest.raises(nftables.FirewallUnusable, match=r"not permitted(.|\n)*set firewall to false"):
        wanted.require_usable()
    assert list(wanted.folder.iterdir()) == []


def test_a_host_without_nft_is_told_what_to_install(wanted, kernel, monkeypatch):
    monkeypatch.setattr(nftables.shutil, "which", lambda _program: None)
    with pytest.raises(InvalidInput, match="install the package nftables"):
        wanted.require_usable()


def test_nothing_is_tried_where_nothing_is_wanted(tmp_path, kernel):
    nftables.Firewall("app", tmp_path / "etc", "", "").require_usable()
    assert kernel.told == []
