# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a statement of PostgreSQL's does to tables that exist: which lock it takes and how much work it is. Pure.

It reads the statements that migrations consist of, not all of SQL: what it does not know has the kind ``other``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

NOTHING, SCAN, BUILD, REWRITE = "nothing", "scan", "build", "rewrite"
"""How much work: the catalogue only, reading the table, building an index, writing the table anew."""

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
LOCKS = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE", ACCESS_EXCLUSIVE,
)  # fmt: skip
"""From the weakest to the strongest."""

_CONFLICTS = {
    "ACCESS SHARE": (7,), "ROW SHARE": (6, 7), "ROW EXCLUSIVE": (4, 5, 6, 7), "SHARE UPDATE EXCLUSIVE": (3, 4, 5, 6, 7),
    "SHARE": (2, 3, 5, 6, 7), "SHARE ROW EXCLUSIVE": (2, 3, 4, 5, 6, 7), "EXCLUSIVE": (1, 2, 3, 4, 5, 6, 7),
    ACCESS_EXCLUSIVE: (0, 1, 2, 3, 4, 5, 6, 7),
}  # fmt: skip

DEFINES = re.compile(r"\b(?:CREATE|ALTER|DROP|REINDEX|TRUNCATE|CLUSTER|VACUUM|REFRESH)\b", re.IGNORECASE)
"""A text in which it is not found changes no definition and needs no closer look."""


@dataclass(frozen=True)
class Action:
    """One thing that a statement does. ``table`` and ``column`` are as PostgreSQL knows them, without quotes."""

    kind: str
    table: str = ""
    column: str = ""
    lock: str = ""
    work: str = NOTHING
    detail: str = ""


@dataclass(frozen=True)
class Statement:
    """One statement: its text, what it does, and the name of the index that it makes or drops."""

    sql: str
    actions: tuple[Action, ...]
    index: str = ""
    concurrent: bool = False

    @property
    def lock(self) -> str:
        """The strongest lock that it takes on a table that exists; empty when none."""
        return max((action.lock for action in self.actions), key=_strength, default="")

    def tables(self) -> dict[str, str]:
        """The tables on which it takes a lock, with the lock."""
        found: dict[str, str] = {}
        for action in self.actions:
            if action.table and action.lock and _strength(action.lock) > _strength(found.get(action.table, "")):
                found[action.table] = action.lock
        return found


def read(sql: str) -> list[Statement]:
    """The statements of ``sql`` with what each does."""
    return [_statement(text) for text in split(sql, ";") if text]


def conflicting(lock: str) -> list[str]:
    """The locks that somebody else must not have for ``lock`` to be given, as ``pg_locks.mode`` writes them."""
    return ["".join(word.capitalize() for word in LOCKS[place].split()) + "Lock" for place in _CONFLICTS[lock]]


def quoted(name: str) -> str:
    """``name``, which may have a schema before a dot, as SQL reads it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def split(text: str, separator: str) -> list[str]:
    """``text`` without comments, parted at every ``separator`` outside of quotes and parentheses."""
    parts, current, depth = [], "", 0
    for token in (found[0] for found in _TOKEN.finditer(text)):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == separator and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += " " if token.isspace() or token.startswith(("--", "/*")) else token
    return [part.strip() for part in (*parts, current)]


_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|[\w$]+|\s+|.""", re.DOTALL
)
_NAME = r'(?:(?:"(?:[^"]|"")+"|[\w$]+)\.)?(?:"(?:[^"]|"")+"|[\w$]+)'
_TABLE = rf"(?:IF (?:NOT )?EXISTS )?(?:ONLY )?(?P<table>{_NAME})"
_COLUMN = rf"(?:COLUMN )?(?:IF (?:NOT )?EXISTS )?(?P<column>{_NAME})"
_REFERENCES = re.compile(rf"REFERENCES (?P<table>{_NAME})", re.IGNORECASE)
_VOLATILE = re.compile(
    r"\b(?:random|gen_random_uuid|uuid_generate_v\w+|clock_timestamp|timeofday|nextval)\(|\bGENERATED\b|\b\w*serial\b",
    re.IGNORECASE,
)
Maker = Callable[[Mapping[str, str], str], Iterator[Action]]


