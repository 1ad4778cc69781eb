# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from tools.complete_spec import complete, plain


def test_defaults_are_added_to_the_options_that_they_belong_to():
    specification = {"argument_specs": {"main": {"options": {"a": {"type": "int"}, "b": {"default": 1}}}, "bare": {}}}
    entries = complete(specification, {"a": "{{ other }}", "c": 2})["argument_specs"]
    assert entries["main"]["options"] == {"a": {"type": "int", "default": "{{ other }}"}, "b": {"default": 1}}


def test_markup_that_only_ansible_knows_becomes_code():
    text = "See P(greenlight.deploy.smoke#module), RV(ok) and E(HOME), not STEP(1) or O(state=started)."
    assert plain(text) == "See C(greenlight.deploy.smoke), C(ok) and C(HOME), not STEP(1) or O(state=started)."
