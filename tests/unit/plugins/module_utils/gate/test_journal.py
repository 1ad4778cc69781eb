# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.gate import journal


def test_lines_are_counted_for_each_pattern(monkeypatch):
    asked = []

    def run(argv, context, **options):
        asked.append(argv)
        return "SYNC_ERROR one\nwell\nSYNC_ERROR two SYNC_ERROR\nTimeout 12 ms\n"

    monkeypatch.setattr(journal, "run", run)
    assert journal.count_lines("shop-*-green@*.service", 300, ["SYNC_ERROR", r"Timeout \d+", "nothing"]) == [2, 1, 0]
    assert asked == [
        ["journalctl", "--no-pager", "--quiet", "--output=cat", "--since=-300s", "--unit=shop-*-green@*.service"]
    ]
