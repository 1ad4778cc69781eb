# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing the lab's hosts up and down; when everything is up already, that costs one question to podman."""

from __future__ import annotations

import ipaddress
import json
import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import image, keys, settle, wheels
from tools.console import Trouble, step
from tools.environment import only_one, pip_settings
from tools.hosts import HOSTS, NETWORK, SUBNET, Host
from tools.image import Image
from tools.machine import install_packages
from tools.places import LAB, ROOT
from tools.podman import command, configure, look_around, packages, podman, shown
from tools.program import attempt, run

STATE = LAB / "hosts.json"
OWNER_LABEL = "greenlight.checkout"
BOOT_SECONDS = 60.0
STOP_SECONDS = "0"  # nothing on them is to be kept
SSH_PORT = 22
# Real hosts have them. Without the first two, hardening and nftables do nothing, silently; without the last one
# root cannot see which program holds a socket.
CAPABILITIES = "SYS_ADMIN,NET_ADMIN,SYS_PTRACE"


@dataclass(frozen=True)
class Seen:
    """A container of the lab as podman shows it; ``boot`` changes at every start.

    ``lost`` is one that podman believes to run and that has no process: it was killed together with its watcher.
    """

    name: str
    image: str
    running: bool
    lost: bool
    checkout: str
    boot: str

    @classmethod
    def of(cls, row: dict[str, Any]) -> Seen:
        """Read one row of ``podman ps --format json``."""
        believed, alive = row["State"] == "running", Path("/proc", str(row["Pid"])).exists()
        return cls(
            name=row["Names"][0],
            image=row["Image"],
            running=believed and alive,
            lost=believed and not alive,
            checkout=(row.get("Labels") or {}).get(OWNER_LABEL, ""),
            boot=f"{row['Id'][:12]} {row['StartedAt']}",
        )


def look() -> dict[str, Seen]:
    """Return the lab's containers by name."""
    rows = shown("ps", "--all", "--filter", "name=^gl-")
    return {seen.name: seen for seen in map(Seen.of, rows) if seen.name in HOSTS}


def settled() -> dict[str, str]:
    """Return, by host name, the boot that was last made ready for use."""
    known: dict[str, str] = json.loads(STATE.read_text()) if STATE.exists() else {}
    return known


def wanted_image(host: Host, seen: Seen | None, debian: int | None) -> Image:
    """Return the image for ``host``: of the release asked for, else of the one that it runs, else Debian 12."""
    running = Image.parse(seen.image) if seen else None
    return Image(debian or (running.debian if running else 12), host.kind)


def up(hosts: Sequence[Host], debian: int | None = None, *, fresh: bool = False) -> None:
    """Bring ``hosts`` up, booted, reachable by SSH and, where they hold data, with their databases.

    ``debian`` is the release that they must run; ``fresh`` makes them anew even if they are up.
    """
    abilities = look_around()
    configure(abilities)
    install_packages(packages(abilities))
    with only_one(LAB / "lab.lock"):
        seen = look()
        refuse_strangers([seen[host.name] for host in hosts if host.name in seen])
        work = [host for host in hosts if fresh or not is_up(host, seen.get(host.name), debian)]
        if work:
            bring_up(work, seen, debian, fresh=fresh)


def is_up(host: Host, seen: Seen | None, debian: int | None) -> bool:
    """Say whether nothing is left to do for ``host``."""
    return (
        seen is not None
        and seen.running
        and seen.image == wanted_image(host, seen, debian).name
        and settled().get(host.name) == seen.boot
    )


def refuse_strangers(seen: Sequence[Seen]) -> None:
    """End with :class:`Trouble` if one of these runs for another checkout that still exists."""
    for one in seen:
        if one.running and one.checkout not in {"", str(ROOT)} and Path(one.checkout, "dev").exists():
            raise Trouble(
                f"The lab host {one.name} belongs to the checkout in {one.checkout}.",
                f"Its name and address exist once on a machine: run ./dev down {one.name}, then try again.",
            )


