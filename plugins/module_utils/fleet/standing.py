# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the clients of the fleet stand, by the records of its proxies, also when a run was killed between two. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Traffic = Mapping[str, Any]
OTHER = {"blue": "green", "green": "blue"}


@dataclass(frozen=True)
class Shift:
    """A shift that did not end: away from ``serving``, to ``candidate``.

    ``share`` is the smallest of all proxies, in percent; ``settled``: one of them has given it all clients for good.
    """

    serving: str
    candidate: str
    share: int
    settled: bool


@dataclass(frozen=True)
class Standing:
    """``home`` is the colour to which all clients belong, empty when nobody is served.

    ``astray`` are the proxies that are not settled on it; ``shift`` is what could be gone on with. ``releases`` (by
    colour) and ``bad`` (release ids) are what all proxies together know.
    """

    home: str
    astray: tuple[str, ...]
    shift: Shift | None
    releases: Mapping[str, Mapping[str, Any]]
    bad: tuple[str, ...]

    def is_bad(self, colour: str) -> bool:
        """Whether the release of ``colour`` was left behind as bad."""
        return self.releases.get(colour, {}).get("id") in self.bad


def stand(proxies: Mapping[str, Traffic]) -> Standing:
    """The standing of a fleet, from what ``traffic_info`` said on each proxy.

    Where proxies differ, the one that was changed last knows where the fleet was going.
    """
    records = sorted(proxies.values(), key=_age)
    releases = {
        colour: release for record in records for colour, release in (record.get("releases") or {}).items() if release
    }
    bad = tuple(dict.fromkeys(release for record in records for release in record.get("bad") or []))
    found = Standing("", (), None, releases, bad)
    home = _home(records, found)
    return Standing(
        home,
        tuple(host for host, record in proxies.items() if _serving(record) != home or record.get("candidate")),
        _shift(records),
        releases,
        bad,
    )


def _age(record: Traffic) -> tuple[str, int]:
    return str(record.get("updated") or ""), int(record.get("share") or 0)


def _serving(record: Traffic) -> str:
    return str(record.get("serving") or "")


def _home(records: Sequence[Traffic], standing: Standing) -> str:
    """The colour of the proxy that was changed last, unless its release is bad and another one's is not."""
    served = [colour for record in reversed(records) if (colour := _serving(record))]
    return next((colour for colour in served if not standing.is_bad(colour)), _serving(records[-1]))


def _shift(records: Sequence[Traffic]) -> Shift | None:
    """The one shift that all proxies have a part in, or None."""
    served = {_serving(record) for record in records}
    candidates = {str(record["candidate"]) for record in records if record.get("candidate")}
    if not candidates and served == set(OTHER):
        candidates = {_serving(records[-1])}
    if len(candidates) != 1 or "" in served:
        return None
    candidate = candidates.pop()
    return Shift(
        serving=OTHER[candidate],
        candidate=candidate,
        share=min(_share(record, candidate) for record in records),
        settled=any(_serving(record) == candidate for record in records),
    )


def _share(record: Traffic, candidate: str) -> int:
    if record.get("candidate"):
        return int(record["share"])
    return 100 if _serving(record) == candidate else 0
