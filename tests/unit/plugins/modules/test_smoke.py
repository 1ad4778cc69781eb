# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import CheckVerdict, TargetVerdict
from ansible_collections.greenlight.deploy.plugins.modules import smoke

TARGET = {"address": "127.0.0.1", "port": 9}


@pytest.fixture
def asked(monkeypatch):
    """What the module asked; the verdicts are those that the test puts in ``asked['problems']``."""
    seen = {"problems": []}

    def pretend(targets, checks, **options):
        seen.update(targets=targets, checks=checks, **options)
        verdict = CheckVerdict("health", "GET http://a/health at a:1", list(seen["problems"]), 503, 4.2, 0.1, "sorry")
        return [TargetVerdict(target.label, (verdict,)) for target in targets]

    monkeypatch.setattr(smoke, "run_smoke", pretend)
    return seen


def test_all_passed(run_module, asked):
    result = run_module(smoke, {"targets": [TARGET], "health": {"websocket": "/ws"}})
    assert (result.failed, result["changed"], result["ok"], result["asked"]) == (False, False, True, 1)
    assert [check.name for check in asked["checks"]] == ["health", "websocket"]
    assert result["targets"][0]["label"] == "127.0.0.1:9"
    assert result["summary"].startswith("1 checks passed at 1 targets")


def test_one_failure_fails_the_module_and_shows_what_came(run_module, asked):
    asked["problems"] = ["status 503, expected 200"]
    result = run_module(smoke, {"targets": [{**TARGET, "label": "edge"}]})
    assert result.failed
    assert result["msg"] == (
        "smoke: edge: health: status 503, expected 200 (GET http://a/health at a:1 [status 503], answer begins 'sorry')"
    )
    assert result["targets"][0]["checks"][0]["problems"] == ["status 503, expected 200"]


def test_check_mode_validates_and_asks_nothing(run_module, asked):
    result = run_module(smoke, {"targets": [TARGET]}, check=True)
    assert (result["asked"], "targets" in asked) == (0, False)
    result = run_module(smoke, {"targets": [TARGET], "checks": [{"name": "a"}]}, check=True)
    assert "'path' is missing" in result["msg"]


def test_a_target_is_read_whole(run_module, asked):
    target = {
        "address": "10.0.0.1", "tls": True, "server_name": "a.test", "ca_file": "/ca.pem", "headers": {"A": 1},
        "secret_headers": {"X-Greenlight-Tester": "hush-hush"},
    }  # fmt: skip
    run_module(smoke, {"targets": [target], "expect_headers": {"X": "y"}})
    endpoint = asked["targets"][0].endpoint
    assert (endpoint.port, endpoint.host, endpoint.ca_file) == (443, "a.test", "/ca.pem")
    assert endpoint.headers == (("A", "1"), ("X-Greenlight-Tester", "hush-hush"))
    assert asked["wanted"] == (("X", "y"),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": [{**TARGET, "port": 70000}]}, "targets[0]"),
        ({"targets": [{**TARGET, "headers": {"A": "b\nc"}}]}, "line break"),
        ({"targets": [TARGET], "deadline": 5}, "raise the deadline"),
        ({"targets": [TARGET], "checks": [{"name": "a", "path": "/", "max_latncy": 1}]}, "write 'max_latency'"),
        ({"targets": [{"port": 1}]}, "address"),
        ({}, "targets"),
    ],
)
def test_bad_options_are_named(run_module, asked, options, message):
    result = run_module(smoke, options)
    assert result.failed
    assert message in result["msg"]
    assert "targets" not in asked
