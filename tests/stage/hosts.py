# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the drill and the benchmark: kept from run to run as long as nobody else had one of them."""

from __future__ import annotations

import secrets

from tests.stage.project import Project
from tools import lab
from tools.hosts import Host

MARK = "/var/lib/greenlight-stage"


def ready(project: Project) -> None:
    """Bring the hosts up; fresh ones unless all of them are still those that were made here."""
    lab.up(project.hosts)
    marks = {mark(host) for host in project.hosts}
    if len(marks) != 1 or marks == {""}:
        fresh(project)


def fresh(project: Project) -> None:
    """Make the hosts anew and mark them as made together."""
    lab.up(project.hosts, fresh=True)
    text = secrets.token_hex(8)
    for host in project.hosts:
        lab.tell(host, f"echo '{text}' > {MARK}")


def mark(host: Host) -> str:
    """With which others a host was made; empty for one that was not made here."""
    return lab.tell(host, f"cat {MARK} 2> /dev/null || true").strip()
