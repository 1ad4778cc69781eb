# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock file of an application's packages: every line pinned and hashed, or refused. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

SHOWN_LINES = 5
FIRST_REDIS_WITH_TIMEOUT = 8
LAST_LAYER_WITHOUT_ANSWER = (4, 3, 0)

_COMMENT = re.compile(r"(^|\s)#.*$")
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*==\s*([^\s;]+)")
_URL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*@\s*\S+")
_HASH = re.compile(r"--hash[= ]\w+:[0-9a-fA-F]{32,}")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")


@dataclass(frozen=True)
class Lock:
    """A lock file that pip can install by hash alone: its digest and the version of each package, by its name."""

    sha256: str
    packages: dict[str, str]


@dataclass(frozen=True)
class _Line:
    number: int
    text: str


def parse_lock(text: str, where: str) -> Lock:
    """The lock in ``text``; :class:`InvalidInput` names ``where`` and the lines that pin or hash nothing.

    The digest is of the requirements alone: comments and order do not change it.
    """
    lines = list(_logical_lines(text))
    wrong = [line for line in lines if not _acceptable(line.text)]
    if wrong:
        named = "; ".join(f"line {line.number}: {line.text.split(' --hash')[0]}" for line in wrong[:SHOWN_LINES])
        more = f" and {len(wrong) - SHOWN_LINES} more" if len(wrong) > SHOWN_LINES else ""
        raise InvalidInput(
            f"requirements that are not pinned with a hash: {named}{more}",
            where=where,
            expected="name==version --hash=sha256:... for every package, in this one file",
            do="make it with `pip-compile --generate-hashes` or `uv pip compile --generate-hashes`",
        )
    packages = dict(filter(None, (_package(line.text) for line in lines)))
    canonical = "\n".join(sorted(" ".join(line.text.split()) for line in lines))
    return Lock(hashlib.sha256(canonical.encode()).hexdigest(), packages)


def troubles(packages: Mapping[str, str]) -> tuple[str, ...]:
    """What is known to go wrong with versions that go together in a lock file, in sentences."""
    redis, layer = packages.get("redis", "0"), packages.get("channels-redis", "")
    if layer and _major(redis) >= FIRST_REDIS_WITH_TIMEOUT and _numbers(layer) <= LAST_LAYER_WITHOUT_ANSWER:
        told = (
            f"redis {redis} with channels-redis {layer}: every WebSocket that is idle for 5 s is closed with 1011, "
            "since redis 8 ends the layer's blocking read. Pin redis<8, or give the layer's hosts socket_timeout None."
        )
        return (told,)
    return ()


def _major(version: str) -> int:
    return (*_numbers(version), 0)[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _logical_lines(text: str) -> Iterator[_Line]:
    """Lines without comments, those that end in a backslash joined, each with the number of its first line."""
    first, parts = 0, [""]
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).strip()
        first = first or number
        parts.append(line.removesuffix("\\").strip())
        if line.endswith("\\"):
            continue
        joined = " ".join(filter(None, parts))
        if joined:
            yield _Line(first, joined)
        first, parts = 0, []
    if any(parts):
        yield _Line(first, " ".join(filter(None, parts)))


def _acceptable(line: str) -> bool:
    if line.startswith("-"):
        return not line.startswith(_INCLUDES)
    return bool(_HASH.search(line)) and bool(_PIN.match(line) or _URL.match(line))


def _package(line: str) -> tuple[str, str] | None:
    pin = _PIN.match(line)
    return (re.sub(r"[-_.]+", "-", pin[1]).lower(), pin[3]) if pin else None
