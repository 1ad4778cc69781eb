# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the description of an application; finds everything at once."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.plan import Fleet
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import parse_checks

PREFIX = "greenlight_"
COLOURS = ("blue", "green")
#: Facts that Greenlight itself sets; they are no part of a description.
OWN_FACTS = frozenset({"greenlight_application", "greenlight_plan", "greenlight_verdict", "greenlight_way_back"})
#: Never in a fact: a fact may be written to a fact cache.
SECRETS = frozenset({"greenlight_secrets", "greenlight_environment", "greenlight_tester_token"})

#: Stands in a new project where only its owner knows the value.
PLACEHOLDER = "CHANGE-ME"

#: What finishes a release and what it must pass, where the description does not say it itself.
FRAMEWORKS: Mapping[str, Mapping[str, list[list[str]]]] = {
    "django": {
        "build": [["python", "manage.py", "collectstatic", "--noinput"]],
        "verify": [["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]],
    },
    "none": {"build": [], "verify": []},
}

#: The smallest value that makes sense.
_LEAST: Mapping[str, float] = {
    "traffic.pause": 0,
    "traffic.return_after": 10,
    "gate.interval": 1,
    "gate.window": 1,
    "gate.warm_up": 0,
    "gate.failures": 1,
    "gate.minimum_requests": 1,
    "gate.minimum_sockets": 1,
    "gate.measure_errors": 1,
    "gate.decision_timeout": 0,
    "lock.heartbeat": 1,
    "lock.wait": 0,
    "wave_pause": 0,
    "soak": 0,
    "retire.hot": 0,
    "retire.installed": 0,
    "drain.over": 0,
    "drain.deadline": 0,
}
_METRIC_NEEDS = {
    "command": ("command",),
    "prometheus": ("url", "query"),
    "sql": ("query",),
    "journal": ("pattern",),
}

Spec = Mapping[str, Any]
Problems = list[InvalidInput]

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PATTERNS = {
    "app": (re.compile(r"[a-z][a-z0-9-]{0,23}"), "lower-case letters, digits and hyphens, a letter first, at most 24"),
    "domain": (re.compile(rf"{_LABEL}(\.{_LABEL})+", re.IGNORECASE), "a name such as sync.example.com"),
    "ref": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*"), "a tag, branch or commit such as v2.0.0"),
    "tester_token": (re.compile(r"[A-Za-z0-9_-]{16,}"), "at least 16 letters, digits, '_' or '-'"),
}
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MIGRATION = re.compile(r"[a-z_]\w*\.\w+")
_ENDPOINT = re.compile(r"tcp://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):(\d{1,5})")
_WAVE = re.compile(r"[1-9]\d{0,3}|([1-9]\d?|100)%")
_STICKY = re.compile(r"cookie|address|header:[A-Za-z0-9-]+")


def resolve(spec: Spec, variables: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    """The description with its defaults filled in, keyed without the prefix, and all that is wrong with it.

    ``spec`` is the ``options`` of an argument specification; ``variables`` may hold anything, only names that
    begin with ``greenlight_`` are looked at. Where problems are returned the description is not to be used.
    """
    given = {name: value for name, value in variables.items() if name.startswith(PREFIX) and name not in OWN_FACTS}
    problems = list(_unknown_keys(spec, given, ""))
    known = _without_unknown(spec, given)
    outcome = ArgumentSpecValidator(dict(spec)).validate(known)
    problems += [InvalidInput(message, where="description") for message in outcome.error_messages]
    application = {name.removeprefix(PREFIX): value for name, value in outcome.validated_parameters.items()}
    for name, commands in FRAMEWORKS.get(str(application.get("framework")), {}).items():
        if application.get(name) is None:
            application[name] = commands
    if not outcome.error_messages:
        problems += _meaning(application)
    return application, problems


def check_fleet(fleet: Fleet, limit: str = "") -> Problems:
    """What is wrong with the inventory, or with a ``--limit`` on the command line."""
    problems = [
        InvalidInput(
            f"the group {name} has no host",
            where="inventory",
            expected="proxies that run nginx in 'proxies', hosts that run the application in 'apps'",
            do=f"add the group {name}",
        )
        for name, hosts in (("proxies", fleet.proxies), ("apps", fleet.apps))
        if not hosts
    ]
    if limit:
        problems.append(
            InvalidInput(
                f"--limit {limit} leaves hosts out",
                where="command line",
                expected="the whole fleet, since a part of it would leave two versions serving",
                do="run it without --limit",
            )
        )
    problems += _colour_groups(fleet)
    return problems + [
        InvalidInput(
            f"{fleet.addresses[host]!r} is not an IP address",
            where=f"{host}: greenlight_address",
            expected="the address under which the proxies reach this host",
            do="set greenlight_address or ansible_host of this host to an IP address",
        )
        for host in fleet.apps
        if not _is_address(fleet.addresses[host])
    ]


def _colour_groups(fleet: Fleet) -> Iterator[InvalidInput]:
    """What is wrong with the groups of colours that have hosts of their own."""
    given = {colour: fleet.groups.get(colour, []) for colour in COLOURS}
    if not any(given.values()):
        return
    expected = "both groups, and every host of 'apps' in one of them at least; or neither group"
    for colour, hosts in given.items():
        if not hosts:
            yield InvalidInput(f"the group {colour} has no host", where="inventory", expected=expected)
        for host in hosts:
            if host not in fleet.apps:
                yield InvalidInput(
                    f"{host} is in the group {colour} and not in apps",
                    where="inventory",
                    expected=expected,
                    do=f"add {host} to the group apps",
                )
    for host in fleet.apps:
        if not any(host in hosts for hosts in given.values()):
            yield InvalidInput(f"{host} runs neither blue nor green", where="inventory", expected=expected)


def raise_all(problems: Sequence[GreenlightError], headline: str) -> None:
    """Raise one error that lists all of ``problems``; do nothing when there are none."""
    if problems:
        lines = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems, 1))
        plural = "s" if len(problems) > 1 else ""
        raise InvalidInput(f"{headline}: {len(problems)} problem{plural}, nothing has been changed.\n{lines}")


def _unknown_keys(spec: Spec, given: Mapping[str, Any], where: str) -> Iterator[InvalidInput]:
    for name, value in given.items():
        path = f"{where}.{name}" if where else name
        if name not in spec:
            yield InvalidInput("unknown key", where=path, expected=_nearest(name, spec), do="correct or remove it")
            continue
        inner = spec[name].get("options")
        if inner:
            for index, item in _dicts(value):
                yield from _unknown_keys(inner, item, f"{path}{index}")


def _nearest(name: str, spec: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(spec), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "one of " + ", ".join(sorted(spec))


def _dicts(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The mappings in an option's value, each with how its place is written."""
    if isinstance(value, Mapping):
        yield "", value
    elif isinstance(value, list):
        yield from ((f"[{index}]", item) for index, item in enumerate(value) if isinstance(item, Mapping))


def _without_unknown(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, value in given.items():
        inner = spec.get(name, {}).get("options")
        if name in spec:
            known[name] = _prune(inner, value) if inner else value
    for name, option in spec.items():
        if option.get("options") and option.get("type") == "dict" and name not in known and not option.get("required"):
            known[name] = {}
    return known


def _prune(inner: Spec, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _without_unknown(inner, value)
    if isinstance(value, list):
        return [_prune(inner, item) for item in value]
    return value


def _meaning(application: Mapping[str, Any]) -> Problems:
    return [
        *_patterns(application),
        *_environment(application),
        *_services(application["services"]),
        *_ramp(application["traffic"]),
        *_gate(application["gate"]),
        *_least(application),
        *_lease(application["lock"]),
        *_hooks(application["hooks"]),
        *_paths(application["health"]),
        *_lists(application),
        *_smoke(application["smoke"]),
    ]


def _patterns(application: Mapping[str, Any]) -> Iterator[InvalidInput]:
    for name, (pattern, expected) in _PATTERNS.items():
        value = application[name]
        if not pattern.fullmatch(value):
            shown = "the value" if PREFIX + name in SECRETS else repr(value)
            yield InvalidInput(f"{shown} cannot be used", where=PREFIX + name, expected=expected)


def _environment(application: Mapping[str, Any]) -> Iterator[InvalidInput]:
    for name in ("environment", "secrets"):
        for key, value in application[name].items():
            yield from _variable(str(key), value, f"{PREFIX}{name}.{key}")
    for key in sorted(set(application["environment"]) & set(application["secrets"])):
        yield InvalidInput(
            f"{key} is also in greenlight_secrets", where="greenlight_environment", do="keep one of them"
        )


def _variable(name: str, value: Any, where: str) -> Iterator[InvalidInput]:
    """What is wrong with one environment variable; its value is never shown."""
    if not _ENV_NAME.fullmatch(name):
        yield InvalidInput("not the name of an environment variable", where=where, expected="letters, digits, _")
    elif name.startswith("GREENLIGHT_"):
        yield InvalidInput("the name is reserved", where=where, expected="a name of the application's own")
    elif isinstance(value, (Mapping, list)) or value is None:
        yield InvalidInput("not a text or number", where=where, expected="a text; quote lists and JSON")
    elif PLACEHOLDER in str(value):
        yield InvalidInput("the value is still to be filled in", where=where, expected="the real one")
    elif "\n" in str(value) or "\0" in str(value):
        yield InvalidInput("the value has more than one line", where=where, expected="one line; encode it, e.g. base64")


def _services(services: Sequence[Mapping[str, Any]]) -> Iterator[InvalidInput]:
    taken: dict[int, str] = {}
    names: set[str] = set()
    if not services:
        yield InvalidInput("the list is empty", where="greenlight_services", expected="at least one service")
    for service in services:
        name, count = service["name"], service["instances"]
        where = f"greenlight_services[{name}]"
        if not _PATTERNS["app"][0].fullmatch(name) or name in names:
            yield InvalidInput("name cannot be used or is there twice", where=where, expected=_PATTERNS["app"][1])
        names.add(name)
        if not _IMPORT_PATH.fullmatch(service["application"]):
            yield InvalidInput(
                f"{service['application']!r} is not an import path",
                where=f"{where}.application",
                expected="package.module:attribute",
            )
        if not 1 <= count <= 64:
            yield InvalidInput(f"{count} instances", where=f"{where}.instances", expected="1 to 64")
            continue
        for colour in COLOURS:
            yield from _ports(service["ports"][colour], count, f"{where}.ports.{colour}", taken)


def _ports(first: int, count: int, where: str, taken: dict[int, str]) -> Iterator[InvalidInput]:
    if first < 1024 or first + count > 65536:
        yield InvalidInput(f"ports {first} to {first + count - 1}", where=where, expected="ports from 1024 to 65535")
        return
    clash = next((port for port in range(first, first + count) if port in taken), None)
    if clash is not None:
        yield InvalidInput(
            f"port {clash} is also in {taken[clash]}",
            where=where,
            expected=f"{count} ports of its own, counted from the first",
            do="move one of the two",
        )
    taken.update(dict.fromkeys(range(first, first + count), where))


def _ramp(traffic: Mapping[str, Any]) -> Iterator[InvalidInput]:
    steps = traffic["steps"]
    if not steps or steps[-1] != 100 or any(not 0 < step <= 100 for step in steps) or steps != sorted(set(steps)):
        yield InvalidInput(
            f"{steps} is no ramp",
            where="greenlight_traffic.steps",
            expected="shares from 1 to 100 that rise and end with 100, such as [10, 50, 100]",
        )


def _least(application: Mapping[str, Any]) -> Iterator[InvalidInput]:
    for path, least in _LEAST.items():
        value: Any = application
        for name in path.split("."):
            value = value[name]
        if value < least:
            yield InvalidInput(f"{value}", where=PREFIX + path, expected=f"at least {least}")


def _gate(gate: Mapping[str, Any]) -> Iterator[InvalidInput]:
    if gate["of"] < gate["failures"]:
        yield InvalidInput(
            f"{gate['failures']} bad windows of {gate['of']}",
            where="greenlight_gate.failures",
            expected="not more than greenlight_gate.of",
        )
    for metric in gate["metrics"]:
        where = f"greenlight_gate.metrics[{metric['name']}]"
        for name in _METRIC_NEEDS[metric["kind"]]:
            if not metric[name]:
                yield InvalidInput(f"{name} is missing", where=where, expected=f"{name} for kind {metric['kind']}")
        if (metric["above"] is None) == (metric["below"] is None):
            yield InvalidInput("no limit, or two", where=where, expected="either above or below")
        yield from _regular(metric["pattern"] or "", f"{where}.pattern")


def _regular(pattern: str, where: str) -> Iterator[InvalidInput]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield InvalidInput(f"{pattern!r}: {error}", where=where, expected="a regular expression")


def _lease(lock: Mapping[str, Any]) -> Iterator[InvalidInput]:
    if lock["lease"] < 2 * lock["heartbeat"]:
        yield InvalidInput(
            f"{lock['lease']} s with a heartbeat of {lock['heartbeat']} s",
            where="greenlight_lock.lease",
            expected="at least two heartbeats, or a slow one loses the lock",
        )


def _hooks(hooks: Sequence[Mapping[str, Any]]) -> Iterator[InvalidInput]:
    for index, hook in enumerate(hooks):
        if bool(hook["command"]) == bool(hook["tasks"]):
            yield InvalidInput(
                "it has neither or both of command and tasks",
                where=f"greenlight_hooks[{index}]",
                expected="one of them",
            )


def _paths(health: Mapping[str, Any]) -> Iterator[InvalidInput]:
    for name, path in health.items():
        if not re.fullmatch(r"/[!-~]*", path) and not (name == "websocket" and not path):
            yield InvalidInput(f"{path!r} is not a path", where=f"greenlight_health.{name}", expected="a path from /")


def _lists(application: Mapping[str, Any]) -> Iterator[InvalidInput]:
    for name, pattern, expected in (
        ("migrations", _MIGRATION, "app.name such as core.0010_upload_session"),
        ("requires", _ENDPOINT, "tcp://HOST:PORT"),
        ("sticky", _STICKY, "cookie, header:NAME or address"),
        ("waves", _WAVE, "a number of hosts such as 1, or a share such as 25%"),
    ):
        for entry in application[name]:
            if not pattern.fullmatch(entry):
                yield InvalidInput(f"{entry!r} cannot be used", where=PREFIX + name, expected=expected)


def _smoke(checks: list[dict[str, Any]]) -> Iterator[InvalidInput]:
    try:
        parse_checks(checks, where="greenlight_smoke")
    except InvalidInput as problem:
        yield problem


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
