# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module that works with a PostgreSQL database is told."""

    DOCUMENTATION = r"""
options:
  database:
    description: Name of the database. Required where O(url) does not name one.
    type: str
  url:
    description:
      - Where the database is, as applications have it in C(DATABASE_URL), such as
        C(postgresql://user:password@host:5432/database). Special characters are percent-encoded.
      - A part that is given singly wins over the same part of the URL.
    type: str
  login_host:
    description:
      - Name or address of the server; a folder means the Unix socket in it.
      - Where neither this nor O(url) names one, the local socket is used, as the user that the task runs as.
    type: str
    default: ""
  login_port:
    description: Port of the server. V(5432) where nothing else is said.
    type: int
  login_user:
    description: Role to log in as. V(postgres) where nothing else is said.
    type: str
  login_password:
    description: Password of that role.
    type: str
  ssl_mode:
    description: What is demanded of TLS, as in libpq. V(prefer) where nothing else is said.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
  ca_cert:
    description: File with the certificates of the authorities that the server's certificate is checked against.
    type: path
  connect_timeout:
    description: Seconds for one attempt to connect.
    type: int
    default: 5
requirements:
  - psycopg2, which Debian and Ubuntu package as C(python3-psycopg2)
"""
