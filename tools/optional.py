# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sub-commands that are modules of their own, with a ``main(words) -> int``: there when their module is there."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

MODULES = {
    "demo": ("tools.demo", "deploy the example on fresh hosts under live traffic and count what was lost"),
    "contract": ("tests.contract", "ask each supported ansible-core what the verdict for the fleet rests on"),
    "drill": ("tests.drill", "break things on purpose while deployments run"),
    "bench": ("tests.bench", "measure what this project promises to be fast at"),
}


def exists(name: str) -> bool:
    """Say whether the sub-command ``name`` is there."""
    return importlib.util.find_spec(MODULES[name][0]) is not None


def load(name: str) -> Callable[[list[str]], int]:
    """Return what runs the sub-command ``name``; its module is imported only then."""

    def act(words: list[str]) -> int:
        status: int = importlib.import_module(MODULES[name][0]).main(words)
        return status

    return act
