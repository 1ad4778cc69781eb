# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (GreenlightError("it broke"), "it broke"),
        (GreenlightError("it broke", where="app1"), "app1: it broke"),
        (GreenlightError("it broke", expected="peace"), "it broke. Expected: peace."),
        (GreenlightError("who?", where="a.b", expected="did you mean c?"), "a.b: who? Expected: did you mean c?"),
        (GreenlightError("no", where="x", expected="yes", do="ask"), "x: no. Expected: yes. Do: ask."),
    ],
)
def test_the_parts_make_one_message(error: GreenlightError, text: str) -> None:
    assert str(error) == text


def test_only_the_parts_that_are_there_are_data() -> None:
    assert GreenlightError("no", do="ask").as_dict() == {"what": "no", "do": "ask"}
