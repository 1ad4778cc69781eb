# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which colour a client gets: 100 classes, and the states that give them to blue and to green.

A client's class never changes; a state says how many classes are green. The green classes of a larger share contain
those of a smaller one, so that a ramp moves each client at most once and never back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

Colour = Literal["blue", "green"]

COLOURS: tuple[Colour, Colour] = ("blue", "green")
CLASSES: tuple[str, ...] = tuple(f"c{number:02d}" for number in range(100))
LIVE = "live"  # a state without this file answers 503

_WORD = 0xFFFFFFFF
_CLASS_WIDTH = _WORD // len(CLASSES)  # split_clients adds up whole widths; what is left belongs to the last class


def other(colour: Colour) -> Colour:
    """The colour that is not ``colour``."""
    return "green" if colour == "blue" else "blue"


def colour_of(text: str) -> Colour:
    """``text`` as a colour; :class:`InvalidInput` when there is no such colour."""
    if text == "blue":
        return "blue"
    if text == "green":
        return "green"
    raise InvalidInput(f"there is no colour {text!r}", expected="blue or green", do="correct the colour")


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, seed 0, as nginx computes it for ``split_clients``."""
    factor, length = 0x5BD1E995, len(data)
    value = length
    whole = length - length % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * factor & _WORD
        word = (word ^ word >> 24) * factor & _WORD
        value = (value * factor & _WORD) ^ word
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * factor & _WORD
    value = (value ^ value >> 13) * factor & _WORD
    return value ^ value >> 15


def class_of(key: str | bytes) -> str:
    """The class (``c00`` to ``c99``) that nginx gives to the client with this key (device id, address, ...)."""
    data = key.encode() if isinstance(key, str) else key
    return CLASSES[min(murmur2(data) // _CLASS_WIDTH, len(CLASSES) - 1)]


@dataclass(frozen=True)
class State:
    """What one directory of state files says.

    ``colour`` has ``share`` percent of the clients, the other colour the rest; ``guarded``: the other colour also
    takes over what ``colour`` fails to answer. ``colour`` None: nobody is served.
    """

    colour: Colour | None = None
    share: int = 100
    guarded: bool = False

    @property
    def name(self) -> str:
        """``none``, ``blue``, ``green`` or ``<candidate>-<share>``."""
        if self.colour is None:
            return "none"
        return f"{self.colour}-{self.share}" if self.guarded else self.colour

    @property
    def green(self) -> int:
        """How many classes are green (0 to 100)."""
        if self.colour is None:
            return 0
        return self.share if self.colour == "green" else 100 - self.share


NONE = State()


def settled(colour: Colour) -> State:
    """All clients on ``colour``, without a guard."""
    return State(colour)


def shifting(candidate: Colour, share: int) -> State:
    """``share`` percent of the clients on the candidate, guarded by the other colour; 0: the other colour, settled."""
    if not 0 <= share <= 100:
        raise InvalidInput(f"a share of {share} is not possible", expected="0 to 100", do="correct the share")
    return State(candidate, share, guarded=True) if share else settled(other(candidate))


def parse_state(name: str) -> State:
    """The state of this name; :class:`InvalidInput` for a name that no state has."""
    if name == NONE.name:
        return NONE
    colour, dash, share = name.partition("-")
    if colour in COLOURS and not dash:
        return settled(colour_of(colour))
    if colour in COLOURS and share.isdecimal() and str(int(share)) == share and 1 <= int(share) <= 100:
        return shifting(colour_of(colour), int(share))
    raise InvalidInput(
        f"{name!r} is not the name of a traffic state", expected="none, blue, green or <colour>-<1 to 100>"
    )


def classes_of(state: State) -> dict[Colour, tuple[str, ...]]:
    """The classes of each colour: ``{"blue": ("c10", ...), "green": ("c00", ...)}``; both empty in state none."""
    if state.colour is None:
        return {"blue": (), "green": ()}
    return {"blue": CLASSES[state.green :], "green": CLASSES[: state.green]}


def shares_of(state: State) -> dict[Colour, int]:
    """Percent of new clients per colour; both 0 in state none."""
    return {colour: len(classes) for colour, classes in classes_of(state).items()}


@dataclass(frozen=True)
class Move:
    """The classes that change colour between two states; ``source`` and ``target`` are None when there are none."""

    classes: tuple[str, ...] = ()
    source: Colour | None = None
    target: Colour | None = None


def moved(before: State, after: State) -> Move:
    """The classes that go from one colour to the other; those that were not served before do not move."""
    was, is_now = classes_of(before), classes_of(after)
    for target in COLOURS:
        classes = tuple(sorted(set(was[other(target)]) & set(is_now[target])))
        if classes:
            return Move(classes, other(target), target)
    return Move()


def files_of(state: State) -> frozenset[str]:
    """The names of the (empty) files that tell nginx this state."""
    names = set(classes_of(state)["green"])
    if state.colour is not None:
        names.add(LIVE)
    if state.guarded:
        names.add(f"guard-{state.colour}")
    return frozenset(names)


def samples(classes: tuple[str, ...], count: int) -> tuple[str, ...]:
    """At most ``count`` of the classes, evenly spread, the first and the last among them (the first, when 1)."""
    if count >= len(classes):
        return classes
    if count < 2:
        return classes[:count]
    return tuple(classes[index * (len(classes) - 1) // (count - 1)] for index in range(count))
