# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a proxy is doing with the clients of an application: state, record, live connections, workers."""

from __future__ import annotations

from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel, workers
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import live, percentages, totals
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import NONE, classes_of, shares_of
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import adopted


def look(files: TrafficFiles, kernel: Kernel) -> dict[str, Any]:
    """The answer of the module traffic_info."""
    if not files.installed():
        return {"installed": False, "state": None, "serving": None, "candidate": None, "previous": None}
    contact, state, kept = files.contact(), files.state() or NONE, files.record()
    record, returned = adopted(kept, state), files.returned()
    sockets = live(kernel.sockets(), contact.upstreams)
    serving_workers, old_workers = workers(kernel.nginx_titles())
    return {
        "installed": True,
        "domain": contact.domain,
        **record.as_dict(),
        "state": state.name,
        "consistent": record == kept,
        "returned": returned.as_dict() if returned else None,
        "shares": shares_of(state),
        "classes": {colour: list(classes) for colour, classes in classes_of(state).items()},
        "upstreams": {colour: list(addresses) for colour, addresses in contact.upstreams.items()},
        "sockets": sockets,
        "live": totals(sockets),
        "live_share": percentages(totals(sockets)),
        "workers": serving_workers,
        "workers_shutting_down": old_workers,
    }
