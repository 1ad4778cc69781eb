# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan of migrations would do to clients that are served meanwhile: locks, time, and what is unsafe. Pure.

The rules are our own, since what is unsafe depends on what linters of SQL do not see: whether a table has rows, whether
it is made by the same plan, and what the release that serves uses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.statements import (
    BUILD,
    REWRITE,
    SCAN,
    Action,
    Statement,
    read,
)

BYTES_PER_SECOND = {SCAN: 200e6, BUILD: 25e6, REWRITE: 50e6}
"""What one ordinary disk and core manage; the estimate is good for telling seconds from hours."""
SECONDS_PER_STATEMENT = 0.01
LONG = 60.0

Facts = Mapping[str, Mapping[str, Any]]
Used = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Planned:
    """A migration of the plan: its statements, or why they cannot be shown."""

    migration: str
    statements: tuple[Statement, ...]
    unknown: str = ""


@dataclass(frozen=True)
class Hazard:
    """Something unsafe, and the way to do it safely."""

    migration: str
    kind: str
    table: str
    says: str
    do: str

    def sentence(self) -> str:
        """It in words for an operator."""
        return f"{self.migration}: {self.says}. Safer: {self.do}."

    def as_dict(self) -> dict[str, str]:
        """Its fields by name."""
        return asdict(self)


def planned(collected: Sequence[Mapping[str, Any]]) -> list[Planned]:
    """The plan from plain data, one ``{migration, sql: [text], unknown}`` each."""
    return [
        Planned(each["migration"], tuple(part for sql in each["sql"] for part in read(sql)), each["unknown"])
        for each in collected
    ]


def tables(plan: Sequence[Planned]) -> list[str]:
    """Every table that the plan names."""
    actions = (action for each in plan for statement in each.statements for action in statement.actions)
    return list(dict.fromkeys(action.table for action in actions if action.table))


def uses(plan: Sequence[Planned]) -> bool:
    """Whether it matters what the release that serves uses."""
    asks = {"drop_table", "drop_column", "rename_table", "rename_column", "add_column"}
    return any(action.kind in asks for each in plan for statement in each.statements for action in statement.actions)


def described(plan: Sequence[Planned], facts: Facts) -> list[dict[str, Any]]:
    """The plan for people: ``{migration, seconds, unknown, statements: [{sql, lock, tables, work, seconds}]}`` each."""
    return [
        {
            "migration": each.migration,
            "seconds": round(sum(estimate(statement, facts) for statement in each.statements), 2),
            "unknown": each.unknown,
            "statements": [_shown(statement, facts) for statement in each.statements],
        }
        for each in plan
    ]


def _shown(statement: Statement, facts: Facts) -> dict[str, Any]:
    locks = {table: lock for table, lock in statement.tables().items() if table in facts}
    work = [action.work for action in statement.actions if action.work in BYTES_PER_SECOND]
    return {
        "sql": statement.sql,
        "lock": statement.lock if locks or not statement.tables() else "",
        "tables": sorted(locks),
        "work": work[0] if work else "nothing",
        "seconds": round(estimate(statement, facts), 2),
    }


def estimate(statement: Statement, facts: Facts) -> float:
    """Seconds that the statement may take, from the size of the tables that exist."""
    known = [action for action in statement.actions if action.table in facts and action.work in BYTES_PER_SECOND]
    work = sum(facts[action.table]["bytes"] / BYTES_PER_SECOND[action.work] for action in known)
    return float(work) + SECONDS_PER_STATEMENT


def hazards(plan: Sequence[Planned], facts: Facts, used: Used | None) -> list[Hazard]:
    """All that is unsafe. ``used`` are tables with columns that the release that serves uses, None when not known."""
    found = [hazard for each in plan for hazard in _of_migration(each, facts, used)]
    return list(dict.fromkeys([*found, *_without_default(plan, facts, used)]))


def _of_migration(each: Planned, facts: Facts, used: Used | None) -> Iterator[Hazard]:
    for statement in each.statements:
        for action in statement.actions:
            says, do = _blocks(action, facts) or _breaks(action, facts, used) or ("", "")
            if says:
                yield Hazard(each.migration, action.kind, action.table, says, do)


def _blocks(action: Action, facts: Facts) -> tuple[str, str] | None:
    """What keeps clients waiting: work under a lock on a table that has rows."""
    table = facts.get(action.table)
    if table is None or table["empty"] or action.work not in BYTES_PER_SECOND or action.kind not in _BLOCKING:
        return None
    if action.kind == "change_type" and _widens(str(table["columns"].get(action.column, "")), action.detail):
        return None
    says, do = (
        text.format(table=action.table, column=action.column, rows=table["rows"]) for text in _BLOCKING[action.kind]
    )
    return says, do


