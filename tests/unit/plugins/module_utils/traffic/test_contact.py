# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import contact as contacts
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import NotInstalled, contact_of
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Listen
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT, SITE


def test_a_contact_survives_its_text():
    assert contacts.parse(contacts.render(CONTACT)) == CONTACT


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"upstreams": {"blue": [], "green": []}}'])
def test_a_damaged_one_says_what_to_do(text):
    with pytest.raises(NotInstalled, match="run the role web_proxy again"):
        contacts.parse(text)


@pytest.mark.parametrize(
    ("addresses", "address"),
    [
        (("0.0.0.0", "::"), "127.0.0.1"),
        (("::",), "::1"),
        (("fd00::1", "10.0.0.1"), "10.0.0.1"),
        (("127.0.0.1",), "127.0.0.1"),
    ],
)
def test_the_proxy_is_asked_where_it_listens(addresses, address):
    site = replace(SITE, listen=Listen(addresses))
    assert contact_of(site, "/etc/certificate.pem") == replace(CONTACT, address=address)


def test_a_name_below_a_wildcard():
    assert replace(CONTACT, domain="*.example.com").server_name == "greenlight.example.com"
