# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tomllib

from tools.podman import Abilities, containers_conf, packages


def test_an_ordinary_machine_needs_no_settings():
    assert containers_conf(Abilities(unified_cgroups=True, may_raise_limits=True, open_files=1048576)) == ""


def test_a_machine_without_the_unified_tree_runs_runc_and_installs_it():
    abilities = Abilities(unified_cgroups=False, may_raise_limits=True, open_files=1048576)
    assert tomllib.loads(containers_conf(abilities)) == {"engine": {"runtime": "runc"}}
    assert "runc" in packages(abilities)


def test_limits_are_kept_within_what_this_machine_grants():
    abilities = Abilities(unified_cgroups=True, may_raise_limits=False, open_files=20000)
    settings = tomllib.loads(containers_conf(abilities))
    assert settings == {"containers": {"default_ulimits": ["nofile=1024:20000", "nproc=10000:10000"]}}
    assert "runc" not in packages(abilities)