def bring_up(hosts: Sequence[Host], seen: dict[str, Seen], debian: int | None, *, fresh: bool) -> None:
    """Do for ``hosts`` whatever is missing: images, network, containers, boot, settling."""
    images = {host.name: wanted_image(host, seen.get(host.name), debian) for host in hosts}
    for one in dict.fromkeys(images.values()):
        image.ensure(one)
    old = [one.name for one in seen.values() if one.name in images and (fresh or is_unfit(one, images[one.name]))]
    if old:
        remove(old)
    ensure_network()
    keys.public_key()
    keys.passwords()
    wheels.FOLDER.mkdir(parents=True, exist_ok=True)
    with step(f"hosts {' '.join(host.name for host in hosts)}"), ThreadPoolExecutor(max_workers=4) as pool:
        jobs = [pool.submit(start, host, images[host.name], exists=host.name in seen.keys() - old) for host in hosts]
        host_keys = {host: job.result() for host, job in zip(hosts, jobs, strict=True)}
    remember(host_keys)


def remove(names: Sequence[str]) -> None:
    """Remove containers; again where podman was caught between stopping and removing."""
    words = ("rm", "--force", "--ignore", "--time", STOP_SECONDS, *names)
    if attempt(command(*words), seconds=BOOT_SECONDS).returncode:
        podman(*words)


def is_unfit(one: Seen, wanted: Image) -> bool:
    """Say whether a container cannot be started again for this checkout."""
    return one.lost or one.image != wanted.name or one.checkout != str(ROOT)


def ensure_network() -> None:
    """Create the lab's network, unless something else on this machine uses its addresses."""
    if NETWORK in podman("network", "ls", "--format", "{{.Name}}").split():
        return
    routes = run(["ip", "-4", "-o", "route", "show"])
    taken = overlapping(routes, SUBNET)
    if taken:
        raise Trouble(
            f"The lab's network {SUBNET} is taken on this machine: `{taken}`.",
            "Remove that network or route (ip route, podman network ls, a VPN), then try again.",
        )
    podman("network", "create", "--subnet", SUBNET, NETWORK)


def overlapping(routes: str, subnet: str) -> str:
    """Return the first line of ``ip -o route`` whose destination shares addresses with ``subnet``, or nothing."""
    ours = ipaddress.ip_network(subnet)
    for line in routes.splitlines():
        destination = line.split()[0] if line.split() else "default"
        if destination[0].isdigit() and ipaddress.ip_network(destination, strict=False).overlaps(ours):
            return line.strip()
    return ""


def start(host: Host, picture: Image, *, exists: bool) -> str:
    """Create or start the container of ``host``, wait for its boot, settle it; return its SSH host key."""
    if exists:
        podman("start", host.name)
    else:
        podman(*run_arguments(host, picture, local_indexes(pip_settings())))
    wait_for_boot(host)
    host_key = tell(host, settle.access(keys.public_key(), pip_settings()))
    if host.data:
        tell(host, settle.databases(host, keys.passwords()))
    wait_for_ssh(host)
    return host_key.strip()


def run_arguments(host: Host, picture: Image, folders: Sequence[str]) -> list[str]:
    """Return the words after ``podman`` that create and start ``host``; ``folders`` are shown to it read-only."""
    return [
        "run",
        "--detach",
        f"--name={host.name}",
        f"--hostname={host.name}",
        f"--label={OWNER_LABEL}={ROOT}",
        f"--network={NETWORK}:ip={host.address},mac={host.mac}",
        "--systemd=always",
        f"--cap-add={CAPABILITIES}",
        *(f"--volume={folder}:{folder}:ro" for folder in folders),
        f"--volume={wheels.FOLDER}:{wheels.ON_HOST}:ro",
        picture.name,
        "/sbin/init",
    ]


def local_indexes(pip_conf: str) -> list[str]:
    """Return the folders of this machine in which pip looks for packages: the hosts must see them too."""
    words = [word.removeprefix("file://") for word in pip_conf.split()]
    folders = [Path(word).resolve() for word in words if word.startswith("/") and Path(word).is_dir()]
    # A simple index points to files beside it, so its parent is what is shown.
    return sorted({str(folder.parent if folder.name == "simple" else folder) for folder in folders})


