# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading nginx's own files: directives with their places, so that single ones can be raised and the rest stays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|[{};]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|\$\{[^}]*\}|[^\s{};"'\\])[^\s{};]*"""
)
_DUMPED = re.compile(r"^# configuration file (.*):$", re.MULTILINE)
_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
_AMOUNT = re.compile(r"(\d+)(ms|[smhdwMy]?)")
LOWEST_NOFILE = 65535
_USUAL_BUCKET = 64


@dataclass(frozen=True)
class Directive:
    """``name arguments;`` within blocks named ``context``; ``start`` and ``end`` are its place in the text.

    A block is a directive too; its ``end`` is the place of its opening brace.
    """

    context: tuple[str, ...]
    name: str
    arguments: tuple[str, ...]
    start: int
    end: int


def directives(text: str) -> Iterator[Directive]:
    """Every directive in the order of the text."""
    context: list[str] = []
    words: list[str] = []
    start = 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word.isspace() or word.startswith("#"):
            continue
        if word not in "{};":
            start = start if words else match.start()
            words.append(word)
            continue
        if words:
            yield Directive(tuple(context), words[0], tuple(words[1:]), start, match.start())
        if word == "{":
            context.append(words[0] if words else "")
        elif word == "}" and context:
            context.pop()
        words = []


def dumped_files(text: str) -> dict[str, str]:
    """The files in the output of ``nginx -T``, by path."""
    parts = _DUMPED.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def backlogs(files: Mapping[str, str], without: str) -> frozenset[str]:
    """``address:port`` of each listen directive with a backlog in the files other than ``without``."""
    return frozenset(
        _listen_address(directive.arguments[0])
        for path, text in files.items()
        if path != without
        for directive in directives(text)
        if directive.name == "listen" and any(word.startswith("backlog=") for word in directive.arguments[1:])
    )


def _listen_address(word: str) -> str:
    port = word.removeprefix("*:")
    return f"{ip_address(0)}:{port}" if port.isdecimal() else word


@dataclass(frozen=True)
class Capacity:
    """What nginx must bear at least.

    Connections and open files of each worker, seconds until an old worker ends, bytes for the longest server name (0:
    as nginx has it).
    """

    connections: int
    files: int
    shutdown: int
    name_bytes: int = 0


def capacity(wanted: int, drain: int) -> Capacity:
    """For ``wanted`` clients at once (each takes two connections, and a quarter is spare) and a drain of that long.

    An old worker of a reload must outlive the drain of WebSockets, else it cuts them.
    """
    return Capacity(math.ceil(2 * wanted * 1.25), max(LOWEST_NOFILE, 4 * wanted), drain + 30)


def name_bytes(names: Iterable[str]) -> int:
    """The bucket of the hash that finds a server by its name: nginx refuses to start when the longest does not fit."""
    longest = max(len(name) for name in names)
    needed = (longest + 2 + 7) // 8 * 8 + 16  # length and name in whole words, the value, the end of the bucket
    return 0 if needed <= _USUAL_BUCKET else 1 << (needed - 1).bit_length()


def with_capacity(text: str, least: Capacity) -> str:
    """``nginx.conf`` with these directives raised where they are lower or missing; nothing else is touched."""
    for context, name, value, unit in (
        (("events",), "worker_connections", least.connections, ""),
        ((), "worker_rlimit_nofile", least.files, ""),
        ((), "worker_shutdown_timeout", least.shutdown, "s"),
        (("http",), "server_names_hash_bucket_size", least.name_bytes, ""),
    ):
        text = _raised(text, context, name, value, unit) if value else text
    return text


def _raised(text: str, context: tuple[str, ...], name: str, value: int, unit: str) -> str:
    for directive in directives(text):
        if (directive.context, directive.name) == (context, name):
            if _amount(directive) >= value:
                return text
            return f"{text[: directive.start]}{name} {value}{unit}{text[directive.end :]}"
    return _inserted(text, context[-1] if context else "", f"{name} {value}{unit};")


def _inserted(text: str, block: str, line: str) -> str:
    """``line`` at the beginning of the block of this name, or before the block of events when it belongs to none."""
    for directive in directives(text):
        if not directive.context and directive.name == (block or "events"):
            at = directive.end + 1 if block else directive.start
            return f"{text[:at]}\n\t{line}{text[at:]}" if block else f"{text[:at]}{line}\n{text[at:]}"
    raise InvalidInput(
        f"there is no block of {block or 'events'}", where="nginx.conf", do="reinstall nginx's own nginx.conf"
    )


def _amount(directive: Directive) -> float:
    """Numbers and times such as ``5m`` or ``1h30m``, in seconds; 0 for anything else."""
    text = "".join(directive.arguments)
    parts = _AMOUNT.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return 0.0
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def within(least: Capacity, limit: int | None) -> Capacity:
    """The same, with no more open files than the system lets nginx have (None: no limit is known)."""
    if limit is None or limit >= least.files:
        return least
    if limit < least.connections:
        raise InvalidInput(
            f"nginx may open only {limit} files, {least.connections} connections are wanted",
            where="connections",
            expected="a limit that is higher than the connections",
            do="raise LimitNOFILE in nginx's unit, or lower connections",
        )
    return replace(least, files=limit)
