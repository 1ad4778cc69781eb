# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module that works with an application's releases on a host is told."""

    DOCUMENTATION = r"""
options:
  app:
    description: Name of the application.
    type: str
    required: true
  root:
    description: Directory that holds the application's directory.
    type: path
    default: /opt
"""
