"""Pickles within other files: what they ask to call is told and not run; arrays are read from every protocol."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.weights.test_hostile import FIXTURES, GOOD, Trap, torch_zip
from vanishgrad.errors import HostileContentWarning
from vanishgrad.weights.recognition import recurrent_layers

CALL = f"{os.mkdir.__module__}.mkdir"


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_a_dictionary_of_arrays_is_a_pickle_in_every_protocol(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps(GOOD, protocol))
    assert recurrent_layers(path).format == "pickle"


def appended(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


def test_calls_of_objects_saved_beside_an_exported_programs_weights_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes((FIXTURES / "exported.pt2").read_bytes())
    assert recurrent_layers(path).calls == ()
    appended(path, "exported/data/constants/opaque.pt", pickle.dumps(Trap(tmp_path / "mark")))
    appended(path, "exported/data/constants/saved.pt", torch_zip(pickle.dumps(Trap(tmp_path / "mark"))))
    with pytest.warns(HostileContentWarning, match="not run"):
        assert recurrent_layers(path).calls == (CALL,)


def test_calls_of_every_piece_of_a_distributed_checkpoint_are_told(tmp_path: Path) -> None:
    """The piece of the fixture's first tensor gives way to one that calls; the others are as they were."""
    folder = tmp_path / "distributed"
    shutil.copytree(FIXTURES / "distributed", folder)
    assert recurrent_layers(folder).calls == ()
    piece = next(folder.glob("*.distcp"))
    data = piece.read_bytes()
    hostile = torch_zip(pickle.dumps(Trap(tmp_path / "mark"), 2))
    end = data.index(b"PK\x05\x06") + 22
    assert len(hostile) <= end
    piece.write_bytes(bytes(end - len(hostile)) + hostile + data[end:])
    with pytest.warns(HostileContentWarning, match="not run"):
        assert recurrent_layers(folder).calls == (CALL,)
