# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told of a plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def beginning(plan: Mapping[str, Any]) -> str:
    """The plan in one sentence."""
    version = f"{plan['version']} ({plan['sha'][:7]})"
    target = f"{version} as {plan['candidate']}"
    shares = " -> ".join(f"{share} %" for share in plan["steps"])
    astray = ", ".join(plan["astray"])
    if plan["resume"]:
        return f"An earlier run did not finish on {astray}: {target} goes on by {shares or 'giving it all clients'}."
    if plan["nothing_to_do"] and astray:
        return f"{version} already serves as {plan['serving']}; every client of {astray} goes there too."
    if plan["nothing_to_do"]:
        return f"Nothing to do: {version} already serves as {plan['serving']}."
    first = f"Every client of {astray} goes back to {plan['serving'] or 'nobody'} first. " if astray else ""
    return first + _takeover(plan, target, shares)


def _takeover(plan: Mapping[str, Any], target: str, shares: str) -> str:
    if plan["first"]:
        return f"First deployment: {target}."
    if not plan["answers"]:
        return f"{plan['serving_version']} ({plan['serving']}) does not answer; {target} takes over at once."
    return f"{plan['serving_version']} serves as {plan['serving']}; {target} takes over by {shares}."


def endings(plan: Mapping[str, Any]) -> dict[str, str]:
    """What is said at the end: ``done`` after a yes, ``unchanged`` after a no."""
    done = f"{plan['version']} ({plan['sha'][:7]}) serves every client as {plan['candidate']}."
    return {
        "done": beginning(plan) if plan["nothing_to_do"] else done,
        "unchanged": (
            f"{plan['serving_version']} goes on serving every client as {plan['serving']}."
            if plan["answers"]
            else "Nothing serves, as before."
        ),
    }
