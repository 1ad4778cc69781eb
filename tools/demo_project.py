# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's project: a certificate, and the files that ``init`` writes."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tools import built, example, keys, wheels
from tools.console import Trouble
from tools.hosts import HOSTS
from tools.machine import install_packages
from tools.places import LAB, LOGS
from tools.program import attempt, run
from tools.user import Playbook

PROJECT = LAB / "demo"
COLLECTIONS = LAB / "demo-collections"
TLS = LAB / "tls"
CA_FILE = TLS / "ca.pem"
APP = "mobile-sync"
DOMAIN = "sync.greenlight.test"
PROXIES = ("gl-edge",)
APPS = ("gl-app1", "gl-app2")
DATA = "gl-data"
INVENTORY = "production"
RELEASE_FILE = PROJECT / INVENTORY / "group_vars" / "all" / "release.yml"
MONTH = 30 * 86400

SMOKE = [
    {"name": "health", "path": "/health", "expect": {"json": {"status": "ok"}}, "max_latency": 2},
    {"name": "readiness", "path": "/readiness", "expect": {"json": {"status": "ready"}}},
    {
        "name": "an upload begins once",
        "path": "/api/v1/uploads/init",
        "headers": {"Idempotency-Key": "{unique}", "X-Device-Id": "{unique}"},
        "json": {"filename": "smoke.bin", "total_size": 1024, "mime_type": "audio/ogg", "file_hash": "5" * 64},
        "expect": {"status": 201, "json": {"duplicate": False}},
        "cleanup": [{"path": "/api/v1/uploads/{answer.upload_id}"}],
    },
    {
        "name": "items are acknowledged, broadcasts arrive, silence is survived",
        "kind": "websocket",
        "path": "/ws/sync",
        "headers": {"X-Device-Id": "{unique}"},
        "expect_hello": {"type": "hello"},
        "send": {"type": "sync", "id": "{unique}", "domain": "smoke", "payload": {}},
        "expect": {"type": "ack", "id": "{unique}", "duplicate": False},
        "broadcast": {
            "send": {"type": "broadcast", "text": "{unique}"},
            "expect": {"type": "broadcast", "text": "{unique}"},
        },
        "idle": 12.1,
    },
]
"""What the demo asks of each new instance, and of the idle colour through the proxy."""

DESCRIPTION = {
    "greenlight_health": {"path": "/health", "readiness": "/readiness", "websocket": "/ws/sync"},
    "greenlight_smoke": SMOKE,
    "greenlight_requires": [f"tcp://{HOSTS[DATA].address}:{port}" for port in (5432, 6379)],
    # The lab's profile: the same steps as everywhere, watched for seconds instead of minutes.
    "greenlight_traffic": {"steps": [10, 50, 100], "pause": 3},
    "greenlight_gate": {
        "interval": 1,
        "window": 2,
        "warm_up": 1,
        "failures": 2,
        "of": 3,
        "minimum_requests": 20,
        "minimum_sockets": 2,
    },
    "greenlight_soak_skipped": "a demonstration",
    "greenlight_waves": ["100%"],
    "greenlight_drain": {
        "contract": True,
        "over": 2,
        "deadline": 30,
    },
    "app_release_installer_environment": wheels.INSTALLER,
    "greenlight_ready_deadline": 30,
    "greenlight_steady": 2,
    # A start may take long on a busy machine; an instance that is up and refuses is believed soon.
    "app_services_readiness": {"timeout": 30, "refusal": 3, "steady": 2},
}


