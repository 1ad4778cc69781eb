# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import presence

HEALTH = {"path": "/health", "readiness": "/ready", "websocket": ""}


@pytest.fixture
def proxy(monkeypatch):
    """Make this host a proxy, of who serves and what is wrong with it; the result tells who was asked."""

    def make(serving, problems=()):
        asked = []

        class Files:
            def __init__(self, folder):
                self.folder = folder

            def contact(self):
                return "contact"

        def look_at(endpoint, checks, timeout, served_by):
            asked.append((endpoint, [check.name for check in checks], timeout, served_by))
            return list(problems)

        monkeypatch.setattr(presence, "TrafficFiles", Files)
        monkeypatch.setattr(presence, "look", lambda files, kernel: {"serving": serving})
        monkeypatch.setattr(presence, "endpoint_of", lambda contact, colour: (contact, colour))
        monkeypatch.setattr(presence, "look_at", look_at)
        return asked

    return make


def test_the_colour_that_serves_is_asked_as_a_tester(tmp_path, proxy):
    asked = proxy("green")
    seen = presence.presence("shop", str(tmp_path), HEALTH, 2.0)
    assert (seen["answers"], seen["problems"]) == (True, [])
    assert asked == [(("contact", "green"), ["health", "readiness"], 2.0, "")]


def test_what_is_wrong_with_it_is_told(tmp_path, proxy):
    proxy("blue", ["readiness: status 503, expected 200"])
    seen = presence.presence("shop", str(tmp_path), HEALTH, 2.0)
    assert (seen["answers"], seen["problems"]) == (False, ["readiness: status 503, expected 200"])


def test_a_host_that_serves_nobody_has_nobody_to_ask(tmp_path, proxy):
    asked = proxy(None)
    seen = presence.presence("shop", str(tmp_path), HEALTH, 2.0)
    assert seen["colours"] == {"blue": "", "green": ""}
    assert (seen["releases"], seen["answers"], seen["problems"]) == ([], False, [])
    assert not asked


def test_a_name_that_is_none_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"\.\./etc"):
        presence.presence("../etc", str(tmp_path), HEALTH, 2.0)
