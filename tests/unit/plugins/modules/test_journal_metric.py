# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.modules import journal_metric

ERRORS = {"name": "sync_errors", "kind": "journal", "pattern": "SYNC_ERROR", "above": 10}
ASKED = {"app": "mobile-sync", "colour": "green", "seconds": 300, "metrics": [ERRORS, {"name": "x", "kind": "sql"}]}


@pytest.fixture
def journal(monkeypatch):
    """A journal in which each pattern occurs ``journal["count"]`` times; ``asked`` is what was looked for."""
    journal = {"count": 3, "asked": []}

    def count(*asked):
        journal["asked"].append(asked)
        return [journal["count"]] * len(asked[2])

    monkeypatch.setattr(journal_metric, "count_lines", count)
    return journal


def test_a_metric_within_its_limit(run_module, journal):
    result = run_module(journal_metric, ASKED)
    assert (result.failed, result["changed"]) == (False, False)
    ((units, seconds, patterns),) = journal["asked"]
    assert (units, seconds, patterns) == ("mobile-sync-*-green@*.service", 300, ["SYNC_ERROR"])
    (metric,) = result["metrics"]
    assert (metric["name"], metric["value"], metric["limit"], metric["outcome"]) == ("sync_errors", 3, 10, "good")


def test_beyond_its_limit(run_module, journal):
    journal["count"] = 37
    assert run_module(journal_metric, ASKED)["msg"].startswith("sync_errors is 37, limit at most 10")


@pytest.mark.parametrize(
    "changed", [{"dry_run": ["sync_errors"]}, {"metrics": [{**ERRORS, "dry_run": True}]}, {"metrics": []}]
)
def test_what_does_not_decide(run_module, journal, changed):
    journal["count"] = 37
    result = run_module(journal_metric, {**ASKED, **changed})
    assert not result.failed
    assert all(metric["dry_run"] and metric["outcome"] == "bad" for metric in result["metrics"])
