"""A file is complete or absent."""

from __future__ import annotations

import os

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.reports.files import write, write_together


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
        write_together([], [str(tmp_path / "file")])


def test_a_link_to_itself_says_so(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(VanishgradError, match="levels of symbolic links"):
        write(str(tmp_path / "loop"), b"new")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_without_a_reader_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VanishgradError, match="a pipe that nobody reads from"):
        write(str(tmp_path / "pipe"), b"new")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def pair(folder, text):
    return [(str(folder / name), text) for name in ("certificate.json", "weights.npz")]


def test_several_files_appear_together_in_new_folders(tmp_path):
    made = tmp_path / "a" / "b"
    write_together(pair(made, b"new"), [str(made)])
    assert content(made) == {"certificate.json": b"new", "weights.npz": b"new"}


def test_a_second_file_that_cannot_be_written_leaves_none_and_no_folder(tmp_path):
    made = tmp_path / "made"
    with pytest.raises(VanishgradError, match="expected to write"):
        write_together([(str(made / "first"), b"new"), (str(tmp_path / "absent" / "second"), b"")], [str(made)])
    assert content(tmp_path) == {}


def test_what_fails_while_the_second_file_is_made_leaves_the_first_as_it_was(tmp_path):
    def contents():
        yield str(tmp_path / "certificate.json"), b"new"
        raise MemoryError

    write(str(tmp_path / "certificate.json"), b"old")
    with pytest.raises(MemoryError):
        write_together(contents())
    assert content(tmp_path) == {"certificate.json": b"old"}


@pytest.mark.parametrize("linkable", [True, False])
@pytest.mark.parametrize("old", [b"old", None])
def test_a_second_rename_that_fails_brings_the_old_pair_back(tmp_path, monkeypatch, old, linkable):
    if old is not None:
        write_together(pair(tmp_path, old))
    rename, names = os.replace, []

    def failing(source, target):
        names.append(target)
        if len(names) == 2:
            raise OSError(28, "No space left on device")
        rename(source, target)

    def no_link(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "replace", failing)
    if not linkable:
        monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(VanishgradError, match="No space left"):
        write_together(pair(tmp_path, b"new"))
    assert content(tmp_path) == ({} if old is None else {"certificate.json": old, "weights.npz": old})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk():
    with pytest.raises(VanishgradError, match="No space left"):
        write("/dev/full", b"x" * 100_000)
