# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import logrotate_text

DEBIAN = "user www-data;\npid /run/nginx.pid;\nevents {}\n"


def test_the_log_is_reopened_by_the_master_that_nginx_conf_names():
    text = logrotate_text.render("/var/log/nginx/a.json", 7, DEBIAN.replace("/run/nginx.pid", "/srv/n.pid"))
    assert text.startswith("/var/log/nginx/a.json {\n    daily\n")
    assert "    rotate 7\n" in text
    assert "    create 0640 www-data adm\n" in text
    assert 'kill -USR1 "$(cat /srv/n.pid)"' in text


def test_without_nginx_conf_the_usual_is_assumed():
    assert logrotate_text.log_owner("") == "nobody"
    assert "cat /run/nginx.pid" in logrotate_text.render("/l", 1, "")
