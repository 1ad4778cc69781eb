# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import guard as guards
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Guard, GuardDamaged
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import after


@pytest.mark.parametrize("guard", [Guard("blue", "d1", 120), Guard("green", "", 5)])
def test_it_is_read_as_it_was_written(guard):
    assert guards.parse(guards.render(guard)) == guard


@pytest.mark.parametrize("text", ["", "blue", "red d1 120", "blue d1 soon", "blue d1 120 more"])
def test_one_that_is_damaged(text):
    with pytest.raises(GuardDamaged):
        guards.parse(text)


def test_the_lease_is_of_this_boot_and_in_whole_seconds():
    assert guards.lease(Guard("blue", "d1", 120), after(0.3)) == "boot-a 1121\n"


def test_the_report():
    text = '{"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "d1"}'
    found = guards.parse_returned(text)
    assert found.as_dict() == {"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "d1"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"at": "t", "from": "x", "to": "red", "why": "", "deployment": ""}']
)
def test_no_report(text):
    assert guards.parse_returned(text) is None
