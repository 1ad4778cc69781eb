# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.waves import waves

USUAL = ["1", "25%", "100%"]


@pytest.mark.parametrize(
    ("count", "sizes", "found"),
    [
        (1, USUAL, [1]),
        (2, USUAL, [1, 1]),
        (3, USUAL, [1, 1, 1]),
        (8, USUAL, [1, 2, 5]),
        (40, USUAL, [1, 10, 29]),
        (3, [], [3]),
        (5, ["2"], [2, 2, 1]),
        (7, ["50%"], [3, 3, 1]),
        (3, ["10"], [3]),
        (0, USUAL, []),
    ],
)
def test_hosts_go_in_waves(count: int, sizes: list[str], found: list[int]) -> None:
    hosts = [f"app{number}" for number in range(count)]
    made = waves(hosts, sizes)
    assert [len(wave) for wave in made] == found
    assert [host for wave in made for host in wave] == hosts


@pytest.mark.parametrize("size", ["0", "0%", "101%", "-1", "all", "", "1.5", "%"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(InvalidInput, match="is no size of a wave"):
        waves(["app1"], [size])
