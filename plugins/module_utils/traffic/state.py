# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a proxy (``traffic.json``): who serves, who is the candidate, which release each colour has.

What nginx does is decided by the state files alone; the record says why, and what was good before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import (
    COLOURS,
    NONE,
    Colour,
    State,
    colour_of,
    other,
    settled,
    shifting,
)

RELEASE_KEYS = ("id", "sha", "ref", "fingerprint", "status")
REMEMBERED = 10
"""Good releases in the record: more than a host keeps installed."""
Release = Mapping[str, str]


class RecordDamaged(GreenlightError):
    """The record on the proxy cannot be read; the traffic itself goes on as it was."""


@dataclass(frozen=True)
class Record:
    """Who has the clients of one proxy, and why.

    ``serving`` has them (during a shift: keeps the rest of them), ``candidate`` has ``share`` percent while a shift is
    under way, ``previous`` is the last good colour before ``serving``; ``good`` are the releases that have had all
    clients, the latest last; ``updated`` is UTC, ISO 8601.
    """

    serving: Colour | None = None
    candidate: Colour | None = None
    share: int = 0
    previous: Colour | None = None
    releases: Mapping[Colour, Release] = field(default_factory=dict)
    bad: tuple[str, ...] = ()
    updated: str = ""
    good: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The state that this record asks for."""
        if self.candidate is not None:
            return shifting(self.candidate, self.share)
        return settled(self.serving) if self.serving else NONE

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape; a colour without a release has None."""
        return {
            "serving": self.serving,
            "candidate": self.candidate,
            "share": self.share,
            "previous": self.previous,
            "releases": {colour: dict(self.releases.get(colour, {})) or None for colour in COLOURS},
            "bad": list(self.bad),
            "good": list(self.good),
            "updated": self.updated,
        }


def render(record: Record) -> str:
    """The text of ``traffic.json``."""
    return json.dumps(record.as_dict(), indent=2) + "\n"


def parse(text: str, where: str = "traffic.json") -> Record:
    """The record in ``text``; :class:`RecordDamaged` when it is not one."""
    try:
        data = json.loads(text)
        candidate = _colour(data["candidate"])
        share = int(data["share"])
        if candidate is not None:
            shifting(candidate, share)
        return Record(
            serving=_colour(data["serving"]),
            candidate=candidate,
            share=share,
            previous=_colour(data["previous"]),
            releases={colour: _release(data["releases"][colour]) for colour in COLOURS if data["releases"].get(colour)},
            bad=tuple(str(release) for release in data["bad"]),
            good=tuple(str(release) for release in data.get("good", ())),
            updated=str(data["updated"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise RecordDamaged(
            f"the traffic record cannot be read ({error})",
            where=where,
            expected="the JSON that the module traffic writes",
            do="move the file away; the module then starts a new record (the traffic goes on as it is)",
        ) from None


def _colour(value: Any) -> Colour | None:
    return None if value is None else colour_of(value)


def _release(value: Mapping[str, Any]) -> Release:
    unknown = sorted(set(value) - set(RELEASE_KEYS))
    if unknown:
        raise InvalidInput(f"a release has no {', '.join(unknown)}", where="releases", expected=", ".join(RELEASE_KEYS))
    return {key: str(value[key]) for key in RELEASE_KEYS if value.get(key) is not None}


def adopted(record: Record, state: State) -> Record:
    """The record as the state files say: they are the truth when a run was killed between the two."""
    if record.state == state:
        return record
    if state.guarded and state.colour is not None:
        return replace(record, serving=other(state.colour), candidate=state.colour, share=state.share)
    return replace(record, serving=state.colour, candidate=None, share=0)


def shifted(record: Record, candidate: Colour, share: int) -> Record:
    """``share`` percent of new clients go to the candidate; 0 ends the shift."""
    if record.serving is None:
        raise InvalidInput(
            "nobody is served yet",
            where="share",
            expected="a colour that serves",
            do=f"settle {candidate} first (settle: true)",
        )
    if candidate == record.serving:
        raise InvalidInput(
            f"{candidate} is serving already and cannot be a candidate with a share",
            where="colour",
            expected=f"{other(candidate)}, or settle: true",
            do=f"use settle: true to give all clients to {candidate}",
        )
    shifting(candidate, share)
    return replace(record, candidate=candidate if share else None, share=share)


def settle(record: Record, colour: Colour | None) -> Record:
    """All clients to ``colour`` (None: nobody is served); the colour before is remembered unless its release is bad."""
    if colour is None:
        return replace(record, serving=None, candidate=None, share=0, previous=None)
    previous = record.previous
    if record.serving is not None and record.serving != colour:
        previous = record.serving
    if previous is not None and (previous == colour or _is_bad(record, previous)):
        previous = None
    good = _with_good(record, record.releases.get(colour, {}).get("id", ""))
    return replace(record, serving=colour, candidate=None, share=0, previous=previous, good=good)


def _with_good(record: Record, release: str) -> tuple[str, ...]:
    """The good releases with ``release`` as the latest."""
    if not release or record.good[-1:] == (release,):
        return record.good
    return (*(known for known in record.good if known != release), release)[-REMEMBERED:]


def _is_bad(record: Record, colour: Colour) -> bool:
    return record.releases.get(colour, {}).get("id") in record.bad


def noted(record: Record, releases: Mapping[str, Mapping[str, Any]], bad: Iterable[str]) -> Record:
    """The record with these releases (given keys replace) and with these release ids marked as bad.

    A colour that gets another release is no longer the last good one.
    """
    merged, previous = dict(record.releases), record.previous
    for name, release in releases.items():
        colour = colour_of(name)
        before = merged.get(colour, {})
        merged[colour] = _release({**before, **release})
        if colour == previous and merged[colour].get("id") != before.get("id"):
            previous = None
    return replace(record, releases=merged, previous=previous, bad=tuple(dict.fromkeys([*record.bad, *bad])))
