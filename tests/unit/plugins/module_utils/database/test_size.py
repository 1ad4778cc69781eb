# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.size import SizeAnomaly, require_usual_size

MB = 1_000_000


@pytest.mark.parametrize(
    ("size", "before"),
    [
        (1, []),
        (70 * MB, [100 * MB]),
        (200 * MB, [100 * MB]),
        (100 * MB, [1 * MB, *[100 * MB] * 5]),
        (100 * MB, [99 * MB, 100 * MB, 900 * MB]),
        (60_000, [1_000]),
        (60 * MB, [1_600]),
        (1_000, [60_000]),
    ],
)
def test_a_usual_size_goes_on(size, before):
    require_usual_size(size, before, "here")


@pytest.mark.parametrize(
    ("size", "before", "share"),
    [
        (69 * MB, [100 * MB], "69 %"),
        (201 * MB, [100 * MB], "201 %"),
        (0, [1 * MB], "0 %"),
        (100 * MB, [*[100 * MB] * 5, *[10 * MB] * 5], "1000 %"),
    ],
)
def test_an_unusual_size_stops(size, before, share):
    with pytest.raises(SizeAnomaly, match=share):
        require_usual_size(size, before, "here")
