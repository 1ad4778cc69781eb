# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print a role's argument specification with every default that its defaults/main.yml gives: ``complete_spec.py ROLE``.

A default that is made from other variables may stand in defaults/main.yml alone: the specification of a number, a list
or a dictionary cannot hold a template. Markup that aar-doc does not know becomes markup that it knows.
Runs in the tools' environment, for the sake of its YAML parser.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml


def complete(specification: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Add ``defaults`` to the options of all entry points of ``specification`` and return it."""
    for entry in specification["argument_specs"].values():
        for name, option in entry.get("options", {}).items():
            if name in defaults:
                option["default"] = defaults[name]
    return specification


def load(path: Path) -> dict[str, Any]:
    """Return what a YAML file holds; nothing for a file that is not there."""
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def plain(text: str) -> str:
    """``P(a.b.c#module)``, ``E(NAME)`` and ``RV(name)`` as ``C(...)``."""
    return re.sub(r"\b(?:P|E|RV)\(([^)#]+)(?:#\w+)?\)", r"C(\1)", text)


if __name__ == "__main__":
    role = Path(sys.argv[1])
    completed = complete(load(role / "meta/argument_specs.yml"), load(role / "defaults/main.yml"))
    print(plain(yaml.safe_dump(completed, sort_keys=False, width=10_000)), end="")
