# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README promises: its example can be used, and its tables leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.description import resolve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def described() -> str:
    found = re.search(r"<!-- description -->\n```yaml\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_the_description_can_be_used() -> None:
    spec = yaml.safe_load((ROOT / "roles/preflight/meta/argument_specs.yml").read_text(encoding="utf-8"))
    variables = yaml.safe_load(described().replace('"{{ vault_tester_token }}"', "0123456789abcdef"))
    _application, problems = resolve(spec["argument_specs"]["application"]["options"], variables)
    assert problems == []


def test_the_description_is_short() -> None:
    assert len([line for line in described().splitlines() if line.strip()]) <= 40


def test_every_module_role_and_playbook_is_listed() -> None:
    things = [path.stem for path in (ROOT / "plugins/modules").glob("*.py")]
    things += [path.name for path in (ROOT / "roles").iterdir()]
    things += [path.name for path in (ROOT / "playbooks").glob("*.yml")]
    assert [name for name in things if f"`{name}`" not in README] == []


def test_every_tag_of_a_playbook_is_listed() -> None:
    for path in (ROOT / "playbooks").glob("*.yml"):
        row = next(line for line in README.splitlines() if line.startswith(f"| `{path.name}`"))
        tags = {tag for play in yaml.safe_load(path.read_text()) for tag in play.get("tags", [])} - {"always", "never"}
        assert {tag for tag in tags if f"`{tag}`" not in row} == set()
