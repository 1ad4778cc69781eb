# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration
from ansible_collections.greenlight.deploy.plugins.modules import django_migration_info

FIRST, SECOND, LATER = "core.0001_initial", "core.0002_index", "core.0003_later"


def test_what_a_release_knows(run_module, monkeypatch):
    seen = SimpleNamespace()
    graph = {FIRST: Migration(FIRST, applied=True), SECOND: Migration(SECOND, (FIRST,))}

    @contextmanager
    def converse(request, *, lock):
        seen.request, seen.lock = request, lock
        yield SimpleNamespace(graph=lambda: graph, unknown=(LATER,))

    monkeypatch.setattr(django_migration_info, "converse", converse)
    monkeypatch.setattr(Account, "of", classmethod(lambda cls, name: Account(name, 999, 999)))
    arguments = {"app": "shop", "release": "20261122T124500Z-1a2b3c4", "secrets": {"KEY": "hush-hush"}}
    result = run_module(django_migration_info, arguments)
    assert (result["changed"], result["unknown"], result["pending"], result["applied"]) == (False, [LATER], [SECOND], 1)
    assert (seen.lock, str(seen.request.release)) == (False, "/opt/shop/releases/20261122T124500Z-1a2b3c4")
    assert seen.request.secrets == ("hush-hush",)
