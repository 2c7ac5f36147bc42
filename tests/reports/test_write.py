"""A file is complete or absent."""

from __future__ import annotations

import os

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.files import folder, write


def test_replaces_and_keeps_the_mode(tmp_path):
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    target.chmod(0o640)
    write(str(target), b"new")
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["report.json"]


def test_interrupted_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_writes_through_what_is_no_regular_file():
    write(os.devnull, b"gone")
    assert not os.path.isfile(os.devnull)


def test_through_a_link_to_its_target(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(str(tmp_path / "link"), b"new")
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def test_unwritable_says_so(tmp_path):
    with pytest.raises(VanishgradError, match="expected to write"):
        write(str(tmp_path / "absent" / "report.json"), b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(VanishgradError, match="expected to make the folder"):
        folder(str(tmp_path / "file"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk():
    with pytest.raises(VanishgradError, match="No space left"):
        write("/dev/full", b"x" * 100_000)