def _statement(sql: str) -> Statement:
    for pattern, make in _STATEMENTS:
        found = pattern.match(sql)
        if found:
            named = {name: plain(value or "") for name, value in found.groupdict().items()}
            concurrent = bool(named.pop("concurrently", ""))
            return Statement(sql, tuple(make(named, sql)), named.get("index", ""), concurrent)
    return Statement(sql, (Action("other"),))


def plain(name: str) -> str:
    """``name`` as PostgreSQL knows it: quotes taken off, or in lower case where there were none."""
    parts = re.findall(r'"(?:[^"]|"")+"|[^".]+', name)
    return ".".join(part[1:-1].replace('""', '"') if part.startswith('"') else part.lower() for part in parts)


def _strength(lock: str) -> int:
    return LOCKS.index(lock) if lock else -1


def _simple(kind: str, lock: str, work: str = NOTHING) -> Maker:
    def make(named: Mapping[str, str], _sql: str) -> Iterator[Action]:
        yield Action(kind, named.get("table", ""), named.get("column", ""), lock, work, named.get("detail", ""))

    return make


def _create_table(named: Mapping[str, str], sql: str) -> Iterator[Action]:
    yield Action("create_table", named["table"])
    yield from _referenced(sql)


def _referenced(sql: str) -> Iterator[Action]:
    for found in _REFERENCES.finditer(sql):
        yield Action("reference", plain(found["table"]), lock="SHARE ROW EXCLUSIVE")


def _index(named: Mapping[str, str], sql: str) -> Iterator[Action]:
    concurrent = re.match(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY", sql, re.IGNORECASE)
    kind, lock = ("create_index_concurrently", "SHARE UPDATE EXCLUSIVE") if concurrent else ("create_index", "SHARE")
    yield Action(kind, named["table"], lock=lock, work=BUILD, detail=named["index"])


def _alter_table(named: Mapping[str, str], sql: str) -> Iterator[Action]:
    table = named["table"]
    for text in split(_ALTER.sub("", sql, count=1), ","):
        yield from _alteration(table, text)


def _alteration(table: str, text: str) -> Iterator[Action]:
    for pattern, kind, lock, work in _ALTERATIONS:
        found = pattern.match(text)
        if found:
            named = {name: value or "" for name, value in found.groupdict().items()}
            column, detail = plain(named.get("column", "")), named.get("detail", "").strip()
            yield Action(kind, table, column, lock, _work(kind, work, text), detail)
            yield from _referenced(text) if kind in {"add_foreign_key", "add_column"} else ()
            return
    yield Action("alter_table", table, lock=ACCESS_EXCLUSIVE)


def _work(kind: str, usual: str, text: str) -> str:
    if re.search(r"\bNOT VALID$|\bUSING INDEX\b", text, re.IGNORECASE):
        return NOTHING
    if kind != "add_column":
        return usual
    if _VOLATILE.search(text):
        return REWRITE
    return BUILD if re.search(r"\b(?:UNIQUE|PRIMARY KEY)\b", text, re.IGNORECASE) else NOTHING


def _patterns(*rows: tuple[str, Maker]) -> tuple[tuple[re.Pattern[str], Maker], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), make) for pattern, make in rows)


