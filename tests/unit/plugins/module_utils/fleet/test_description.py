# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.description import (
    check_fleet,
    raise_all,
    resolve,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.plan import Fleet

ROOT = Path(__file__).parents[5]
SPEC = yaml.safe_load((ROOT / "roles/preflight/meta/argument_specs.yml").read_text())["argument_specs"]["application"][
    "options"
]
GOOD = {
    "greenlight_app": "mobile-sync",
    "greenlight_domain": "sync.example.com",
    "greenlight_repository": "https://git.example.com/sync.git",
    "greenlight_ref": "v2.0.0-sync",
    "greenlight_services": [{"name": "web", "application": "mobile_sync.asgi:application"}],
    "greenlight_tls": {"certificate": "/tls/c.pem", "key": "/tls/k.pem"},
    "greenlight_tester_token": "0123456789abcdef",
}


def changed(path: str, value: object) -> dict[str, object]:
    """GOOD with one value changed; ``path`` is written as in a.b.0.c."""
    description = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place: object = description
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    place[int(last) if isinstance(place, list) else last] = value
    return description


def texts(description: dict[str, object]) -> list[str]:
    return [str(problem) for problem in resolve(SPEC, description)[1]]


def test_a_short_description_is_filled_in() -> None:
    application, problems = resolve(SPEC, {**GOOD, "inventory_hostname": "app1", "greenlight_plan": {"release": "x"}})
    assert problems == []
    assert application["traffic"] == {"steps": [10, 50, 100], "pause": 300, "return_after": 120}
    assert application["services"][0]["ports"] == {"blue": 8101, "green": 8201}
    assert application["health"]["readiness"] == "/readiness"
    assert "plan" not in application


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("greenlight_domian", "x.example.com", "did you mean greenlight_domain?"),
        (
            "greenlight_services.0.instnces",
            3,
            "greenlight_services[0].instnces: unknown key. Expected: did you mean instances?",
        ),
        ("greenlight_traffic.zzz", 3, "one of pause, return_after, steps"),
        ("greenlight_app", "Mobile Sync", "greenlight_app: 'Mobile Sync' cannot be used"),
        ("greenlight_domain", "not a name", "a name such as sync.example.com"),
        ("greenlight_domain", "192.0.2.1; }", "a name such as"),
        ("greenlight_ref", "--upload-pack=x", "greenlight_ref"),
        ("greenlight_ref", "", "greenlight_ref"),
        ("greenlight_services", [], "the list is empty"),
        ("greenlight_services.0.runner", "gunicron", "daphne"),
        ("greenlight_services.0.application", "mobile_sync/asgi.py", "package.module:attribute"),
        ("greenlight_services.0.instances", 0, "1 to 64"),
        ("greenlight_services.0.ports", {"blue": 80, "green": 8201}, "ports from 1024 to 65535"),
        ("greenlight_services.0.ports", {"blue": 8101, "green": 8102}, "port 8102 is also in"),
        ("greenlight_traffic.steps", [50, 10, 100], "is no ramp"),
        ("greenlight_traffic.steps", [10, 120], "is no ramp"),
        ("greenlight_traffic.steps", [10, 50], "end with 100"),
        ("greenlight_traffic.pause", -1, "at least 0"),
        ("greenlight_traffic.return_after", 5, "at least 10"),
        ("greenlight_gate.interval", 0, "greenlight_gate.interval: 0"),
        ("greenlight_gate.failures", 6, "not more than greenlight_gate.of"),
        ("greenlight_gate.metrics", [{"name": "x", "kind": "sql", "above": 1}], "query is missing"),
        ("greenlight_gate.metrics", [{"name": "x", "kind": "journal", "pattern": "E"}], "either above or below"),
        ("greenlight_gate.metrics", [{"name": "x", "kind": "journal", "pattern": "(", "above": 1}], "a regular"),
        ("greenlight_lock.lease", 40, "at least two heartbeats"),
        ("greenlight_waves", ["1", "a quarter"], "a share such as 25%"),
        ("greenlight_hooks", [{"at": "after_share"}], "neither or both of command and tasks"),
        ("greenlight_soak", -1, "at least 0"),
        ("greenlight_tester_token", "short", "at least 16"),
        ("greenlight_environment.GREENLIGHT_COLOUR", "blue", "reserved"),
        ("greenlight_environment.1BAD", "x", "not the name of an environment variable"),
        ("greenlight_environment.HOSTS", ["a"], "not a text or number"),
        ("greenlight_secrets.KEY", "a\nb", "more than one line"),
        ("greenlight_secrets.KEY", "CHANGE-ME", "still to be filled in"),
        ("greenlight_health.path", "health", "a path from /"),
        ("greenlight_migrations", ["0010_upload"], "app.name"),
        ("greenlight_requires", ["db:5432"], "tcp://HOST:PORT"),
        ("greenlight_sticky", ["cookies"], "cookie, header:NAME or address"),
        ("greenlight_smoke", [{"nmae": "x", "path": "/"}], "greenlight_smoke[0]"),
    ],
)
def test_what_is_wrong_is_said(path: str, value: object, said: str) -> None:
    found = texts(changed(path, value))
    assert len(found) == 1, found
    assert said in found[0]


