# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database import dump
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import Programs, compression_for
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Server
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed

NOT_BUILT = "pg_dump: error: invalid compression specification: this build does not support compression with zstd"
NO_SERVER = 'pg_dump: error: connection to server on socket "/nonexistent/.s.PGSQL.5432" failed'


@pytest.fixture
def said(monkeypatch):
    """What pg_dump says when it is tried out; None where it must not be."""
    words = {"answer": None}

    def run(argv, context, *, what, allowed=(0,)):
        assert words["answer"]
        assert "--host=/nonexistent" in argv
        raise CommandFailed(f"ended with status 1: {' '.join(argv)}\n{words['answer']}\n", where=what)

    monkeypatch.setattr(dump, "run", run)
    monkeypatch.setattr(dump, "fitting", lambda name, major: f"/usr/lib/postgresql/{major}/bin/{name}")
    return words


@pytest.mark.parametrize(
    ("major", "method", "level", "answer", "expected"),
    [
        (15, "auto", None, None, "1"),
        (15, "gzip", 6, None, "6"),
        (15, "gzip", 0, None, "0"),
        (16, "gzip", None, None, "gzip:1"),
        (17, "lz4", None, None, "lz4:1"),
        (17, "zstd", 9, None, "zstd:9"),
        (17, "auto", None, NO_SERVER, "zstd:3"),
        (17, "auto", None, NOT_BUILT, "gzip:1"),
    ],
)
def test_the_best_that_pg_dump_offers(said, major, method, level, answer, expected):
    said["answer"] = answer
    assert compression_for(Programs(Server("shop"), major, 60), method, level) == expected


@pytest.mark.parametrize("method", ["zstd", "lz4"])
def test_what_it_does_not_offer_is_said(said, method):
    with pytest.raises(CommandFailed, match=f"pg_dump 15 has no {method}"):
        compression_for(Programs(Server("shop"), 15, 60), method, None)
