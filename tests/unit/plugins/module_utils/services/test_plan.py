# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do for a colour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.plan import (
    Plan,
    Seen,
    Wanted,
    decide,
    describe_before,
    require_not_serving,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

ONE, TWO, THREE = (f"x-web-green@820{number}.service" for number in (1, 2, 3))
TEMPLATE = "x-web-green@.service"


def unit(name: str, *, up: bool = True, enabled: bool = True) -> UnitState:
    active, sub = ("active", "running") if up else ("inactive", "dead")
    return UnitState(name, "loaded", active, sub, pid=7 if up else 0, enabled=enabled)


def wanted(*units: str) -> Wanted:
    instances = tuple(Instance("web", name, 8201) for name in units)
    return Wanted("r2", "env2", {TEMPLATE: "text2"}, "print2", instances)


RUNNING = Seen(
    release="r2",
    environment="env2",
    templates={TEMPLATE: "text2"},
    units={ONE: unit(ONE), TWO: unit(TWO)},
    fingerprints={ONE: "print2", TWO: "print2"},
)


def test_nothing_to_do():
    plan = decide(RUNNING, wanted(ONE, TWO))
    assert plan == Plan()
    assert not plan.changed


def test_on_a_fresh_host_everything():
    assert decide(Seen(firewall=False), wanted(ONE)).actions() == [
        "firewall", "environment", "link", "reload", f"write {TEMPLATE}", f"start {ONE}", f"enable {ONE}",
    ]  # fmt: skip


def test_a_new_release_restarts_what_runs():
    seen = replace(RUNNING, release="r1", environment="env1", fingerprints={ONE: "print1", TWO: "print1"})
    plan = decide(seen, wanted(ONE, TWO))
    assert plan.restart == (ONE, TWO)
    assert plan.start == ()
    assert plan.link
    assert plan.environment
    assert not plan.reload


def test_files_that_are_right_do_not_hide_a_process_that_is_not():
    seen = replace(RUNNING, fingerprints={ONE: "print1", TWO: "print2"})
    assert decide(seen, wanted(ONE, TWO)) == Plan(restart=(ONE,))


def test_a_process_between_two_attempts_is_started_anew():
    crashing = replace(unit(ONE), active="activating", sub="auto-restart", pid=0)
    seen = replace(RUNNING, units={ONE: crashing, TWO: unit(TWO)}, fingerprints={TWO: "print2"})
    assert decide(seen, wanted(ONE, TWO)).restart == (ONE,)


def test_one_more_and_one_less_leave_the_others_alone():
    assert decide(RUNNING, wanted(ONE, TWO, THREE)) == Plan(start=(THREE,), enable=(THREE,))
    assert decide(RUNNING, wanted(ONE)) == Plan(stop=(TWO,), disable=(TWO,))


def test_a_changed_unit_is_read_again():
    plan = decide(replace(RUNNING, templates={TEMPLATE: "text1"}), wanted(ONE, TWO))
    assert plan.write == (TEMPLATE,)
    assert plan.reload


def test_a_unit_that_systemd_has_not_read_yet_is_read_again():
    seen = replace(RUNNING, units={**RUNNING.units, ONE: replace(unit(ONE), outdated=True)})
    assert decide(seen, wanted(ONE, TWO)) == Plan(reload=True)


def test_a_service_that_is_no_more_is_removed():
    old = "x-api-green@.service"
    plan = decide(replace(RUNNING, templates={**RUNNING.templates, old: "text"}), wanted(ONE, TWO))
    assert plan.delete == (old,)


def test_stopped_keeps_the_files():
    stopped = Wanted("r2", "env2", {TEMPLATE: "text2"})
    assert decide(RUNNING, stopped) == Plan(stop=(ONE, TWO), disable=(ONE, TWO))


def test_absent_takes_all():
    plan = decide(RUNNING, Wanted("", "", {}))
    assert plan.stop == plan.disable == (ONE, TWO)
    assert plan.delete == (TEMPLATE,)
    assert plan.environment
    assert plan.link


def refuse(seen: Seen, target: Wanted, serving: str) -> None:
    require_not_serving("green", serving, decide(seen, target), seen, target)


def test_the_serving_colour_gets_no_other_release():
    with pytest.raises(InvalidInput, match="its release would change from r1 to r2"):
        refuse(replace(RUNNING, release="r1"), wanted(ONE, TWO), "green")


def test_the_serving_colour_is_not_restarted():
    with pytest.raises(InvalidInput, match=f"{ONE} would be restarted"):
        refuse(replace(RUNNING, fingerprints={ONE: "print1", TWO: "print2"}), wanted(ONE, TWO), "green")


def test_the_serving_colour_is_not_stopped():
    with pytest.raises(InvalidInput, match=f"{ONE}, {TWO} would be stopped"):
        refuse(RUNNING, Wanted("r2", "env2", {TEMPLATE: "text2"}), "green")


def test_the_serving_colour_may_be_seen_to():
    dead = replace(RUNNING, units={ONE: unit(ONE), TWO: unit(TWO, up=False)})
    refuse(dead, wanted(ONE, TWO, THREE), "green")


def test_the_other_colour_may_change():
    refuse(replace(RUNNING, release="r1"), wanted(ONE), "blue")
    refuse(replace(RUNNING, release="r1"), wanted(ONE), "")


def test_what_a_failure_leaves_is_told():
    plan = decide(Seen(), wanted(ONE))
    assert describe_before(Seen(), plan) == "It is stopped again, as before"
    assert describe_before(Seen(release="r1"), plan) == "It is stopped again, as before, on r1"
    assert describe_before(RUNNING, plan) == "It is back on r2, with 2 instance(s) running as before"
    assert describe_before(RUNNING, Plan()) == "Nothing was changed"
