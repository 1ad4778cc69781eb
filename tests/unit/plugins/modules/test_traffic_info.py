# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.modules import traffic_info
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


def test_here_and_not_here(run_module, tmp_path, monkeypatch):
    monkeypatch.setattr(traffic_info, "Layout", lambda app: Layout(app, tmp_path))
    files = TrafficFiles(Path(tmp_path, "var/lib/greenlight/mobile-sync/traffic"))
    (files.directory / "states").mkdir(parents=True)
    files.write_contact(CONTACT)
    files.write_record(Record("blue", updated="now"))
    files.switch(settled("blue"))
    seen = run_module(traffic_info, {"app": "mobile-sync"})
    assert (seen["installed"], seen["state"], seen["serving"], seen["changed"]) == (True, "blue", "blue", False)
    assert seen["upstreams"] == {colour: list(addresses) for colour, addresses in CONTACT.upstreams.items()}
    assert run_module(traffic_info, {"app": "shop"})["installed"] is False
    assert run_module(traffic_info, {"app": "/etc"}).failed
