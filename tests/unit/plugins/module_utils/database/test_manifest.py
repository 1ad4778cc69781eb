# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import (
    BackupDamaged,
    File,
    Manifest,
    Media,
    Surroundings,
    compare_files,
    compare_rows,
    dump,
    load,
)

MANIFEST = Manifest(
    id="20261122T124500Z-1a2b3c4",
    app="shop",
    kind="deploy",
    database="shop",
    taken=1795351500.12,
    server_version=150018,
    program_version=15,
    compression="1",
    database_bytes=900,
    dump_bytes=100,
    verification="read",
    tables={'"public"."orders"': 3, '"public"."parts"': 4},
    large_objects=0,
    extensions={"plpgsql": "1.0"},
    surroundings=Surroundings(
        "app", "UTF8", "C", "C", acl=[{"grantee": "", "privilege": "CONNECT", "grantable": False}]
    ),
    files={"dump/toc.dat": File(100, "ab")},
    seconds={"dump": 0.1},
)


@pytest.mark.parametrize("media", [None, Media("/srv/media", "media.tar.gz", 2, 900)])
def test_it_is_read_as_it_was_written(media):
    manifest = replace(MANIFEST, media=media)
    assert load(dump(manifest), "here") == manifest


def test_a_summary_counts_what_is_long():
    summary = MANIFEST.summary()
    assert (summary["tables"], summary["files"], summary["rows"]) == (2, 1, 7)


def changed(**parts):
    return json.dumps({**json.loads(dump(MANIFEST)), **parts})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1}',
        changed(version=2),
        changed(more=1),
        changed(taken="now"),
        changed(files=[]),
        changed(files={"a": {"bytes": 1}}),
        changed(surroundings={}),
    ],
)
def test_what_is_none_is_refused_by_name(text):
    with pytest.raises(BackupDamaged) as refused:
        load(text, "/backups/1/manifest.json")
    assert refused.value.where == "/backups/1/manifest.json"


@pytest.mark.parametrize(
    "found",
    [{}, {"a": File(1, "aa"), "b": File(2, "bb"), "c": File(1, "cc")}, {"a": File(1, "aa"), "b": File(2, "bc")}],
)
def test_files_that_differ_are_named(found):
    expected = {"a": File(1, "aa"), "b": File(2, "bb")}
    compare_files(expected, dict(expected), "here")
    with pytest.raises(BackupDamaged, match="of 2 files are not what the manifest says"):
        compare_files(expected, found, "here")


def test_rows_that_differ_are_counted_for_both():
    compare_rows({"a": 1}, {"a": 1}, "here")
    with pytest.raises(
        BackupDamaged, match="a has 1 instead of 2, b has no table instead of 0, c has 5 instead of no table"
    ):
        compare_rows({"a": 2, "b": 0}, {"a": 1, "c": 5}, "here")


def test_many_differences_are_shortened():
    with pytest.raises(BackupDamaged, match="and 15 more"):
        compare_rows({str(number): 1 for number in range(20)}, {}, "here")


@pytest.mark.parametrize("comment", ["", "the shop's", "ends in [greenlight: closed]"])
@pytest.mark.parametrize("limit", [-1, 0, 30])
def test_a_closed_database_remembers_what_it_was(comment, limit):
    own = Surroundings("app", "UTF8", "C", "C", connection_limit=limit, comment=comment)
    assert own.reopened() is own
    assert own.closed().connection_limit == 0
    assert own.closed() == own.closed().closed() != own
    assert own.closed().reopened() == own
