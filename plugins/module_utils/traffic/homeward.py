# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the clients of this proxy back in one go: look, ask the colour, switch, ask the proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.home import (
    home_of,
    is_home,
    require_not_bad,
    wait_until_well,
    way_to,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import NONE
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import adopted
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import Asker, Wish, carry_out


@dataclass(frozen=True)
class Errand:
    """Where to go. ``colour`` empty: found from the record; ``release`` is what the colour has from now on, if told.

    ``wait`` seconds for a colour that does not answer yet; ``blame``: mark the release that is left as bad.
    """

    colour: str = ""
    release: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    blame: bool = True
    verify: int = 3


@dataclass(frozen=True)
class Senses:
    """What reaches the world: ``look(colour, release)`` returns what is wrong with a colour, ``ask`` asks the proxy."""

    look: Callable[[str, str], Sequence[str]]
    ask: Asker
    clock: Callable[[], float]
    sleep: Callable[[float], None]


def go(files: TrafficFiles, errand: Errand, senses: Senses, now: str, *, check: bool = False) -> dict[str, Any]:
    """Do the errand on this proxy.

    A colour that does not answer gets no clients: the result then has ``home`` false and the ``problems``.
    :class:`InvalidInput` when there is no way back, :class:`NotInForce` when the proxy does not do what it was told.
    """
    began = senses.clock()
    returned = files.returned()
    seen = adopted(files.record(), files.state() or NONE).as_dict()
    seen["returned"] = returned.as_dict() if returned else None
    colour = errand.colour or home_of(seen, "rollback")
    if errand.release:
        require_not_bad(errand.release["id"], seen)
        seen = {**seen, "releases": {**seen["releases"], colour: errand.release}}
    way = way_to(colour, seen)
    seconds: dict[str, float] = {}
    result: dict[str, Any] = {
        "changed": not is_home(colour, seen),
        "way": way,
        "problems": [],
        "home": True,
        "seconds": seconds,
        "returned": seen["returned"],
    }
    if not check:
        result["problems"] = wait_until_well(
            lambda: senses.look(colour, way["release"]), errand.wait, senses.clock, senses.sleep
        )
        seconds["asked"] = round(senses.clock() - began, 3)
    if result["problems"]:
        return {**result, "changed": False, "home": is_home(colour, seen)}

    def ask_afterwards(contact: Any, questions: Sequence[Any]) -> list[Any]:
        seconds["switched"] = round(senses.clock() - began, 3)
        return senses.ask(contact, questions)

    done = carry_out(files, ask_afterwards, _wish(errand, way), now, check=check)
    seconds["verified"] = round(senses.clock() - began, 3)
    return {**result, **done}


def _wish(errand: Errand, way: Mapping[str, str]) -> Wish:
    return Wish(
        colour=way["colour"],
        settle=True,
        releases={way["colour"]: errand.release} if errand.release else {},
        bad=[way["left_release"]] if errand.blame and way["left_release"] else [],
        verify=errand.verify,
        restore=False,
    )
