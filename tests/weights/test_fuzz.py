"""Mutated real files: a layer or one sentence, never a traceback, and memory bounded by the file.

Every fixture of every format and layout is mutated, with the hints that it is read with. A failure names the file, the
seed and what was mutated; the mutated file stands in the test's folder.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tracemalloc
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from vanishgrad.errors import HostileContentWarning, VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
HINTS: dict[str, dict[str, Any]] = {
    file: case["hints"]
    for path in sorted(FIXTURES.glob("expected_*.json"))
    for case in json.loads(path.read_text())["cases"]
    for file in case["files"]
}
"""Fixture → what it is read with."""
INPUTS = int(os.environ.get("VANISHGRAD_FUZZ", "20000"))
"""Mutated files of the slow test, over all formats: a minute of one core."""
BOUND = 64 << 20
"""Bytes that a reader may allocate for any mutation of these files, all below 100 kB."""
EXTREMES = [bytes(8), b"\xff" * 8, b"\xff" * 7 + b"\x7f", (1 << 60).to_bytes(8, "little"), b"\x80\0\0\0"]
DEPENDENCIES = {"h5": "h5py", "hdf5": "h5py", "keras": "h5py", "keras_shards": "h5py", "orbax": "tensorstore"}
"""Kind of fixture → what reads it."""


@dataclass(frozen=True)
class Target:
    """A fixture to read, and one of its files, which is mutated."""

    fixture: str
    piece: Path
    hints: dict[str, Any]


def targets() -> dict[str, list[Target]]:
    """Return every file of every fixture by kind: the ending of a file, the name of a folder."""
    found: dict[str, list[Target]] = defaultdict(list)
    others = (each.name for each in FIXTURES.iterdir() if each.is_file() and each.suffix not in (".py", ".json"))
    for fixture in sorted({*HINTS, *others}):
        top = FIXTURES / fixture.partition("/")[0]
        pieces = sorted(each for each in top.rglob("*") if each.is_file()) if top.is_dir() else [top]
        kind = top.name if top.is_dir() else top.suffix[1:]
        found[kind] += [Target(fixture, piece, HINTS.get(fixture, {})) for piece in pieces]
    return found


TARGETS = targets()


def mutated(data: bytes, random: Random) -> bytes:
    """Return data with stretches replaced, moved or cut; of an archive, now and then those of one member."""
    if data.startswith(b"PK") and random.random() < 0.5:
        return _with_mutated_member(data, random)
    for _ in range(random.randint(1, 8)):
        start = random.randrange(len(data) + 1)
        elsewhere = random.randrange(len(data) + 1)
        new = random.choice([*EXTREMES, random.randbytes(random.randint(0, 9)), data[elsewhere : elsewhere + 16]])
        data = data[:start] + new + data[start + random.randint(0, 16) :]
    return data[: random.randint(0, len(data))] if random.random() < 0.3 else data


def _with_mutated_member(data: bytes, random: Random) -> bytes:
    """Return an archive whose checksums are right, so that what is read within it is mutated."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        chosen = random.choice(source.namelist())
        for name in source.namelist():
            member = source.read(name)
            target.writestr(name, mutated(member, random) if name == chosen else member)
    return buffer.getvalue()


def judge(path: Path, hints: dict[str, Any]) -> None:
    """Read everything; only the project's own error may come out, in one line."""
    message = ""
    try:
        for layer in recurrent_layers(path, **hints):
            layer.build()
    except VanishgradError as error:
        message = str(error)
    assert "\n" not in message


def cases(kind: str, count: int) -> Iterator[tuple[Target, int]]:
    """Yield fixtures with seeds that no other kind has."""
    for place in range(count):
        yield TARGETS[kind][place % len(TARGETS[kind])], (sorted(TARGETS).index(kind) << 32) + place


def fuzz(kind: str, folder: Path, count: int) -> None:
    """Mutate one file of a fixture after the other, those beside it left whole."""
    pytest.importorskip(DEPENDENCIES.get(kind, "numpy"))
    shutil.copytree(FIXTURES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "expected_*"))
    originals = {target.piece: target.piece.read_bytes() for target in TARGETS[kind]}
    for target, seed in cases(kind, count):
        copy = folder / target.piece.relative_to(FIXTURES)
        copy.write_bytes(mutated(originals[target.piece], Random(seed)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HostileContentWarning)
                judge(folder / target.fixture, target.hints)
        except Exception as error:
            error.add_note(f"{copy}, seed {seed}") if hasattr(error, "add_note") else None
            raise
        copy.write_bytes(originals[target.piece])


@pytest.mark.parametrize("kind", TARGETS)
def test_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        fuzz(kind, tmp_path, count=12)
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", TARGETS)
def test_many_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    """As many in all as VANISHGRAD_FUZZ says."""
    fuzz(kind, tmp_path, count=-(-INPUTS // len(TARGETS)))
