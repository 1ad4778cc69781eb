# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from tests import drill
from tests.drill import report
from tests.drill.cells import CELLS
from tests.drill.judge import Facts
from tools.console import Trouble

FIRST, SECOND = CELLS[:2]


@pytest.fixture
def figures(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FIGURES", tmp_path / "drill.json")
    return report.FIGURES


def test_each_cell_has_a_name_of_its_own_without_blanks():
    names = [cell.name for cell in CELLS]
    assert len(set(names)) == len(names)
    assert not any(set(" ,%") & set(name) for name in names)


def test_cells_are_chosen_by_name_or_as_a_slice():
    assert drill.choose([FIRST.name], short=False) == [FIRST]
    assert drill.choose([], short=False) == list(CELLS)
    assert drill.choose([], short=True) == [cell for cell in CELLS if cell.short]
    with pytest.raises(Trouble, match="no cell nothing"):
        drill.choose(["nothing"], short=False)


def test_a_cell_that_is_played_again_replaces_what_it_said_before(figures):
    report.save([report.row(SECOND, Facts(), ["bad"]), report.row(FIRST, Facts(), [])], CELLS)
    report.save([report.row(SECOND, Facts(seconds=3.04), [])], CELLS)
    cells = json.loads(figures.read_text())["cells"]
    assert [(cell["fault"], cell["ok"], cell["seconds"]) for cell in cells] == [
        (FIRST.fault, True, 0.0), (SECOND.fault, True, 3.0),
    ]  # fmt: skip


def test_the_row_has_what_others_read():
    row = report.row(FIRST, Facts(reason="it failed"), ["serves the wrong one"])
    assert {
        "fault", "phase", "ok", "failed_requests", "items_lost", "items_doubled", "serving_before", "serving_after",
        "seconds", "why",
    } <= set(row)  # fmt: skip
    assert (row["ok"], row["why"]) == (False, "serves the wrong one; it failed")


def test_the_page_counts_and_keeps_the_table_whole(tmp_path):
    rows = [report.row(FIRST, Facts(reason="a | b"), []), report.row(SECOND, Facts(), ["no"])]
    report.page(rows, "a machine", tmp_path / "drill.md")
    text = (tmp_path / "drill.md").read_text()
    assert "1 of 2 cells end as they should" in text
    assert "| a / b |" in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
