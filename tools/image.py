# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of the lab's hosts: Debian as its installer would leave it, made by mmdebstrap, with systemd as init."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.console import Trouble, step
from tools.machine import parse_os_release, require_disk
from tools.places import LOGS
from tools.podman import command, podman
from tools.program import as_root, attempt, tail

SUITES = {12: "bookworm", 13: "trixie"}
SERVER = (
    "systemd", "systemd-sysv", "libpam-systemd", "dbus", "udev", "openssh-server", "python3", "python3-apt", "sudo",
    "cron", "curl", "ca-certificates", "iproute2", "procps", "iputils-ping", "netcat-openbsd",
)  # fmt: skip
STACK = (
    "nginx", "postgresql", "postgresql-postgis", "postgresql-client", "python3-psycopg2", "redis-server",
    "python3-venv", "nftables", "git", "rsync", "openssl", "acl",
)  # fmt: skip
KINDS = {"base": SERVER, "full": SERVER + STACK}
SLIM = ("man", "doc", "locale", "info")
NOT_IN_A_CONTAINER = (
    "systemd-udevd.service", "systemd-udev-trigger.service", "systemd-resolved.service", "getty.target",
    "console-getty.service", "dev-hugepages.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
)  # fmt: skip
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

# Runs on this machine, as root, on the finished tree ($1): no keys and no identity in an image, services of the stack
# only where a host wants them, this machine's certificates so that hosts reach the same package indexes.
FINISH = f"""\
set -eu
if [ -e {CERTIFICATES} ]; then cp {CERTIFICATES} "$1{CERTIFICATES}"; fi
cat > "$1/etc/systemd/system/ssh-hostkeys.service" <<'UNIT'
[Unit]
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
[Install]
WantedBy=multi-user.target
UNIT
chroot "$1" systemctl enable --quiet ssh-hostkeys.service ssh.service
chroot "$1" systemctl mask --quiet {" ".join(NOT_IN_A_CONTAINER)}
for unit in nginx.service postgresql.service redis-server.service nftables.service; do
  if [ -e "$1/lib/systemd/system/$unit" ]; then chroot "$1" systemctl disable --quiet "$unit"; fi
done
if [ -e "$1/lib/systemd/system/redis-server.service" ]; then
  mkdir -p "$1/etc/systemd/system/redis-server.service.d"
  printf '[Service]\\nPrivateUsers=false\\n' > "$1/etc/systemd/system/redis-server.service.d/container.conf"
fi
rm -rf "$1"/var/cache/apt/*.bin "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf
: > "$1/etc/machine-id"
"""


# A full host knows the packages that there are, as one that has run for a while does; a bare one has to ask first.
KEEP = {"base": (), "full": ("--skip=cleanup/apt/lists",)}


@dataclass(frozen=True)
class Image:
    """One image: a Debian release and what is installed on it (``base`` a bare server, ``full`` the whole stack)."""

    debian: int
    kind: str

    @property
    def name(self) -> str:
        """Its name in podman; the tag changes with the recipe, so that an old image is never taken for a new one."""
        recipe = "\n".join([*KINDS[self.kind], *SLIM, FINISH, *KEEP[self.kind]])
        return f"localhost/gl-debian{self.debian}:{self.kind}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"

    @classmethod
    def parse(cls, name: str) -> Image | None:
        """Return the image that podman's ``name`` means, whatever its recipe; ``None`` if it is not one of ours."""
        found = re.fullmatch(r"localhost/gl-debian(\d+):(base|full)-\w+", name)
        return cls(int(found.group(1)), found.group(2)) if found else None

    def arguments(self, mirror: str) -> list[str]:
        """Return the arguments of the mmdebstrap that writes this image's file system to standard output."""
        return [
            "mmdebstrap",
            "--variant=minbase",
            "--format=tar",
            f"--include={','.join(KINDS[self.kind])}",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in SLIM),
            '--aptopt=Acquire::Languages "none"',
            f"--customize-hook={FINISH}",
            *KEEP[self.kind],
            SUITES[self.debian],
            "-",
            *([mirror] if mirror else []),
        ]


def find_mirror(os_release: str, sources: str) -> str:
    """Return the Debian mirror that this machine uses; empty on any other system, which leaves it to mmdebstrap."""
    found = re.search(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s*(https?://\S+)", sources, re.MULTILINE)
    if parse_os_release(os_release).get("ID") == "debian" and found:
        return found.group(1)
    return ""


def this_mirror() -> str:
    """Read this machine's package sources for :func:`find_mirror`."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("debian.*"))]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    return find_mirror(Path("/etc/os-release").read_text(), text)


def present() -> list[str]:
    """Return the names of all images of the lab that podman has, of whatever recipe."""
    return [name for name in podman("images", "--format", "{{.Repository}}:{{.Tag}}").split() if Image.parse(name)]


def ensure(image: Image) -> None:
    """Build the image if podman does not have it yet."""
    if image.name in present():
        return
    require_disk()
    with step(f"image {image.name} (1 to 3 minutes, once)"):
        build(image)
    for name in present():
        if Image.parse(name) == image and name != image.name:
            attempt(command("rmi", name))  # of an older recipe; refused, rightly, while a host still runs it


def build(image: Image) -> None:
    """Let mmdebstrap write the file system straight into ``podman import``."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"image-{image.kind}-{image.debian}.log"
    changes = ["--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL SIGRTMIN+3"]
    with path.open("w") as log:
        maker = subprocess.Popen(
            as_root(image.arguments(this_mirror()), {"LC_ALL": "C.UTF-8"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        partial = f"{image.name}-partial"
        taker = subprocess.run(
            command("import", *changes, "-", partial), stdin=maker.stdout, stdout=log, stderr=log, check=False
        )
        if maker.stdout:
            maker.stdout.close()
        made = maker.wait()
    if made != 0 or taker.returncode != 0:
        raise Trouble(
            f"The image {image.name} could not be built:\n{tail(path.read_text())}", "Is the mirror reachable?"
        )
    podman("tag", partial, image.name)
    podman("untag", partial, partial)


def remove_all() -> None:
    """Remove every image of the lab."""
    ours = present()
    if ours:
        podman("rmi", "--force", *ours)
