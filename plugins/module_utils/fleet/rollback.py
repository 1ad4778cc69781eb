# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of the whole fleet: which colour, which release, and whether everybody took it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan
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

Points = Mapping[str, float]


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


def decide_code(
    proxies: Mapping[str, Seen], apps: Mapping[str, Seen], hosts: Mapping[str, Sequence[str]], named: str = ""
) -> dict[str, Any]:
    """The way back to a release that is installed, without building: which one, in which colour, on which hosts.

    ``apps`` is what ``release_info`` said on each application host that was reached, ``hosts`` those of each colour.
    More than :func:`decide` returns: ``record`` (what the colour has from now on), ``begun`` (hosts that take part),
    ``lost`` (those that cannot), ``strange`` (the release is of before both colours, so that nobody has seen it with
    the database as it is now) and ``nothing_to_do``. :class:`InvalidInput` when there is no such release.
    """
    seen = _settled(proxies)
    serving = str(seen["serving"])
    idle = [apps[host] for host in hosts[OTHER[serving]] if host in apps]
    release = named or _last_good(seen, serving, idle)
    require_not_bad(release, seen)
    there = colour_with(release, seen)
    colour = there or OTHER[serving]
    begun = [host for host in hosts[colour] if host in apps]
    record = _record(release, there, seen, _manifests(release, apps, begun))
    return {
        **way_to(colour, {**seen, "releases": {**seen["releases"], colour: record}}),
        "record": record,
        "begun": begun,
        "lost": [host for host in hosts[colour] if host not in apps],
        "strange": not there,
        "nothing_to_do": colour == serving,
    }


def _settled(proxies: Mapping[str, Seen]) -> Seen:
    """What the proxies that were reached agree on; :class:`InvalidInput` when their clients are not home."""
    if not proxies:
        raise InvalidInput("no proxy was reached", where="rollback", expected="at least one", do="see the errors above")
    seen = next(iter(proxies.values()))
    unsettled = [host for host, each in proxies.items() if not is_home(seen.get("serving") or "", each)]
    if unsettled or not seen.get("serving"):
        raise InvalidInput(
            f"the clients are not home on {', '.join(unsettled or proxies)}",
            where="rollback",
            expected="one colour that has every client",
            do="bring them home first: rollback.yml --tags traffic",
        )
    return seen


def _last_good(seen: Seen, serving: str, idle: Sequence[Seen]) -> str:
    """The release of the last good colour, else the latest that had all clients and is installed where it would start.

    ``idle`` is what ``release_info`` said on the hosts of the colour that does not serve.
    """
    live: str = (seen["releases"].get(serving) or {}).get("id", "")
    home = find_home(seen)
    if home and home != serving:
        return str(seen["releases"][home]["id"])
    installed = [_installed(each) for each in idle]
    good = (
        release
        for release in reversed(seen.get("good", ()))
        if release != live and release not in seen.get("bad", ()) and all(release in each for each in installed)
    )
    return next(good, live)


def _installed(app: Seen) -> dict[str, Mapping[str, Any]]:
    return {manifest["release"]: manifest for manifest in app["releases"]}


def _manifests(release: str, apps: Mapping[str, Seen], begun: Sequence[str]) -> Mapping[str, Any]:
    """The manifest of ``release``; :class:`InvalidInput` when a host does not have it."""
    if not begun:
        raise InvalidInput("no application host was reached", where="rollback", expected="at least one")
    found = {host: _installed(apps[host]) for host in begun}
    without = [host for host in begun if release not in found[host]]
    if without:
        common = sorted(set.intersection(*(set(each) for each in found.values())))
        raise InvalidInput(
            f"{release} is not installed on {', '.join(without)}",
            where="rollback_release",
            expected=f"one of {', '.join(common)}" if common else "a release that is installed",
            do="deploy its version with site.yml, which builds it again",
        )
    return found[begun[0]][release]


