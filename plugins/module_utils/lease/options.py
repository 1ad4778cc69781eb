# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of deployment_lock, for the module on the host and for its part on the controller. Pure."""

from __future__ import annotations

from typing import Any

PROCESS: dict[str, Any] = {
    "type": "dict",
    "options": {
        "host": {"type": "str", "required": True},
        "boot": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "pid": {"type": "int", "required": True},
        "started": {"type": "str", "required": True},
    },
}
ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["taken", "renewed", "released", "present"], "default": "present"},
    "deployment": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
    "lease": {"type": "int", "default": 120},
    "heartbeat": {"type": "int", "default": 30},
    "wait": {"type": "int", "default": 900},
    "steal": {"type": "bool", "default": False},
    "holder": {
        "type": "dict",
        "options": {"owner": {"type": "str", "required": True}, "process": PROCESS},
    },
    "dead": {"type": "str", "default": ""},
    "progress": {"type": "list", "elements": "dict", "default": []},
}
