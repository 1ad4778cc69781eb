# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie. Everything that is made lies in ``.cache``, ``.lab`` or ``.venv`` of the checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
COLLECTIONS = CACHE / "collections"
LAB = ROOT / ".lab"
LOGS = LAB / "logs"
VENV = ROOT / ".venv"
BIN = VENV / "bin"
