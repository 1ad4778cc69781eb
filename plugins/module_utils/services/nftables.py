# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The application's own nftables table on this host, loaded now and at every boot."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import (
    CommandFailed,
    GreenlightError,
    InvalidInput,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services import units
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd

NFT = "/usr/sbin/nft"
UNCHANGED, LOADED, NONE = "unchanged", "loaded", "none"


class FirewallUnusable(GreenlightError):
    """The kernel or the program refused the rules."""


@dataclass(frozen=True)
class Firewall:
    """The rules of one application; ``text`` is empty where none are wanted, ``chain`` shows that they are in force."""

    app: str
    folder: Path
    text: str
    chain: str

    @property
    def unit(self) -> str:
        """The unit that loads the rules."""
        return units.firewall_unit_name(self.app)

    @property
    def _rules(self) -> Path:
        return self.folder / "firewall.nft"

    def in_force(self, systemd: Systemd) -> bool:
        """Whether the host is as wanted: these rules in the kernel and at the next boot, or no trace of any."""
        file = systemd.folder / self.unit
        if not self.text:
            return not file.exists() and not self._rules.exists()
        state = systemd.show([self.unit])[self.unit]
        return (
            _text(self._rules) == self.text
            and _text(file) == self._unit_text()
            and state.enabled
            and state.active == "active"
            and self.chain in _table(self.app)
        )

    def require_usable(self) -> None:
        """Ask nft whether it would take the rules; :class:`FirewallUnusable` when not."""
        if not self.text:
            return
        if not shutil.which(NFT):
            raise InvalidInput(
                f"there is no {NFT}",
                where="firewall",
                expected="nftables, since the instances listen on a network address",
                do="install the package nftables, or set firewall to false and guard the ports yourself",
            )
        probe = self.folder / "firewall.check.nft"
        self.folder.mkdir(parents=True, exist_ok=True)
        tree.write_atomically(probe, self.text, 0o644)
        try:
            self._nft("--check", "--file", str(probe))
        finally:
            probe.unlink(missing_ok=True)

    def load(self, systemd: Systemd) -> str:
        """Put the rules in force and on disk; returns ``loaded`` or ``none``."""
        if not self.text:
            self.remove(systemd)
            return NONE
        self.folder.mkdir(parents=True, exist_ok=True)
        tree.write_atomically(self._rules, self.text, 0o644)
        tree.write_atomically(systemd.folder / self.unit, self._unit_text(), 0o644)
        self._nft("--file", str(self._rules))
        systemd.reload()
        systemd.enable([self.unit])
        systemd.start([self.unit])
        if self.chain not in _table(self.app):
            raise FirewallUnusable(
                "the rules were loaded but are not in force",
                where=f"table inet {units.table_name(self.app)}",
                do=f"see `systemctl status {self.unit}`, or set firewall to false and guard the ports yourself",
            )
        return LOADED

    def remove(self, systemd: Systemd) -> None:
        """Take the table, its unit and its file away."""
        file = systemd.folder / self.unit
        if file.exists():
            systemd.disable([self.unit])
            systemd.stop([self.unit])
            file.unlink()
            systemd.reload()
        self._rules.unlink(missing_ok=True)

    def _unit_text(self) -> str:
        return units.firewall_unit(self.app, str(self._rules))

    def _nft(self, *words: str) -> None:
        try:
            run([NFT, *words], Context(Path("/"), timeout=30.0))
        except CommandFailed as error:
            raise FirewallUnusable(
                f"nft does not take the rules: {error.what.strip()}",
                where=f"table inet {units.table_name(self.app)}",
                expected="a kernel with nftables, and the right to change it",
                do="set firewall to false and guard the ports yourself",
            ) from error


def _table(app: str) -> str:
    """What the kernel has for the application's table, empty when there is none."""
    if not shutil.which(NFT):
        return ""
    return run([NFT, "list", "table", "inet", units.table_name(app)], Context(Path("/"), timeout=30.0), allowed=(0, 1))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
