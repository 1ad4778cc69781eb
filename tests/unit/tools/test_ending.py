# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tools.ending import STATUS, below, parents
from tools.places import ROOT

ENDLESS = """
import subprocess, sys
from tools.ending import end_with_children
end_with_children()
grandchild = "import time; print('begun', flush=True); time.sleep(60)"
child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
subprocess.run([sys.executable, "-c", child])
"""


def test_who_is_below_whom():
    assert list(below(1, {1: 0, 2: 1, 3: 2, 4: 1, 5: 9, 6: 3})) == [2, 4, 3, 6]
    assert list(below(5, {1: 0, 2: 1})) == []


def test_every_process_has_a_parent():
    assert parents()[os.getpid()] == os.getppid()


def test_who_is_told_to_end_takes_all_along():
    with subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        left = list(below(process.pid, parents()))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == STATUS
        assert process.stdout.read() == ""  # at its end when nobody holds it any more
    assert len(left) == 2
