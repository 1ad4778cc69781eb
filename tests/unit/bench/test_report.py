# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from tests import bench
from tests.bench import report
from tests.bench.measure import Act, hurt, moved

COUNTS = {
    "start_s": 5.0, "requests": 1050, "failed": 54, "items_lost": 1, "items_doubled": 0, "away_p50_s": 0.1,
    "away_p99_s": 0.9, "away_max_s": 1.2, "reconnects": 50, "failure_times": [[7.0, "500"]], "last_failed_s": 6.5,
    "failures": {"500": 3, "closed": 1, "handshake 502": 50},
}  # fmt: skip
MEASURED = {
    "Greenlight": [{"deploy: failed requests": 0, "x, s": 2.0}],
    "runbook": [{"deploy: failed requests": 8, "x, s": 5.0}],
}


def test_what_clients_met_in_a_deployment():
    figures = moved("deploy", Act(COUNTS, 0.0, 12.34), 100)
    assert figures["deploy: failed requests"] == 4
    assert figures["deploy: refused WebSocket handshakes"] == 50
    assert figures["deploy: reconnects per WebSocket"] == 0.5
    assert figures["deploy: command, s"] == 12.3


def test_what_a_bad_release_did():
    figures = hurt(Act(COUNTS, 0.0, 20.0))
    assert figures["bad release: share of the requests meanwhile, %"] == 0.4
    assert figures["bad release: first to last failure, s"] == 4.5
    none = hurt(Act({**COUNTS, "failed": 0, "failures": {}, "failure_times": [], "last_failed_s": None}, 0.0, 20.0))
    assert none["bad release: first to last failure, s"] == 0.0


def test_the_median_of_the_runs_counts():
    assert report.medians([{"a": 1.0}, {"a": 9.0}, {"a": 2.0}]) == {"a": 2.0}


def test_ours_stands_beside_each_other_way():
    assert report.rows(MEASURED) == [
        {
            "name": "deploy: failed requests",
            "ours": 0,
            "other": 8,
            "other_name": "runbook",
            "ratio": None,
            "unit": "",
            "runs": 1,
        },
        {"name": "x, s", "ours": 2.0, "other": 5.0, "other_name": "runbook", "ratio": 2.5, "unit": "s", "runs": 1},
    ]


def test_a_figure_that_only_ours_has_stands_alone():
    (row,) = report.rows({"Greenlight": [{"y, s": 1.0}], "runbook": [{}]})
    assert (row["name"], row["other"], row["other_name"]) == ("y, s", None, "")


def test_figures_of_other_benchmarks_stay(tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"figures": [{"name": "theirs", "other_name": "x", "ours": 1}]}))
    report.save(report.rows(MEASURED), path)
    report.save(report.rows(MEASURED), path)
    assert [row["name"] for row in json.loads(path.read_text())["figures"]] == [
        "theirs", "deploy: failed requests", "x, s",
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (0.0, "0"), (3.0, "3"), (0.125, "0.125")])
def test_a_figure_as_people_write_it(value, shown):
    assert report.text(value) == shown


def test_only_losses_of_deployments_and_ways_back_are_ours_to_answer_for():
    figures = {"deploy: failed requests": 0, "rollback: items lost": 2, "bad release: failed requests": 9}
    assert bench.losses(figures) == ["rollback: items lost: 2"]
