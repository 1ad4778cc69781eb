# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQL as text: cut into pieces as PostgreSQL cuts it, so that what users declare is one query or expression. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n\r]*|/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
    | (?P<string>(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")+")
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<parameter>\$\d+)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
    | (?P<number>\d+)
    | (?P<mark>[^'"$\w])
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_SILENT = ("space", "comment")
STATEMENTS = ("select", "insert", "update", "delete", "merge", "with")
_OPEN, _CLOSE = "([", ")]"


@dataclass(frozen=True)
class Token:
    """A piece of SQL; ``kind`` is a group of the pattern above."""

    kind: str
    text: str

    @property
    def name(self) -> str:
        """The name that an identifier means: folded to small letters unless it is quoted; empty for other tokens."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].replace('""', '"') if self.text.startswith('"') else ""


def tokens_of(sql: str, where: str) -> list[Token]:
    """``sql`` in pieces, nothing left out; :class:`InvalidInput` for a string or comment that does not end.

    Strings are read as with ``standard_conforming_strings``, which the connection must have on.
    """
    found: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if not match:
            raise InvalidInput(f"cannot be read at {sql[at : at + 20]!r}", where=where, expected="a string that ends")
        kind, end = _kind(match), match.end()
        if match[0] == "/*":
            end = _end_of_comment(sql, at, where)
        found.append(Token(kind, sql[at:end]))
        at = end
    _refuse_continued_escapes(found, where)
    return found


def _kind(match: re.Match[str]) -> str:
    return next(name for name, text in match.groupdict().items() if text is not None and name != "tag")


def _end_of_comment(sql: str, at: int, where: str) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise InvalidInput("holds a comment that does not end", where=where)


def _refuse_continued_escapes(tokens: Sequence[Token], where: str) -> None:
    """After a line break PostgreSQL reads the next string as a part of the one before, escapes and all; we do not."""
    said = [token for token in tokens if token.kind not in _SILENT]
    for before, after in pairwise(said):
        if before.kind == "escaped" and after.kind == "string":
            raise InvalidInput("an E'' string goes on in a second one", where=where, do="write it as one string")


def single_statement(sql: str, where: str) -> str:
    """``sql`` without its final semicolon when it is one SELECT, INSERT, UPDATE, DELETE or MERGE.

    :class:`InvalidInput` for anything else: several statements, a command, nothing.
    """
    texts = [" " if token.kind == "comment" else token.text for token in tokens_of(sql, where)]
    statement = "".join(texts).strip().rstrip(";").rstrip()
    said = [token for token in tokens_of(statement, where) if token.kind not in _SILENT]
    first = next((token.name for token in said if token.text != "("), "")
    if first not in STATEMENTS or any(token.text == ";" for token in said):
        raise InvalidInput(
            "is not one query",
            where=where,
            expected="one single SELECT, INSERT, UPDATE, DELETE or MERGE, with $1, $2, ... for its parameters",
        )
    return statement


def fragment(sql: str, where: str, *, alone: bool = False) -> str:
    """``sql`` when it is an expression that closes what it opens; ``alone`` also refuses a second one after a comma."""
    depth = 0
    for token in tokens_of(sql, where):
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        stray = token.text == ";" or token.kind in ("comment", "parameter")
        if depth < 0 or stray or (alone and depth == 0 and token.text == ","):
            raise InvalidInput(f"{token.text} is out of place in {sql!r}", where=where, expected="one SQL expression")
    if depth or not sql.strip():
        raise InvalidInput(f"{sql!r} is not complete", where=where, expected="one SQL expression")
    return sql.strip()


def in_clone(statement: str, schema: str, table: str) -> str:
    """``statement`` with ``schema.table`` read from the temporary table of that name, which hides the real one."""
    tokens = tokens_of(statement, "query")
    said = [at for at, token in enumerate(tokens) if token.kind not in _SILENT]
    texts = [token.text for token in tokens]
    for first, dot, last in zip(said, said[1:], said[2:], strict=False):
        if (tokens[first].name, tokens[dot].text, tokens[last].name) == (schema, ".", table):
            texts[first] = "pg_temp"
    return "".join(texts)


def quoted(name: str) -> str:
    """An identifier that means exactly ``name``."""
    return '"' + name.replace('"', '""') + '"'


def readable(name: str) -> str:
    """An identifier that means ``name``, without quotes where it needs none; for people and for fixes."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) and name not in _RESERVED else quoted(name)


def path(*names: str) -> str:
    """``schema.table`` for people and for fixes."""
    return ".".join(readable(name) for name in names)


def literal(text: str) -> str:
    """A string constant, whatever ``text`` holds."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str]) -> str:
    """Names with commas, for people and for fixes."""
    return ", ".join(readable(name) for name in names)


_RESERVED = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary",
    "both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except",
    "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in",
    "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like",
    "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or",
    "order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
    "session_user", "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to", "trailing",
    "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window", "with",
})  # fmt: skip
