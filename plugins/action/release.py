# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Brings the archive to the host, lets the module work there, and brings back what it packed for other hosts.

    On the host everything rests in the task's own temporary folder, which belongs to the SSH user.
    """

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Called by Ansible."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if not self._task.check_mode:
            if arguments.get("archive"):
                arguments["archive"] = self._bring(arguments["archive"])
            if arguments.get("others"):
                arguments["artefact"] = self._folder()
        done = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val)
        if done.get("artefact"):
            done["artefact"] = self._fetch(done["artefact"])
        result.update(done)
        return result

    def _folder(self) -> str:
        """The task's temporary folder on the host; Ansible removes it with the task."""
        return str(self._connection._shell.tmpdir or self._make_tmp_path())

    def _bring(self, archive: str) -> str:
        """Copy an archive of the controller to the host; its path there."""
        there = self._connection._shell.join_path(self._folder(), "archive.tar.gz")
        self._transfer_file(str(Path(archive).expanduser()), there)
        self._fixup_perms2((self._folder(), there), execute=False)
        return str(there)

    def _fetch(self, artefact: str) -> str:
        """Copy the packed release to the controller, where Ansible removes it when the run ends; its path here."""
        here = Path(constants.DEFAULT_LOCAL_TMP, "greenlight", Path(artefact).name)
        here.parent.mkdir(mode=0o700, exist_ok=True)
        self._connection.fetch_file(artefact, str(here))
        return str(here)
