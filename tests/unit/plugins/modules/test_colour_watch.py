# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health import tester
from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import CheckVerdict, TargetVerdict
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.modules import colour_watch

CONTACT = Contact(
    app="shop",
    domain="*.shop.test",
    address="127.0.0.1",
    port=8443,
    certificate="/etc/nginx/greenlight/shop/certificate.pem",
    token="hush-hush",
    path="/health",
    upstreams={"blue": (), "green": ()},
)
WATCH = {"app": "shop", "colour": "green", "health": {"readiness": "/readiness", "websocket": "/ws"}}


@pytest.fixture
def proxy(monkeypatch):
    """A proxy; every look takes the next of ``looks`` (its problems), ``served_by`` is what answers say."""
    seen = SimpleNamespace(looks=[], served_by="", asked=[], probed=[], directories=[], now=0.0)

    def run_smoke(targets, checks, **options):
        seen.asked.append((targets[0].endpoint, checks, options))
        problems = seen.looks.pop(0) if seen.looks else []
        verdict = CheckVerdict("health", "GET /health", list(problems), 503, 4.2, 0.1, "")
        return [TargetVerdict("", (verdict,))]

    def probe(endpoint, path, **options):
        seen.probed.append(path)
        return SimpleNamespace(header=lambda name: seen.served_by if name == "X-Greenlight-Served-By" else "")

    def sleep(seconds):
        seen.now += seconds

    def files(directory):
        seen.directories.append(str(directory))
        return SimpleNamespace(contact=lambda: CONTACT)

    monkeypatch.setattr(colour_watch, "TrafficFiles", files)
    monkeypatch.setattr(tester, "run_smoke", run_smoke)
    monkeypatch.setattr(tester, "probe_http", probe)
    monkeypatch.setattr(colour_watch, "time", SimpleNamespace(monotonic=lambda: seen.now, sleep=sleep))
    return seen


def test_the_proxy_is_asked_as_a_tester_who_trusts_its_certificate_alone(run_module, proxy):
    result = run_module(colour_watch, WATCH)
    assert (result.failed, result["changed"], result["looks"], result["bad"]) == (False, False, 1, 0)
    assert proxy.directories == ["/var/lib/greenlight/shop/traffic"]
    endpoint, checks, _options = proxy.asked[0]
    assert (endpoint.address, endpoint.port, endpoint.tls) == ("127.0.0.1", 8443, True)
    assert (endpoint.server_name, endpoint.ca_file) == ("greenlight.shop.test", CONTACT.certificate)
    assert dict(endpoint.headers) == {"X-Greenlight-Tester": "hush-hush", "X-Greenlight-Colour": "green"}
    assert [check.name for check in checks] == ["health", "readiness", "websocket"]


def test_an_empty_path_is_left_out(run_module, proxy):
    run_module(colour_watch, {**WATCH, "health": {"path": "", "readiness": "/readiness"}})
    assert [check.name for check in proxy.asked[0][1]] == ["readiness"]


def test_it_looks_again_and_again(run_module, proxy):
    result = run_module(colour_watch, {**WATCH, "seconds": 20, "interval": 5})
    assert (result["looks"], result["seconds"]) == (5, 20.0)


def test_too_many_bad_looks_fail_with_what_the_last_one_saw(run_module, proxy):
    proxy.looks = [["status 502"], [], ["status 503, expected 200"]]
    result = run_module(colour_watch, {**WATCH, "seconds": 60, "failures": 2})
    assert result.failed
    assert "2 of 3 looks at green were bad; health: status 503, expected 200" in result["msg"]


def test_check_mode_looks_once(run_module, proxy):
    assert run_module(colour_watch, {**WATCH, "seconds": 300}, check=True)["looks"] == 1


@pytest.mark.parametrize(
    ("served_by", "failed"),
    [
        ("green/20261122T124500Z-1a2b3c4/v2", False),
        ("", False),
        ("blue/20261122T124500Z-1a2b3c4/v2", True),
        ("green/20261122T120000Z-0000000/v1", True),
        ("green/20261122T124500Z-1a2b3c45/v2", True),
    ],
)
def test_another_release_that_answers_is_a_bad_look(run_module, proxy, served_by, failed):
    proxy.served_by = served_by
    result = run_module(colour_watch, {**WATCH, "release": "20261122T124500Z-1a2b3c4"})
    assert result.failed is failed
    assert not failed or f"{served_by} answered, expected green/20261122T124500Z-1a2b3c4/" in result["msg"]


def test_who_serves_is_not_asked_for_without_a_release(run_module, proxy):
    run_module(colour_watch, WATCH)
    assert proxy.probed == []


def test_who_serves_can_be_asked_where_only_a_websocket_is_watched(run_module, proxy):
    health = {"path": "", "websocket": "/ws"}
    assert not run_module(colour_watch, {**WATCH, "health": health, "release": "r"}).failed
    assert proxy.probed == ["/"]