_CREATE_INDEX = r"CREATE (?:UNIQUE )?INDEX (?P<concurrently>CONCURRENTLY )?(?:IF NOT EXISTS )?"
_ALTER = re.compile(rf"ALTER TABLE {_TABLE} ?", re.IGNORECASE)
_STATEMENTS = _patterns(
    (rf"CREATE (?:GLOBAL |LOCAL |TEMP |TEMPORARY |UNLOGGED )*TABLE {_TABLE}", _create_table),
    (rf"DROP TABLE {_TABLE}", _simple("drop_table", ACCESS_EXCLUSIVE)),
    (rf"TRUNCATE (?:TABLE )?{_TABLE}", _simple("truncate", ACCESS_EXCLUSIVE)),
    (rf"{_CREATE_INDEX}(?P<index>(?!ON\b){_NAME})? ?ON (?:ONLY )?(?P<table>{_NAME})", _index),
    (
        rf"DROP INDEX (?P<concurrently>CONCURRENTLY )(?:IF EXISTS )?(?P<index>{_NAME})",
        _simple("drop_index_concurrently", "SHARE UPDATE EXCLUSIVE"),
    ),
    (rf"DROP INDEX (?:IF EXISTS )?(?P<index>{_NAME})", _simple("drop_index", ACCESS_EXCLUSIVE)),
    (
        rf"REINDEX (?:\([^)]*\) )?(?:INDEX|TABLE) (?P<concurrently>CONCURRENTLY )(?P<index>{_NAME})",
        _simple("reindex_concurrently", "SHARE UPDATE EXCLUSIVE", BUILD),
    ),
    (rf"REINDEX (?:\([^)]*\) )?(?:INDEX|TABLE) (?P<index>{_NAME})", _simple("reindex", ACCESS_EXCLUSIVE, BUILD)),
    (rf"ALTER TABLE {_TABLE} ", _alter_table),
    (rf"CREATE (?:CONSTRAINT )?TRIGGER .*? ON (?P<table>{_NAME})", _simple("create_trigger", "SHARE ROW EXCLUSIVE")),
    (rf"DROP TRIGGER .*? ON (?P<table>{_NAME})", _simple("drop_trigger", ACCESS_EXCLUSIVE)),
    (rf"(?:VACUUM FULL|CLUSTER) (?P<table>{_NAME})", _simple("rewrite", ACCESS_EXCLUSIVE, REWRITE)),
    (rf"UPDATE {_TABLE}", _simple("update", "ROW EXCLUSIVE", SCAN)),
    (rf"DELETE FROM {_TABLE}", _simple("delete", "ROW EXCLUSIVE", SCAN)),  # noqa: S608 - a pattern
    (rf"INSERT INTO {_TABLE}", _simple("insert", "ROW EXCLUSIVE")),
    (r"COMMENT ON ", _simple("comment", "")),
    (r"(?:SET|RESET|SELECT)\b", _simple("read", "")),
)
_ALTERATIONS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, lock, work)
    for pattern, kind, lock, work in (
        (r"ADD CONSTRAINT \S+ FOREIGN KEY\b", "add_foreign_key", "SHARE ROW EXCLUSIVE", SCAN),
        (r"ADD CONSTRAINT \S+ CHECK\b", "add_check", ACCESS_EXCLUSIVE, SCAN),
        (
            r"ADD CONSTRAINT (?P<detail>\S+) (?:UNIQUE|PRIMARY KEY|EXCLUDE)\b",
            "add_unique",
            ACCESS_EXCLUSIVE,
            BUILD,
        ),
        (r"VALIDATE CONSTRAINT\b", "validate_constraint", "SHARE UPDATE EXCLUSIVE", SCAN),
        (r"DROP CONSTRAINT\b", "drop_constraint", ACCESS_EXCLUSIVE, NOTHING),
        (r"RENAME CONSTRAINT\b", "rename_constraint", ACCESS_EXCLUSIVE, NOTHING),
        (rf"RENAME TO (?P<detail>{_NAME})", "rename_table", ACCESS_EXCLUSIVE, NOTHING),
        (rf"RENAME {_COLUMN} TO (?P<detail>{_NAME})", "rename_column", ACCESS_EXCLUSIVE, NOTHING),
        (rf"DROP {_COLUMN}", "drop_column", ACCESS_EXCLUSIVE, NOTHING),
        (
            rf"ALTER {_COLUMN} (?:SET DATA )?TYPE (?P<detail>.*?)(?: USING .*)?$",
            "change_type",
            ACCESS_EXCLUSIVE,
            REWRITE,
        ),
        (rf"ALTER {_COLUMN} SET NOT NULL", "set_not_null", ACCESS_EXCLUSIVE, SCAN),
        (rf"ALTER {_COLUMN} DROP DEFAULT", "drop_default", ACCESS_EXCLUSIVE, NOTHING),
        (rf"ALTER {_COLUMN} SET DEFAULT", "set_default", ACCESS_EXCLUSIVE, NOTHING),
        (rf"ALTER {_COLUMN} SET STATISTICS", "set_statistics", "SHARE UPDATE EXCLUSIVE", NOTHING),
        (rf"ADD {_COLUMN} (?P<detail>.*)", "add_column", ACCESS_EXCLUSIVE, NOTHING),
    )
)
