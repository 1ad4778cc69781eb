# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users give, checked so strictly that it can stand in an nginx file as it is: no quoting, no injection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_APP = re.compile(r"[a-z][a-z0-9-]{0,30}")
_DOMAIN = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_COOKIE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_SIZE = re.compile(r"[1-9][0-9]{0,8}[kmg]?|0")


def _matching(pattern: re.Pattern[str], text: Any, where: str, expected: str, *, secret: bool = False) -> str:
    if isinstance(text, str) and pattern.fullmatch(text):
        return text
    shown = "the value" if secret else repr(text)
    raise InvalidInput(f"{shown} cannot be used", where=where, expected=expected, do=f"correct {where}")


def app_name(text: Any, where: str = "app") -> str:
    """The name of an application: it becomes part of file, unit and upstream names."""
    return _matching(_APP, text, where, "1 to 31 small letters, digits and hyphens, a letter first")


def domain_name(text: Any, where: str = "domain") -> str:
    """A host name in small letters, at most 253 characters; ``*.`` may stand in front."""
    name = _matching(_DOMAIN, text, where, "a host name in small letters, such as sync.example.com")
    if len(name) > 253:
        raise InvalidInput(f"the name has {len(name)} characters", where=where, expected="at most 253 characters")
    return name


def url_path(text: Any, where: str) -> str:
    """The path of a URL without a query."""
    path = _matching(_PATH, text, where, "a path such as /ws/ (letters, digits, and . _ ~ / -)")
    if "/../" in f"{path}/" or "//" in path:
        raise InvalidInput(f"{path!r} is not a plain path", where=where, expected="a path without // and ..")
    return path


def header_name(text: Any, where: str) -> str:
    """The name of a request header."""
    return _matching(_HEADER, text, where, "the name of a header such as X-Device-Id")


def cookie_name(text: Any, where: str) -> str:
    """The name of a cookie, of characters that nginx takes in a variable."""
    return _matching(_COOKIE, text, where, "the name of a cookie (letters, digits, underscores)")


def token(text: Any, where: str) -> str:
    """A secret of 16 to 128 characters that mean nothing in a regular expression. It is never shown."""
    return _matching(_TOKEN, text, where, "16 to 128 letters, digits, _ and -", secret=True)


def size(text: Any, where: str) -> str:
    """A size as nginx writes it: ``20m``; ``0`` for no limit."""
    return _matching(_SIZE, str(text).lower(), where, "a size such as 512k, 20m or 1g (0: no limit)")


def network(text: Any, where: str) -> str:
    """An address or a network, as nginx takes it after ``set_real_ip_from``."""
    try:
        return str(ip_network(text))
    except (ValueError, TypeError):
        raise InvalidInput(
            f"{text!r} is not an address or a network", where=where, expected="an address or CIDR such as 10.0.0.0/24"
        ) from None


def address(text: Any, where: str) -> str:
    """An IP address; ``0.0.0.0`` and ``::`` are all addresses of their kind."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not an IP address", where=where, expected="an address such as 0.0.0.0"
        ) from None


def number(value: Any, where: str, lowest: int, highest: int) -> int:
    """A whole number within the limits, both included."""
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    raise InvalidInput(f"{value!r} cannot be used", where=where, expected=f"a whole number from {lowest} to {highest}")


def no_doubles(values: Iterable[str], where: str) -> tuple[str, ...]:
    """The values, refused when one occurs twice."""
    items = tuple(values)
    for item in items:
        if items.count(item) > 1:
            raise InvalidInput(f"{item!r} is given twice", where=where, expected="each once", do=f"correct {where}")
    return items
