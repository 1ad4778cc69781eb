# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a database is, from single options and from a URL. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DEFAULTS: Mapping[str, Any] = {
    "host": "", "port": 5432, "user": "postgres", "password": "", "database": "", "ssl_mode": "prefer", "ca_cert": "",
}  # fmt: skip
_SCHEME = re.compile(r"(postgres(ql)?|postgis)(\+\w+)?")
_QUERY_NAMES = {"host": "host", "port": "port", "sslmode": "ssl_mode", "sslrootcert": "ca_cert"}
_OPTIONS = {
    "host": "login_host", "port": "login_port", "user": "login_user", "password": "login_password",
    "database": "database", "ssl_mode": "ssl_mode", "ca_cert": "ca_cert",
}  # fmt: skip


def address_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parts named in ``DEFAULTS``: of the module options ``params``, else of their ``url``, else the default.

    :class:`InvalidInput` for a URL that is none of PostgreSQL's, a mode or port that there is not, and when nothing
    names the database. No message holds a part of the URL: it may be the password.
    """
    given = {part: params.get(option) for part, option in _OPTIONS.items() if params.get(option)}
    found = {**DEFAULTS, **parse_url(params.get("url") or ""), **given}
    if not found["database"]:
        raise InvalidInput("no database is named", where="database", expected="its name here or in url")
    if found["ssl_mode"] not in SSL_MODES:
        raise InvalidInput(f"there is no mode {found['ssl_mode']}", where="ssl_mode", expected=", ".join(SSL_MODES))
    for part in ("host", "user", "password", "database"):
        if "\0" in found[part]:
            raise InvalidInput("holds a NUL character", where=_OPTIONS[part])
    return found


def parse_url(url: str) -> dict[str, Any]:
    """The parts that ``url`` names, percent-decoded; none for an empty one."""
    if not url:
        return {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _not_ours("it cannot be read; special characters may have to be percent-encoded") from None
    if not _SCHEME.fullmatch(parts.scheme):
        raise _not_ours("its scheme is not PostgreSQL's")
    query: dict[str, Any] = {
        _QUERY_NAMES[name]: value for name, value in parse_qsl(parts.query) if name in _QUERY_NAMES
    }
    if "port" in query:
        query["port"] = _port(query["port"])
    found = {
        "host": _host(parts.netloc, port),
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path[1:]),
    }
    return {**{name: value for name, value in found.items() if value}, **query}


def _host(netloc: str, port: int | None) -> str:
    """The host of a URL: decoded, its case kept, since it may be a folder."""
    host = netloc.rpartition("@")[2]
    return unquote((host.rpartition(":")[0] if port else host.rstrip(":")).strip("[]"))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise _not_ours("its port is not a number from 1 to 65535")
    return int(text)


def _not_ours(what: str) -> InvalidInput:
    return InvalidInput(what, where="url", expected="postgresql://user:password@host:5432/database")
