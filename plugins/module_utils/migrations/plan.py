# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which migrations an ordered list of targets means, forward only. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput


@dataclass(frozen=True)
class Migration:
    """One migration of the graph, named ``app.name``."""

    name: str
    dependencies: tuple[str, ...] = ()
    applied: bool = False
    reversible: bool = True
    atomic: bool = True
    operations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A target and the migrations that bring it about, in order; none when it is applied already."""

    target: str
    migrations: tuple[str, ...]


Graph = Mapping[str, Migration]


def graph_of(listed: Sequence[Mapping[str, Any]]) -> dict[str, Migration]:
    """The graph from plain data: one mapping per migration with the fields of :class:`Migration`."""
    return {
        node["name"]: Migration(
            name=node["name"],
            dependencies=tuple(node["dependencies"]),
            applied=node["applied"],
            reversible=node["reversible"],
            atomic=node["atomic"],
            operations=tuple(node["operations"]),
        )
        for node in listed
    }


def plan(graph: Graph, targets: Sequence[str]) -> list[Step]:
    """The steps for ``targets`` in their order; without targets, every pending migration in dependency order.

    A target that is applied is an empty step, whatever has been applied after it: nothing is ever unapplied.
    :class:`InvalidInput` when a target does not exist, is listed twice, or comes after one that needs it.
    """
    wanted = list(targets) or _leaves(graph)
    _check_targets(graph, wanted)
    done = {name for name, migration in graph.items() if migration.applied}
    steps = []
    for target in wanted:
        needed = [name for name in ancestry(graph, target) if name not in done]
        done.update(needed)
        steps.append(Step(target, tuple(needed)))
    return steps


def pending(graph: Graph) -> list[str]:
    """Every migration that is not applied, in dependency order."""
    every = dict.fromkeys(name for leaf in _leaves(graph) for name in ancestry(graph, leaf))
    return [name for name in every if not graph[name].applied]


def ancestry(graph: Graph, target: str) -> list[str]:
    """``target`` and all that it depends on, dependencies first."""
    ordered: dict[str, None] = {}
    waiting = [(target, False)]
    while waiting:
        name, ready = waiting.pop()
        if name in ordered:
            continue
        if ready:
            ordered[name] = None
            continue
        waiting.append((name, True))
        waiting += [(dependency, False) for dependency in reversed(graph[name].dependencies) if dependency in graph]
    return list(ordered)


def _leaves(graph: Graph) -> list[str]:
    needed = {dependency for migration in graph.values() for dependency in migration.dependencies}
    return [name for name in sorted(graph) if name not in needed]


def _check_targets(graph: Graph, targets: Sequence[str]) -> None:
    for place, target in enumerate(targets):
        if target not in graph:
            raise InvalidInput(
                f"there is no migration {target}",
                where="targets",
                expected=_nearest(graph, target),
                do="correct the target",
            )
        if target in targets[:place]:
            raise InvalidInput(f"{target} is listed twice", where="targets", expected="each target once")
        late = next((other for other in targets[:place] if target in ancestry(graph, other)), None)
        if late:
            raise InvalidInput(
                f"{target} is listed after {late}, which needs it",
                where="targets",
                expected="an order that the dependencies allow",
                do=f"list {target} before {late}",
            )


def _nearest(graph: Graph, target: str) -> str:
    close = difflib.get_close_matches(target, list(graph), n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    app = target.partition(".")[0]
    same = [name for name in sorted(graph) if name.startswith(f"{app}.")]
    return (
        f"one of {', '.join(same)}" if same else f"an app of {', '.join(sorted({n.partition('.')[0] for n in graph}))}"
    )
