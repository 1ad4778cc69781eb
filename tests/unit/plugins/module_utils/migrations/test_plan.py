# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import (
    Migration,
    Step,
    ancestry,
    graph_of,
    pending,
    plan,
)

ORDER = ["auth.0001", "core.0001", "core.0002", "core.0003", "voice.0001"]
DEPENDENCIES = {
    "core.0001": ("auth.0001",),
    "core.0002": ("core.0001",),
    "core.0003": ("core.0002",),
    "voice.0001": ("core.0002",),
}


def graph(*applied: str) -> dict[str, Migration]:
    return {name: Migration(name, DEPENDENCIES.get(name, ()), name in applied) for name in ORDER}


def test_a_target_brings_what_it_needs() -> None:
    assert plan(graph("auth.0001"), ["core.0002"]) == [Step("core.0002", ("core.0001", "core.0002"))]


def test_targets_are_taken_in_their_order() -> None:
    assert plan(graph(*ORDER[:3]), ["core.0003", "voice.0001"]) == [
        Step("core.0003", ("core.0003",)),
        Step("voice.0001", ("voice.0001",)),
    ]


def test_the_second_run_is_empty_although_the_database_is_ahead() -> None:
    steps = plan(graph(*ORDER), ["core.0001", "core.0002"])
    assert [step.migrations for step in steps] == [(), ()]


def test_without_targets_everything_pending_is_planned() -> None:
    steps = plan(graph("auth.0001"), [])
    assert [name for step in steps for name in step.migrations] == ["core.0001", "core.0002", "core.0003", "voice.0001"]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["core.0004"], "there is no migration core.0004.*did you mean core.000[123]?"),
        (["vioce.0001"], "did you mean voice.0001?"),
        (["core.zzzzzzzzzzzzzz"], "one of core.0001, core.0002, core.0003"),
        (["shop.zzzzzzzzzzzzzz"], "an app of auth, core, voice"),
        (["core.0001", "core.0001"], "listed twice"),
        (["core.0003", "core.0001"], "core.0001 is listed after core.0003, which needs it"),
    ],
)
def test_targets_that_cannot_be_meant_are_refused(targets: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        plan(graph(), targets)


def test_pending_is_in_dependency_order() -> None:
    assert pending(graph("auth.0001", "core.0001")) == ["core.0002", "core.0003", "voice.0001"]


def test_dependencies_outside_the_graph_are_left_out() -> None:
    alone = {"a.1": Migration("a.1", ("squashed.1",))}
    assert ancestry(alone, "a.1") == ["a.1"]


def test_plain_data_becomes_a_graph() -> None:
    listed = [
        {"name": "a.1", "dependencies": [], "applied": True, "reversible": False, "atomic": True, "operations": ["x"]}
    ]
    assert graph_of(listed) == {"a.1": Migration("a.1", (), True, False, True, ("x",))}
