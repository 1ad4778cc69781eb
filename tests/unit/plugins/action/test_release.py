# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from ansible_collections.greenlight.deploy.plugins.action import release

THERE = "/root/.ansible/tmp/one"


@pytest.fixture
def act(monkeypatch, tmp_path):
    """Call ``act(arguments, check_mode=...)``: the result, where the module answers ``act.answer``.

    What the module was told is ``act.told``, what was sent and fetched ``act.moved``.
    """
    monkeypatch.setattr(release.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))

    def run(arguments, *, check_mode=False):
        shell = SimpleNamespace(tmpdir=None, join_path=lambda *parts: "/".join(parts))
        connection = SimpleNamespace(_shell=shell, fetch_file=lambda *pair: run.moved.append(pair))
        task = SimpleNamespace(args=arguments, async_val=0, check_mode=check_mode, action="release")
        plugin = release.ActionModule(task, connection, MagicMock(), MagicMock(), MagicMock())
        monkeypatch.setattr(plugin, "_make_tmp_path", lambda: setattr(shell, "tmpdir", THERE) or THERE)
        monkeypatch.setattr(plugin, "_transfer_file", lambda *pair: run.moved.append(pair))
        monkeypatch.setattr(plugin, "_fixup_perms2", lambda paths, execute: None)

        def module(module_args, **_more):
            run.told = module_args
            return dict(run.answer)

        monkeypatch.setattr(plugin, "_execute_module", module)
        return plugin.run(task_vars={})

    run.moved, run.answer, run.told = [], {"changed": True}, {}
    return run


def test_the_archive_is_brought_to_the_host(act):
    act({"state": "built", "archive": "/cache/code.tar.gz", "others": []})
    assert act.moved == [("/cache/code.tar.gz", f"{THERE}/archive.tar.gz")]
    assert act.told == {"state": "built", "archive": f"{THERE}/archive.tar.gz", "others": []}


def test_what_was_packed_for_others_comes_back(act, tmp_path):
    act.answer = {"changed": True, "artefact": f"{THERE}/one.tar.gz"}
    result = act({"state": "built", "archive": "/code", "others": [{"releases": []}]})
    here = str(tmp_path / "greenlight" / "one.tar.gz")
    assert result["artefact"] == here
    assert act.told["artefact"] == THERE
    assert act.moved[1:] == [(f"{THERE}/one.tar.gz", here)]
    assert Path(here).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("arguments", "check_mode"),
    [({"state": "built", "archive": "/code", "others": [{}]}, True), ({"state": "pruned"}, False)],
)
def test_nothing_is_moved_where_nothing_is_made(act, arguments, check_mode):
    act(arguments, check_mode=check_mode)
    assert (act.moved, act.told) == ([], arguments)
