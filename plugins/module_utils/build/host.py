# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has of what a build needs: system packages and the application's own user."""

from __future__ import annotations

import pwd
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run


def missing_packages(wanted: Sequence[str]) -> list[str]:
    """Those of ``wanted`` that are not installed; whatever is no plain name of a package counts as missing."""
    if not wanted:
        return []
    question = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", "--", *wanted]
    answer = run(question, Context(Path("/"), timeout=30.0), allowed=(0, 1), what="dpkg-query")
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def account(user: str) -> dict[str, str]:
    """Home and shell of ``user``; nothing when there is no such user."""
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return {}
    return {"home": found.pw_dir, "shell": found.pw_shell}
