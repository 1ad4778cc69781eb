# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change of traffic on one proxy: plan it, act, ask the proxy; undo it when the answers do not show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Returned
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import state as records
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import (
    NONE,
    Colour,
    State,
    classes_of,
    colour_of,
    moved,
    other,
    shares_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import (
    Finding,
    Question,
    counted,
    questions,
)

Asker = Callable[[Contact, Sequence[Question]], list[Finding]]


class NotInForce(GreenlightError):
    """The proxy does not answer as the new state says."""

    def __init__(self, findings: Sequence[Finding], restored: str) -> None:
        wrong = [finding for finding in findings if finding.problem]
        shown = "; ".join(f"{finding.question.client_class}: {finding.problem}" for finding in wrong[:5])
        super().__init__(
            f"{len(wrong)} of {len(findings)} questions to the proxy were not answered as meant ({shown})",
            where="verify",
            expected="every client class answered by an upstream of its colour",
            do=f"{restored}; look at the services of the colour that did not answer",
        )
        self.findings = tuple(findings)


class GivenBack(GreenlightError):
    """The dead-man's switch has given the clients back; whoever wants to shift them has missed that."""


@dataclass(frozen=True)
class Wish:
    """What the task asks for; ``colour`` empty: only the record is written, ``none``: nobody is served.

    ``verify`` is the number of classes to ask on each side; ``restore``: undo a switch that the answers do not show.
    """

    colour: str = ""
    share: int | None = None
    settle: bool = False
    releases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bad: Sequence[str] = ()
    verify: int = 3
    restore: bool = True


def plan(record: Record, wish: Wish) -> Record:
    """The record that fulfils the wish; :class:`InvalidInput` when there is none. Pure."""
    noted = records.noted(record, wish.releases, wish.bad)
    if not wish.colour:
        return noted
    if wish.colour == NONE.name:
        return records.settle(noted, None)
    colour = colour_of(wish.colour)
    if wish.settle or wish.share:
        _require_not_bad(noted, colour)
    if wish.settle:
        return records.settle(noted, colour)
    if wish.share is None:
        raise InvalidInput("it is not said how many clients the colour gets", where="share", expected="share or settle")
    return records.shifted(noted, colour, wish.share)


def _require_not_bad(record: Record, colour: Colour) -> None:
    """Refuse new clients for a release that was left as bad, also to a run that has missed the rollback."""
    release = record.releases.get(colour, {}).get("id", "")
    if record.serving != colour and release in record.bad:
        raise InvalidInput(
            f"{release} was left as bad before",
            where="colour",
            expected="a release that nobody went back from",
            do="end this deployment and deploy a mended version",
        )


def carry_out(files: TrafficFiles, ask: Asker, wish: Wish, now: str, *, check: bool = False) -> dict[str, Any]:
    """Fulfil the wish and describe what changed; ``now`` is the time (UTC, ISO 8601) for the record."""
    contact = files.contact()
    with nullcontext() if check else files.locked():
        state, kept = files.state() or NONE, files.record()
        before = records.adopted(kept, state)
        after = plan(before, wish)
        _admit(after, files.returned())
        changed = after != kept or files.state() != after.state
        after = replace(after, updated=now) if changed else after
        findings: list[Finding] = []
        if not check:
            if changed:
                _put(files, state, after)
            findings = ask(contact, questions(after.state, wish.verify)) if wish.colour and wish.verify else []
            _judge(files, findings, before, after, restore=wish.restore)
    return {"changed": changed, "before": shown(before), "after": shown(after), **_described(state, after, findings)}


def _admit(after: Record, returned: Returned | None) -> None:
    """Refuse to take the clients away again from the colour to which the dead-man's switch gave them."""
    if returned is not None and shares_of(after.state)[other(returned.home)]:
        raise GivenBack(
            f"the dead-man's switch gave all clients back to {returned.home} at {returned.at}: {returned.why}",
            where="colour",
            expected=f"{returned.home}",
            do="end this deployment and run it again; the module traffic_guard takes note of what was done",
        )


def _put(files: TrafficFiles, state: State, record: Record) -> None:
    """The switch first: the state files are the truth, and the record follows them."""
    if record.state != state or files.state() is None:
        files.switch(record.state)
    files.write_record(record)


def _judge(files: TrafficFiles, findings: Sequence[Finding], before: Record, after: Record, *, restore: bool) -> None:
    if not any(finding.problem for finding in findings):
        return
    undo = restore and before.state != after.state
    if undo:
        _put(files, after.state, before)
    raise NotInForce(
        findings,
        f"the state before ({before.state.name}) is in force again" if undo else f"{after.state.name} stays in force",
    )


def shown(record: Record) -> dict[str, Any]:
    """A record as users see it."""
    return {"state": record.state.name, **record.as_dict()}


def _described(state: State, after: Record, findings: Sequence[Finding]) -> dict[str, Any]:
    move = moved(state, after.state)
    return {
        "moved": {"classes": list(move.classes), "from": move.source, "to": move.target},
        "classes": {colour: list(classes) for colour, classes in classes_of(after.state).items()},
        "verified": counted(findings),
        "asked": [finding.as_dict() for finding in findings],
    }
