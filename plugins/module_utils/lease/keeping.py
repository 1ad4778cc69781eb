# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a lock is renewed next, and whether it still can be relied on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

_AGAIN = 5  # seconds until a renewal that failed is tried again


@dataclass(frozen=True)
class Keeping:
    """One lock that is being renewed; times are seconds of the controller's clock.

    ``renewed`` is the last success, ``due`` the next attempt; ``trouble`` says why the last attempt failed, ``lost``
    why there is nothing to renew any more, ``returned`` what the dead-man's switch did (the lock goes on).
    """

    lease: int
    heartbeat: int
    renewed: float
    due: float
    trouble: str = ""
    lost: str = ""
    returned: str = ""

    @property
    def patience(self) -> int:
        """Seconds that one attempt may take."""
        return max(self.heartbeat, 15)

    def succeeded(self, now: float, returned: str = "") -> Keeping:
        """After a renewal."""
        return replace(self, renewed=now, due=now + self.heartbeat, trouble="", returned=returned or self.returned)

    def failed(self, now: float, trouble: str) -> Keeping:
        """After an attempt that got no answer, or a bad one."""
        return replace(self, due=now + min(_AGAIN, self.heartbeat), trouble=trouble)

    def gone(self, why: str) -> Keeping:
        """After the answer that the lock is another's."""
        return replace(self, lost=why)

    def problem(self, now: float, *, alive: bool) -> str:
        """Why the lock cannot be relied on; empty when it can. ``alive``: whether somebody still renews it."""
        if self.lost or self.returned:
            return self.lost or self.returned
        if self.lease and now - self.renewed > self.lease:
            return f"its lock could not be renewed for {now - self.renewed:.0f} s: {self.trouble or 'no answer'}"
        return "" if alive else "the process that renews its lock has ended"


def begun(lease: int, heartbeat: int, now: float) -> Keeping:
    """A lock that was taken just now."""
    return Keeping(lease, heartbeat, renewed=now, due=now + heartbeat)
