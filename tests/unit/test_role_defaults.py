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


def specified(role: str) -> dict[str, Any]:
    """The defaults in the specification of all entry points of ``role``, by option."""
    specification = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())["argument_specs"]
    return {
        name: option["default"]
        for entry in specification.values()
        for name, option in entry.get("options", {}).items()
        if "default" in option and name.startswith(f"{role}_")
    }


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir() if path.is_dir()))
def test_defaults_are_those_of_the_specification(role):
    defaults = ROLES / role / "defaults/main.yml"
    assert (yaml.safe_load(defaults.read_text()) if defaults.exists() else {}) == specified(role)
