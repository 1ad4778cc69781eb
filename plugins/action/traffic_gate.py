# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.further import NotMeasured
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Metric, limits_of
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.machine import Said, Verdict, rules_of
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.gate_metrics import Measurer
from ansible_collections.greenlight.deploy.plugins.plugin_utils.gate_watch import Outcomes, Subject, Unreachable, Watch

MODULE = "greenlight.deploy.traffic_window"
DECIDE = "ansible-playbook greenlight.deploy.decide -i {inventory} -e decision=promote|abort -e 'reason=...'"


class Bell:
    """What the gates of one task, each in a process of its own on this controller, tell each other."""

    def __init__(self, path: Path, host: str) -> None:
        self._path = path
        self._host = host

    def ring(self, why: str) -> None:
        """Tell the others to stop. The first one who does is heard."""
        try:
            with self._path.open("x", encoding="utf-8") as handle:
                handle.write(f"{self._host}: {why}")
        except FileExistsError:
            return

    def heard(self) -> str:
        """Who told to stop and why, empty while nobody did."""
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""


class ProxyWorld:
    """The proxy, the metrics and the operator, as the watch wants them."""

    def __init__(self, action: ActionModule, arguments: Mapping[str, Any], measurer: Measurer, bell: Bell) -> None:
        self._action = action
        self._arguments = {name: arguments[name] for name in ("app", "colour", "release", "health")}
        self._measurer = measurer
        self._bell = bell

    clock = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    def sample(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._action.call(MODULE, {**self._arguments, **arguments})

    def measure(self) -> Sequence[Metric]:
        return self._measurer.measure()

    def say(self, line: str) -> None:
        self._action.tell(line)

    def stopped(self) -> str:
        return self._bell.heard()


class ActionModule(ControllerAction):
    """Watches one share on one proxy until there is a verdict, and fails the task unless it is a pass."""

    _requires_connection = True
    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "app": {"type": "str", "required": True},
        "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
        "serving": {"type": "str", "choices": ["", "blue", "green"], "default": ""},
        "release": {"type": "str", "default": ""},
        "share": {"type": "int", "required": True},
        "seconds": {"type": "int", "required": True},
        "gate": {"type": "dict", "required": True},
        "health": {"type": "dict", "default": {}},
    }
    _name = ""
    _vars: Mapping[str, Any] = {}

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if self._task.check_mode:
            return {"skipped": True, "msg": "Nothing is watched in check mode."}
        self._vars, host = task_vars, str(task_vars["inventory_hostname"])
        self._name = f"{host}  " if len(task_vars["groups"].get("proxies", [])) > 1 else ""
        bell = Bell(Path(constants.DEFAULT_LOCAL_TMP, f"greenlight-gate-{self._task._uuid}-{arguments['share']}"), host)
        try:
            outcomes = self._watch(arguments, bell)
        except Unreachable as error:
            bell.ring(str(error))
            raise AnsibleConnectionFailure(str(error)) from None
        said = outcomes.said
        if said.verdict is not Verdict.PASS:
            bell.ring(said.why)
        return _result(said, outcomes)

    def _watch(self, arguments: Mapping[str, Any], bell: Bell) -> Outcomes:
        gate = arguments["gate"]
        names = {name: str(arguments[name]) for name in ("app", "colour", "release")}
        measurer = Measurer(gate["metrics"], names, self._secrets(), self._on_proxy)
        subject = Subject(
            candidate=arguments["colour"],
            serving=arguments["serving"],
            share=arguments["share"],
            websockets=bool(arguments["health"].get("websocket")),
            synthetic=gate["synthetic"],
            how_to_decide=DECIDE.format(inventory=" -i ".join(self._vars.get("ansible_inventory_sources", []))),
        )
        world = ProxyWorld(self, arguments, measurer, bell)
        return Watch(subject, rules_of(gate, arguments["seconds"]), limits_of(gate), world).run()

    def tell(self, line: str) -> None:
        """Tell the operator, with the proxy's name where there are several."""
        self.say(self._name + line)

    def call(self, module: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a module on the proxy. Raises Unreachable, or a GreenlightError with what it said."""
        try:
            result: dict[str, Any] = self._execute_module(
                module_name=module, module_args=dict(arguments), task_vars=self._vars
            )
        except AnsibleConnectionFailure as error:
            raise Unreachable(str(error)) from None
        if result.get("unreachable"):
            raise Unreachable(str(result.get("msg", "")))
        if result.get("failed"):
            raise GreenlightError(str(result.get("msg", "")).strip() or f"{module} failed")
        return result

    def _on_proxy(self, argv: Sequence[str]) -> str:
        try:
            return str(self.call("ansible.legacy.command", {"argv": list(argv)})["stdout"])
        except GreenlightError as error:
            raise NotMeasured(f"{argv[0]} on the proxy: {error.what}") from None

    def _secrets(self) -> Mapping[str, str]:
        """The addresses of databases; they go to psql and nowhere else."""
        secrets: Mapping[str, str] = self._templar.template(self._vars.get("greenlight_secrets") or {})
        return secrets


def _result(said: Said, outcomes: Outcomes) -> dict[str, Any]:
    passed = said.verdict is Verdict.PASS
    return {
        "failed": not passed,
        "msg": said.why,
        "verdict": said.verdict.value,
        "why": said.why,
        "decision": said.by.as_dict() if said.by else None,
        "windows": outcomes.windows,
        "seconds": outcomes.seconds,
        "cost": outcomes.cost,
    }
