# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that meet, are killed, robbed and cut off; the world is asked what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ADDRESS, HOST, PLAYBOOK = sys.argv[1:4]
INVENTORIES = sys.argv[4:]
GO_ON = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "go-on")
STATE = "/var/lib/greenlight/sync-app/deployment"
BACKENDS = [f"backend-{one}.service" for one in ("blue@8101", "blue@8102", "green@8201", "green@8202")]
AFTER, LATEST = 4, 10  # seconds without a sign of life, and what the switch may take beyond them


class Wrong(Exception):
    """What was seen is not what must be."""


class Run:
    """One ansible-playbook, its output kept in memory until it ends."""

    def __init__(self, playbook: str = PLAYBOOK, **variables: object) -> None:
        words = [word for path in INVENTORIES for word in ("-i", path)]
        words += [word for name, value in variables.items() for word in ("-e", json.dumps({name: value}))]
        self.process = subprocess.Popen(
            ["ansible-playbook", *words, playbook], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output


def lock(*arguments: str) -> tuple[int, str]:
    inventories = [word for path in INVENTORIES for word in ("-i", path)]
    words = ["ansible-playbook", *inventories, "greenlight.deploy.lock", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def on_host(*words: str) -> str:
    return subprocess.run(["podman", "exec", HOST, *words], capture_output=True, text=True, check=True).stdout


def colour(client_class: str = "c00") -> str:
    words = ["--silent", "--insecure", "--max-time", "2", "--header", "Host: sync.example.com"]
    words += ["--cookie", f"greenlight_class={client_class}", f"https://{ADDRESS}/"]
    answer = subprocess.run(["curl", *words], capture_output=True, text=True, check=False).stdout
    return str(json.loads(answer)["colour"]) if answer.startswith("{") else "nobody"


def until(what: str, true: Callable[[], bool], seconds: float) -> float:
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > seconds:
            raise Wrong(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
    return time.monotonic() - begun


def must(what: str, true: object, seen: object = "") -> None:
    if not true:
        raise Wrong(f"{what}; seen: {seen}")


def mid_shift(**variables: object) -> Run:
    run = Run(**variables)
    until(f"in mid-shift ({variables})", lambda: colour() == "green" or run.process.poll() is not None, 30)
    must("the run is in mid-shift", run.process.poll() is None, run.process.poll() is not None and run.end())
    return run


def two_at_once() -> str:
    first, second = Run(run="one", stay=False), Run(run="two", stay=False)
    ends = [first.end(), second.end()]
    held = [output for status, output in ends if status]
    must("one of them gets it", len(held) < len(ends), held)
    entries = on_host("cat", f"{STATE}/journal.jsonl")
    must("nobody has it afterwards", "lock.json" not in on_host("ls", STATE))
    must("one has it, the other is told", all("is locked by" in output for output in held), held)
    return f"{len(held)} of 2 refused, {entries.count('lock taken')} taken"


def killed() -> str:
    run = mid_shift(run="killed")
    time.sleep(AFTER + 1)  # longer than the switch waits: the run is alive
    must("a living run keeps its share", colour() == "green", colour())
    before = said_by_the_switch()
    run.kill()
    begun = time.monotonic()
    time.sleep(1)  # a renewal may have been on its way
    renewed = on_host("cat", f"{STATE}/lock.json")
    until("blue has all clients again", lambda: colour() == "blue", AFTER + LATEST)
    took = time.monotonic() - begun
    must("nobody renews any more", on_host("cat", f"{STATE}/lock.json") == renewed)
    must("the switch has disarmed itself", "guard" not in on_host("ls", STATE).split())
    until("and its timer", lambda: "return.timer" not in on_host("systemctl", "list-timers", "--no-legend"), 5)
    must("the system's journal says it once", said_by_the_switch() == before + 1)
    return f"home {took:.1f} s after SIGKILL"


def said_by_the_switch() -> int:
    said = on_host("journalctl", "--unit=greenlight-sync-app-return.service", "--output=cat", "--no-pager")
    return said.count("all clients go to blue again")


def robbed() -> str:
    run = mid_shift(run="robbed")
    must("the report of the run before is cleared", "returned.json" not in on_host("ls", STATE))
    status, thief = Run(run="thief", stay=False, steal=True, why="urgent").end()
    must("with a reason it can be taken", status == 0 and "by force: urgent" in thief, thief)
    output = go_on(run)
    must("it takes the dead run's lock at once", "is dead" in output, output)
    must("the robbed one ends and says why", "took the lock over at" in output and "for: urgent" in output, output)
    until("blue has all clients again", lambda: colour() == "blue", AFTER + LATEST)
    return "ended by itself"


def go_on(run: Run) -> str:
    GO_ON.touch()
    status, output = run.end()
    GO_ON.unlink()
    must("the run does not go on", status != 0, output)
    must("green did not get everybody", colour("c99") == "blue")
    return output


def cut_off() -> str:
    run = mid_shift(run="cut")
    on_host("nft", "add table inet cut; add chain inet cut in { type filter hook input priority 0; }")
    on_host("nft", "add rule inet cut in tcp dport 22 drop")
    took = until("blue has all clients again", lambda: colour() == "blue", AFTER + LATEST)
    on_host("nft", "delete table inet cut")
    output = go_on(run)
    must("the run that was cut off ends and says why", "gave all clients back to blue by itself" in output, output)
    return f"home {took:.1f} s after the cut"


def rebooted() -> str:
    run = mid_shift(run="rebooted")
    run.kill()
    begun = time.monotonic()
    subprocess.run(["podman", "restart", "--time", "1", HOST], capture_output=True, check=True)
    words = ["podman", "exec", HOST, "systemctl", "start", *BACKENDS]
    until("it has booted", lambda: subprocess.run(words, capture_output=True, check=False).returncode == 0, 20)
    until("blue has all clients again", lambda: colour() == "blue", AFTER + LATEST)
    return f"home {time.monotonic() - begun:.1f} s after SIGKILL and reboot"


def expired() -> str:
    run = Run(run="far", lease=3)
    until("it has the lock", lambda: '"far"' in on_host("sh", "-c", f"cat {STATE}/lock.json || true"), 20)
    run.kill()
    on_host("sed", "-i", 's/"host": ".*"/"host": "another"/', f"{STATE}/lock.json")
    status, output = Run(run="next", stay=False, wait=30).end()
    must("a lease that is over frees the lock", status == 0 and "its lease of 3 s is over" in output, output)
    return "taken" + (" after waiting" if "waiting until" in output else "")


def frozen() -> str:
    status, output = lock("--tags", "take", "-e", "reason='audit until Monday'", "-e", "hours=8")
    must("a person can keep everybody out", status == 0 and "audit until Monday" in output, output)
    must("it is seen how far the last one came", "last deployment rebooted: running" in output, output)
    status, output = Run(run="late", stay=False).end()
    must("then nobody can deploy", status != 0 and "audit until Monday" in output, output)
    status, output = lock("--tags", "release")
    must("and lets them in again", status == 0 and "not locked" in output, output)
    return "refused until released"


def main() -> int:
    for step in (two_at_once, killed, robbed, cut_off, rebooted, expired, frozen):
        begun = time.monotonic()
        try:
            print(f"ok {step.__name__}: {step()} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Wrong as wrong:
            print(f"WRONG {step.__name__}: {wrong}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    signal.alarm(300)
    sys.exit(main())
