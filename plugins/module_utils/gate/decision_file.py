# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file through which a person's decision reaches a gate that waits, on each proxy."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import Decision, parse, render
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import make_directory, write_atomic
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout


def decision_path(layout: Layout) -> Path:
    """Where it lies."""
    return layout.traffic.parent / "deployment" / "decision.json"


def read_decision(layout: Layout) -> Decision | None:
    """The last decision, None when there is none."""
    path = decision_path(layout)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return parse(text, str(path))


def write_decision(layout: Layout, decision: Decision) -> None:
    """Replace the last decision."""
    path = decision_path(layout)
    make_directory(path.parent)
    write_atomic(path, render(decision).encode(), 0o644)
