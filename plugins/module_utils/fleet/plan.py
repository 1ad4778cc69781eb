# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One plan for the whole fleet, made from what every host was seen to be. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import sentences
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.standing import OTHER, Shift, Standing, stand
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.waves import waves
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import app_address

Problems = list[InvalidInput]
Inspection = Mapping[str, Any]

FIRST_COLOUR = "blue"
OLDEST_PYTHON = (3, 10)
OLDEST_NGINX = (1, 18)
OLDEST_SYSTEMD = (247,)
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What preflight demands: free bytes below /opt on application hosts, seconds of clock skew."""

    disk_free: int
    clock_skew: float


@dataclass(frozen=True)
class Fleet:
    """Who is there: host names in the order of the inventory, and the address of each.

    ``groups`` has the hosts of ``blue`` and of ``green`` where the colours have hosts of their own.
    """

    proxies: Sequence[str]
    apps: Sequence[str]
    addresses: Mapping[str, str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def hosts(self, colour: str) -> list[str]:
        """The application hosts that run ``colour``."""
        chosen = self.groups.get(colour) or self.apps
        return [host for host in self.apps if host in chosen]

    def bind_address(self, host: str) -> str:
        """Where the instances of ``host`` listen: loopback when the one proxy is the same host."""
        return app_address(host, self.addresses[host], self.proxies)


def fingerprint(application: Mapping[str, Any], fleet: Fleet, private: Sequence[object], sha: str) -> str:
    """A hash of all that makes a running release what it is: code, settings, secrets, services and hosts."""
    names = ("app", "python", "requirements", "services", "health", "build", "verify", "connections")
    where = {colour: {host: fleet.bind_address(host) for host in fleet.hosts(colour)} for colour in OTHER}
    seen = {"sha": sha, "private": private, "where": where, **{name: application.get(name) for name in names}}
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()


def deployment_id(now: float, nonce: str) -> str:
    """The id of the run that begins at ``now`` (seconds since 1970), such as ``20261122T124500Z-9f3a``."""
    return f"{datetime.fromtimestamp(now, timezone.utc):%Y%m%dT%H%M%SZ}-{nonce}"


def ports(application: Mapping[str, Any]) -> dict[str, list[int]]:
    """The ports of all instances of each colour on one application host."""
    return {
        colour: [port for service in application["services"] for port in instance_ports(service, colour)]
        for colour in OTHER
    }


def instance_ports(service: Mapping[str, Any], colour: str) -> list[int]:
    """The ports of the instances of a service in a colour."""
    first = service["ports"][colour]
    return list(range(first, first + service["instances"]))


def judge(
    application: Mapping[str, Any],
    fleet: Fleet,
    inspections: Mapping[str, Inspection],
    limits: Limits,
    now: float,
) -> Problems:
    """All that speaks against a deployment on hosts that were seen as ``inspections`` (by host name)."""
    problems: Problems = []
    for host in dict.fromkeys([*fleet.proxies, *fleet.apps]):
        seen = inspections.get(host)
        if seen is None:
            problems.append(
                InvalidInput("not reached", where=host, expected="every host of the fleet", do="see the error above")
            )
            continue
        problems += _clock(host, seen, limits, now)
        problems += _version(host, "systemd", seen["systemd"], OLDEST_SYSTEMD)
        if host in fleet.proxies:
            problems += _proxy(host, seen)
        if host in fleet.apps:
            problems += _app(host, seen, application, fleet, limits)
    if not problems:
        for hosts in dict.fromkeys(tuple(fleet.hosts(colour)) for colour in OTHER):
            problems += _alike({host: inspections[host] for host in hosts})
    return problems


def decide(
    application: Mapping[str, Any],
    fleet: Fleet,
    inspections: Mapping[str, Inspection],
    source: Mapping[str, Any],
    private: Sequence[object],
    *,
    deployment: str,
    redeploy: bool = False,
) -> dict[str, Any]:
    """The plan: which release goes where, over which shares. The hosts must have been judged before.

    ``deployment`` is the id of this run. A shift that an earlier run left unfinished is gone on with when it brought
    the same (``resume``: at its smallest share, ``steps`` may be empty then); otherwise every client goes home to the
    colour that serves before anything else (``home_first``). :class:`InvalidInput` when that colour cannot serve.
    """
    standing = stand({host: inspections[host]["traffic"] for host in fleet.proxies})
    print_now = fingerprint(application, fleet, private, source["sha"])
    resumed = _resumed(standing, print_now)
    serving = resumed.serving if resumed else standing.home
    answers = any(
        inspections[host]["answers"]
        for host in fleet.proxies
        if (inspections[host]["traffic"].get("serving") or "") == serving
    )
    home_first = bool(standing.astray) and not resumed
    if home_first and serving and not answers:
        raise _no_way_home(standing)
    live = standing.releases.get(serving, {})
    candidate = OTHER[serving] if serving else FIRST_COLOUR
    release = _release(standing, candidate, source, print_now, _installed(fleet, inspections, candidate), resumed)
    hosts = {colour: fleet.hosts(colour) for colour in OTHER}
    made = {
        "deployment": deployment,
        **release,
        **{name: source[name] for name in ("sha", "archive", "archive_sha256")},
        "fingerprint": print_now,
        "serving": serving,
        "serving_version": live.get("ref", ""),
        "candidate": candidate,
        "standby": _standby(standing, candidate, release["release"], fleet, inspections) if serving else {},
        "first": not serving,
        "answers": answers,
        "nothing_to_do": answers and live.get("fingerprint") == print_now and not redeploy and not resumed,
        "resume": bool(resumed),
        "home_first": home_first,
        "astray": list(standing.astray),
        "known": {colour: dict(known) for colour, known in standing.releases.items()},
        "bad": list(standing.bad),
        "soak": application["soak"] if answers and not resumed else 0,
        "steps": _steps(application["traffic"]["steps"] if answers else [100], resumed),
        "hosts": hosts,
        "build_host": hosts[candidate][0],
        "waves": waves(hosts[candidate], application["waves"]),
        "ports": ports(application),
        "bind": {host: fleet.bind_address(host) for host in fleet.apps},
        "instances": {
            colour: {host: instances_on(application, fleet, host, colour) for host in hosts[colour]} for colour in OTHER
        },
        "protect": sorted(
            {release for host in fleet.apps for release in inspections[host]["colours"].values() if release}
            | {known["id"] for known in standing.releases.values()}
        ),
    }
    return {**made, "sentence": sentences.beginning(made), **sentences.endings(made)}


def _resumed(standing: Standing, print_now: str) -> Shift | None:
    """The unfinished shift, when it brought what is to be deployed now."""
    shift = standing.shift
    if shift is None or standing.is_bad(shift.candidate):
        return None
    return shift if standing.releases.get(shift.candidate, {}).get("fingerprint") == print_now else None


def _steps(steps: Sequence[int], resumed: Shift | None) -> list[int]:
    """The shares to go through; none when a proxy has given all clients to the candidate for good."""
    if resumed and resumed.settled:
        return []
    return [share for share in steps if not resumed or share >= resumed.share]


def _installed(fleet: Fleet, inspections: Mapping[str, Inspection], colour: str) -> list[Mapping[str, Any]]:
    """The manifests of the releases on the host that would build for ``colour``, oldest first."""
    return list(inspections[fleet.hosts(colour)[0]].get("releases", []))


def _release(
    standing: Standing,
    candidate: str,
    source: Mapping[str, Any],
    print_now: str,
    installed: Sequence[Mapping[str, Any]],
    resumed: Shift | None,
) -> dict[str, str]:
    """Id, ref and version: of the shift that is gone on with, of a release that was built for the same, or new ones.

    A release that serves or failed is not taken again: it would be marked as bad together with the new one.
    """
    taken = {*standing.bad, standing.releases.get(OTHER[candidate], {}).get("id")}
    found = {
        manifest["release"]: manifest
        for manifest in installed
        if manifest["fingerprint"] == print_now and manifest["release"] not in taken
    }
    release = str(standing.releases[candidate]["id"] if resumed else max(found, default=source["release"]))
    named = found.get(release, source)
    return {"release": release, "ref": named["ref"], "version": named["version"]}


def _no_way_home(standing: Standing) -> InvalidInput:
    under_way = standing.releases.get(OTHER[standing.home], {}).get("ref", "what was under way")
    return InvalidInput(
        f"{', '.join(standing.astray)} did not finish an earlier deployment, and {standing.home}, to which the clients "
        "would have to go back, does not answer",
        where="proxies",
        expected="a colour that serves",
        do=f"deploy {under_way} again, which goes on with it; or start {standing.home} again",
    )


def _standby(
    standing: Standing, colour: str, release: str, fleet: Fleet, inspections: Mapping[str, Inspection]
) -> Mapping[str, Any]:
    """The release that the idle colour had, to be put back if the new one fails.

    Empty when it is not on every host, is the ``release`` that may fail, or is bad.
    """
    known = standing.releases.get(colour, {})
    everywhere = all(inspections[host]["colours"].get(colour) == known.get("id") for host in fleet.hosts(colour))
    return known if known and everywhere and known["id"] != release and not standing.is_bad(colour) else {}


def instances_on(application: Mapping[str, Any], fleet: Fleet, host: str, colour: str) -> list[dict[str, Any]]:
    """Where the instances of a colour on a host are asked directly."""
    return [
        {
            "address": fleet.bind_address(host),
            "port": port,
            "server_name": application["domain"],
            "label": f"{host} {service['name']}-{colour}@{port}",
        }
        for service in application["services"]
        for port in instance_ports(service, colour)
    ]


def _clock(host: str, seen: Inspection, limits: Limits, now: float) -> Iterator[InvalidInput]:
    skew = abs(seen["time"] - now)
    if skew > limits.clock_skew:
        yield InvalidInput(
            f"its clock differs by {skew:.0f} s from the controller's",
            where=host,
            expected=f"at most {limits.clock_skew:.0f} s",
            do="let a time service set both clocks",
        )


def _version(host: str, program: str, found: str, oldest: tuple[int, ...]) -> Iterator[InvalidInput]:
    wanted = ".".join(map(str, oldest))
    if not found:
        yield InvalidInput(f"{program} was not found", where=host, expected=f"{program} {wanted} or newer")
    elif version_tuple(found) < oldest:
        yield InvalidInput(f"{program} {found} is too old", where=host, expected=f"{wanted} or newer")


def version_tuple(text: str) -> tuple[int, ...]:
    """``3.11.2`` as (3, 11, 2); what follows the first part that is no number is left out."""
    numbers = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def _proxy(host: str, seen: Inspection) -> Iterator[InvalidInput]:
    if seen["nginx"]:
        yield from _version(host, "nginx", seen["nginx"], OLDEST_NGINX)
    for port in (80, 443):
        holder = seen["ports"].get(str(port))
        if holder and holder["program"] != "nginx":
            yield _port_taken(host, port, holder, "free, or held by nginx")


def _app(
    host: str, seen: Inspection, application: Mapping[str, Any], fleet: Fleet, limits: Limits
) -> Iterator[InvalidInput]:
    yield from _version(host, application["python"], seen["python"], OLDEST_PYTHON)
    yield from _room(host, seen, limits)
    yield from _bind(host, seen, fleet.bind_address(host))
    yield from _app_ports(host, seen, application, [colour for colour in OTHER if host in fleet.hosts(colour)])
    yield from _required(host, seen)


def _room(host: str, seen: Inspection, limits: Limits) -> Iterator[InvalidInput]:
    if seen["disk_free"] < limits.disk_free:
        yield InvalidInput(
            f"{seen['disk_free'] // MIB} MiB are free below /opt",
            where=host,
            expected=f"{limits.disk_free // MIB} MiB",
            do="make room, or lower preflight_disk_free",
        )


def _bind(host: str, seen: Inspection, bind: str) -> Iterator[InvalidInput]:
    if bind not in seen["addresses"]:
        yield InvalidInput(
            f"{bind} is not an address of this host",
            where=f"{host}: greenlight_address",
            expected=f"one of {', '.join(sorted(seen['addresses']))}",
        )


def _app_ports(
    host: str, seen: Inspection, application: Mapping[str, Any], colours: Sequence[str]
) -> Iterator[InvalidInput]:
    for service in application["services"]:
        prefix = f"{application['app']}-{service['name']}-"
        for colour in colours:
            for port in instance_ports(service, colour):
                holder = seen["ports"].get(str(port))
                if holder and not holder["unit"].startswith(prefix):
                    yield _port_taken(host, port, holder, f"free for {prefix}{colour}@{port}")


def _required(host: str, seen: Inspection) -> Iterator[InvalidInput]:
    for answer in seen["requires"]:
        if answer["error"]:
            yield InvalidInput(
                f"{answer['endpoint']} does not answer: {answer['error']}",
                where=host,
                expected="a connection, see greenlight_requires",
                do="start it, open the way to it or correct the address",
            )


def _port_taken(host: str, port: int, holder: Mapping[str, Any], expected: str) -> InvalidInput:
    who = f"{holder['program'] or 'a program'} (pid {holder['pid']}, {holder['unit'] or 'no unit'})"
    return InvalidInput(
        f"port {port} is held by {who}", where=host, expected=expected, do="stop it, or use another port"
    )


def _alike(apps: Mapping[str, Inspection]) -> Iterator[InvalidInput]:
    """A release is built once: every host must be able to run what the first one built."""
    for name in ("python", "architecture"):
        found = {host: ".".join(seen[name].split(".")[:2]) for host, seen in apps.items()}
        if len(set(found.values())) > 1:
            shown = ", ".join(f"{host} {value}" for host, value in found.items())
            yield InvalidInput(f"the hosts differ in {name}: {shown}", where="apps", expected="the same on all of them")