def wait_for_boot(host: Host) -> None:
    """Wait until systemd in ``host`` has started everything."""
    deadline = time.monotonic() + BOOT_SECONDS
    said = ""
    while time.monotonic() < deadline:
        done = attempt(command("exec", host.name, "systemctl", "is-system-running", "--wait"), seconds=BOOT_SECONDS)
        said = done.stdout.strip() or done.stderr.strip()
        if said == "running":
            return
        if said == "degraded":
            failed = podman("exec", host.name, "systemctl", "--failed", "--plain", "--no-legend")
            raise Trouble(f"{host.name} booted, but these units failed:\n{failed}", f"./dev down {host.name}; ./dev up")
        time.sleep(0.1)
    raise Trouble(f"{host.name} did not boot within {BOOT_SECONDS:.0f} s: {said}", f"podman logs {host.name}")


def wait_for_ssh(host: Host) -> None:
    """Wait until ``host`` takes a connection from here, which may be later than its own readiness."""
    deadline = time.monotonic() + BOOT_SECONDS
    while not takes_connections(host):
        if time.monotonic() > deadline:
            raise Trouble(f"{host.name} cannot be reached at {host.address}.", f"./dev up --fresh {host.name}")
        time.sleep(0.1)


def takes_connections(host: Host) -> bool:
    """Say whether the SSH port of ``host`` opens."""
    try:
        socket.create_connection((host.address, SSH_PORT), timeout=1).close()
    except OSError:
        return False
    return True


def tell(host: Host, script: str) -> str:
    """Run a shell script in ``host`` as root and return its output; the script is not seen in any process list."""
    return podman("exec", "--interactive", host.name, "sh", "-s", feed=script)


def remember(host_keys: dict[Host, str]) -> None:
    """Keep the hosts' SSH keys and boots for the next time."""
    lines = keys.KNOWN_HOSTS.read_text().splitlines() if keys.KNOWN_HOSTS.exists() else []
    fresh = {host.address: f"{host.address} {' '.join(key.split()[:2])}" for host, key in host_keys.items()}
    kept = [line for line in lines if line.split()[0] not in fresh]
    keys.write_private(keys.KNOWN_HOSTS, "".join(f"{line}\n" for line in [*kept, *fresh.values()]))
    seen = look()
    boots = settled() | {host.name: seen[host.name].boot for host in host_keys}
    keys.write_private(STATE, json.dumps(boots, indent=2) + "\n")


def down(names: Sequence[str] = (), *, images: bool = False) -> None:
    """Remove the named hosts; without names all of them and their network, and with ``images`` those as well."""
    configure(look_around())
    with only_one(LAB / "lab.lock"):
        gone = [name for name in look() if not names or name in names]
        if gone:
            with step(f"remove {' '.join(gone)}"):
                remove(gone)
        if not names and NETWORK in podman("network", "ls", "--format", "{{.Name}}").split():
            podman("network", "rm", NETWORK)
        if images:
            image.remove_all()


def ssh_arguments(host: Host, words: Sequence[str] = ()) -> list[str]:
    """Return the argument list that runs ``words`` on ``host`` by SSH, or opens a shell there."""
    options = {
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(keys.KNOWN_HOSTS),
        "StrictHostKeyChecking": "yes",
        "LogLevel": "ERROR",
    }
    spelled = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    return ["ssh", "-F", "none", "-i", str(keys.KEY), *spelled, f"root@{host.address}", *words]


def on(host: Host, *words: str, feed: str | None = None) -> str:
    """Run ``words`` on ``host`` by SSH and return its output."""
    return run(ssh_arguments(host, [shlex.join(words)]), feed=feed)


def empty_databases(host: Host) -> None:
    """Throw away what applications stored on ``host``."""
    tell(host, settle.empty_databases(keys.passwords()))


def table() -> str:
    """Return one line a host: name, address, state, image."""
    seen = look()
    rows = [
        f"{host.name:<9} {host.address:<12} "
        f"{('up' if seen[host.name].running else 'stopped') if host.name in seen else '-':<8}"
        f"{seen[host.name].image.removeprefix('localhost/') if host.name in seen else ''}".rstrip()
        for host in HOSTS.values()
    ]
    return "\n".join(rows)


def ssh(host: Host, words: Sequence[str]) -> int:
    """Open a shell on ``host``, or run ``words`` there, on this terminal."""
    return subprocess.run(ssh_arguments(host, words), check=False).returncode
