# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for every unit test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args


@dataclass(frozen=True)
class ModuleResult:
    """What a module printed before it stopped, and its exit status (1 after ``fail_json``)."""

    answer: dict[str, Any]
    status: int

    def __getitem__(self, key: str) -> Any:
        return self.answer[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.answer.get(key, default)

    @property
    def failed(self) -> bool:
        return self.status != 0


class RunModule(Protocol):
    """The shape of the ``run_module`` fixture."""

    def __call__(
        self, module: ModuleType, arguments: dict[str, Any], *, check: bool = False, diff: bool = False
    ) -> ModuleResult: ...


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> RunModule:
    """Call ``run_module(module, arguments, check=, diff=)``: runs ``module.main()`` in this process.

    A module is on a managed host, also when a test of an action plugin has made this process a controller; there
    warnings would go to the terminal instead of the answer.
    """
    monkeypatch.setattr(_internal, "is_controller", False)

    def run(module: ModuleType, arguments: dict[str, Any], *, check: bool = False, diff: bool = False) -> ModuleResult:
        internal = {
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_remote_tmp": str(tmp_path),
            "_ansible_keep_remote_files": False,
        }
        capsys.readouterr()
        with patch_module_args({**arguments, **internal}), pytest.raises(SystemExit) as stop:
            module.main()
        return ModuleResult(json.loads(capsys.readouterr().out), int(stop.value.code or 0))

    return run
