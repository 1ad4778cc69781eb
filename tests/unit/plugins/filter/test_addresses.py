# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.filter.addresses import FilterModule

HOSTVARS = {
    "app1": {"greenlight_address": "10.0.0.21", "ansible_host": "192.0.2.1"},
    "app2": {"ansible_host": "10.0.0.22"},
    "10.0.0.23": {},
}


def test_the_address_on_which_a_host_serves():
    addresses = FilterModule().filters()["addresses"]
    assert addresses(HOSTVARS, HOSTVARS) == {"app1": "10.0.0.21", "app2": "10.0.0.22", "10.0.0.23": "10.0.0.23"}
