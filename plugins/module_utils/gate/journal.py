# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often patterns occur in what units wrote to the journal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run

TIMEOUT = 60.0


def count_lines(units: str, seconds: int, patterns: Sequence[str]) -> list[int]:
    """For each pattern, the lines of the last ``seconds`` of ``units`` (a glob pattern) in which it occurs."""
    argv = ["journalctl", "--no-pager", "--quiet", "--output=cat", f"--since=-{seconds}s", f"--unit={units}"]
    lines = run(argv, Context(Path("/"), timeout=TIMEOUT), allowed=(0, 1)).splitlines()
    return [sum(1 for line in lines if re.search(pattern, line)) for pattern in patterns]
