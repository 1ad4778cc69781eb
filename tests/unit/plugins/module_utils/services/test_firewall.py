# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that keep everybody but the proxies out."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services import firewall

PORTS = (8101, 8102, 8201)


def test_this_host_and_the_proxies_are_admitted_and_the_rest_refused():
    lines = [line.strip() for line in firewall.rules("mobile-sync", PORTS, ["10.0.0.21", "10.0.0.11"]).splitlines()]
    assert "elements = { 8101, 8102, 8201 }" in lines
    chain = lines[lines.index("type filter hook input priority -5; policy accept;") + 1 :]
    assert chain[:3] == [
        'tcp dport @ports iifname "lo" accept',
        "tcp dport @ports ip saddr { 10.0.0.11, 10.0.0.21 } accept",
        "tcp dport @ports counter reject with tcp reset",
    ]


def test_the_own_table_is_replaced_at_once_and_no_other_is_touched():
    text = firewall.rules("mobile-sync", PORTS, ["10.0.0.11"])
    assert text.index("delete table inet greenlight_mobile_sync") < text.index("table inet greenlight_mobile_sync {")
    assert "flush" not in text


def test_both_families_of_addresses():
    text = firewall.rules("a", PORTS, ["fd00::11", "10.0.0.11"])
    assert "ip6 saddr { fd00::11 } accept" in text
    assert "ip saddr { 10.0.0.11 } accept" in text


def test_only_ipv6():
    assert "ip saddr" not in firewall.rules("a", PORTS, ["fd00::11"])


def test_the_name_of_the_chain_follows_the_rules():
    one = firewall.chain_name(PORTS, ["10.0.0.1", "10.0.0.2"])
    assert one == firewall.chain_name(PORTS, ["10.0.0.2", "10.0.0.1", "10.0.0.1"])
    assert one != firewall.chain_name(PORTS, ["10.0.0.1"])
    assert one != firewall.chain_name(PORTS[:1], ["10.0.0.1", "10.0.0.2"])
    assert f"chain {one} {{" in firewall.rules("a", PORTS, ["10.0.0.1", "10.0.0.2"])


@pytest.mark.parametrize(("address", "loopback"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False)])
def test_loopback_needs_no_rules(address, loopback):
    assert firewall.is_loopback(address) is loopback


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_every_network_is_refused(address):
    with pytest.raises(InvalidInput, match="listen on every network"):
        firewall.is_loopback(address)


@pytest.mark.parametrize("address", ["", "app1", "10.0.0.1; drop", "10.0.0.0/8"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidInput, match="not an IP address"):
        firewall.rules("a", PORTS, [address])
