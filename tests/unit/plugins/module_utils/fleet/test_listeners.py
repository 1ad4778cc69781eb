# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener, parse, unit_in

SS = """\
LISTEN 0      511          0.0.0.0:443        0.0.0.0:*    users:(("nginx",pid=812,fd=6),("nginx",pid=811,fd=6))
LISTEN 0      4096      10.99.77.21:8101       0.0.0.0:*    users:(("python3",pid=77,fd=9))
LISTEN 0      128             [::]:22             [::]:*
LISTEN 0      5      127.0.0.1%lo:53         0.0.0.0:*

"""


def test_what_ss_prints_is_read() -> None:
    assert list(parse(SS)) == [
        Listener("0.0.0.0", 443, "nginx", 812),
        Listener("10.99.77.21", 8101, "python3", 77),
        Listener("::", 22, "", 0),
        Listener("127.0.0.1", 53, "", 0),
    ]


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/system-shop.slice/shop-web-blue@8101.service\n", "shop-web-blue@8101.service"),
        ("1:name=systemd:/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"),
        ("0::/\n", ""),
    ],
)
def test_the_unit_is_the_last_one_in_the_path(cgroup: str, unit: str) -> None:
    assert unit_in(cgroup) == unit
