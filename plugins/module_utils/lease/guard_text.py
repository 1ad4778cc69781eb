# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script of the dead-man's switch and its units. Pure."""

from __future__ import annotations

import shlex

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout

_SCRIPT = r"""#!/bin/sh
# Written by greenlight.deploy. While a shift is under way it gives all clients back to the colour that served before,
# when the controller has given no sign of life in time. Needs nothing but this host.
app=@APP@
deployment=@DEPLOYMENT@
traffic=@TRAFFIC@
umask 077

expired() { # a lease that is not there, cannot be read or is of another boot counts as expired
  read -r boot end < "$deployment/lease" || return 0
  case $end in '' | *[!0-9]*) return 0 ;; esac
  read -r now rest < /proc/uptime || return 0
  [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ] || [ "${now%%.*}" -ge "$end" ]
}

told() { # what to do, unless somebody has disarmed the switch meanwhile
  read -r home id after < "$deployment/guard"
}

disarm() {
  rm -f "$deployment/guard" "$deployment/lease"
  timeout 10 systemctl disable --quiet --now @TIMER@
}

exec 2> /dev/null
told && expired || exit 0
exec 9> "$traffic/.lock" && flock 9 || exit 1 # as every change of the traffic does
told && expired || exit 0
state=$(readlink "$traffic/current")
state=${state##*/}
case $state in
  blue-* | green-*) ;;
  *)
    disarm # the shift was settled: nothing is to be given back
    exit 0
    ;;
esac

at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
why="no sign of life from the controller for $after s"
id=${id#-}
form='"at": "%s", "from": "%s", "to": "%s", "why": "%s", "deployment": "%s"'
what=$(printf "$form" "$at" "$state" "$home" "$why" "$id")
printf '{%s}\n' "$what" > "$deployment/returned.json.next" # first: a full disk must not keep the switch from acting
rm -f "$traffic/.next"
ln -s "states/$home" "$traffic/.next" && mv -T "$traffic/.next" "$traffic/current" || exit 1
sync "$traffic"
mv "$deployment/returned.json.next" "$deployment/returned.json"
sync "$deployment"
echo "<4>$app: all clients go to $home again (it was $state): $why"
disarm
exec 9>&-

exec 8> "$deployment/.lock" && flock -w 10 8
form='\n{"at": "%s", "deployment": "%s", "event": "returned", "data": {%s}}\n'
printf "$form" "$at" "$id" "$what" >> "$deployment/journal.jsonl"
"""

_SERVICE = """\
# Written by greenlight.deploy.
[Unit]
Description=Give the clients of {app} back when the controller is gone
ConditionPathExists={guard}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/bin/sh {script}
LogLevelMax=notice
"""

_TIMER = """\
# Written by greenlight.deploy.
[Unit]
Description=Look whether the controller that shifts the clients of {app} is alive

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=4s
AccuracySec=500ms

[Install]
WantedBy=timers.target
"""


def script(layout: Layout) -> str:
    """The script; it knows nothing but places, what to do is in the files there."""
    words = {
        "@APP@": layout.app,
        "@DEPLOYMENT@": str(layout.deployment),
        "@TRAFFIC@": str(layout.traffic),
        "@TIMER@": f"{layout.unit}.timer",
    }
    text = _SCRIPT
    for word, value in words.items():
        text = text.replace(word, shlex.quote(value))
    return text


def service(layout: Layout) -> str:
    """The unit that runs the script once. Its starts are not logged, what the script says is."""
    return _SERVICE.format(app=layout.app, guard=layout.guard, script=layout.script)


def timer(layout: Layout) -> str:
    """The unit that runs it every few seconds, by a clock that nobody can set."""
    return _TIMER.format(app=layout.app)
