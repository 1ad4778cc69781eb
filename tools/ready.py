# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a command may need, made side by side: the tools' environment and hosts of the lab."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tools import environment, lab
from tools.hosts import USUAL, find


def ready(names: Sequence[str] = USUAL) -> None:
    """Return when ``.venv`` is complete and the hosts ``names`` are up; in a fraction of a second if they are."""
    hosts = find(list(names))
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(environment.ensure), pool.submit(lab.up, hosts)]
        for job in jobs:
            job.result()
