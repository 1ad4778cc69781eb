# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd says of units. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "MainPID",
    "NRestarts",
    "ExecMainStatus",
    "UnitFileState",
    "ActiveEnterTimestampMonotonic",
    "NeedDaemonReload",
)


@dataclass(frozen=True)
class UnitState:
    """A unit at one moment; ``active_since`` is in seconds of the host's monotonic clock, 0 when never active;
    ``outdated`` when its file has changed since systemd read it.
    """

    unit: str
    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    pid: int = 0
    restarts: int = 0
    exit_status: int = 0
    enabled: bool = False
    active_since: float = 0.0
    outdated: bool = False

    @property
    def running(self) -> bool:
        """Whether its main process runs now."""
        return self.active == "active" and self.pid > 0

    @property
    def up(self) -> bool:
        """Whether systemd has it started or is about to, as between two attempts of a crashing process."""
        return self.active in ("active", "activating", "reloading")

    def describe(self) -> str:
        """One line for people."""
        return (
            f"unit {self.active}/{self.sub}, result {self.result}, last exit status {self.exit_status}, "
            f"{self.restarts} restart{'' if self.restarts == 1 else 's'}"
        )


def parse_show(text: str) -> dict[str, UnitState]:
    """The blocks that ``systemctl show --property=...`` prints, by unit."""
    return {state.unit: state for state in map(_state, _blocks(text))}


def _blocks(text: str) -> Iterator[dict[str, str]]:
    for block in text.strip().split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        yield {name: value for name, separator, value in pairs if separator}


def _state(block: dict[str, str]) -> UnitState:
    return UnitState(
        unit=block.get("Id", ""),
        load=block.get("LoadState", "not-found"),
        active=block.get("ActiveState", "inactive"),
        sub=block.get("SubState", "dead"),
        result=block.get("Result", "success"),
        pid=int(block.get("MainPID") or 0),
        restarts=int(block.get("NRestarts") or 0),
        exit_status=int(block.get("ExecMainStatus") or 0),
        enabled=block.get("UnitFileState") in ("enabled", "enabled-runtime"),
        active_since=int(block.get("ActiveEnterTimestampMonotonic") or 0) / 1e6,
        outdated=block.get("NeedDaemonReload") == "yes",
    )
