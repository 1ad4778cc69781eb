# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the files about the deployment of one application lie on a proxy; for root only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SYSTEMD = Path("etc/systemd/system")


@dataclass(frozen=True)
class Layout:
    """``root`` is ``/``, or a directory of a test."""

    app: str
    root: Path = Path("/")

    @property
    def deployment(self) -> Path:
        """Everything below but the units."""
        return self.root / "var/lib/greenlight" / self.app / "deployment"

    @property
    def traffic(self) -> Path:
        """State files of the traffic, see the package traffic."""
        return self.root / "var/lib/greenlight" / self.app / "traffic"

    @property
    def lock(self) -> Path:
        """Who may change the application."""
        return self.deployment / "lock.json"

    @property
    def journal(self) -> Path:
        """What was done, one JSON object a line."""
        return self.deployment / "journal.jsonl"

    @property
    def record(self) -> Path:
        """How far the deployment came."""
        return self.deployment / "deployment.json"

    @property
    def guard(self) -> Path:
        """Where the clients go when the controller is gone. Without this file the switch does nothing."""
        return self.deployment / "guard"

    @property
    def lease(self) -> Path:
        """Until when the controller is taken for alive."""
        return self.deployment / "lease"

    @property
    def script(self) -> Path:
        """What gives the clients back."""
        return self.deployment / "return"

    @property
    def returned(self) -> Path:
        """What the script did."""
        return self.deployment / "returned.json"

    @property
    def unit(self) -> str:
        """Name of the units, without their kind."""
        return f"greenlight-{self.app}-return"

    @property
    def service(self) -> Path:
        """Runs the script once."""
        return self.root / SYSTEMD / f"{self.unit}.service"

    @property
    def timer(self) -> Path:
        """Runs it again and again, also after a boot."""
        return self.root / SYSTEMD / f"{self.unit}.timer"
