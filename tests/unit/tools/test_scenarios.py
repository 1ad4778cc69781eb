# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools import scenarios
from tools.places import ROOT


def test_the_lab_comes_first_and_those_that_share_hosts_last_in_their_order() -> None:
    known = scenarios.known()
    assert known[0] == "lab"
    assert tuple(known[-len(scenarios.SHARED) :]) == scenarios.SHARED


@pytest.mark.parametrize("name", scenarios.SHARED)
def test_each_of_them_takes_the_stage_and_leaves_it(name: str) -> None:
    folder = ROOT / "molecule" / name
    assert "shared/stage/create.yml" in (folder / "molecule.yml").read_text()
    assert "shared/stage/leave.yml" in (folder / "verify.yml").read_text()
    assert (folder / "inventory").readlink().parts[:2] == ("..", "shared")
