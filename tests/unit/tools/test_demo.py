# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools import demo
from tools.demo import ACTS, Act, Played, count_voices, record, summary, version, what_next
from tools.demo_screen import Style

COUNTS = {
    "requests": 10, "failed": 0, "items_sent": 5, "items_acked": 5, "items_lost": 0, "items_doubled": 0,
    "reconnects": 2, "away_p50_s": 0.1, "away_p99_s": 0.2, "away_max_s": 0.3,
}  # fmt: skip
DEPLOY = Act("deploy", ("site.yml",), "v2", "v2")
BROKEN = Act("broken", ("site.yml",), "v2", "v3", succeeds=False)


def played(act=DEPLOY, status=0, before="v1 (blue)", after="v2 (green)"):
    return Played(act, status, 61.26, before, after)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["blue/r1/v1.0.0"] * 3, "v1.0.0 (blue)"),
        (["", ""], "nobody"),
        (["blue/r1/v1", "green/r2/v2", "blue/r1/v1", ""], "mixed: nobody 25 %, v1 (blue) 50 %, v2 (green) 25 %"),
    ],
)
def test_who_serves(headers, said):
    assert count_voices(headers) == said


def test_the_version_is_the_first_word():
    assert version("v1.0.0 (blue)") == "v1.0.0"


@pytest.mark.parametrize(
    ("one", "fine"),
    [
        (played(), True),
        (played(status=2), False),
        (played(after="v1 (blue)"), False),
        (played(BROKEN, status=2), True),
        (played(BROKEN, status=0), False),
        (played(BROKEN, status=2, after="v3 (blue)"), False),
    ],
)
def test_what_an_act_should_come_to(one, fine):
    assert one.as_expected is fine
    assert one.complaint().startswith(one.act.name)


def test_the_acts_tell_the_story():
    assert [(act.succeeds, act.serving) for act in ACTS] == [
        (True, "v1.0.0"), (True, "v2.0.0-sync"), (False, "v2.0.0-sync"), (True, "v1.0.0"),
    ]  # fmt: skip
    assert {act.command for act in ACTS} == {
        "ansible-playbook site.yml -i production",
        "ansible-playbook rollback.yml -i production --tags traffic",
    }


def test_the_record_has_exactly_the_figures_that_others_read():
    (act,) = record([played()], [{**COUNTS, "share": []}])["acts"]
    assert act == {
        "name": "deploy", "exit_status": 0, **COUNTS, "seconds": 61.3,
        "serving_before": "v1 (blue)", "serving_after": "v2 (green)",
    }  # fmt: skip


def test_a_summary_shows_the_command_its_status_and_who_serves():
    times = {"p50": 0.1, "p95": 0.1, "p99": 0.1, "max": 0.1}
    figures = {
        **COUNTS, "latency_s": times, "ack_latency_s": times, "close_codes": {}, "failures": {}, "share": [],
    }  # fmt: skip
    look = Style(fancy=False, coloured=False)
    for act in ACTS:
        assert {len(line) for line in summary(4, played(act), figures, look).splitlines()} == {80}
    text = summary(3, played(BROKEN, status=2), figures, look)
    assert "Act 3: broken" in text
    assert "exit 2, as it should" in text
    assert "v1 (blue) -> v2 (green)" in text


def test_what_to_try_next_depends_on_whether_there_is_still_something():
    assert "--resolve sync.greenlight.test:443:10.99.77.11" in what_next(kept=True)
    assert "./dev down" in what_next(kept=True)
    assert "--keep" in what_next(kept=False)


def test_a_demo_that_lost_something_does_not_end_well(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "raise_curtain", lambda debian: None)
    monkeypatch.setattr(demo, "FIGURES", tmp_path / "demo.json")
    monkeypatch.setattr(demo.Demo, "play", lambda self: ["3 items lost"])
    with pytest.raises(demo.Trouble, match="3 items lost"):
        demo.main([])


def test_a_demo_that_went_well_takes_its_hosts_away_unless_told_to_keep_them(monkeypatch, tmp_path, capsys):
    gone = []
    monkeypatch.setattr(demo, "raise_curtain", lambda debian: None)
    monkeypatch.setattr(demo, "FIGURES", demo.ROOT / ".lab" / "never-written.json")
    monkeypatch.setattr(demo.Demo, "play", lambda self: [])
    monkeypatch.setattr(demo.lab, "down", gone.append)
    assert demo.main(["--keep"]) == 0
    assert gone == []
    assert demo.main([]) == 0
    assert gone == [["gl-edge", "gl-app1", "gl-app2", "gl-data"]]
