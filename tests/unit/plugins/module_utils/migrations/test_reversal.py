# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import reversal
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import FIELDS, Entry
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration


def entry(number, deployment, migration):
    given = {"id": number, "deployment": deployment, "migration": migration, "release": "r1", "applied_at": "10:00"}
    return Entry(**{**dict.fromkeys(FIELDS, ""), **given})


GRAPH = {
    "a": Migration("a", (), applied=True),
    "b": Migration("b", ("a",), applied=True),
    "c": Migration("c", ("b",), applied=True),
    "later": Migration("later", ("c",)),
}
ROWS = [entry(3, "d2", "c"), entry(2, "d2", "b")]


def test_what_can_be_undone():
    assert reversal.check(ROWS, GRAPH, "r1", ["a"]) == ["c", "b"]
    assert reversal.check([], GRAPH, "r1") == []


@pytest.mark.parametrize(
    ("graph", "needed", "said"),
    [
        ({name: GRAPH[name] for name in "ab"}, [], "release r0: has no c.*the release that applied them, r1"),
        (GRAPH, ["a", "b"], "the release that serves needs b"),
        ({**GRAPH, "b": Migration("b", ("a",), reversible=False)}, [], "b cannot be undone.*restore the backup"),
        ({**GRAPH, "later": Migration("later", ("c",), applied=True)}, [], "later depends on them"),
    ],
)
def test_what_must_not_be_undone(graph, needed, said):
    with pytest.raises(InvalidInput, match=said):
        reversal.check(ROWS, graph, "r0", needed)
