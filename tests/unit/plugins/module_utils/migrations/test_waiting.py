# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Blocker, Terms, given_up

HOLDER = Blocker(4711, "shop", "worker-7", "idle in transaction", 45.2, 31.0, "SELECT 1", "core_device")


def test_pauses_double_up_to_a_minute():
    assert Terms().pauses() == [3, 6, 12, 24, 48, 60, 60, 60, 60]
    assert Terms(tries=1).pauses() == []


def test_who_is_not_queued_behind():
    def old(state="active", age=0.0, idle=0.0):
        return Blocker(1, "", "", state, age, idle, "").is_old(Terms())

    assert not old(age=60.0)
    assert old(age=60.1)
    assert not old(state="idle in transaction", age=40.0, idle=30.0)
    assert old(state="idle in transaction", age=40.0, idle=30.1)
    assert not old(age=40.0, idle=40.0)
    assert not old(age=None, idle=None)


def test_a_blocker_in_words():
    assert HOLDER.sentence() == "pid 4711 (shop, worker-7) idle in transaction for 45 s with core_device: SELECT 1"
    hidden = Blocker(1, "admin", "", "", None, None, "<insufficient privilege>")
    assert hidden.sentence() == "pid 1 (admin) in transaction of unknown age: query not visible"
    assert Blocker(1, "a", "", "active", 1, 1, "x" * 200).sentence().endswith("x" * 120 + "...")


def test_what_is_said_in_the_end():
    assert "pg_terminate_backend(4711)" in str(given_up("migrations", 10, [HOLDER]))
    assert "in 10 tries. In the way: pid 4711" in str(given_up("migrations", 10, [HOLDER]))
    assert "nobody who can still be seen" in str(given_up("migrations", 10, []))
    assert "pg_terminate_backend" not in str(given_up("migrations", 10, [HOLDER, HOLDER]))
