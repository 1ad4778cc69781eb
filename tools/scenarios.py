# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios: one of every role, and the journeys of whole deployments."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial

from tools.console import Trouble, say
from tools.log import Log, Outcome, timed
from tools.places import BIN, CACHE, ROOT

ON_STAGE = ("migrate", "preflight", "smoke", "cutover", "rollback_role", "one_host")
"""Those that share one host, in the order in which each finds the version that it wants."""
ON_FLEET = ("broken_release", "bad_input", "host_unreachable", "deploy", "rollback")
"""Those that share the fleet, in the same way."""
SHARED = (*ON_STAGE, *ON_FLEET)


def known() -> list[str]:
    """Return the names of all scenarios: the lab's own, those with hosts of their own, then those that share some."""
    names = [path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")]
    return sorted(names, key=lambda name: (name != "lab", SHARED.index(name) if name in SHARED else -1, name))


def choose(names: Sequence[str]) -> list[str]:
    """Return ``names``, each checked to be a scenario; all of them for none."""
    unknown = [name for name in names if name not in known()]
    if unknown:
        raise Trouble(f"There is no scenario {', '.join(unknown)}.", f"There are: {', '.join(known())}.")
    return list(names) or known()


def test(names: Sequence[str]) -> list[Outcome]:
    """Run the scenarios ``names`` one after the other (they share the lab's hosts)."""
    say("molecule")
    return [timed(f"molecule {name}", partial(run, name)) for name in names]


def run(name: str, log: Log) -> None:
    """Run the whole sequence of one scenario on fresh hosts, which stay up for a look afterwards."""
    remembered = CACHE / "molecule" / name
    shutil.rmtree(remembered, ignore_errors=True)
    log.run(
        [BIN / "molecule", "test", "--scenario-name", name, "--destroy=never"],
        environment={"MOLECULE_EPHEMERAL_DIRECTORY": str(remembered)},
    )
