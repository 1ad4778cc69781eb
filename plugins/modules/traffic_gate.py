#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_gate
short_description: Watch a new version at its share of the clients and say whether it may have more
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Runs on the controller for one proxy. Calls M(greenlight.deploy.traffic_window) there again and again, shows a line
    at least every ten seconds, judges a window every C(gate.interval) seconds, and ends with one verdict.
  - A window is bad when the new version (the candidate) is beyond one of the limits, or clearly worse than the version
    that serves beside it. So many bad windows among the last ones are a V(fail). A pass needs a last window that is
    good, after O(seconds) and after the first whole window (C(gate.warm_up) and C(gate.window) together).
  - What cannot wait does not. A candidate most of whose requests fail, or three looks at which failed one after the
    other, ends the watch at once, also during the warm-up, and so does a metric that is C(critical).
  - Ratios must be beyond their limit with a certainty of 95 % (Wilson) and for more than one failure, so that a single
    failed request of fifty is no reason to go back.
  - No data is never a pass. Probes make up for clients who send too little. Where the windows cannot be measured even
    so, C(gate.measure_errors) times in a row, a person is asked; see M(greenlight.deploy.gate_decision). Nobody
    answering within C(gate.decision_timeout) seconds is V(inconclusive), and the task fails as it does on V(fail).
  - When the gate of one proxy fails, those of the others in the same task stop within seconds.
  - Metrics of kind C(journal) are measured on the application hosts by M(greenlight.deploy.journal_metric), not here.
attributes:
  check_mode:
    description: Can run in C(check_mode); it watches nothing then and is skipped.
    support: partial
    details: There is no verdict without watching.
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
options:
  app:
    description: Name of the application.
    type: str
    required: true
  colour:
    description: The candidate.
    type: str
    choices: [blue, green]
    required: true
  serving:
    description: The colour that serves beside it. Empty when nobody does; then only the absolute limits count.
    type: str
    choices: ["", blue, green]
    default: ""
  release:
    description: Release that must answer the probes, where the application says who it is.
    type: str
    default: ""
  share:
    description: The candidate's share of new clients. The watch ends when the proxy is no longer in that state.
    type: int
    required: true
  seconds:
    description: How long to watch at least. 0 looks once.
    type: int
    required: true
  gate:
    description:
      - The limits, as the role P(greenlight.deploy.preflight#role) completes C(greenlight_gate). They are
        C(interval), C(window), C(warm_up), C(failures), C(of), C(minimum_requests), C(minimum_sockets),
        C(error_ratio), C(error_factor), C(error_margin), C(latency_factor), C(latency_floor), C(latency_p99),
        C(handshake_failures), C(measure_errors), C(synthetic), C(statistic), C(decision_timeout), C(dry_run) and
        C(metrics).
      - C(dry_run) may name the gate's own metrics too. They are C(errors), C(latency_p95), C(latency_p99),
        C(handshakes), C(sockets_cut_short), C(probes) and C(mann_whitney).
    type: dict
    required: true
  health:
    description: Paths of the probes, C(path), C(readiness) and C(websocket). An empty one is left out.
    type: dict
    default: {}
seealso:
  - module: greenlight.deploy.traffic_window
  - module: greenlight.deploy.gate_decision
  - module: greenlight.deploy.journal_metric
"""

EXAMPLES = r"""
- name: Watch green at 10 %
  greenlight.deploy.traffic_gate:
    app: mobile-sync
    colour: green
    serving: blue
    release: 20261122T124500Z-1a2b3c4
    share: 10
    seconds: 300
    gate: "{{ greenlight_application.gate }}"
    health: "{{ greenlight_application.health }}"
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(inconclusive).
  returned: always
  type: str
why:
  description: The reason, in one sentence.
  returned: always
  type: str
  sample: "green answered 37 of 410 requests with an error (9.0 %), limit 2.0 %; blue 0.1 %"
decision:
  description: The decision of the person who made it, null when the gate decided itself.
  returned: always
  type: dict
seconds:
  description: How long was watched.
  returned: always
  type: float
cost:
  description: What watching cost the proxy, C(calls), C(cpu_seconds), and C(percent) of one core.
  returned: always
  type: dict
  sample: {calls: 40, cpu_seconds: 8.4, percent: 2.8}
windows:
  description: Every window that was judged.
  returned: always
  type: list
  elements: dict
  contains:
    at:
      description: Seconds after the beginning at which it ended.
      type: float
    seconds:
      description: How long it was.
      type: float
    outcome:
      description: V(good), V(bad) or V(unknown).
      type: str
    why:
      description: What decided.
      type: str
    metrics:
      description: Each metric with C(name), C(outcome), C(value), C(limit), C(baseline), C(unit) and C(samples).
      type: list
      elements: dict
    colours:
      description: What the clients of each colour met.
      type: dict
    probes:
      description: What the probes met.
      type: dict
"""
