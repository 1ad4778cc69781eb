# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the plan of a query, as EXPLAIN (FORMAT JSON) gives it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

Plan = Mapping[str, Any]

_STRING = re.compile(r"'(?:[^']|'')*'")
_PREFIX = re.compile(r'(?:"(?:[^"]|"")+"|\b[A-Za-z_][\w$]*)\.')
_BRACKETS = re.compile(r"[()]")


def nodes(plan: Plan) -> Iterator[Plan]:
    """Every node of a plan, the root first."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


class Goal(NamedTuple):
    """What a plan is looked through for: an index under its names (a partitioned one has several).

    ``first_key`` is the definition of its first key, empty where a condition on any key will do; ``partial`` says that
    its predicate alone makes it worth reading.
    """

    names: Collection[str]
    first_key: str
    partial: bool


def chosen(plan: Plan, goal: Goal) -> bool:
    """Whether the planner takes the index for what it is good for.

    That is: a condition on its first key, its predicate, an order that spares a sort while nothing is read in vain, or
    finding the row that an INSERT collides with.
    """
    return any(_takes(node, goal) and (_seeks(node, goal) or _walks(node)) for node in nodes(plan))


def sought(plan: Plan, goal: Goal) -> bool:
    """Like :func:`chosen`, for a plan that was forced: there, walking through a whole index proves nothing."""
    return any(_takes(node, goal) and _seeks(node, goal) for node in nodes(plan))


def _takes(node: Plan, goal: Goal) -> bool:
    return node.get("Index Name") in goal.names or _collides(node, goal)


def _collides(node: Plan, goal: Goal) -> bool:
    return any(name in goal.names for name in node.get("Conflict Arbiter Indexes", ()))


def _seeks(node: Plan, goal: Goal) -> bool:
    if goal.partial or _collides(node, goal):
        return True
    condition = str(node.get("Index Cond", "") or node.get("Order By", ""))
    return bool(condition) and (not goal.first_key or mentions(condition, goal.first_key))


def _walks(node: Plan) -> bool:
    return not any(name in node for name in ("Index Cond", "Filter", "Order By"))


def mentions(condition: str, key: str) -> bool:
    """Whether ``key``, a column or an expression as PostgreSQL writes it, stands in a condition."""
    return bool(re.search(rf'(?<![\w$"]){re.escape(_plain(key))}(?![\w$"])', _plain(condition)))


def _plain(sql: str) -> str:
    """Without what differs from place to place: prefixes, brackets, the contents of strings."""
    return _BRACKETS.sub("", _PREFIX.sub("", _STRING.sub("''", sql))).strip()


def reads(plan: Plan, tables: Collection[str]) -> str:
    """How the plan comes to the rows of ``tables``, in words such as ``Seq Scan on orders``; empty if it does not."""
    ways = [
        f"{node['Node Type']} using {node['Index Name']}" if "Index Name" in node else _on(node)
        for node in nodes(plan)
        if node.get("Relation Name") in tables or node["Node Type"] == "Bitmap Index Scan"
    ]
    return ", ".join(dict.fromkeys(ways))


def _on(node: Plan) -> str:
    return f"{node['Node Type']} on {node['Relation Name']}"


def served(plan: Plan, tables: Collection[str]) -> bool:
    """Whether no row of ``tables`` is read by going through all of one."""
    return not any(
        node["Node Type"] in ("Seq Scan", "Sample Scan") and node.get("Relation Name") in tables for node in nodes(plan)
    )
