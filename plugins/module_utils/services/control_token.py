# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file with the token that an application's instances on this host are asked with."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.tree import write_atomically

STATE_FOLDER = Path("/var/lib/greenlight")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class ControlToken:
    """Made once for an application on a host and kept, so that no deployment changes it."""

    def __init__(self, app: str, folder: Path = STATE_FOLDER) -> None:
        self._file = folder / app / "control-token"
        self._value = ""

    def value(self) -> str:
        """The token of the file, or a new one that :meth:`keep` writes."""
        self._value = self._value or self._read() or secrets.token_urlsafe(32)
        return self._value

    def keep(self) -> None:
        """Have the file hold the token, for root alone."""
        if self._read() != self.value():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, self.value() + "\n", 0o600)

    def forget(self) -> None:
        """Remove the file."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> str:
        try:
            text = self._file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        return text if _TOKEN.fullmatch(text) else ""
