# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics of the user's own: from a number that something said to a judgement."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Metric, Outcome, shown

Spec = Mapping[str, Any]


class NotMeasured(GreenlightError):
    """A metric could not be measured: no reason to go on, and none to go back at once."""


def number_in(text: str, where: str) -> float:
    """The number that a program printed."""
    try:
        value = float(text.strip())
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NotMeasured(f"{text.strip()[:80]!r} is not a number", where=where, expected="one number")
    return value


def number_of_prometheus(text: str, where: str) -> float:
    """The one value in Prometheus's answer to a query."""
    try:
        data = json.loads(text)["data"]
        values = [data["result"]] if data["resultType"] == "scalar" else [one["value"] for one in data["result"]]
        texts = [str(value[1]) for value in values]
    except (ValueError, KeyError, TypeError, IndexError):
        raise NotMeasured("that is no answer of Prometheus's", where=where, expected="a scalar or a vector") from None
    if len(texts) != 1:
        raise NotMeasured(f"the query yields {len(texts)} series", where=where, expected="one")
    return number_in(texts[0], where)


def fill(text: str, names: Mapping[str, str]) -> str:
    """``{colour}``, ``{release}`` and ``{app}`` filled in; other braces stay as they are."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def judged(spec: Spec, value: float) -> Metric:
    """The metric with this value."""
    over, limit = spec.get("above") is not None, spec.get("above")
    if limit is None:
        limit = spec["below"]
    bad = value > limit if over else value < limit
    why = f"{spec['name']} is {shown(value, '')}, limit {'at most' if over else 'at least'} {shown(limit, '')}"
    return Metric(
        spec["name"],
        Outcome.BAD if bad else Outcome.GOOD,
        value,
        float(limit),
        why=why if bad else "",
        critical=bool(spec.get("critical")),
        dry_run=bool(spec.get("dry_run")),
    )


def not_measured(spec: Spec, error: GreenlightError) -> Metric:
    """The metric without a value."""
    why = f"{spec['name']} could not be measured: {error.what}"
    return Metric(spec["name"], Outcome.UNKNOWN, why=why, dry_run=bool(spec.get("dry_run")))
