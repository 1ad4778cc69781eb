# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which colour the clients go back to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.plan import OTHER


def decide(proxies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The way back, from what ``traffic_info`` said on each proxy that was reached.

    A shift that is under way goes back to the colour that served before it; a finished one to the last good colour.
    :class:`InvalidInput` when there is nothing to go back to or when the proxies do not agree.
    """
    if not proxies:
        raise InvalidInput("no proxy was reached", where="rollback", expected="at least one", do="see the errors above")
    targets = {host: _home(host, seen) for host, seen in proxies.items()}
    if len(set(targets.values())) > 1:
        shown = ", ".join(f"{host} to {colour}" for host, colour in targets.items())
        raise InvalidInput(
            f"the proxies would go back to different colours: {shown}",
            where="rollback",
            expected="one colour",
            do="name it: -e rollback_colour=blue or green",
        )
    return way_to(next(iter(targets.values())), proxies)


def way_to(colour: str, proxies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The way to a colour: which release it has, and which release is left behind as bad."""
    releases = next(iter(proxies.values())).get("releases") or {}
    back, left = releases.get(colour) or {}, releases.get(OTHER[colour]) or {}
    if not back:
        raise InvalidInput(f"{colour} has no release", where="rollback", expected="a colour that has served")
    return {
        "colour": colour,
        "left": OTHER[colour],
        "release": back["id"],
        "version": back.get("ref", ""),
        "left_release": left.get("id", ""),
        "left_version": left.get("ref", ""),
    }


def _home(host: str, seen: Mapping[str, Any]) -> str:
    if seen.get("candidate"):
        return str(seen["serving"])
    home = seen.get("previous") or _standby(seen)
    if not home:
        serving = seen.get("serving")
        raise InvalidInput(
            f"{serving} serves and there is no earlier good version to go back to"
            if serving
            else "nothing is served yet",
            where=host,
            expected="a version that served before",
            do="deploy the version that you want with site.yml",
        )
    return str(home)


def _standby(seen: Mapping[str, Any]) -> str:
    """The idle colour where it has a release that served well: it was put back there after a deployment that failed."""
    colour = OTHER.get(seen.get("serving") or "", "")
    release = (seen.get("releases") or {}).get(colour) or {}
    return colour if release.get("status") == "good" and release.get("id") not in seen.get("bad", []) else ""
