# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands for what a build makes and what a check finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.argv[1] == "build":
    Path("static").mkdir()
    Path("static/built-by").write_text(f"{os.getuid()}\n")
elif os.environ.get("HELLO_KEY", "") == "refused":
    sys.exit(f"the key {os.environ['HELLO_KEY']} is refused")
