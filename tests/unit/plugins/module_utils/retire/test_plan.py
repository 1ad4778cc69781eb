# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.retire import plan

BLUE = plan.Retirement("shop", "blue", "b1", ("shop-web-blue@8101.service",), (8101,), plan.SCHEDULED, 1800.2, 86400.0)


def test_it_survives_its_text():
    assert plan.parse(plan.render(BLUE), "blue.json") == BLUE


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"app": "shop"}'])
def test_a_damaged_one_says_where_and_what_to_do(text):
    with pytest.raises(plan.RetirementDamaged) as caught:
        plan.parse(text, "/var/x/blue.json")
    assert (caught.value.where, "remove the file" in caught.value.do) == ("/var/x/blue.json", True)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            "scheduled",
            "blue is stopped in 800 s, at 1970-01-01T00:30:00Z; b1 stays installed until 1970-01-02",
        ),
        ("cancelled", "blue is not retired any more; b1 stays"),
        ("stopped", "blue is stopped; b1 stays"),
    ],
)
def test_what_people_are_told(state, said):
    assert plan.describe(replace(BLUE, state=state), 1000.0).startswith(said)


def test_nothing_is_known():
    assert plan.describe(None, 0.0) == "no retirement is known"


def test_of_two_times_the_earlier_one_counts():
    assert plan.waits(BLUE, replace(BLUE, stop_at=9999.0, installed_until=9.0))
    assert not plan.waits(BLUE, replace(BLUE, stop_at=9.0))
    assert not plan.waits(BLUE, replace(BLUE, release="b2"))
    assert not plan.waits(replace(BLUE, state=plan.CANCELLED), BLUE)
    assert not plan.waits(None, BLUE)


def test_the_timer_waits_for_a_moment_and_catches_up_after_a_reboot():
    lines = plan.timer(BLUE).splitlines()
    assert "OnCalendar=1970-01-01 00:30:01 UTC" in lines
    assert "Persistent=yes" in lines
    assert BLUE.unit == "greenlight-shop-retire-blue"


def test_the_service_tries_again_when_somebody_is_connected():
    lines = plan.service(BLUE, "/usr/bin/python3", "/x/stop.py", "/x/blue.json").splitlines()
    assert "ExecStart=/usr/bin/python3 /x/stop.py /x/blue.json" in lines
    assert {"Restart=on-failure", "RestartSec=60", "StartLimitIntervalSec=0"} <= set(lines)


def test_a_release_stays_until_its_time_is_over():
    assert plan.kept({"a": 10.0, "b": 11.0}, 10.0) == {"b": 11.0}
