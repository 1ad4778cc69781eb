# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of the whole fleet: which colour, which release, and whether everybody took it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.home import (
    OTHER,
    Seen,
    find_home,
    home_of,
    is_home,
    require_not_bad,
    way_to,
)

#: Seconds in which each kind of rollback has to be done.
BUDGETS: Mapping[str, int] = {"traffic": 60, "code": 600}
UNREACHABLE = "unreachable"


def decide(proxies: Mapping[str, Seen], named: str = "") -> dict[str, Any]:
    """The way of the traffic, from what ``traffic_info`` said on each proxy that was reached.

    All proxies go to the colour ``named``, or to the one home that they have. A proxy that is there already has no
    say. :class:`InvalidInput` when there is nothing to go back to or when the proxies do not agree.
    """
    if not proxies:
        raise InvalidInput("no proxy was reached", where="rollback", expected="at least one", do="see the errors above")
    colour = named or _agreed(proxies)
    away = next((seen for seen in proxies.values() if not is_home(colour, seen)), next(iter(proxies.values())))
    return way_to(colour, away)


def _agreed(proxies: Mapping[str, Seen]) -> str:
    homes = {host: find_home(seen) for host, seen in proxies.items()}
    wanted = sorted({home for home in homes.values() if home})
    if len(wanted) > 1:
        shown = ", ".join(f"{host} to {home}" for host, home in homes.items() if home)
        raise InvalidInput(
            f"the proxies would go back to different colours: {shown}",
            where="rollback",
            expected="one colour",
            do="name it: -e rollback_colour=blue or green",
        )
    stranded = (host for host, home in homes.items() if not home and wanted != [proxies[host].get("serving")])
    return next((home_of(proxies[host], host) for host in stranded), wanted[0] if wanted else "")


def colour_with(release: str, seen: Seen) -> str:
    """The colour that has ``release``, empty when none has; :class:`InvalidInput` when it is bad."""
    require_not_bad(release, seen)
    releases = seen.get("releases") or {}
    return next((colour for colour in OTHER if (releases.get(colour) or {}).get("id") == release), "")


@dataclass(frozen=True)
class Step:
    """What one proxy did.

    ``problem`` is empty when its clients are home. ``asleep``: the colour did not answer, so that it got no clients.
    ``points`` are the seconds of ``traffic_home``.
    """

    host: str
    problem: str = ""
    asleep: bool = False
    points: Mapping[str, float] = field(default_factory=dict)


def steps(hosts: Sequence[str], present: Collection[str], facts: Mapping[str, Mapping[str, Any]]) -> list[Step]:
    """What each of ``hosts`` did, from the results ``rollback_home`` and ``rollback_home_again`` among its facts.

    A host that is not ``present`` in the play any more was lost; one with a ``fleet_step_failure`` failed.
    """
    return [_step(host, facts[host]) if host in present else Step(host, UNREACHABLE) for host in hosts]


def _step(host: str, facts: Mapping[str, Any]) -> Step:
    failure = facts.get("fleet_step_failure")
    results = (facts.get(name) or {} for name in ("rollback_home_again", "rollback_home"))
    result = next((found for found in results if "home" in found), None)
    if failure or result is None:
        return Step(host, failure["reason"] if failure else UNREACHABLE)
    if not result["home"]:
        return Step(host, f"{result['way']['colour']} does not answer: {'; '.join(result['problems'])}", asleep=True)
    return Step(host, points=result["seconds"])


def points_of(done: Sequence[Step], elapsed: float) -> dict[str, float]:
    """When every proxy had the colour asked, had switched and had verified it, in seconds after the start.

    ``elapsed`` is now; a module's own seconds end there at the latest, so that no figure is too small.
    """
    seconds: dict[str, float] = {}
    for step in done:
        last = max(step.points.values(), default=0.0)
        for name, value in step.points.items():
            seconds[name] = max(seconds.get(name, 0.0), round(elapsed - (last - value), 1))
    return seconds


def ending(way: Mapping[str, str], taken: Sequence[Step], elapsed: float, budget: int) -> str:
    """How it ended, for people: who has the clients, after how long, and where it is still to be done."""
    undone, done = [step for step in taken if step.problem], [step for step in taken if not step.problem]
    served = f"{way.get('version') or way.get('release')} serves every client as {way.get('colour')}"
    timed = _timed(points_of(done, elapsed), elapsed, budget)
    if not undone:
        return f"{served}.{timed}"
    shown = "; ".join(f"{step.host} ({step.problem.rstrip().removesuffix('.')})" for step in undone)
    others = f" {served} of {', '.join(step.host for step in done)}.{timed}" if done else ""
    return f"Not every proxy went back. Still to be done: {shown}.{others}"


def _timed(points: Mapping[str, float], elapsed: float, budget: int) -> str:
    if not points:
        return ""
    kept = "" if elapsed <= budget else ", which was not kept"
    return (
        f" Switched {points['switched']:.1f} s and verified {points['verified']:.1f} s after the start; "
        f"the budget is {budget} s{kept}."
    )
