# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an order to what the host must hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import parse_services
from ansible_collections.greenlight.deploy.plugins.module_utils.services.order import Order

SERVICES = [{"name": "web", "application": "a.b:c", "instances": 2, "ports": {"blue": 8101, "green": 8201}}]
ORDER = Order(
    app="app",
    colour="green",
    release="20261122T124500Z-1a2b3c4",
    version="v2",
    user="app",
    services=parse_services(SERVICES, "10.0.0.21"),
    address="10.0.0.21",
    home="/opt/app",
    configuration="/etc/greenlight/app",
    proxies=("10.0.0.11",),
    environment={"PLAIN": "x"},
    secrets={"KEY": "hunter2"},
)


def test_everything_that_the_host_must_hold():
    wanted = ORDER.wanted()
    assert wanted.units == ("app-web-green@8201.service", "app-web-green@8202.service")
    assert list(wanted.templates) == ["app-web-green@.service"]
    assert f'GREENLIGHT_CONFIGURATION="{wanted.fingerprint}"\n' in wanted.environment
    assert 'KEY="hunter2"\n' in wanted.environment
    assert 'GREENLIGHT_RELEASE="20261122T124500Z-1a2b3c4"\n' in wanted.environment


def test_secrets_stand_in_the_environment_file_alone():
    assert "hunter2" not in "".join(ORDER.wanted().templates.values()) + ORDER.rules()


def test_how_many_there_are_restarts_nobody():
    more = replace(ORDER, services=parse_services([{**SERVICES[0], "instances": 3}], "10.0.0.21"))
    assert more.wanted().fingerprint == ORDER.wanted().fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"release": "20261123T124500Z-1a2b3c4"},
        {"version": "v3"},
        {"environment": {"PLAIN": "y"}},
        {"secrets": {}},
        {"connections": 100000},
        {"stop_timeout": 60.0},
    ],
)
def test_what_a_process_gets_restarts_it(change):
    assert replace(ORDER, **change).wanted().fingerprint != ORDER.wanted().fingerprint


def test_a_network_address_is_guarded():
    assert ORDER.guarded
    assert ORDER.chain() in ORDER.rules()
    assert "10.0.0.11, 10.0.0.21" in ORDER.rules()
    assert "greenlight-app-firewall.service" in ORDER.wanted().templates["app-web-green@.service"]


@pytest.mark.parametrize("change", [{"address": "127.0.0.1"}, {"firewall": False}])
def test_loopback_and_an_operator_who_guards_himself_need_no_filter(change):
    order = replace(ORDER, **change)
    assert (order.rules(), order.chain()) == ("", "")
    assert "firewall" not in order.wanted().templates["app-web-green@.service"]


def test_a_release_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="not the id of a release"):
        replace(ORDER, release="").wanted()
