# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Undoing what a deployment applied: which migrations, in which order, and whether it can be done at all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import Entry
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Graph, ancestry

KEEP = (
    "leave the schema as it is and take only the code back, write a migration that goes forward, or restore the backup "
    "of before the deployment and lose what was written since"
)


def check(rows: Sequence[Entry], graph: Graph, release: str, needed: Collection[str] = ()) -> list[str]:
    """The migrations of ``rows`` (newest first) if ``release``, which has the files of ``graph``, can undo them.

    ``needed`` are migrations that the release that goes on serving knows. :class:`InvalidInput` when files are
    missing, a step is irreversible, another applied migration depends on one of them, or one is needed.
    """
    names = [row.migration for row in rows]
    _check_files(rows, graph, release)
    wanted = [name for name in names if name in needed]
    if wanted:
        raise InvalidInput(
            f"the release that serves needs {', '.join(wanted)}",
            where="migrations",
            expected="a release that was there before them to serve",
            do="take the code back first, then undo",
        )
    fixed = [name for name in names if not graph[name].reversible]
    if fixed:
        raise InvalidInput(
            f"{', '.join(fixed)} cannot be undone: a step of it has no way back",
            where="migrations",
            expected="only steps that can be undone; nothing has been changed",
            do=KEEP,
        )
    _check_dependants(names, graph)
    return names


def _check_files(rows: Sequence[Entry], graph: Graph, release: str) -> None:
    missing = [row for row in rows if row.migration not in graph]
    if missing:
        owners = list(dict.fromkeys(row.release for row in missing))
        raise InvalidInput(
            f"has no {', '.join(row.migration for row in missing)}",
            where=f"release {release}",
            expected=f"the release that applied them, {', '.join(owners)}",
            do="name that release; build it again when it is not installed any more",
        )


def _check_dependants(names: Sequence[str], graph: Graph) -> None:
    others = [name for name, migration in graph.items() if migration.applied and name not in names]
    late = [name for name in others if not set(names).isdisjoint(ancestry(graph, name))]
    if late:
        raise InvalidInput(
            f"{', '.join(sorted(late))} depends on them and was applied outside of this deployment",
            where="migrations",
            expected="only what this deployment applied to be undone",
            do="undo that first, with manage.py migrate, or leave the schema as it is",
        )
