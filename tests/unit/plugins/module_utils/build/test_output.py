# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be shown of what programs print."""

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import MASK, redact, tail


def test_secrets_are_taken_out_by_value():
    assert redact("key=hunter2 again hunter2", ["hunter2"]) == f"key={MASK} again {MASK}"


def test_a_secret_inside_a_longer_one_does_not_spoil_it():
    assert redact("pass-pass-word", ["pass", "pass-word"]) == f"{MASK}-{MASK}"


def test_short_values_stay_since_nothing_could_be_read_without_them():
    assert redact("1 of 10", ["1", ""]) == "1 of 10"


def test_the_end_is_kept_and_empty_lines_are_not():
    assert tail("one\n\ntwo  \n\nthree\n", 2) == "two\nthree"
