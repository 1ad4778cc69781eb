# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from tools import built


def test_the_collection_is_built_once_for_the_same_files(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(built, "Log", lambda name: name)
    monkeypatch.setattr(built, "build_collection", lambda folder, log: folder / "built.tar.gz")
    monkeypatch.setattr(built, "install_collection", lambda archive, path, log: (path.mkdir(), made.append(path)))
    target = tmp_path / "collections"
    for digest, said in (("1", True), ("1", False), ("2", True)):
        monkeypatch.setattr(built, "digest", lambda digest=digest: digest)
        assert built.install(target) is said
    assert made == [target, target]


def test_the_digest_is_of_the_files(monkeypatch, tmp_path):
    (tmp_path / "one").write_text("1")
    monkeypatch.setattr(built, "ROOT", tmp_path)
    monkeypatch.setattr(built, "known_files", lambda tops: ["one"])
    before = built.digest()
    (tmp_path / "one").write_text("2")
    assert built.digest() != before
