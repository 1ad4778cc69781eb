# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from tools import on_host
from tools.environment import LOCK_FILE

LOCK = """\
pytest==9.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r dev.in
pytest-other==1.0 \\
    --hash=sha256:cc
pyyaml==6.0 ; python_version > '3' \\
    --hash=sha256:dd
"""


def test_a_subset_of_a_lock_file_keeps_its_hashes_and_takes_no_namesake():
    assert on_host.subset(LOCK, ["pytest"]) == LOCK[: LOCK.index("pytest-other")]
    assert on_host.subset(LOCK, ["pyyaml", "absent"]) == LOCK[LOCK.index("pyyaml") :]


def test_every_package_of_the_runner_is_locked():
    found = on_host.subset(LOCK_FILE.read_text(), on_host.RUNNER)
    assert [line.split("=")[0] for line in found.splitlines() if "==" in line] == list(on_host.RUNNER)
