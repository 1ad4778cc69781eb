# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment that an application's processes get, and the file that brings it to them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

FINGERPRINT = "GREENLIGHT_CONFIGURATION"
"""A running process with another value of it was started with another configuration."""

CONTROL_TOKEN = "GREENLIGHT_CONTROL_TOKEN"  # noqa: S105 - the name of the variable
"""What a request to an instance's drain contract must bring. It changes nothing that a client sees."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED = re.compile(r'(["\\$`])')
_UNESCAPED = re.compile(r'\\(["\\$`])')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def process_environment(
    *,
    app: str,
    colour: str,
    release: str,
    version: str,
    environment: Mapping[str, object],
    secrets: Mapping[str, object],
) -> dict[str, str]:
    """What every process of a release gets in ``colour``: Greenlight's own names win over the application's."""
    own = {
        "GREENLIGHT_COLOUR": colour,
        "GREENLIGHT_RELEASE": release,
        "GREENLIGHT_VERSION": version,
        "PGAPPNAME": f"{app}-{colour}-{release}",
    }
    given = {str(name): str(value) for name, value in {**environment, **secrets}.items()}
    return {**given, **own}


def fingerprint(environment: Mapping[str, str], units: Sequence[str]) -> str:
    """A short hash of all that a restart would bring to a process: its environment and its unit."""
    seen = "\0".join([*(f"{name}={value}" for name, value in sorted(environment.items())), *units])
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def environment_file(environment: Mapping[str, str]) -> str:
    """The text of an ``EnvironmentFile=`` from which systemd reads exactly ``environment``."""
    return "".join(f"{_require_name(name)}={quoted(name, environment[name])}\n" for name in sorted(environment))


def quoted(name: str, value: str) -> str:
    """``value`` in the double quotes of an environment file; :class:`InvalidInput` when systemd would drop it."""
    if _CONTROL.search(value):
        raise InvalidInput(
            "the value holds a line break or a control character",
            where=f"environment {name}",
            expected="one line",
            do="encode it, for example with base64, and decode it in the application",
        )
    return '"' + _ESCAPED.sub(r"\\\1", value) + '"'


def value_of(text: str, name: str) -> str:
    """The value of a variable in the text of an environment file that we wrote; empty when it is not there."""
    value = dict(_assignments(text)).get(name, "")
    return _UNESCAPED.sub(r"\1", value[1:-1])


def changed_names(before: str, after: str) -> dict[str, str]:
    """What happened to each variable between two environment files, by name: added, changed or removed."""
    old, new = dict(_assignments(before)), dict(_assignments(after))
    return {
        name: "added" if name not in old else "removed" if name not in new else "changed"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def _assignments(text: str) -> list[tuple[str, str]]:
    return [(line.partition("=")[0], line.partition("=")[2]) for line in text.splitlines() if "=" in line]


def _require_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be the name of an environment variable",
            where="environment",
            expected="letters, digits and underscores, no digit first",
        )
    return name
