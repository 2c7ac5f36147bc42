"""The table of formats: every row is exercised, one layer is read without the rest, a state dict is a file too."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import FORMATS, open_tensors
from vanishgrad.weights.formats.onnx_constants import FOLDS
from vanishgrad.weights.layouts import LAYOUTS
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = {
    file: case["hints"]
    for path in sorted(FIXTURES.glob("expected_*.json"))
    for case in json.loads(path.read_text())["cases"]
    for file in case["files"]
}
BIG = 2_000_000
"""Elements of a tensor that nobody asks for."""


def test_every_format_and_layout_is_exercised_by_a_fixture() -> None:
    files = [recurrent_layers(FIXTURES / file, **hints) for file, hints in RECORDED.items()]
    own = {"captured"}  # no framework writes it: tests/models/test_captured_run.py
    assert {file.format for file in files} == set(FORMATS) - own
    plain = recurrent_layers({"w_ih": np.ones((4, 3)), "w_hh": np.ones((4, 4))}).layers[0]
    layouts = {layer.layout for file in files for layer in file}
    # Made by the tests themselves, from the names of the packages: test_cells_of_packages.py, test_linear_attention.py.
    made = {"torchrecurrent", "xlstm", "ncps", "mingru", "state_space", "linear_attention"}
    assert layouts >= set(LAYOUTS) - {"plain", "recorded", "saved"} - made
    assert "named and shaped" in plain.why


def test_every_folded_node_is_exercised_by_a_fixture() -> None:
    graphs = [
        open_tensors(path).configuration["onnx"] for path in FIXTURES.glob("*.onnx") if path.name != "outside.onnx"
    ]
    assert {node.op for graph in graphs for each in graph.every() for node in each.nodes} >= set(FOLDS)


def small() -> dict[str, np.ndarray]:
    return {"rnn/weight_ih_l0": np.ones((4, 3), "f4"), "rnn/weight_hh_l0": np.ones((4, 4), "f4")}


def npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, embedding=np.zeros(BIG, "f4"), **small())  # type: ignore[arg-type]


def safetensors(path: Path) -> None:
    header, data, place = {}, b"", 0
    for name, value in {"embedding": np.zeros(BIG, "f4"), **small()}.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [place, place + value.nbytes]}
        place += value.nbytes
        data += value.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def pytorch(path: Path) -> None:
    """The fixture with the storage of its linear layer lengthened."""
    with zipfile.ZipFile(FIXTURES / "relu.pt") as source, zipfile.ZipFile(path, "w") as target:
        last = max((name for name in source.namelist() if "/data/" in name), key=lambda name: int(name.split("/")[-1]))
        for name in source.namelist():
            target.writestr(name, source.read(name) + (bytes(4 * BIG) if name == last else b""))


def hdf5(path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["embedding"] = np.zeros(BIG, "f4")
        for name, value in small().items():
            file[name] = value


@pytest.mark.parametrize("write", [npz, safetensors, pytorch, hdf5])
def test_only_the_layers_own_numbers_are_read(write: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    recurrent_layers(path).layers[0].build()
    tracemalloc.start()
    recurrent_layers(path).layers[0].build()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BIG  # a quarter of the bytes of what was not asked for


def test_compressed_members_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez_compressed(path, **small())  # type: ignore[arg-type]
    np.testing.assert_array_equal(recurrent_layers(path).layers[0].build().W_hh[0], 1)
    archive = tmp_path / "model.keras"
    with (
        zipfile.ZipFile(FIXTURES / "nested.keras") as source,
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert [layer.name for layer in recurrent_layers(archive)] == ["encoder.low", "high"]


def test_a_file_of_save_says_what_pytorchs_names_do_not(tmp_path: Path) -> None:
    about = {
        "cell": "gru",
        "reset": "before",
        "activation": "relu",
        "label": "gru",
        "law": "chrono",
        "seed": 0,
        "trial": 0,
    }
    arrays = {"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}
    np.savez(tmp_path / "gru.0.npz", vanishgrad=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    (layer,) = recurrent_layers(tmp_path / "gru.0.npz")
    assert (layer.reading.reset, layer.reading.activation.name, layer.assumptions) == ("before", "relu", ())


def test_an_untied_network_of_save_keeps_its_axis_of_time(tmp_path: Path) -> None:
    arrays = {"weight_ih_l0": np.ones((4, 3)), "weight_hh_l0": np.ones((7, 4, 4))}
    np.savez(tmp_path / "rnn.0.npz", vanishgrad=np.array('{"cell": "rnn", "activation": "tanh"}'), **arrays)  # type: ignore[arg-type]
    assert recurrent_layers(tmp_path / "rnn.0.npz").layers[0].build().W_hh.shape == (1, 7, 4, 4)


def test_an_ordered_dict_of_python_2_keeps_its_names(tmp_path: Path) -> None:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0(K\x04K\x04t(K\x04K\x01t\x89NtR"
    pairs = b"".join(
        b"]U" + bytes([len(name)]) + name + b"a" + tensor + b"aa" for name in (b"weight_ih_l0", b"weight_hh_l0")
    )
    with zipfile.ZipFile(tmp_path / "old.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02ccollections\nOrderedDict\n]" + pairs + b"\x85R.")
        archive.writestr("a/data/0", np.eye(4, dtype="<f4").tobytes())
    (layer,) = recurrent_layers(tmp_path / "old.pt")
    np.testing.assert_array_equal(layer.build().W_hh[0], np.eye(4))


class Live:
    """A tensor as PyTorch has it: on a device, with a gradient, its dtype no NumPy dtype."""

    def __init__(self, values: np.ndarray, dtype: str) -> None:
        self._values, self.shape = values, values.shape
        self.dtype = type("dtype", (), {"__str__": lambda _: dtype})()

    def detach(self) -> Live:
        return self

    cpu = detach

    def float(self) -> Live:
        return Live(self._values, "torch.float32")

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if str(self.dtype) == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._values


@pytest.mark.parametrize("dtype", ["torch.float32", "torch.bfloat16"])
def test_live_tensors_are_taken_as_they_are(dtype: str) -> None:
    state = OrderedDict((name.replace("/", "."), Live(value, dtype)) for name, value in small().items())
    (layer,) = recurrent_layers(state)
    assert layer.dtype == dtype.removeprefix("torch.")
    np.testing.assert_array_equal(layer.build().W_hh[0], 1)


def test_a_nested_tree_is_taken_as_it_is() -> None:
    tree = {
        "params": {
            "GRUCell_0": {name: {"kernel": np.ones((4, 4), "f4")} for name in ("ir", "iz", "in", "hr", "hz", "hn")}
        }
    }
    (layer,) = recurrent_layers(tree)
    assert (layer.name, layer.cell, layer.layout) == ("GRUCell_0", "gru", "flax")


def test_onnx_numbers_beside_the_model_that_are_missing_are_named(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "external.onnx", tmp_path)
    with pytest.raises(VanishgradError, match=r"external\.bin"):
        recurrent_layers(tmp_path / "external.onnx")


def test_a_missing_extra_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(VanishgradError, match=r"pip install 'vanishgrad\[keras\]'"):
        recurrent_layers(FIXTURES / "stack.h5")
