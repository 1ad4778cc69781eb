#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_metric
short_description: Count the lines of one colour's log that match a pattern, and judge them
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Reads what the instances of one colour wrote to the journal of this host during the last O(seconds), by this host's
    own clock, and judges the metrics of kind C(journal) among C(greenlight_gate.metrics).
  - Fails when one of them is beyond its limit, unless it is C(dry_run), and when the journal cannot be read.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  colour:
    description: Colour whose instances are looked at.
    type: str
    choices: [blue, green]
    required: true
  seconds:
    description: How far to look back.
    type: int
    required: true
  metrics:
    description: The metrics as in C(greenlight_gate.metrics). Those of other kinds are left out.
    type: list
    elements: dict
    required: true
  dry_run:
    description: Names of metrics that are measured and never decide, as C(greenlight_gate.dry_run).
    type: list
    elements: str
    default: []
seealso:
  - module: greenlight.deploy.traffic_gate
"""

EXAMPLES = r"""
- name: Judge what green wrote
  greenlight.deploy.journal_metric:
    app: mobile-sync
    colour: green
    seconds: 300
    metrics:
      - {name: sync_errors, kind: journal, pattern: SYNC_ERROR, above: 10}
"""

RETURN = r"""
metrics:
  description: Each metric beside its limit.
  returned: success
  type: list
  elements: dict
  sample: [{name: sync_errors, outcome: good, value: 3.0, limit: 10.0, dry_run: false}]
msg:
  description: Which metric is beyond its limit.
  returned: failure
  type: str
  sample: sync_errors is 37, limit at most 10
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.further import judged
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.journal import count_lines
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Outcome
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "seconds": {"type": "int", "required": True},
    "metrics": {"type": "list", "elements": "dict", "required": True},
    "dry_run": {"type": "list", "elements": "str", "default": []},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Count and judge."""
    wanted = module.params
    specs = [spec for spec in wanted["metrics"] if spec["kind"] == "journal"]
    if not specs:
        return {"metrics": []}
    units = f"{text.app_name(wanted['app'])}-*-{wanted['colour']}@*.service"
    counts = count_lines(units, wanted["seconds"], [spec["pattern"] for spec in specs])
    metrics = [judged(spec, count) for spec, count in zip(specs, counts, strict=True)]
    dry = {metric.name for metric in metrics if metric.dry_run} | set(wanted["dry_run"])
    bad = [metric for metric in metrics if metric.outcome is Outcome.BAD and metric.name not in dry]
    if bad:
        raise NotReady("; ".join(metric.why for metric in bad))
    return {"metrics": [{**metric.as_dict(), "dry_run": metric.name in dry} for metric in metrics]}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
