# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The logrotate file of an application's access log."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import directives

LOG_GROUP = "adm"
DEFAULT_USER, DEFAULT_PID = "nobody", "/run/nginx.pid"


def render(log: str, days: int, main: str) -> str:
    """Daily, ``days`` kept, reopened by signal; ``main`` is the text of nginx.conf, which names user and pid file."""
    pid = _main(main).get("pid", (DEFAULT_PID,))[0]
    return "\n".join(
        [
            f"{log} {{",
            "    daily",
            "    maxsize 1G",
            f"    rotate {days}",
            "    missingok",
            "    notifempty",
            "    compress",
            "    delaycompress",
            f"    create 0640 {log_owner(main)} {LOG_GROUP}",
            "    postrotate",
            f'        test ! -s {pid} || kill -USR1 "$(cat {pid})"',
            "    endscript",
            "}",
            "",
        ]
    )


def log_owner(main: str) -> str:
    """The user of nginx's workers: they reopen the log themselves."""
    return _main(main).get("user", (DEFAULT_USER,))[0]


def _main(text: str) -> Mapping[str, tuple[str, ...]]:
    return {one.name: one.arguments for one in directives(text) if not one.context and one.arguments}
