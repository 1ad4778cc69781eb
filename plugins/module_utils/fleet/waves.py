# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which waves hosts take a step, so that a bad one is seen on few of them first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput


def waves(hosts: Sequence[str], sizes: Sequence[str]) -> list[list[str]]:
    """``hosts`` in their order, cut into waves; all at once without ``sizes``.

    A size is a number of hosts (``1``) or a share of all of them (``25%``, rounded down, one host at least). The last
    size counts for all that are left, as in Ansible's ``serial``. :class:`InvalidInput` for anything else.
    """
    found: list[list[str]] = []
    left = list(hosts)
    while left:
        size = _size(sizes[min(len(found), len(sizes) - 1)], len(hosts)) if sizes else len(left)
        found.append(left[:size])
        left = left[size:]
    return found


def _size(text: str, count: int) -> int:
    number = text.removesuffix("%")
    size = int(number) if number.isdigit() else 0
    if size < 1 or (text != number and size > 100):
        raise InvalidInput(
            f"{text!r} is no size of a wave",
            where="waves",
            expected="a number of hosts such as 1, or a share such as 25%",
        )
    return size if text == number else max(1, count * size // 100)
