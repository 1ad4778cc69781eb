# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import app_address, joined, upstreams

WEB = {"name": "web", "instances": 2, "ports": {"blue": 8101, "green": 8201}}
API = {"name": "api", "ports": {"blue": 9101, "green": 9201}}
WORKER = {"name": "worker", "instances": 4, "ports": None}
APPS = {"app1": "10.0.0.21", "app2": "fd00::22"}


def test_every_instance_of_every_host():
    assert upstreams(APPS, ["edge"], [WORKER, WEB, API]) == {
        "blue": ("10.0.0.21:8101", "10.0.0.21:8102", "[fd00::22]:8101", "[fd00::22]:8102"),
        "green": ("10.0.0.21:8201", "10.0.0.21:8202", "[fd00::22]:8201", "[fd00::22]:8202"),
    }


def test_the_service_can_be_named():
    assert upstreams({"app1": "10.0.0.21"}, ["edge"], [WEB, API], "api")["blue"] == ("10.0.0.21:9101",)


def test_a_colour_can_have_hosts_of_its_own():
    found = upstreams(APPS, ["edge"], [WEB], groups={"blue": ["app1"], "green": ["app2"]})
    assert found == {
        "blue": ("10.0.0.21:8101", "10.0.0.21:8102"),
        "green": ("[fd00::22]:8201", "[fd00::22]:8202"),
    }
    assert upstreams(APPS, ["edge"], [WEB], groups={"blue": [], "green": []}) == upstreams(APPS, ["edge"], [WEB])
    with pytest.raises(InvalidInput, match="app3 of blue"):
        upstreams(APPS, ["edge"], [WEB], groups={"blue": ["app3"]})


@pytest.mark.parametrize(
    ("proxies", "address"), [(["app1"], "127.0.0.1"), (["app1", "edge"], "10.0.0.21"), (["edge"], "10.0.0.21")]
)
def test_loopback_only_where_the_one_proxy_is(proxies, address):
    assert app_address("app1", "10.0.0.21", proxies) == address


@pytest.mark.parametrize(
    ("apps", "services", "service", "problem"),
    [
        ({}, [WEB], "", "no application host"),
        (APPS, [WORKER], "", "no service has ports"),
        (APPS, [WEB], "api", "no service 'api'"),
        (APPS, [{"name": "web", "ports": {"blue": 8101}}], "", "no valid port for green"),
        (APPS, [{"name": "web", "ports": {"blue": 0, "green": 1}}], "", "no valid port for blue"),
        ({"app1": "app1.example.com"}, [WEB], "", "'app1.example.com' is not an IP address"),
    ],
)
def test_what_is_wrong_is_said(apps, services, service, problem):
    with pytest.raises(InvalidInput, match=problem):
        upstreams(apps, ["edge"], services, service)


def test_an_address_cannot_carry_a_directive():
    with pytest.raises(InvalidInput):
        joined("127.0.0.1;", 80)
