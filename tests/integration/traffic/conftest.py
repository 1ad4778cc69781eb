# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real nginx of our own, with one small backend per colour."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.tests.integration.traffic.backend import Backend
from ansible_collections.greenlight.deploy.tests.integration.traffic.proxy import (
    DOMAIN,
    MAIN,
    WORKERS,
    Proxy,
    free_ports,
    make_pair,
    make_site,
    wait_for,
)


@pytest.fixture
def backends() -> Iterator[dict[str, Backend]]:
    made = {colour: Backend(colour) for colour in ("blue", "green")}
    yield made
    for backend in made.values():
        backend.close()


@pytest.fixture
def proxy(backends: dict[str, Backend]) -> Iterator[Proxy]:
    """nginx runs, the application is installed, nobody is served yet."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    root = Path(tempfile.mkdtemp(prefix="gl-nginx-"))
    root.chmod(0o755)
    for name in ("etc/nginx/conf.d", "var/log/nginx", "tmp"):
        (root / name).mkdir(parents=True)
    user = "user www-data;" if os.geteuid() == 0 else ""
    (root / "etc/nginx/nginx.conf").write_text(MAIN.format(root=root, user=user, workers=WORKERS))
    made = Proxy(root, make_site(free_ports(2), backends), make_pair(root, [DOMAIN]), backends)
    subprocess.run(["nginx", "-p", str(root), "-c", str(made.layout.main)], check=True)
    wait_for((root / "nginx.pid").exists)
    try:
        made.install()
        wait_for(lambda: len(made.workers) == WORKERS)
        yield made
    finally:
        os.kill(made.pid, signal.SIGTERM)
        wait_for(lambda: not (root / "nginx.pid").exists())
        shutil.rmtree(root)
