# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.stage.command import reason

SAID = """\
TASK [x] ***
ok: [localhost] =>
    msg: First deployment
fatal: [localhost]: FAILED! =>
    changed: false
    msg: 'Not deployed. watch green at 10 %: gl-edge in
        ''Watch'': green answered badly.'
ok: [gl-app1] =>
    msg: It could not be emptied.
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (SAID, "Not deployed. watch green at 10 %: gl-edge in ''Watch'': green answered badly."),
        ("    msg: Nothing to do: v1 already serves.\n", "Nothing to do: v1 already serves."),
        ("    msg: |-\n        two\n        lines\n", "two lines"),
        ("PLAY [x]\n", ""),
    ],
)
def test_the_sentence_that_says_how_it_ended(said, expected):
    assert reason(said) == expected
