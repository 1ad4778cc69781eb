# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every action plugin of ours is: a decision on the controller, without a connection, for the whole fleet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError


class ControllerAction(ActionBase):
    """Checks its arguments, decides once, and turns our errors into a failed task."""

    _requires_connection = False
    ARGUMENTS: ClassVar[Mapping[str, Any]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Called by Ansible; what :meth:`decide` returns becomes the task's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _outcome, arguments = self.validate_argument_spec(dict(self.ARGUMENTS))
        try:
            result.update(changed=False, **self.decide(arguments, task_vars or {}))
        except GreenlightError as error:
            result.update(failed=True, msg=str(error))
        return result

    @abstractmethod
    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Decide from the arguments and the variables of all hosts; the result without ``changed``."""

    def say(self, sentence: str) -> None:
        """Tell the operator, on a line of its own."""
        self._display.display(f"  {sentence}")