_BLOCKING = {
    "create_index": (
        "nobody can write to {table} (some {rows} rows) while the index is built",
        "AddIndexConcurrently in a migration with atomic = False",
    ),
    "add_unique": (
        "nobody can read or write {table} (some {rows} rows) while the index of the constraint is built",
        "build the unique index concurrently, then ADD CONSTRAINT ... USING INDEX",
    ),
    "add_foreign_key": (
        "nobody can write to {table} (some {rows} rows) while every row is checked",
        "add the constraint NOT VALID and validate it in a later migration",
    ),
    "add_check": (
        "nobody can read or write {table} (some {rows} rows) while every row is checked",
        "add the constraint NOT VALID and validate it in a later migration",
    ),
    "set_not_null": (
        "nobody can read or write {table} (some {rows} rows) while every row is checked for {column}",
        "add CHECK ({column} IS NOT NULL) NOT VALID, validate it, and set it in a later deployment",
    ),
    "change_type": (
        "{table} (some {rows} rows) is written anew for the type of {column}, and nobody can read it meanwhile",
        "add another column, write both, and change over in a later deployment",
    ),
    "add_column": (
        "{table} (some {rows} rows) is written anew or indexed for {column}, and nobody can read it meanwhile",
        "add the column empty, fill it in parts, and add default or index afterwards",
    ),
    "rewrite": ("{table} is written anew, and nobody can read it meanwhile", "leave it to a quiet time"),
}


def _breaks(action: Action, facts: Facts, used: Used | None) -> tuple[str, str] | None:
    """What the release that serves would fall over."""
    if action.kind not in _BREAKING or action.table not in facts or not _is_used(action, used):
        return None
    thing = f"{action.table}.{action.column}" if action.column else action.table
    who = "the release that serves may use" if used is None else "the release that serves uses"
    return f"{who} {thing}, which it {_BREAKING[action.kind]}", "deploy code that does without it first"


_BREAKING = {"drop_table": "drops", "drop_column": "drops", "rename_table": "renames", "rename_column": "renames"}


def _is_used(action: Action, used: Used | None) -> bool:
    return used is None or (action.table in used and (not action.column or action.column in used[action.table]))


def _without_default(plan: Sequence[Planned], facts: Facts, used: Used | None) -> Iterator[Hazard]:
    """Columns that must not be null and in the end have no default: the release that serves cannot insert any more."""
    required: dict[tuple[str, str], str] = {}
    filled: set[tuple[str, str]] = set()
    for each in plan:
        for action in (action for statement in each.statements for action in statement.actions):
            key = (action.table, action.column)
            if action.kind == "add_column" and re.search(r"\bNOT NULL\b", action.detail, re.IGNORECASE):
                required[key] = each.migration
                if _filled(action.detail):
                    filled.add(key)
            elif action.kind == "drop_default":
                filled.discard(key)
    for (table, column), migration in required.items():
        if (table, column) not in filled and table in facts and (used is None or table in used):
            says = f"the release that serves cannot insert into {table} any more, since {column} must be given"
            yield Hazard(migration, "not_null_without_default", table, says, "db_default, or null=True at first")


def _filled(detail: str) -> bool:
    return bool(re.search(r"\b(?:DEFAULT|GENERATED|\w*SERIAL)\b", detail, re.IGNORECASE))


def _widens(before: str, after: str) -> bool:
    """Whether only the longest length of a text grows, which changes no row."""
    old, new = (_LENGTH.fullmatch(kind.strip()) for kind in (before, after))
    if not old or not new:
        return False
    return not new["length"] or bool(old["length"] and int(new["length"]) >= int(old["length"]))


_LENGTH = re.compile(r"(?:character varying|varchar|text)(?:\((?P<length>\d+)\))?", re.IGNORECASE)


def check(
    found: Sequence[Hazard], described_plan: Sequence[Mapping[str, Any]], unsafe: str, longest: float
) -> list[str]:
    """The warnings; :class:`InvalidInput` when the plan must not be gone on with.

    ``unsafe`` is what to do about hazards (fail, warn, allow). A plan that may take more than ``longest`` seconds is
    refused unless unsafe things are allowed.
    """
    if unsafe == "allow":
        return []
    seconds = sum(each["seconds"] for each in described_plan)
    if unsafe == "fail" and found:
        raise InvalidInput(
            " ".join(hazard.sentence() for hazard in found),
            where="migrations",
            expected="a plan that clients do not notice; nothing has been changed",
            do="change the migrations, or allow it for this run with unsafe=allow",
        )
    if seconds > longest:
        raise InvalidInput(
            f"the plan may take {seconds:.0f} s",
            where="migrations",
            expected=f"at most {longest:.0f} s; nothing has been changed",
            do="do it in smaller parts, or allow it for this run with unsafe=allow",
        )
    slow = [f"The migrations may take {seconds:.0f} s."] if seconds > LONG else []
    return [hazard.sentence() for hazard in found] + slow
