# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What systemd says, as it says it (answers recorded from systemd 252 and 257)."""

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState, parse_show

RECORDED = """\
Result=success
NRestarts=0
MainPID=314
ExecMainStatus=0
Id=hello-web-blue@8101.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
ActiveEnterTimestampMonotonic=5123456789
NeedDaemonReload=no

Result=exit-code
NRestarts=4
MainPID=0
ExecMainStatus=1
Id=hello-web-blue@8102.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart
UnitFileState=disabled
ActiveEnterTimestampMonotonic=5120000000
NeedDaemonReload=yes

Result=success
NRestarts=0
MainPID=0
Id=nothing@1.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
ActiveEnterTimestampMonotonic=0
"""


def test_a_running_unit():
    state = parse_show(RECORDED)["hello-web-blue@8101.service"]
    assert state == UnitState(
        "hello-web-blue@8101.service", "loaded", "active", "running", "success", 314, 0, 0, True, 5123.456789, False
    )
    assert state.running
    assert state.up


def test_a_unit_between_two_attempts_is_up_but_does_not_run():
    state = parse_show(RECORDED)["hello-web-blue@8102.service"]
    assert state.up
    assert not state.running
    assert state.outdated
    assert not state.enabled
    assert state.describe() == "unit activating/auto-restart, result exit-code, last exit status 1, 4 restarts"


def test_a_unit_that_is_not_there():
    state = parse_show(RECORDED)["nothing@1.service"]
    assert state == UnitState("nothing@1.service")
    assert not state.up


def test_values_may_hold_equal_signs():
    assert parse_show("Id=a@b\\x3dc.service\nLoadState=loaded\n")["a@b\\x3dc.service"].load == "loaded"
