# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person decided when the gate could not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput

PROMOTE, ABORT = "promote", "abort"


@dataclass(frozen=True)
class Decision:
    """``decision`` is ``promote`` or ``abort``; ``id`` differs from decision to decision; ``at`` is UTC."""

    id: str
    decision: str
    reason: str
    by: str
    at: str

    @property
    def promotes(self) -> bool:
        """Whether the deployment shall go on."""
        return self.decision == PROMOTE

    @property
    def sentence(self) -> str:
        """Who decided what, and why."""
        return f"{self.by} decided to {self.decision} at {self.at}: {self.reason}"

    def as_dict(self) -> dict[str, str]:
        """For a file or a module's result; :func:`decision_of` reads it."""
        return asdict(self)


def checked(decision: Decision) -> Decision:
    """The decision, refused without a reason: it is what others read afterwards."""
    if not decision.reason.strip():
        raise InvalidInput("there is no reason", where="reason", expected="a sentence that says why")
    return decision


def decision_of(data: Mapping[str, Any]) -> Decision:
    """The decision in a module's result."""
    return Decision(**{name: str(data[name]) for name in ("id", "decision", "reason", "by", "at")})


def parse(text: str, where: str) -> Decision:
    """The decision in a file."""
    try:
        return decision_of(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise GreenlightError(
            f"the decision cannot be read ({error})", where=where, do="decide again with decide.yml"
        ) from None


def render(decision: Decision) -> str:
    """The text of the file."""
    return json.dumps(decision.as_dict(), indent=2) + "\n"
