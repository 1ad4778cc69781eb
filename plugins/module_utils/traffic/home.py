# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the clients of one proxy go back to, from its record. Pure: clock and sleep are given.

A record is the mapping that ``traffic_info`` returns, or ``Record.as_dict()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS

POLL_SECONDS = 0.5
OTHER: dict[str, str] = {COLOURS[0]: COLOURS[1], COLOURS[1]: COLOURS[0]}

Seen = Mapping[str, Any]


def home_of(seen: Seen, where: str = "rollback") -> str:
    """The colour to go back to: of before the shift that is under way, else the last good one.

    Where the dead-man's switch acted, it is the colour to which it gave the clients. :class:`InvalidInput` when there
    is none.
    """
    home = find_home(seen)
    if not home:
        serving = seen.get("serving")
        raise InvalidInput(
            f"{serving} serves and there is no earlier good version to go back to"
            if serving
            else "nothing is served yet",
            where=where,
            expected="a version that served before",
            do="deploy the version that you want with site.yml",
        )
    return home


def find_home(seen: Seen) -> str:
    """The same, empty when there is none."""
    if seen.get("candidate"):
        return str(seen["serving"])
    if seen.get("returned"):
        return str(seen["returned"]["to"])
    return str(seen.get("previous") or _standby(seen))


def way_to(colour: str, seen: Seen) -> dict[str, str]:
    """The way to a colour: which release it has, and which release is left.

    Keys ``colour``, ``left``, ``release``, ``version``, ``left_release``, ``left_version``; :class:`InvalidInput` when
    the colour has no release or a bad one.
    """
    releases = seen.get("releases") or {}
    back, left = releases.get(colour) or {}, releases.get(OTHER[colour]) or {}
    if not back:
        raise InvalidInput(f"{colour} has no release", where="rollback", expected="a colour that has served")
    require_not_bad(back["id"], seen)
    return {
        "colour": colour,
        "left": OTHER[colour],
        "release": back["id"],
        "version": back.get("ref", ""),
        "left_release": left.get("id", ""),
        "left_version": left.get("ref", ""),
    }


def require_not_bad(release: str, seen: Seen) -> None:
    """:class:`InvalidInput` when ``release`` was marked as bad."""
    if release in seen.get("bad", ()):
        raise InvalidInput(
            f"{release} was left as bad before",
            where="rollback",
            expected="a release that was good",
            do="deploy a mended version with site.yml",
        )


def is_home(colour: str, seen: Seen) -> bool:
    """Whether all clients are with ``colour`` already."""
    return seen.get("serving") == colour and not seen.get("candidate")


def wait_until_well(
    look: Callable[[], Sequence[str]], seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> list[str]:
    """Look until nothing is wrong or ``seconds`` have passed; the problems of the last look."""
    began = clock()
    while (problems := list(look())) and clock() - began < seconds:
        sleep(min(POLL_SECONDS, max(0.0, seconds - (clock() - began))))
    return problems


def _standby(seen: Seen) -> str:
    """The idle colour where it has a release that served well: it was put back there after a deployment that failed."""
    colour = OTHER.get(seen.get("serving") or "", "")
    release = (seen.get("releases") or {}).get(colour) or {}
    return colour if release.get("status") == "good" and release.get("id") not in seen.get("bad", ()) else ""
