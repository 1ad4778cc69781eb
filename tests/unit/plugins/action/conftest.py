# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

TEMPLATES = {"{{ version }}": "v2.0.0", "{{ settings }}": {"DEBUG": "0"}}


@pytest.fixture
def act(monkeypatch):
    """Call ``act(ActionModule, arguments, variables)``: its result; what it displayed is in ``act.shown``.

    Templates are not resolved, except that ``TEMPLATES`` says what a text stands for.
    """
    shown = []

    def run(action, arguments, variables):
        task = SimpleNamespace(args=arguments, async_val=0, check_mode=False, action=action.__module__)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
        templar = SimpleNamespace(
            template=lambda value: TEMPLATES.get(value, value) if isinstance(value, str) else value
        )
        plugin = action(task, connection, MagicMock(), MagicMock(), templar)
        monkeypatch.setattr(plugin, "_display", SimpleNamespace(display=shown.append))
        return plugin.run(task_vars=variables)

    run.shown = shown
    return run
