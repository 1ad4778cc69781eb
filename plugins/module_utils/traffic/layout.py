# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the files of one application lie on a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """``root`` is ``/``, or a directory of a test."""

    app: str
    root: Path = Path("/")

    @property
    def traffic(self) -> Path:
        """State files, the record, and what a question needs."""
        return self.root / "var/lib/greenlight" / self.app / "traffic"

    @property
    def current(self) -> Path:
        """The symbolic link that is the switch."""
        return self.traffic / "current"

    @property
    def main(self) -> Path:
        """nginx's own first file."""
        return self.root / "etc/nginx/nginx.conf"

    @property
    def site(self) -> Path:
        """The application's file, for root only."""
        return self.root / "etc/nginx/conf.d" / f"greenlight-{self.app}.conf"

    @property
    def own(self) -> Path:
        """Certificates and the user's further directives."""
        return self.root / "etc/nginx/greenlight" / self.app

    @property
    def certificate(self) -> Path:
        """A copy of the certificate at a place that stays the same, for probes that have to trust it."""
        return self.own / "certificate.pem"

    @property
    def extra(self) -> Path:
        """Files of the user that the server block includes (a pattern)."""
        return self.own / "server.d" / "*.conf"

    @property
    def log(self) -> Path:
        """The access log, one JSON object a line."""
        return self.root / "var/log/nginx" / f"{self.app}-access.json"

    @property
    def logrotate(self) -> Path:
        """Keeps the log from filling the disk."""
        return self.root / "etc/logrotate.d" / f"greenlight-{self.app}"
