# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSockets that can be asked to move: an ASGI middleware for applications that are deployed by Greenlight."""

from greenlight_drain.middleware import DrainMiddleware

__all__ = ["DrainMiddleware"]
__version__ = "0.1.0"
