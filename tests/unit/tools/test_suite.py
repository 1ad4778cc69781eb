# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools import checks, on_host, scenarios, suite
from tools.console import Trouble
from tools.log import Outcome


@pytest.mark.parametrize("choose", [checks.lint, scenarios.choose, on_host.choose])
def test_what_does_not_exist_is_named_with_what_does(choose):
    with pytest.raises(Trouble, match=r"There is no \w+ nothing\.\n  There are: \w+"):
        choose(["nothing"])


def test_the_summary_has_one_line_for_each(capsys):
    lines = suite.summary([Outcome("ruff lint", 0.1), Outcome("unit", 12.25, "boom")]).split("\n")
    assert lines == ["", "summary", "  ruff lint  passed      0.1 s", "  unit       FAILED     12.2 s", ""]


def test_journeys_come_after_the_roles_that_they_are_made_of(tmp_path, monkeypatch):
    monkeypatch.setattr(scenarios, "ROOT", tmp_path)
    for name in ("web_proxy", "broken_release", "lab", "deploy"):
        (tmp_path / "molecule" / name).mkdir(parents=True)
        (tmp_path / "molecule" / name / "molecule.yml").touch()
    (tmp_path / "molecule" / "shared").mkdir()
    (tmp_path / "roles" / "web_proxy").mkdir(parents=True)
    assert scenarios.known() == ["lab", "web_proxy", "broken_release", "deploy"]
