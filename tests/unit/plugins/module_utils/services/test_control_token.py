# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import stat

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.services.control_token import ControlToken


def test_it_is_made_once_and_kept_for_root_alone(tmp_path):
    token = ControlToken("shop", tmp_path)
    token.keep()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token.value())
    assert ControlToken("shop", tmp_path).value() == token.value()
    file = tmp_path / "shop/control-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.stat().st_ino
    ControlToken("shop", tmp_path).keep()
    assert file.stat().st_ino == before


def test_a_look_writes_nothing(tmp_path):
    token = ControlToken("shop", tmp_path)
    assert token.value() == token.value() != ControlToken("shop", tmp_path).value()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "short\n", "x" * 42 + " \n", "two\nlines"])
def test_what_is_no_token_is_replaced(tmp_path, text):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/control-token").write_text(text)
    token = ControlToken("shop", tmp_path)
    token.keep()
    assert ControlToken("shop", tmp_path).value() == token.value() != text.strip()


def test_it_goes_with_the_application(tmp_path):
    token = ControlToken("shop", tmp_path)
    token.keep()
    token.forget()
    token.forget()
    assert list((tmp_path / "shop").iterdir()) == []
