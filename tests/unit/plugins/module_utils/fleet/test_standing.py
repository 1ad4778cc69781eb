# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.standing import Shift, Standing, stand

BLUE, GREEN = {"id": "old"}, {"id": "new"}


def proxy(
    serving: str | None, candidate: str | None = None, share: int = 0, *, at: int = 1, bad: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A record that was written at ``at``."""
    return {
        "serving": serving, "candidate": candidate, "share": share, "updated": f"2026-11-22T12:00:0{at}Z",
        "releases": {"blue": BLUE, "green": GREEN}, "bad": list(bad),
    }  # fmt: skip


FRESH = {"installed": False, "serving": None, "candidate": None}


def fleet(*records: dict[str, Any]) -> Standing:
    return stand({f"edge{number}": record for number, record in enumerate(records, 1)})


def to_green(share: int, *, settled: bool = False) -> Shift:
    return Shift("blue", "green", share, settled)


BACK = Shift("green", "blue", 0, settled=True)


@pytest.mark.parametrize(
    ("records", "home", "astray", "shift"),
    [
        ([FRESH, FRESH], "", (), None),
        ([proxy("blue"), proxy("blue", at=2)], "blue", (), None),
        ([proxy("green")], "green", (), None),
        # killed between two proxies, or between two shares
        ([proxy("blue", "green", 10, at=2), proxy("blue")], "blue", ("edge1",), to_green(0)),
        ([proxy("blue", "green", 10), proxy("blue", "green", 50, at=2)], "blue", ("edge1", "edge2"), to_green(10)),
        ([proxy("blue", "green", 50)], "blue", ("edge1",), to_green(50)),
        ([proxy("green", "blue", 50)], "green", ("edge1",), Shift("green", "blue", 50, settled=False)),
        # killed while it settled; a proxy that returned by itself meanwhile
        (
            [proxy("green", at=2), proxy("blue", "green", 100)],
            "green",
            ("edge2",),
            to_green(100, settled=True),
        ),
        ([proxy("green", at=2), proxy("blue")], "green", ("edge2",), to_green(0, settled=True)),
        # rolled back without the second proxy, which is found again
        ([proxy("blue", at=2, bad=("new",)), proxy("green")], "blue", ("edge2",), BACK),
        # undone without the second proxy
        ([proxy("blue", at=2, bad=("new",)), proxy("blue", "green", 10)], "blue", ("edge2",), to_green(0)),
        ([proxy(None, at=2, bad=("old",)), proxy("blue")], "", ("edge2",), None),
        # a proxy that is new, or killed while the first deployment settled
        ([proxy("blue"), FRESH], "blue", ("edge2",), None),
        ([FRESH, proxy("blue", "green", 10)], "blue", ("edge1", "edge2"), None),
        # two shifts in opposite directions are nothing to go on with
        ([proxy("blue", "green", 10), proxy("green", "blue", 10, at=2)], "green", ("edge1", "edge2"), None),
        # the newest record serves what another one knows to be bad
        ([proxy("green", at=2), proxy("blue", bad=("new",))], "blue", ("edge1",), to_green(0, settled=True)),
    ],
)  # fmt: skip
def test_where_the_clients_belong(
    records: list[dict[str, Any]], home: str, astray: tuple[str, ...], shift: Shift | None
) -> None:
    found = fleet(*records)
    assert (found.home, found.astray, found.shift) == (home, astray, shift)


def test_what_any_proxy_knows_is_known_and_the_newest_knows_best() -> None:
    later = {**proxy("blue", at=2, bad=("new",)), "releases": {"blue": {"id": "newer"}, "green": None}}
    found = fleet(later, proxy("blue", bad=("older",)))
    assert found.releases == {"blue": {"id": "newer"}, "green": GREEN}
    assert found.bad == ("older", "new")
    assert (found.is_bad("green"), found.is_bad("blue")) == (True, False)


def test_a_colour_without_a_release_is_not_bad() -> None:
    assert not stand({"edge": FRESH}).is_bad("blue")


POSITIONS = [("blue", None, 0), ("green", None, 0), ("blue", "green", 10), ("green", "blue", 50), (None, None, 0)]


@pytest.mark.parametrize("bad", [(), ("old",), ("new",)])
@pytest.mark.parametrize("one", POSITIONS)
@pytest.mark.parametrize("other", POSITIONS)
def test_wherever_two_proxies_were_left_there_is_one_way(one: Any, other: Any, bad: tuple[str, ...]) -> None:
    records = [proxy(*one, at=1), proxy(*other, at=2, bad=bad)]
    found = fleet(*records)
    served = {record["serving"] for record in records}
    assert found.home in {colour or "" for colour in served}
    assert not found.is_bad(found.home) or all(colour is None or found.is_bad(colour) for colour in served)
    assert bool(found.astray) == any(
        record["serving"] != (found.home or None) or record["candidate"] for record in records
    )
    if found.shift:
        assert found.astray
        assert found.home in (found.shift.serving, found.shift.candidate)
        assert all(_share(record, found.shift.candidate) >= found.shift.share for record in records)


def _share(record: dict[str, Any], candidate: str) -> int:
    return record["share"] if record["candidate"] else 100 * (record["serving"] == candidate)
