"""Checkpoints of several files that are broken or hostile: one sentence, and no file outside the folder is read."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
SHARD = "model-00002-of-00003.safetensors"


def copied(name: str, folder: Path) -> Path:
    """Return a copy of a fixture of several files."""
    shutil.copytree(FIXTURES / name, folder / name)
    return folder / name


def replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def built(path: Path) -> None:
    for layer in recurrent_layers(path):
        layer.build()


def refused(path: Path) -> str:
    with pytest.raises(VanishgradError) as caught:
        built(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message
    return message


@pytest.mark.parametrize("location", ["../" + SHARD, "../../etc/passwd", "/etc/passwd", ""])
def test_a_shard_outside_the_folder_is_refused(location: str, tmp_path: Path) -> None:
    folder = copied("sharded", tmp_path)
    shutil.copy(folder / SHARD, tmp_path)
    replace(folder / "model.safetensors.index.json", SHARD.encode(), location.encode())
    assert "own folder" in refused(folder)


def test_a_shard_through_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    folder = copied("sharded", tmp_path)
    (folder / SHARD).rename(tmp_path / SHARD)
    (folder / SHARD).symlink_to(tmp_path / SHARD)
    assert "own folder" in refused(folder)


def test_a_download_cache_keeps_index_and_shards_as_links_into_one_folder(tmp_path: Path) -> None:
    blobs, snapshot = copied("sharded", tmp_path), tmp_path / "snapshot"
    snapshot.mkdir()
    for each in blobs.iterdir():
        (snapshot / each.name).symlink_to(each)
    assert len(recurrent_layers(snapshot)) == 1


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = copied("sharded", tmp_path)
    (folder / SHARD).unlink()
    assert f"a shard in {SHARD}" in refused(folder)


def test_a_tensor_that_its_shard_lacks_is_named(tmp_path: Path) -> None:
    folder = copied("sharded", tmp_path)
    replace(folder / "model.safetensors.index.json", b"rnn.weight_hh_l0", b"rnn.weight_hh_l1")
    assert f"expected rnn.weight_hh_l1 in the shard {SHARD}" in refused(folder)


def test_an_index_is_no_shard_of_another(tmp_path: Path) -> None:
    index = tmp_path / "a.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"weight_hh_l0": index.name}}))
    assert "JSON" in refused(tmp_path)


@pytest.mark.parametrize("entries", [[], 3, None, {"a": 1}, {"a": None}, {}])
@pytest.mark.parametrize("name", ["a.safetensors.index.json", "a.weights.json"])
def test_a_map_of_something_else_is_one_sentence(name: str, entries: object, tmp_path: Path) -> None:
    head = {"metadata": "x.weights.h5"} if name == "a.weights.json" else {}
    (tmp_path / name).write_text(json.dumps({**head, "weight_map": entries}))
    refused(tmp_path)


def test_keras_shards_outside_the_folder_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    folder = copied("keras_shards", tmp_path)
    replace(folder / "model.weights.json", b"model_00001", b"../model_00001")
    assert "own folder" in refused(folder)


@pytest.mark.parametrize("location", [b"../aa.distcp", b"/aa/a.distcp"])
def test_a_piece_of_a_distributed_checkpoint_outside_the_folder_is_refused(location: bytes, tmp_path: Path) -> None:
    folder = copied("distributed", tmp_path)
    shutil.copy(folder / "__0_0.distcp", tmp_path / "aa.distcp")
    replace(folder / ".metadata", b"__0_0.distcp", location)
    assert "own folder" in refused(folder)


def test_a_distributed_checkpoint_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    folder = copied("distributed", tmp_path)
    piece = folder / "__0_0.distcp"
    piece.write_bytes(piece.read_bytes()[:3000])
    assert "cut short" in refused(folder)


def test_a_piece_that_holds_another_tensor_is_refused(tmp_path: Path) -> None:
    folder = copied("distributed", tmp_path)
    replace(folder / "__0_0.distcp", b"K\x10K\x03", b"K\x03K\x10")
    assert "expected one tensor of 16 × 3 for model.rnn.weight_ih_l0" in refused(folder)


@pytest.mark.parametrize("names", [["a.safetensors", "b.safetensors"], ["a.index", "b.index"]])
def test_a_folder_of_several_checkpoints_asks_which(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    assert f"2 files such as {names[0]}, {names[1]}; try naming one" in refused(tmp_path)


def test_a_core_ml_package_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Data" / "com.apple.CoreML").mkdir(parents=True)
    assert "a Core ML package; try exporting the model that it was made from to ONNX" in refused(tmp_path)


@pytest.mark.parametrize(
    ("fixture", "file", "old", "new"),
    [
        ("tensorflow_js", "model.json", b"group1-shard1of2.bin", b"../../../etc/passwd"),
        ("tensorflow_js", "model.json", b'"shape": [3, 16]', b'"shape": [3, 1099511627776]'),
        ("tensorflow_js", "model.json", b'"weightsManifest"', b'"weightsManifes"'),
        ("paddle", "inference.json", b"lstm_cell_0.w_1", b"lstm_cell_0.w_3"),
    ],
)
def test_what_is_not_there_or_lies_outside_is_one_sentence(
    fixture: str, file: str, old: bytes, new: bytes, tmp_path: Path
) -> None:
    folder = copied(fixture, tmp_path)
    replace(folder / file, old, new)
    refused(folder)


@pytest.mark.parametrize("fixture", ["tensorflow_1", "tensorflow_js", "paddle"])
def test_numbers_that_are_cut_short_are_one_sentence(fixture: str, tmp_path: Path) -> None:
    folder = copied(fixture, tmp_path)
    for each in folder.iterdir():
        if ".data-" in each.name or each.suffix in (".bin", ".pdiparams"):
            each.write_bytes(each.read_bytes()[:-4])
    refused(folder)


def test_an_orbax_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorstore")
    folder = copied("orbax", tmp_path)
    (folder / "more").symlink_to(tmp_path)
    assert "got the link more" in refused(folder)


def test_orbax_without_tensorstore_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorstore", None)
    assert "pip install 'vanishgrad[orbax]'" in refused(FIXTURES / "orbax")


def test_a_copy_that_differs_is_refused(tmp_path: Path) -> None:
    shapes = {"weight_ih": (4, 3), "weight_hh": (4, 4)}
    twins = {f"rnn.{name}_l0": np.ones(shape, "f4") for name, shape in shapes.items()}
    twins |= {f"rnn.0.cell.{name}": np.full(shape, 2, "f4") for name, shape in shapes.items()}
    (tmp_path / "model.pdparams").write_bytes(pickle.dumps(twins, 4))
    assert "to be rnn.weight_hh_l0 again, got other numbers" in refused(tmp_path / "model.pdparams")
