# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a freshly booted host of the lab still needs: our key, this machine's indexes, and on some the databases.

Each function returns a shell script that goes to the host over standard input, because secrets are in it. All of them
can run again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.hosts import SUBNET, Host
from tools.keys import DATABASE, OWNER

OPERATOR = "deployer"
"""As on hosts where nobody logs in as root."""


def access(public_key: str, pip_conf: str) -> str:
    """Admit the lab's key and let pip ask the indexes that this machine asks; prints the host's own public key.

    The key admits root, and :data:`OPERATOR`, who has to say sudo.
    """
    return f"""\
set -eu
umask 077
mkdir -p /root/.ssh
printf '%s\\n' '{public_key}' > /root/.ssh/authorized_keys
id {OPERATOR} > /dev/null 2>&1 || useradd --create-home --shell /bin/bash {OPERATOR}
install -d -m 700 -o {OPERATOR} -g {OPERATOR} /home/{OPERATOR}/.ssh
install -m 600 -o {OPERATOR} -g {OPERATOR} /root/.ssh/authorized_keys /home/{OPERATOR}/.ssh/authorized_keys
echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{OPERATOR}
umask 022
cat > /etc/pip.conf <<'PIP'
{pip_conf}PIP
ls /var/lib/apt/lists/*Packages* > /dev/null 2>&1 || touch -d @0 /var/lib/apt/lists  # empty is not fresh
cat /etc/ssh/ssh_host_ed25519_key.pub
"""


def databases(host: Host, passwords: Mapping[str, str]) -> str:
    """Give ``host`` a PostgreSQL with the application's PostGIS database and its owner, and a Redis with a password."""
    return f"""\
set -eu
for folder in /etc/postgresql/*/main; do
  printf "listen_addresses = 'localhost,{host.address}'\\nmax_connections = 300\\n" > "$folder/conf.d/lab.conf"
  grep -q '{SUBNET}' "$folder/pg_hba.conf" || echo 'host all all {SUBNET} scram-sha-256' >> "$folder/pg_hba.conf"
done
umask 027
cat > /etc/redis/lab.conf <<'REDIS'
bind 127.0.0.1 {host.address}
requirepass {passwords["redis_password"]}
REDIS
chown redis:redis /etc/redis/lab.conf
grep -q '^include /etc/redis/lab.conf' /etc/redis/redis.conf ||
  echo 'include /etc/redis/lab.conf' >> /etc/redis/redis.conf
systemctl enable --quiet postgresql.service redis-server.service 2> /dev/null
systemctl restart postgresql.service redis-server.service
cd /
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <<'SQL'
SELECT 'CREATE ROLE {OWNER} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
ALTER ROLE {OWNER} PASSWORD '{passwords["database_password"]}';
SQL
{ensure_database()}"""


def ensure_database() -> str:
    """Create the application's database with PostGIS where there is none; all other ones stay as they are."""
    return f"""\
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <<'SQL'
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 ENCODING ''UTF8'''
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
\\connect {DATABASE}
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS postgis;
SQL
"""


def empty_databases(passwords: Mapping[str, str]) -> str:
    """Throw away everything that applications stored: the database is made anew, Redis is emptied."""
    return f"""\
set -eu
cd /
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <<'SQL'
DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);
SQL
{ensure_database()}
redis-cli > /dev/null <<'REDIS'
AUTH {passwords["redis_password"]}
FLUSHALL
REDIS
"""
