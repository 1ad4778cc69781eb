# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has of an application: its releases, and as a proxy its clients and whether they are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.health.tester import checks_of, endpoint_of, look_at
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.look import look


def presence(app: str, root: str, health: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """``releases`` and ``colours`` as in ``release_info``, ``traffic`` as in ``traffic_info``, and ``answers``.

    ``answers`` says whether the colour that serves is well, asked once as a tester of this proxy on the paths of
    ``health``, and ``problems`` what is wrong with it. ``timeout`` is in seconds.
    """
    store, files = Store(text.app_name(app), root), TrafficFiles(Layout(app).traffic)
    traffic = look(files, Kernel())
    problems = []
    if traffic["serving"]:
        endpoint = endpoint_of(files.contact(), traffic["serving"])
        problems = look_at(endpoint, checks_of(health, timeout), timeout, "")
    return {
        "releases": [asdict(each) for each in store.releases()],
        "colours": store.colours(),
        "traffic": traffic,
        "answers": bool(traffic["serving"]) and not problems,
        "problems": problems,
    }
