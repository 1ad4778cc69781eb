# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action import application_description
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

ADDRESSES = {"edge1": "192.0.2.11", "app1": "192.0.2.21"}


@pytest.fixture
def described(tmp_path, monkeypatch):
    """Variables of a good description; the certificate passes unless ``refuse`` says why it does not."""
    for name in ("certificate", "key"):
        (tmp_path / name).write_text(name)
    asked = []

    def check_pair(certificate, key, names, now):
        asked.append((certificate, key, names))

    monkeypatch.setattr(application_description, "check_pair", check_pair)
    return asked, {
        "greenlight_app": "shop",
        "greenlight_domain": "shop.example.com",
        "greenlight_repository": "https://git.example.com/shop.git",
        "greenlight_ref": "{{ version }}",
        "greenlight_services": [{"name": "web", "application": "shop.asgi:application"}],
        "greenlight_secrets": {"KEY": "hush-hush"},
        "greenlight_tls": {"certificate": str(tmp_path / "certificate"), "key": str(tmp_path / "key")},
        "greenlight_tester_token": "t" * 20,
        "groups": {"proxies": ["edge1"], "apps": ["app1"]},
        "hostvars": {
            name: {"inventory_hostname": name, "ansible_host": address} for name, address in ADDRESSES.items()
        },
    }


def check(act, variables, **arguments):
    return act(application_description.ActionModule, arguments, variables)


def test_the_description_arrives_with_its_defaults_and_without_a_secret(act, described):
    asked, variables = described
    result = check(act, variables)
    application = result["ansible_facts"]["greenlight_application"]
    assert (application["ref"], application["traffic"]["steps"]) == ("v2.0.0", [10, 50, 100])
    assert {"secrets", "environment", "tester_token"}.isdisjoint(application)
    assert "hush-hush" not in str(result)
    assert asked == [("certificate", "key", ["shop.example.com"])]


def test_the_address_of_one_host_is_no_part_of_it(act, described):
    _asked, variables = described
    result = check(act, {**variables, "greenlight_address": "192.0.2.21", "greenlight_plan": {"go": True}})
    assert "failed" not in result
    assert "192.0.2.21" not in str(result)


def test_all_that_is_wrong_is_said_at_once(act, described):
    _asked, variables = described
    wrong = {**variables, "greenlight_domian": "x", "greenlight_app": "?"}
    result = check(act, wrong, limit="app1")
    assert result["failed"] is True
    assert "3 problems, nothing has been changed" in result["msg"]
    assert "did you mean greenlight_domain?" in result["msg"]
    assert "--limit app1 leaves hosts out" in result["msg"]
    assert "ansible_facts" not in result


def test_a_certificate_that_is_not_there_is_named(act, described, tmp_path):
    _asked, variables = described
    (tmp_path / "key").unlink()
    result = check(act, variables)
    assert result["failed"] is True
    assert "greenlight_tls: [Errno 2] No such file or directory" in result["msg"]


def test_a_certificate_that_clients_would_refuse_is_refused(act, described, monkeypatch):
    def refuse(*words):
        raise InvalidInput("the certificate ends tomorrow", where="certificate")

    monkeypatch.setattr(application_description, "check_pair", refuse)
    result = check(act, described[1])
    assert "1 problem" in result["msg"]
    assert "certificate: the certificate ends tomorrow" in result["msg"]
