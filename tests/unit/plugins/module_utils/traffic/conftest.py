# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory that everybody may enter, other than pytest's own: nginx's workers must."""
    made = Path(tempfile.mkdtemp(prefix="gl-unit-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
