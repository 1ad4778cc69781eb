# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a colour that was left is stopped, and how long its release stays installed. Pure.

Times are seconds since 1970 by the host's own clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

SCHEDULED, CANCELLED, STOPPED = "scheduled", "cancelled", "stopped"
SOONEST = 2.0
"""Seconds: a timer that was over before it began would never act."""
AGAIN = 60
"""Seconds until a colour that still had connections is looked at again."""


class RetirementDamaged(GreenlightError):
    """What is known of a retirement cannot be read."""


@dataclass(frozen=True)
class Retirement:
    """What becomes of one colour on this host; the content of ``<colour>.json``.

    ``stop_at`` is when ``units`` are stopped, unless somebody is connected to ``ports``; ``installed_until`` is when
    the release may be removed.
    """

    app: str
    colour: str
    release: str
    units: tuple[str, ...]
    ports: tuple[int, ...]
    state: str
    stop_at: float
    installed_until: float

    @property
    def unit(self) -> str:
        """The name of its timer and its service, without their kind."""
        return f"greenlight-{self.app}-retire-{self.colour}"


def render(retirement: Retirement) -> str:
    """The text of its file."""
    return json.dumps(asdict(retirement), indent=2) + "\n"


def parse(text: str, where: str) -> Retirement:
    """The retirement in ``text``; :class:`RetirementDamaged` names ``where`` when it is none."""
    try:
        data = json.loads(text)
        return Retirement(**{**data, "units": tuple(data["units"]), "ports": tuple(map(int, data["ports"]))})
    except (ValueError, KeyError, TypeError) as error:
        raise RetirementDamaged(
            f"it cannot be read ({error})", where=where, do="remove the file; the colour then stays as it is"
        ) from None


def waits(known: Retirement | None, wanted: Retirement) -> bool:
    """Whether ``wanted`` waits already; of two times the earlier one counts."""
    if known is None or wanted.stop_at < known.stop_at:
        return False
    return replace(known, stop_at=0.0, installed_until=0.0) == replace(wanted, stop_at=0.0, installed_until=0.0)


def describe(retirement: Retirement | None, now: float) -> str:
    """One sentence for people."""
    if retirement is None:
        return "no retirement is known"
    stays = f"{retirement.release} stays installed until {_clock(retirement.installed_until)}"
    left = max(0.0, retirement.stop_at - now)
    what = {
        SCHEDULED: f"stopped in {left:.0f} s, at {_clock(retirement.stop_at)}",
        CANCELLED: "not retired any more",
        STOPPED: "stopped",
    }
    return f"{retirement.colour} is {what[retirement.state]}; {stays}"


def timer(retirement: Retirement) -> str:
    """The unit that waits, also over a reboot: what was missed meanwhile is done at the boot."""
    return f"""\
# Written by greenlight.deploy.
[Unit]
Description=Stop {retirement.colour} of {retirement.app}, which has no clients any more

[Timer]
OnCalendar={_calendar(retirement.stop_at)}
Persistent=yes
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def service(retirement: Retirement, python: str, script: str, file: str) -> str:
    """The unit that stops the colour, or looks again later when somebody is still connected to it."""
    return f"""\
# Written by greenlight.deploy.
[Unit]
Description=Stop {retirement.colour} of {retirement.app}, which has no clients any more
ConditionPathExists={file}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={python} {script} {file}
Restart=on-failure
RestartSec={AGAIN}
"""


def kept(releases: Mapping[str, float], now: float) -> dict[str, float]:
    """The ``releases`` that must stay installed now, each with its end."""
    return {release: until for release, until in releases.items() if until > now}


def _calendar(at: float) -> str:
    return f"{datetime.fromtimestamp(math.ceil(at), timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
