# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module that runs a process of a release is told about it."""

    DOCUMENTATION = r"""
options:
  release:
    description: Id of the release whose code and interpreter are used. It must be complete on this host.
    type: str
    required: true
  version:
    description: Version that the release calls itself, for the environment of the process.
    type: str
    default: ""
  colour:
    description: Colour that the release has or will have, for the environment of the process.
    type: str
    default: ""
  environment:
    description: Settings of the application.
    type: dict
    default: {}
  secrets:
    description: >-
      Secret settings of the application. They reach the process as environment variables and are never shown.
    type: dict
    default: {}
  user:
    description: Account that runs the process. The application's own by default.
    type: str
"""
