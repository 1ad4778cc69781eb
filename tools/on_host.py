# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests that need real services (nginx, PostgreSQL, Redis) run on the lab host that has them all, ``gl-one``."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools import keys, lab, wheels
from tools.checks import KEPT
from tools.console import Trouble, say
from tools.environment import LOCK_FILE
from tools.hosts import HOSTS
from tools.log import Log, Outcome, timed
from tools.places import ROOT
from tools.tree import known_files

HOST = HOSTS["gl-one"]
AREA = "/srv/tests"
COLLECTION = f"{AREA}/collections/ansible_collections/greenlight/deploy"
EXAMPLE = ROOT / "examples/mobile_sync"
NODE_CLIENT = ROOT / "clients/node"
RUNNER = (
    "ansible-core", "cffi", "cryptography", "iniconfig", "jinja2", "markupsafe", "packaging", "pluggy",
    "psycopg2-binary", "pycparser", "pygments", "pytest", "pyyaml", "resolvelib",
)  # fmt: skip
OBJECT_STORE = (
    "blinker", "boto3", "botocore", "certifi", "charset-normalizer", "click", "flask", "flask-cors", "idna",
    "itsdangerous", "jmespath", "moto", "py-partiql-parser", "python-dateutil", "requests", "responses", "s3transfer",
    "six", "urllib3", "werkzeug", "xmltodict",
)  # fmt: skip


def subset(lock: str, names: Iterable[str]) -> str:
    """Return of a hashed lock file the entries of the packages ``names``."""
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)
    wanted = set(names)
    return "".join(entry for entry in entries if re.split(r"[=\[ ]", entry, maxsplit=1)[0] in wanted)


def send(files: Iterable[str], source: Path, target: str) -> None:
    """Put the ``files`` of the folder ``source`` below ``target`` on the host, which then holds nothing else."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in files:
            archive.add(source / name, name, recursive=False)
    unpack = f"rm -rf {target} && mkdir -p {target} && tar -xf - -C {target}"
    done = subprocess.run(lab.ssh_arguments(HOST, [unpack]), input=packed.getvalue(), capture_output=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"{HOST.name} did not take the files: {done.stderr.decode(errors='replace').strip()}")


def prepare(name: str, requirements: str, installer: Mapping[str, str] | None = None) -> str:
    """Give the host a virtual environment of these hashed ``requirements`` and return its folder.

    ``installer`` are variables for pip.
    """
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in (installer or {}).items())
    folder = f"{AREA}/environments/{name}"
    lab.tell(
        HOST,
        f"""\
set -eu
mkdir -p {folder}
cat > {folder}/wanted.txt <<'REQUIREMENTS'
{requirements}
REQUIREMENTS
if ! cmp -s {folder}/wanted.txt {folder}/installed.txt; then
  python3 -m venv --clear {folder}/venv
  {variables} {folder}/venv/bin/pip install --quiet --no-deps --require-hashes -r {folder}/wanted.txt
  cp {folder}/wanted.txt {folder}/installed.txt
fi
""",
    )
    return f"{folder}/venv"


def pytest_there() -> str:
    """Give the host the collection with its tests, and return the pytest that runs them."""
    send(known_files([*sorted(KEPT), "tests"]), ROOT, COLLECTION)
    return prepare("integration", subset(LOCK_FILE.read_text(), (*RUNNER, *OBJECT_STORE))) + "/bin/pytest"


def example_there() -> str:
    """Give the host the example application, and return the Python that runs it."""
    send(known_files(["."], EXAMPLE), EXAMPLE, f"{AREA}/example")
    wheels.ensure()
    return prepare("example", (EXAMPLE / "app/requirements.lock").read_text(), wheels.INSTALLER) + "/bin/python"


def integration(log: Log) -> None:
    """Run tests/integration against real programs, each started by its test; migrations with the example's Django."""
    lab.up([HOST])
    python = example_there()
    words = [pytest_there(), "-q", "--durations=10", "-o", f"pythonpath={AREA}/collections", "tests/integration"]
    log.run(lab.ssh_arguments(HOST, [f"cd {COLLECTION} && MOBILE_SYNC_PYTHON={python} {shlex.join(words)}"]))


def node(log: Log) -> None:
    """Run the tests of the client for Node servers."""
    lab.up([HOST])
    send(known_files(["."], NODE_CLIENT), NODE_CLIENT, f"{AREA}/node")
    install = "command -v node > /dev/null || apt-get -qq install -y --no-install-recommends nodejs > /dev/null"
    log.run(lab.ssh_arguments(HOST, [f"{install} && cd {AREA}/node && node --test test/"]))


def example(log: Log) -> None:
    """Run the example application's own tests with a real PostgreSQL and Redis."""
    lab.up([HOST])
    python = example_there()
    lab.tell(HOST, example_settings())
    settings = f"set -a && . {AREA}/example.env && cd {AREA}/example/app"
    log.run(lab.ssh_arguments(HOST, [f"{settings} && {python} manage.py test --noinput"]))


def live(log: Log) -> None:
    """Run all versions of the example under Daphne on one PostgreSQL and one Redis: upgrade, drain, kill, restarts."""
    lab.up([HOST])
    python = example_there()
    words = [pytest_there(), "-o", f"pythonpath=. {AREA}/collections"]
    run = f"cd {AREA}/example/live && MOBILE_SYNC_PYTHON={python} {shlex.join(words)}"
    log.run(lab.ssh_arguments(HOST, [run]))


def example_settings() -> str:
    """Return the script that writes the application's environment and lets its tests make a database with PostGIS."""
    secret = keys.passwords()
    return f"""\
set -eu
umask 077
cat > {AREA}/example.env <<'SETTINGS'
DATABASE_URL=postgresql://{keys.OWNER}:{secret["database_password"]}@{HOST.address}:5432/{keys.DATABASE}
REDIS_URL=redis://:{secret["redis_password"]}@{HOST.address}:6379/0
DJANGO_SECRET_KEY={secret["secret_key"]}
DJANGO_ALLOWED_HOSTS=testserver,localhost
SETTINGS
cd /
runuser -u postgres -- psql -qX -c 'ALTER ROLE {keys.OWNER} SUPERUSER'
"""


STAGES = {"integration": integration, "example": example, "live": live, "node": node}


def choose(names: Sequence[str] = ()) -> list[str]:
    """Return ``names``, each checked to be a stage; for none all of them."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise Trouble(f"There is no stage {', '.join(unknown)}.", f"There are: {', '.join(STAGES)}.")
    return list(names) or list(STAGES)


def test(names: Sequence[str]) -> list[Outcome]:
    """Run the stages ``names`` one after the other."""
    say(f"on {HOST.name}")
    return [timed(name, STAGES[name]) for name in names]
