# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of deployments (one JSON object a line) and the record of how far the last one came. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

FIELDS = ("state", "phase", "step", "colour", "release", "share")
RUNNING = "running"
STATES = (RUNNING, "done", "failed", "rolled_back")
_LARGEST = 16 * 1024  # characters of one line

Record = Mapping[str, Any]


def entry(at: str, deployment: str, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """One entry; :class:`InvalidInput` for one that could not be found or read again."""
    if not deployment:
        raise InvalidInput("it is not said in which", where="deployment", expected="the id of a deployment")
    if not event:
        raise InvalidInput("it is not said what happened", where="event", expected="a word such as shifted")
    if data.get("state", RUNNING) not in STATES:
        raise InvalidInput(f"{data['state']!r} cannot be used", where="data.state", expected=", ".join(STATES))
    return {"at": at, "deployment": deployment, "event": event, "data": dict(data)}


def line(one: Mapping[str, Any]) -> str:
    """The entry as a line of the file."""
    text = json.dumps(one, ensure_ascii=True, sort_keys=True)
    if len(text) > _LARGEST:
        raise InvalidInput(f"the entry has {len(text)} characters", where="data", expected=f"at most {_LARGEST}")
    return text + "\n"


def parse(text: str) -> tuple[list[dict[str, Any]], int]:
    """The entries, and how many lines are none: a power cut tears the line that was being written."""
    found = [_parsed(one) for one in text.splitlines() if one.strip()]
    entries = [one for one in found if one is not None]
    return entries, len(found) - len(entries)


def sentence(record: Record | None) -> str:
    """How far the last deployment came; empty when there was none."""
    if record is None:
        return ""
    where = ", ".join(str(record[key]) for key in ("phase", "step") if record.get(key))
    what = f"{record['release'] or 'a release'} on {record['colour']}" if record.get("colour") else ""
    share = f"{record['share']} % of the clients" if record.get("share") is not None else ""
    parts = "; ".join(part for part in (where, what, share) if part)
    said = f"last deployment {record['deployment']}: {record['state'].replace('_', ' ')} at {record['updated']}"
    return f"{said} ({parts})" if parts else said


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
        return {**found, "event": str(found["event"]), "data": dict(found["data"])}
    except (ValueError, KeyError, TypeError):
        return None


def advanced(record: Record | None, deployment: str, data: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The record after an event.

    Another deployment begins a record of its own; if the one before was still running, it is kept as ``interrupted``,
    so that it can be seen what has to be resumed.
    """
    if record is None or record.get("deployment") != deployment:
        fresh: dict[str, Any] = {**dict.fromkeys(FIELDS), "state": RUNNING, "deployment": deployment}
        interrupted = record if record and record.get("state") == RUNNING else None
        record = {**fresh, "interrupted": {**interrupted, "interrupted": None} if interrupted else None}
    return {**record, **{key: data[key] for key in FIELDS if key in data}, "updated": at}