def _record(release: str, there: str, seen: Seen, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the record of the proxies says of the release from now on."""
    known = (seen["releases"].get(there) or {}) if there else {}
    made = {
        "id": release,
        "sha": manifest["sha"],
        "ref": manifest["version"] or manifest["ref"],
        "fingerprint": manifest.get("fingerprint", ""),
    }
    return {**made, **known, "status": "good"}


def as_plan(
    way: Mapping[str, Any], application: Mapping[str, Any], fleet: plan.Fleet, deployment: str
) -> dict[str, Any]:
    """The way back in the terms of a deployment's plan, for the roles that start, try out, lock and call hooks."""
    hosts = {colour: fleet.hosts(colour) for colour in OTHER}
    record = way.get("record", {})
    return {
        "deployment": deployment,
        "release": way["release"],
        "sha": record.get("sha", ""),
        "ref": record.get("ref", way["version"]),
        "version": way["version"],
        "serving": way["left"],
        "candidate": way["colour"],
        "hosts": {**hosts, **({way["colour"]: way["begun"]} if "begun" in way else {})},
        "build_host": (way.get("begun") or hosts[way["colour"]])[0],
        "ports": plan.ports(application),
        "bind": {host: fleet.bind_address(host) for host in fleet.apps},
        "instances": {
            colour: {host: plan.instances_on(application, fleet, host, colour) for host in hosts[colour]}
            for colour in OTHER
        },
        "nothing_to_do": way.get("nothing_to_do", False),
        "sentence": f"rollback to {way['version'] or way['release']} ({way['colour']})",
    }


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


def steps(
    hosts: Sequence[str],
    present: Collection[str],
    facts: Mapping[str, Mapping[str, Any]],
    release: str = "",
    results: Sequence[str] = ("rollback_home_again", "rollback_home"),
) -> list[Step]:
    """What each of ``hosts`` did, from the first of ``results`` among its facts that took the clients to ``release``.

    A host that is not ``present`` in the play any more was lost; one with a ``fleet_step_failure`` failed.
    """
    return [
        _step(host, facts[host], release, results) if host in present else Step(host, UNREACHABLE) for host in hosts
    ]


def _step(host: str, facts: Mapping[str, Any], release: str, results: Sequence[str]) -> Step:
    failure = facts.get("fleet_step_failure")
    known = (facts.get(name) or {} for name in results)
    result = next((each for each in known if "home" in each and release in ("", each["way"]["release"])), None)
    if failure or result is None:
        return Step(host, failure["reason"] if failure else UNREACHABLE)
    if not result["home"]:
        return Step(host, f"{result['way']['colour']} does not answer: {'; '.join(result['problems'])}", asleep=True)
    return Step(host, points=result["seconds"])


def timeline(taken: Sequence[Step], elapsed: float, known: Mapping[str, Points]) -> dict[str, Points]:
    """When each proxy had the colour asked, had switched and had verified it, in seconds after the start.

    ``elapsed`` is now, so that no figure is too small; what was ``known`` by an earlier look stays.
    """
    done = {step.host: step.points for step in taken if step.points}
    return {
        host: known.get(host) or {name: round(elapsed - (max(points.values()) - at), 1) for name, at in points.items()}
        for host, points in done.items()
    }


def latest(times: Mapping[str, Points]) -> dict[str, float]:
    """Each point of the last proxy that reached it."""
    return {
        name: max(points[name] for points in times.values() if name in points)
        for name in dict.fromkeys(name for points in times.values() for name in points)
    }


def ending(way: Mapping[str, str], taken: Sequence[Step], points: Points, budget: int) -> str:
    """How it ended, for people: who has the clients, after how long, and where it is still to be done."""
    undone, done = [step for step in taken if step.problem], [step for step in taken if step.points]
    served = f"{way.get('version') or way.get('release')} serves every client as {way.get('colour')}"
    timed = _timed(points, budget)
    if not undone:
        return f"{served}.{timed}"
    shown = "; ".join(f"{step.host} ({step.problem.rstrip().removesuffix('.')})" for step in undone)
    others = f" {served} of {', '.join(step.host for step in done)}.{timed}" if done else ""
    return f"Not every host went back. Still to be done: {shown}.{others}"


def _timed(points: Points, budget: int) -> str:
    if "switched" not in points:  # nobody was home, or it was a check
        return ""
    kept = "" if points["verified"] <= budget else ", which was not kept"
    return (
        f" Switched {points['switched']:.1f} s and verified {points['verified']:.1f} s after the start; "
        f"the budget is {budget} s{kept}."
    )


def rehearsed(way: Mapping[str, str], there: Sequence[Step], back: Sequence[Step], seconds: Sequence[float]) -> str:
    """How a rehearsal ended; ``seconds`` are those of the way there and of the way back."""
    problems = [f"{step.host} ({step.problem})" for step in (*there, *back) if step.problem]
    if problems:
        return f"The rehearsal failed: {'; '.join(problems)}."
    return (
        f"Rehearsed with every client: to {way['version']} ({way['colour']}) in {seconds[0]:.1f} s and back to "
        f"{way['left_version']} ({way['left']}) in {seconds[1]:.1f} s; the budget is {BUDGETS['traffic']} s."
    )


def require_rehearsal(environments: Collection[str], *, confirmed: bool) -> None:
    """:class:`InvalidInput` where real clients would take part and nobody has confirmed that they may."""
    production = sorted(name for name in environments if name.startswith("prod"))
    if production and not confirmed:
        raise InvalidInput(
            f"{production[0]} has real clients, who would take part in the rehearsal",
            where="rollback_drill_confirm",
            expected="an environment such as staging",
            do="confirm it: -e rollback_drill_confirm=true",
        )


def other_way(proxies: Mapping[str, Seen]) -> dict[str, str]:
    """The way to the idle colour, for a rehearsal; :class:`InvalidInput` when the clients are not at one colour."""
    seen = _settled(proxies)
    return way_to(OTHER[str(seen["serving"])], seen)