def certificate() -> None:
    """Make the lab's own authority and the certificate of :data:`DOMAIN`, where they are missing or nearly over."""
    names = ("ca.key", "ca.pem", f"{DOMAIN}.key", f"{DOMAIN}.crt")
    if all((TLS / name).exists() for name in names) and lasts(TLS / names[-1]):
        return
    if shutil.which("openssl") is None:
        install_packages(["openssl"])
    TLS.mkdir(parents=True, exist_ok=True)
    TLS.chmod(0o700)
    authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    request(TLS / names[0], CA_FILE, "Greenlight lab authority", authority)
    server = [
        f"subjectAltName=DNS:{DOMAIN}",
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth",
    ]
    signer = ["-CA", str(CA_FILE), "-CAkey", str(TLS / names[0])]
    request(TLS / names[2], TLS / names[3], DOMAIN, server, signer)
    with (TLS / names[3]).open("a") as chain:
        chain.write(CA_FILE.read_text())


def request(key: Path, pem: Path, name: str, extensions: Sequence[str], signer: Sequence[str] = ()) -> None:
    """Make a key and a certificate for it, signed by itself or by ``signer``; a year long."""
    added = [word for extension in extensions for word in ("-addext", extension)]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", f"/O=Greenlight lab/CN={name}", "-days", "365"]
    run(["openssl", "req", "-x509", *curve, "-keyout", key, "-out", pem, *subject, *added, *signer])


def lasts(pem: Path) -> bool:
    """Whether a certificate is good for a month more."""
    return attempt(["openssl", "x509", "-checkend", str(MONTH), "-noout", "-in", pem]).returncode == 0


def variables(repository: Path, ref: str) -> dict[str, object]:
    """What ``init`` is told, the lab's secrets included."""
    known = keys.passwords()
    data = HOSTS[DATA].address
    database = quote(known["database_password"], safe="")
    redis = quote(known["redis_password"], safe="")
    return {
        "project_path": str(PROJECT),
        "project_environments": [INVENTORY],
        "project_app": APP,
        "project_domain": DOMAIN,
        "project_repository": str(repository),
        "project_ref": ref,
        "project_proxies": {name: HOSTS[name].address for name in PROXIES},
        "project_apps": {name: HOSTS[name].address for name in APPS},
        "project_connection": {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(keys.KEY),
            "ansible_ssh_common_args": f"-o IdentitiesOnly=yes -o UserKnownHostsFile={keys.KNOWN_HOSTS}",
        },
        "project_secrets": {
            "DATABASE_URL": f"postgresql://{keys.OWNER}:{database}@{data}:5432/{keys.DATABASE}",
            "REDIS_URL": f"redis://:{redis}@{data}:6379/0",
            "DJANGO_SECRET_KEY": known["secret_key"],
        },
        "project_tls": {"certificate": str(TLS / f"{DOMAIN}.crt"), "key": str(TLS / f"{DOMAIN}.key")},
        "project_description": DESCRIPTION,
    }


def scaffold(ref: str) -> None:
    """Begin the project anew: the collection as a user gets it (the built file), the files that ``init`` writes."""
    repository = example.ensure("mobile_sync")
    wheels.ensure()
    built.install(COLLECTIONS)
    shutil.rmtree(PROJECT, ignore_errors=True)
    PROJECT.mkdir(parents=True)
    (PROJECT / "collections").symlink_to(COLLECTIONS)
    with tempfile.TemporaryDirectory(prefix="greenlight-demo-") as temporary:
        answers = Path(temporary) / "answers.json"
        keys.write_private(answers, json.dumps(variables(repository, ref)))
        words = ["greenlight.deploy.init", "-e", f"@{answers}"]
        init = Playbook(PROJECT, words, LOGS / "demo-init.log", ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
        if init.wait() != 0:
            raise Trouble(f"The project could not be begun:\n{init.last_words()}")


def choose(ref: str) -> None:
    """Write the version to deploy where a user writes it."""
    text, count = re.subn(
        r"^greenlight_ref:.*$", f"greenlight_ref: {json.dumps(ref)}", RELEASE_FILE.read_text(), flags=re.MULTILINE
    )
    if count != 1:
        raise Trouble(f"{RELEASE_FILE} should say greenlight_ref once, and says it {count} times.")
    RELEASE_FILE.write_text(text)
