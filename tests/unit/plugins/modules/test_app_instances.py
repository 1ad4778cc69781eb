# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``app_instances`` refuses before it looks at the host."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.modules import app_instances

ARGUMENTS = {
    "app": "app",
    "colour": "green",
    "release": "20261122T124500Z-1a2b3c4",
    "services": [{"name": "web", "application": "a.b:c", "ports": {"blue": 8101, "green": 8201}}],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"app": "App"}, "name of an application"),
        ({"colour": "red"}, "colour must be one of: blue, green"),
        ({"services": []}, "services"),
        ({"services": [{**ARGUMENTS["services"][0], "port": 1}]}, "port"),
        ({"services": [{**ARGUMENTS["services"][0], "ports": {"blue": 8101}}]}, "green"),
        ({"address": "0.0.0.0"}, "listen on every network"),
        ({"address": "app1"}, "not an IP address"),
        ({"address": "10.0.0.1", "proxies": ["edge"]}, "not an IP address"),
        ({"readiness": {"timeout": 5}}, "less than readiness.timeout"),
        ({"environment": {"A": "two\nlines"}}, "environment A"),
        ({"environment": {"A-B": "x"}}, "name of an environment variable"),
        ({"directives": {"Memory Max": "1"}}, "no directive"),
        ({"release": ""}, "release"),
    ],
)
def test_wrong_options_are_refused(run_module, change, expected):
    refused = run_module(app_instances, {**ARGUMENTS, **change})
    assert refused.failed
    assert expected in refused["msg"]


def test_a_secret_of_two_lines_is_not_shown(run_module):
    refused = run_module(app_instances, {**ARGUMENTS, "secrets": {"KEY": "hunter2\nhunter3"}})
    assert refused.failed
    assert "hunter" not in str(refused.answer)
