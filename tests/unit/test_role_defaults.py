# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's defaults and its argument specification say the same: the specification is what its README is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"


def options(role: str) -> dict[str, Any]:
    """The options of all entry points of ``role`` that are its own variables."""
    specification = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())["argument_specs"]
    return {
        name: option
        for entry in specification.values()
        for name, option in entry.get("options", {}).items()
        if name.startswith(f"{role}_")
    }


def defaults(role: str) -> dict[str, Any]:
    path = ROLES / role / "defaults/main.yml"
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def is_made_from_others(value: Any) -> bool:
    """A template cannot stand in the specification of a number, a list or a dictionary; everything else must."""
    return "{{" in str(value)


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir() if path.is_dir()))
def test_defaults_are_those_of_the_specification(role):
    specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
    given = defaults(role)
    assert given.keys() <= options(role).keys() | {name for name in given if name.startswith("__")}
    plain = {name: value for name, value in given.items() if not is_made_from_others(value)}
    assert {name: value for name, value in specified.items() if not is_made_from_others(value)} == plain
    assert all(given.get(name) == value for name, value in specified.items())