def test_a_secret_value_is_not_shown() -> None:
    assert "tooshort" not in texts(changed("greenlight_tester_token", "tooshort"))[0]


def test_a_variable_in_both_places_is_refused() -> None:
    both = {**GOOD, "greenlight_environment": {"A": "1"}, "greenlight_secrets": {"A": "2"}}
    assert "A is also in greenlight_secrets" in texts(both)[0]


def test_what_is_missing_is_named() -> None:
    without = {name: value for name, value in GOOD.items() if name != "greenlight_domain"}
    assert "greenlight_domain" in texts(without)[0]


def test_every_problem_is_reported_at_once() -> None:
    wrong = {**changed("greenlight_domain", "?"), "greenlight_app": "?"}
    with pytest.raises(InvalidInput, match=r"2 problems, nothing has been changed") as caught:
        raise_all(resolve(SPEC, wrong)[1], "Not usable")
    assert "  1. greenlight_app" in str(caught.value)
    assert "  2. greenlight_domain" in str(caught.value)


def test_no_problem_raises_nothing() -> None:
    raise_all([], "Not usable")


def colours(**groups: list[str]) -> Fleet:
    return Fleet(["p"], ["a", "b"], {"p": "192.0.2.1", "a": "192.0.2.2", "b": "192.0.2.3"}, groups)


@pytest.mark.parametrize(
    ("fleet", "limit", "said"),
    [
        (Fleet([], ["a"], {"a": "192.0.2.1"}), "", ["the group proxies has no host"]),
        (Fleet(["p"], [], {"p": "192.0.2.1"}), "", ["the group apps has no host"]),
        (Fleet(["p"], ["a"], {"p": "192.0.2.1", "a": "app1"}), "", ["'app1' is not an IP address"]),
        (Fleet(["p"], ["a"], {"p": "edge.example.com", "a": "2001:db8::1"}), "", []),
        (Fleet(["p"], ["a"], {"p": "192.0.2.1", "a": "192.0.2.2"}), "a", ["--limit a leaves hosts out"]),
        (colours(blue=["a"], green=["b"]), "", []),
        (colours(blue=["a", "b"], green=["b"]), "", []),
        (colours(blue=["a", "b"]), "", ["the group green has no host"]),
        (colours(blue=["a"], green=["b", "c"]), "", ["c is in the group green and not in apps"]),
        (colours(blue=["a"], green=["a"]), "", ["b runs neither blue nor green"]),
    ],
)
def test_the_inventory_is_checked(fleet: Fleet, limit: str, said: list[str]) -> None:
    found = [str(problem) for problem in check_fleet(fleet, limit)]
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))
