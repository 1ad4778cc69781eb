# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import demo_traffic
from tools.console import Trouble
from tools.demo_traffic import Aim, Traffic, words

AIM = Aim("sync.test", "10.0.0.1", Path("/ca.pem"), 200, 300)
SCRIPT = """
import json, pathlib, sys
say = lambda **event: print(json.dumps(event), flush=True)
say(event="second", requests=7)
for line in sys.stdin:
    if line.startswith("act"):
        say(event="act", figures={"name": line.split()[1]})
    elif line.startswith("stop"):
        pathlib.Path(RESULT).write_text('{"acts": []}')
        say(event="end", problems=["1 failed"])
        break
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Let the traffic be another script, given to the returned function."""
    monkeypatch.setattr(demo_traffic, "LOGS", tmp_path)

    def be(script):
        text = script.replace("RESULT", repr(str(tmp_path / "demo-traffic.json")))
        monkeypatch.setattr(demo_traffic, "words", lambda aim, result: [sys.executable, "-c", text])

    return be


def test_the_command_line_names_domain_and_address():
    line = words(AIM, Path("/out.json"))
    assert {"--url=https://sync.test", "--connect=10.0.0.1", "--ca-file=/ca.pem", "--control"} <= set(line)


def test_acts_are_cut_and_the_end_is_read(process):
    process(SCRIPT)
    with Traffic(AIM) as traffic:
        assert traffic.cut("two") == {"name": "two"}
        assert traffic.now == {"event": "second", "requests": 7}
        assert traffic.finish() == ({"acts": []}, ["1 failed"])


def test_leaving_stops_the_clients(process):
    process(SCRIPT)
    with Traffic(AIM) as traffic:
        traffic.cut("two")
    assert traffic._process.returncode is not None


def test_clients_that_die_are_noticed_with_what_they_said(process):
    process("import sys; sys.exit('no route to anywhere')")
    with Traffic(AIM) as traffic, pytest.raises(Trouble, match="no route to anywhere"):
        traffic.cut("two")
