# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate costs the proxy: processor time of the whole host with sampling, less that without."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench.measure import Figures
from tests.bench.ways import FILES
from tests.stage.command import Command
from tests.stage.project import APP, Project
from tools import lab
from tools.console import Trouble
from tools.podman import podman

RATE = 1000
WRITING_SECONDS = 150
QUIET_SECONDS = 20.0
UNIT = "bench-lines"
NAME = f"gate's sampling at {RATE} requests a second, one core, %"


def cpu_seconds(host: str) -> float:
    """Processor time that all processes of a lab host have taken since it was made."""
    return int(podman("stats", "--no-stream", "--format", "{{.CPUNano}}", host)) / 1e9


def measure_sampling(project: Project) -> Figures:
    """Let the log of the proxy grow by lines of its own, and sample it."""
    edge = project.edge
    log = f"/var/log/nginx/{APP}-access.json"
    lab.on(edge, "sh", "-c", "cat > /run/lines.py", feed=(FILES / "lines.py").read_text())
    writer = ["python3", "/run/lines.py", log, str(RATE), str(WRITING_SECONDS)]
    lab.on(edge, "systemd-run", "--quiet", "--collect", f"--unit={UNIT}", *writer)
    try:
        quiet = _share(edge.name, lambda: time.sleep(QUIET_SECONDS))
        busy = _share(edge.name, lambda: _sample(project))
    finally:
        lab.on(edge, "systemctl", "stop", UNIT)
    return {NAME: round(100 * max(0.0, busy - quiet), 1)}


def _share(host: str, act: Callable[[], None]) -> float:
    """Processor time per second while something is done."""
    began, used = time.monotonic(), cpu_seconds(host)
    act()
    return (cpu_seconds(host) - used) / (time.monotonic() - began)


def _sample(project: Project) -> None:
    with Command(project, "bench-sampling", [str(FILES / "sampling.yml")], {}) as run:
        if run.wait():
            raise Trouble(f"The log could not be sampled.\n{run.last_words()}")
