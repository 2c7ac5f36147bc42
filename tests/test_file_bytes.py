"""Files that users name are read to a bound, and what never begins or ends is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.file_bytes import demand_regular, file_bytes

pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def test_a_file_up_to_the_bound(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert file_bytes(str(tmp_path / "file"), "words", 5) == b"12345"
    with pytest.raises(VanishgradError, match="expected words of at most 4 bytes, got 5"):
        file_bytes(str(tmp_path / "file"), "words", 4)


def test_a_file_beyond_the_bound_is_not_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(VanishgradError, match=f"got {2**40} in"):
        file_bytes(str(tmp_path / "sparse"), "words")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", "No such file"), ("", "Is a directory"), ("loop", "symbolic links"), ("nul\0l", "null byte")],
)
def test_what_is_no_file(tmp_path, name, reason):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(VanishgradError, match=f"expected words in a readable file, got .*{reason}"):
        file_bytes(str(tmp_path / name), "words")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")
def test_a_device_has_no_end():
    with pytest.raises(VanishgradError, match="'/dev/zero': a device"):
        file_bytes("/dev/zero", "words")
    with pytest.raises(OSError, match="a device"):
        demand_regular("/dev/zero")


@pipes
def test_a_pipe_is_read_to_its_end_or_to_the_bound(tmp_path):
    content = bytes(range(256)) * 1024
    for bound in (len(content), 100):
        os.mkfifo(tmp_path / f"pipe{bound}")
        threading.Thread(target=written, args=(tmp_path / f"pipe{bound}", content), daemon=True).start()
    assert file_bytes(str(tmp_path / f"pipe{len(content)}"), "words", len(content)) == content
    with pytest.raises(VanishgradError, match="of at most 100 bytes, got more"):
        file_bytes(str(tmp_path / "pipe100"), "words", 100)


def written(path, content):
    try:
        path.write_bytes(content)
    except BrokenPipeError:
        return


@pipes
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VanishgradError, match="a pipe that nobody writes to"):
        file_bytes(str(tmp_path / "pipe"), "words")
    with pytest.raises(OSError, match="a pipe"):
        demand_regular(str(tmp_path / "pipe"))


@pipes
@pytest.mark.parametrize("command", [("analyze",), ("inspect",), ("explain",), ("check", "--horizon", "2"), ("track",)])
def test_weights_that_are_a_pipe_without_a_writer_are_one_sentence(tmp_path, command):
    """Nothing waits for a writer that never comes."""
    os.mkfifo(tmp_path / "pipe.pt")
    name, *options = command
    done = subprocess.run(
        [sys.executable, "-m", "vanishgrad", name, "pipe.pt", *options], cwd=tmp_path, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
