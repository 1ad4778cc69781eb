# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd on this host: units asked, started and stopped, and what they wrote to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import PROPERTIES, UnitState, parse_show

UNIT_FOLDER = Path("/etc/systemd/system")
START_SECONDS = 60.0
JOURNAL_LINES = 20


class Systemd:
    """The host's service manager; ``stop_timeout`` is how long a unit may take to stop, in seconds."""

    def __init__(self, stop_timeout: float, folder: Path = UNIT_FOLDER) -> None:
        self.folder = folder
        self._quick = Context(Path("/"), timeout=START_SECONDS)
        self._patient = Context(Path("/"), timeout=START_SECONDS + 2 * stop_timeout)

    def show(self, units: Sequence[str]) -> dict[str, UnitState]:
        """The state of each of ``units``, also of those that do not exist."""
        if not units:
            return {}
        found = parse_show(self._systemctl("show", f"--property={','.join(PROPERTIES)}", "--", *units))
        return {unit: found.get(unit, UnitState(unit)) for unit in units}

    def instances(self, template: str) -> list[str]:
        """The instances of a template unit that are loaded or enabled."""
        prefix, _at, suffix = template.partition("@")
        listed = self._systemctl("list-units", "--all", "--plain", "--no-legend", "--full", f"{prefix}@*{suffix}")
        loaded = {line.split()[0] for line in listed.splitlines() if line.strip()}
        enabled = {path.name for path in self.folder.glob(f"*.wants/{prefix}@*{suffix}")}
        return sorted(loaded | enabled)

    def reload(self) -> None:
        """Read all unit files again."""
        self._systemctl("daemon-reload")

    def start(self, units: Sequence[str]) -> None:
        """Start or restart ``units`` side by side, their failures forgotten; whether they live is for the caller."""
        if units:
            run(["systemctl", "reset-failed", "--", *units], self._quick, allowed=(0, 1))
            run(["systemctl", "restart", "--", *units], self._patient, allowed=(0, 1, 5, 6))

    def stop(self, units: Sequence[str]) -> None:
        """Stop ``units`` side by side and forget their failures."""
        if units:
            run(["systemctl", "stop", "--", *units], self._patient, what="stopping " + ", ".join(units))
            run(["systemctl", "reset-failed", "--", *units], self._quick, allowed=(0, 1))

    def enable(self, units: Sequence[str]) -> None:
        """Have ``units`` started at boot."""
        if units:
            self._systemctl("enable", "--quiet", "--", *units)

    def disable(self, units: Sequence[str]) -> None:
        """No longer have ``units`` started at boot."""
        if units:
            self._systemctl("disable", "--quiet", "--", *units)

    def journal(self, unit: str, since: float) -> str:
        """The last lines that ``unit`` wrote since ``since`` (seconds since 1970)."""
        which = [f"--lines={JOURNAL_LINES}", f"--since=@{int(since)}", f"--unit={unit}"]
        return run(["journalctl", "--no-pager", "--quiet", "--output=cat", *which], self._quick, allowed=(0, 1))

    def _systemctl(self, *words: str) -> str:
        return run(["systemctl", *words], self._quick, what=f"systemctl {words[0]}")
