# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate import access_log
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.access_log import (
    AccessLog,
    NoLog,
    position_of,
)


@pytest.fixture
def log(tmp_path):
    """The log, and what a reader that begins anew from where the last one stopped finds: ``log.news()``."""
    log = Log(tmp_path / "shop-access.json")
    yield log
    log.handle.close()


class Log:
    def __init__(self, path):
        self.path = path
        self.path.write_text("")
        self.handle = path.open("a")
        self.position, self.gap = AccessLog(path).position, False

    def write(self, text):
        """As nginx does: into the file that it has open, wherever that is by now."""
        self.handle.write(text)
        self.handle.flush()

    def reopen(self):
        self.handle.close()
        self.handle = self.path.open("a")

    def rotate(self, name=".1"):
        self.path.rename(f"{self.path}{name}")
        self.path.write_text("")

    def news(self):
        reader = AccessLog(self.path, position_of(self.position.as_dict()))
        text = b"".join(reader.read()).decode()
        self.position, self.gap = reader.position, reader.gap
        return text


def test_only_what_is_new(log):
    log.write("a\nb\n")
    assert log.news() == "a\nb\n"
    log.write("c\n")
    assert (log.news(), log.news(), log.gap) == ("c\n", "", False)


def test_a_reader_without_a_position_begins_at_the_end(log):
    log.write("old\n")
    reader = AccessLog(log.path)
    log.write("new\n")
    assert b"".join(reader.read()) == b"new\n"


def test_half_a_line_is_left_for_the_next_time(log):
    log.write("a\nhal")
    assert log.news() == "a\n"
    log.write("f\n")
    assert log.news() == "half\n"


def test_rotated_in_the_middle(log):
    log.write("a\n")
    assert log.news() == "a\n"
    log.write("b\n")
    log.rotate()
    log.write("c\n")  # nginx has not reopened yet
    assert log.news() == "b\nc\n"
    log.write("d\n")
    log.reopen()
    log.write("e\n")
    assert log.news() == "d\ne\n"
    log.write("f\n")
    assert (log.news(), log.gap) == ("f\n", False)


def test_rotated_between_half_a_line_and_its_end(log):
    log.write("a\nhal")
    assert log.news() == "a\n"
    log.rotate()
    log.write("f\n")
    log.reopen()
    log.write("b\n")
    assert log.news() == "half\nb\n"


def test_rotated_twice(log):
    log.write("a\n")
    log.news()
    log.rotate(".2")
    log.reopen()
    log.write("b\n")
    assert log.news() == "b\n"
    log.rotate(".1")
    log.reopen()
    log.write("c\n")
    assert log.news() == "c\n"


def test_the_old_file_is_gone(log):
    log.write("a\n")
    log.news()
    log.write("b\n")
    log.rotate()
    log.path.with_name(log.path.name + ".1").unlink()
    log.reopen()
    log.write("c\n")
    assert (log.news(), log.gap) == ("c\n", True)


def test_the_old_file_is_compressed_after_it_was_read(log):
    log.rotate()
    log.reopen()
    assert log.news() == ""
    log.path.with_name(log.path.name + ".1").unlink()
    log.write("a\n")
    assert (log.news(), log.gap) == ("a\n", False)


def test_a_file_that_was_cut_is_read_from_its_beginning(log):
    log.write("aaaa\nbbbb\n")
    log.news()
    os.truncate(log.path, 0)
    log.reopen()
    log.write("c\n")
    assert (log.news(), log.gap) == ("c\n", True)


def test_a_long_log_comes_in_pieces_of_whole_lines(log, monkeypatch):
    monkeypatch.setattr(access_log, "CHUNK", 16)
    text = "".join(f"line {number}\n" for number in range(20))
    log.write(text)
    chunks = list(AccessLog(log.path, log.position).read())
    assert b"".join(chunks).decode() == text
    assert len(chunks) > 5
    assert all(chunk.endswith(b"\n") for chunk in chunks)


def test_rotated_while_it_is_opened(log, monkeypatch):
    """Between the look at the name and the opening of the file."""
    log.write("a\n")
    reader = AccessLog(log.path, log.position)
    looked = reader._status

    def look():
        seen = looked()
        if not log.path.with_name(log.path.name + ".1").exists():
            log.rotate()
            log.reopen()
            log.write("b\n")
        return seen

    monkeypatch.setattr(reader, "_status", look)
    assert b"".join(reader.read()) == b""
    assert b"".join(reader.read()) == b"a\nb\n"


def test_there_is_none(tmp_path):
    with pytest.raises(NoLog, match="cannot be read"):
        AccessLog(tmp_path / "nothing")


def test_positions_survive_the_way_to_the_controller_and_back(log):
    log.rotate()
    log.news()
    assert log.position.before is not None
    assert position_of(log.position.as_dict()) == log.position
    assert position_of({}) is None
