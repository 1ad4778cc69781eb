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
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import app_address

Problems = list[InvalidInput]
Inspection = Mapping[str, Any]

OTHER = {"blue": "green", "green": "blue"}
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
        problems += _one_truth({host: inspections[host] for host in fleet.proxies})
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

    ``deployment`` is the id of this run.
    """
    traffic = inspections[fleet.proxies[0]]["traffic"]
    serving = traffic.get("serving") or ""
    print_now = fingerprint(application, fleet, private, source["sha"])
    known = {colour: release for colour, release in (traffic.get("releases") or {}).items() if release}
    live = known.get(serving, {})
    answers = any(inspections[proxy]["answers"] for proxy in fleet.proxies)
    same = answers and live.get("fingerprint") == print_now
    candidate = OTHER[serving] if serving else FIRST_COLOUR
    hosts = {colour: fleet.hosts(colour) for colour in OTHER}
    made = {
        "deployment": deployment,
        **{name: source[name] for name in ("release", "sha", "ref", "version", "archive", "archive_sha256")},
        "fingerprint": print_now,
        "serving": serving,
        "serving_version": live.get("ref", ""),
        "candidate": candidate,
        "standby": _standby(candidate, known, fleet, inspections) if serving else {},
        "first": not serving,
        "answers": answers,
        "nothing_to_do": same and not redeploy,
        "steps": list(application["traffic"]["steps"]) if answers else [100],
        "hosts": hosts,
        "build_host": hosts[candidate][0],
        "ports": ports(application),
        "bind": {host: fleet.bind_address(host) for host in fleet.apps},
        "instances": {
            colour: {host: _instances(application, fleet, host, colour) for host in hosts[colour]} for colour in OTHER
        },
        "protect": sorted(
            {release for host in fleet.apps for release in inspections[host]["colours"].values() if release}
            | {release["id"] for release in known.values()}
        ),
    }
    return {**made, "sentence": sentence(made), **_endings(made)}


def sentence(plan: Mapping[str, Any]) -> str:
    """The plan in one sentence for people."""
    if plan["nothing_to_do"]:
        return f"Nothing to do: {plan['version']} ({plan['sha'][:7]}) already serves as {plan['serving']}."
    target = f"{plan['version']} ({plan['sha'][:7]}) as {plan['candidate']}"
    if plan["first"]:
        return f"First deployment: {target}."
    if not plan["answers"]:
        return f"{plan['serving_version']} ({plan['serving']}) does not answer; {target} takes over at once."
    shares = " -> ".join(f"{share} %" for share in plan["steps"])
    return f"{plan['serving_version']} serves as {plan['serving']}; {target} takes over by {shares}."


def _standby(
    colour: str, known: Mapping[str, Mapping[str, Any]], fleet: Fleet, inspections: Mapping[str, Inspection]
) -> Mapping[str, Any]:
    """The release that the idle colour had, to be put back if the new one fails; empty when it is not on every host."""
    release = known.get(colour, {})
    everywhere = all(inspections[host]["colours"].get(colour) == release.get("id") for host in fleet.hosts(colour))
    bad = inspections[fleet.proxies[0]]["traffic"].get("bad", [])
    return release if release and everywhere and release["id"] not in bad else {}


def _endings(plan: Mapping[str, Any]) -> dict[str, str]:
    """What is said at the end: ``done`` after a yes, ``unchanged`` after a no."""
    done = f"{plan['version']} ({plan['sha'][:7]}) serves every client as {plan['candidate']}."
    return {
        "done": sentence(plan) if plan["nothing_to_do"] else done,
        "unchanged": (
            f"{plan['serving_version']} goes on serving every client as {plan['serving']}."
            if plan["answers"]
            else "Nothing serves, as before."
        ),
    }


def _instances(application: Mapping[str, Any], fleet: Fleet, host: str, colour: str) -> list[dict[str, Any]]:
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


def _one_truth(proxies: Mapping[str, Inspection]) -> Iterator[InvalidInput]:
    home = "bring them to one colour with rollback.yml --tags traffic, then deploy again"
    serving = {host: seen["traffic"].get("serving") or "nothing" for host, seen in proxies.items()}
    if len(set(serving.values())) > 1:
        shown = ", ".join(f"{host} {colour}" for host, colour in serving.items())
        yield InvalidInput(
            f"the proxies serve different colours: {shown}", where="proxies", expected="one colour", do=home
        )
    for host, seen in proxies.items():
        if seen["traffic"].get("candidate"):
            yield InvalidInput(
                f"an earlier deployment stopped with {seen['traffic']['candidate']} at {seen['traffic']['share']} %",
                where=host,
                expected="a finished one",
                do=home,
            )
