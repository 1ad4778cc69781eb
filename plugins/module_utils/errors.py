# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one family of errors: each says what is wrong, where, what was expected and what to do."""

from __future__ import annotations


class GreenlightError(Exception):
    """Something that the operator can act on.

    ``what`` is wrong; ``where`` names the file, host, option or URL; ``expected`` is what would have been right;
    ``do`` is the next thing to do. Only ``what`` is required; the text leaves out the parts that are empty.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", do: str = "") -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.do = do
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        hints = [f"{label}: {text}" for label, text in (("Expected", self.expected), ("Do", self.do)) if text]
        return " ".join(_ended(part) for part in (head, *hints)) if hints else head

    def as_dict(self) -> dict[str, str]:
        """The parts that are not empty, by name."""
        return {name: value for name in ("what", "where", "expected", "do") if (value := getattr(self, name))}


def _ended(sentence: str) -> str:
    """With a full stop, unless it ends in one already or in another mark."""
    return sentence if sentence.endswith((".", "!", "?", "\n")) else sentence + "."


class InvalidInput(GreenlightError):
    """An option, variable or file of the user's is wrong; nothing has been changed."""


class NotReady(GreenlightError):
    """What was waited for did not come within its deadline."""


class CommandFailed(GreenlightError):
    """A program that we ran ended with a status that is not 0, or ran out of time."""
