# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names in SQL and in connection strings, and names that are made from a database's. Pure."""

from __future__ import annotations

import hashlib
import re

LONGEST = 63
"""Bytes that PostgreSQL keeps of a name; it cuts off the rest without an error."""

LISTS = (
    "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
    "temp_tablespaces", "unix_socket_directories",
)  # fmt: skip
"""Settings whose stored value is a list of names that are quoted where they have to be."""

_ELEMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*?))\s*(?:,|$)')


def identifier(*parts: str) -> str:
    """A name, or a name with its schema before it, quoted for SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def setting_values(name: str, stored: str) -> list[str]:
    """The values to give a setting so that it is stored again as ``stored``: several for a list, else the one."""
    if name.lower() not in LISTS or not stored:
        return [stored]
    found, at = [], 0
    while at < len(stored):
        match = _ELEMENT.match(stored, at)
        if not match or match.end() == at:
            return [stored]
        found.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        at = match.end()
    return found


def conninfo(**words: str) -> str:
    """A connection string of libpq; values may hold anything."""
    escaped = {word: value.replace("\\", "\\\\").replace("'", "\\'") for word, value in words.items()}
    return " ".join(f"{word}='{value}'" for word, value in escaped.items())


def derived(database: str, purpose: str, of: str) -> str:
    """The name of what is made from ``database`` for a ``purpose``, such as shop_replaced_20261122T124500Z.

    Where that is too long, the database's part is cut and ends in a hash of the whole.
    """
    tail = f"_{purpose}_{of}"
    if len((database + tail).encode()) <= LONGEST:
        return database + tail
    mark = hashlib.sha256(f"{database}\0{of}".encode()).hexdigest()[:8]
    tail = f"_{purpose}_{of[:20]}_{mark}"
    return database.encode()[: LONGEST - len(tail.encode())].decode(errors="ignore") + tail
