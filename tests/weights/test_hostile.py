"""Broken and hostile files: one sentence that names the file and the remedy, nothing executed, nothing written."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = {"weight_ih_l0": np.ones((4, 3), "f4"), "weight_hh_l0": np.ones((4, 4), "f4")}
BOUND = 64 << 20
"""Bytes that any small file may make a reader allocate; what may expand for free, and as much again, is under it."""


class Trap:
    """Something whose unpickling would leave a mark on the disk."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._mark),)


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy_header(shape: str, descr: str = "<f4") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def torch_zip(pickled: bytes, **storages: bytes) -> bytes:
    return zipped({"a/data.pkl": pickled, **{f"a/data/{key}": data for key, data in storages.items()}})


def torch_view(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], count: int = 16) -> bytes:
    """The pickle of {"weight_hh_l0": a view of a float storage "0" of sixteen elements}."""

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"L%dL\n" % value for value in values) + b"t"

    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuL%dL\ntQ" % count
    view = storage + b"L%dL\n" % offset + numbers(shape) + numbers(strides) + b"\x89N"
    return b"\x80\x02}X\x0c\0\0\0weight_hh_l0ctorch._utils\n_rebuild_tensor_v2\n(" + view + b"tRs."


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


FLOATS = bytes(64)
KERAS = FIXTURES / "stack.weights.h5"
OVERLAPPING = {"v": entry([4, 4], 0, 64), "w": entry([4], 16, 32)}
FRACTIONS = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}}'
EIGHT_BITS = {"weight_hh_l0": entry([8, 8], 0, 64, "F8_E4M3"), "weight_ih_l0": entry([0], 64, 64)}
DEEP = b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."
HUGE_HEADER = npy_header("(1000000, 1000000000)") + FLOATS
BOMB = {"weight_hh_l0.npy": npy_header("(5000, 5000)") + bytes(10**8)}
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty file": (lambda: b"", "empty"),
    "random bytes": (lambda: np.random.default_rng(0).bytes(5000), "no known format"),
    "a Git LFS pointer": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "an HTML page": (lambda: b"<!DOCTYPE html><html></html>", "HTML"),
    "a pickle of no arrays": (lambda: pickle.dumps({"a": 1}), "no tensors"),
    "a lone array": (lambda: npy_header("(4, 4)") + FLOATS, "single array"),
    "a zip of nothing known": (lambda: zipped({"readme.txt": b"hello"}), "none of them weights"),
    "a zip cut short": (lambda: npz(**GOOD)[:-60], "zip"),
    "npz: 1e6 by 1e9 elements": (lambda: zipped({"weight_hh_l0.npy": HUGE_HEADER}), "weight_hh_l0"),
    "npz: 2**60 elements": (lambda: zipped({"w.npy": npy_header(f"({2**60},)")}), "room for"),
    "npz: a negative size": (lambda: zipped({"w.npy": npy_header("(-1, 4)")}), "sizes from 0"),
    "npz: a deep header": (lambda: zipped({"w.npy": npy_header("(" * 3000 + ")" * 3000)}), ".npy header"),
    "npz: objects": (lambda: npz(weight_ih_l0=GOOD["weight_ih_l0"], weight_hh_l0=np.array([[None]])), "object"),
    "npz: integers": (lambda: npz(weight_ih_l0=GOOD["weight_ih_l0"], weight_hh_l0=np.ones((4, 4), int)), "int64"),
    "npz: a bomb": (lambda: zipped(BOMB, zipfile.ZIP_DEFLATED), "expand"),
    "npz: shapes that do not fit": (lambda: npz(**{**GOOD, "weight_ih_l0": np.ones((5, 3))}), "4 gate rows"),
    "npz: two gates": (lambda: npz(weight_ih_l0=np.ones((8, 3)), weight_hh_l0=np.ones((8, 4))), "3n or 4n"),
    "npz: no input weights": (lambda: npz(weight_hh_l0=np.ones((4, 4))), "weight_ih_l0"),
    "npz: a bias of another size": (lambda: npz(**GOOD, bias_ih_l0=np.ones(5)), "bias_ih_l0"),
    "npz: no recurrent layer": (lambda: npz(head=np.ones((2, 3))), "head (2 × 3, float64)"),
    "npz: names that climb": (lambda: zipped({"../../up.npy": npy_header("(4, 4)") + FLOATS}), "../../up"),
    "npz: a name with escapes": (lambda: npz(**{"\x1b[31m\nred": np.ones(3)}), "?[31m?red"),
    "torch: a pickle cut short": (lambda: torch_zip(torch_view(0, (4, 4), (4, 1))[:-20]), "whole pickle"),
    "torch: a storage that is absent": (lambda: torch_zip(torch_view(0, (4, 4), (4, 1))), "storage 0"),
    "torch: an offset outside": (lambda: torch_zip(torch_view(1, (4, 4), (4, 1)), **{"0": FLOATS}), "reaches outside"),
    "torch: a stride outside": (lambda: torch_zip(torch_view(0, (4, 4), (5, 1)), **{"0": FLOATS}), "reaches outside"),
    "torch: a negative stride": (lambda: torch_zip(torch_view(0, (4, 4), (-4, 1)), **{"0": FLOATS}), "stride"),
    "torch: 2**40 rows, stride 0": (lambda: torch_zip(torch_view(0, (2**40, 4), (0, 1)), **{"0": FLOATS}), "room for"),
    "torch: 2**60 elements": (lambda: torch_zip(torch_view(0, (2**60,), (1,), 2**60), **{"0": FLOATS}), "room for"),
    "torch: 100000 lists deep": (lambda: torch_zip(DEEP), "no tensors"),
    "torch: a tuple that holds itself": (lambda: torch_zip(b"\x80\x02]q\x00(h\x00h\x00e."), "no tensors"),
    "torch: doubling lists": (lambda: torch_zip(b"\x80\x02]" + b"q\x00]h\x00ah\x00a" * 60 + b"."), "no tensors"),
    "torch: a memo far out": (lambda: torch_zip(b"\x80\x02]r\xff\xff\xff\xff."), "no tensors"),
    "torch: a long of 2 GB": (lambda: torch_zip(b"\x80\x02\x8b\xff\xff\xff\x7f."), "whole pickle"),
    "torch: text of 2**63": (lambda: torch_zip(b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f."), "whole pickle"),
    "torch: nothing on the stack": (lambda: torch_zip(b"\x80\x02R."), "whole pickle"),
    "safetensors: a header of 2**60": (lambda: struct.pack("<Q", 2**52) + b"{}", "header"),
    "safetensors: no JSON": (lambda: safetensors(b"{nonsense"), "JSON"),
    "safetensors: 100000 deep": (lambda: safetensors(b'{"a":' * 10**5), "JSON"),
    "safetensors: outside": (lambda: safetensors({"w": entry([4, 4], 0, 64)}, FLOATS[:60]), "data_offsets"),
    "safetensors: backwards": (lambda: safetensors({"w": entry([4, 4], 64, 0)}, FLOATS), "data_offsets"),
    "safetensors: fractions": (lambda: safetensors(FRACTIONS, FLOATS), "data_offsets"),
    "safetensors: another size": (lambda: safetensors({"w": entry([4, 3], 0, 64)}, FLOATS), "48 bytes"),
    "safetensors: overlapping": (lambda: safetensors(OVERLAPPING, FLOATS), "inside another"),
    "safetensors: a shape of text": (lambda: safetensors({"w": entry(["4"], 0, 64)}, FLOATS), "sizes"),
    "safetensors: a name twice": (lambda: safetensors(b'{"w":{},"w":{}}'), "once"),
    "safetensors: float8": (lambda: safetensors(EIGHT_BITS, FLOATS), "F8_E4M3"),
    "hdf5: cut short": (lambda: KERAS.read_bytes()[:9000], "HDF5"),
    "keras: no weights inside": (lambda: zipped({"config.json": b"{}", "model.weights.h5": b"nonsense"}), "HDF5"),
    "keras: no JSON": (lambda: zipped({"config.json": b"{", "model.weights.h5": KERAS.read_bytes()}), "JSON"),
    "onnx: cut short": (lambda: (FIXTURES / "peephole.onnx").read_bytes()[:300], "ONNX"),
    "msgpack: cut short": (lambda: (FIXTURES / "linen.msgpack").read_bytes()[:300], "msgpack"),
    "msgpack: 2**32 entries": (lambda: b"\x81\xa1a\xdf\xff\xff\xff\xff", "msgpack"),
    "msgpack: 100000 deep": (lambda: b"\x81\xa1a" * 10**5, "msgpack"),
    "legacy: cut short": (lambda: (FIXTURES / "modules_legacy.pt").read_bytes()[:-5], "cut short"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    make, words = HOSTILE[name]
    path = tmp_path / "model.pt"
    path.write_bytes(make())
    tracemalloc.start()
    try:
        with pytest.raises(VanishgradError, match="expected") as caught:
            recurrent_layers(path).layers[0].build()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 1000
    assert peak < BOUND
    assert os.listdir(tmp_path) == ["model.pt"]


def test_items_of_a_pickle_are_counted_before_they_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.pt"
    path.write_bytes(torch_zip(b"\x80\x02(" + b"K\x01" * (2**22 + 1) + b"l."))
    with pytest.raises(VanishgradError, match="with at most 4194304 items"):
        recurrent_layers(str(path))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_is_read_and_not_obeyed(protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "trap.pt"
    path.write_bytes(torch_zip(pickle.dumps({"weight": Trap(mark)}, protocol)))
    with pytest.raises(VanishgradError, match="no tensors"):
        recurrent_layers(path)
    assert not mark.exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_named(value: float, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    bad = GOOD["weight_hh_l0"].copy()
    bad[1, 2] = value
    path.write_bytes(npz(weight_ih_l0=GOOD["weight_ih_l0"], weight_hh_l0=bad))
    layer = recurrent_layers(path).layers[0]
    with pytest.raises(VanishgradError, match=rf"{value} at \[1, 2\] in weight_hh_l0 of .*model.npz"):
        layer.build()


def test_a_folder_and_an_absent_file_are_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(VanishgradError, match="a folder"):
        recurrent_layers(tmp_path)
    with pytest.raises(VanishgradError, match="nothing"):
        recurrent_layers(tmp_path / "absent.pt")


def test_an_ending_that_lies_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((FIXTURES / "compiled.pt").read_bytes())
    assert recurrent_layers(path).format == "pytorch"


def test_onnx_numbers_outside_the_folder_are_refused() -> None:
    with pytest.raises(VanishgradError, match="own folder"):
        recurrent_layers(FIXTURES / "outside.onnx")


def test_onnx_numbers_through_a_link_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "external.bin").write_bytes((FIXTURES / "external.bin").read_bytes())
    (folder / "external.bin").symlink_to(tmp_path / "external.bin")
    (folder / "external.onnx").write_bytes((FIXTURES / "external.onnx").read_bytes())
    with pytest.raises(VanishgradError, match="own folder"):
        recurrent_layers(folder / "external.onnx")


@pytest.mark.parametrize("kind", ["soft link", "external link", "external data", "virtual"])
def test_hdf5_that_reaches_out_is_refused(kind: str, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("lstm")
        if kind == "soft link":
            group["recurrent_kernel"] = h5py.SoftLink("/elsewhere")
        elif kind == "external link":
            group["recurrent_kernel"] = h5py.ExternalLink("other.h5", "/w")
        elif kind == "external data":
            group.create_dataset("recurrent_kernel", (4, 4), "f4", external=[("/etc/hostname", 0, 64)])
        else:
            layout = h5py.VirtualLayout((4, 4), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "w", (4, 4))
            group.create_virtual_dataset("recurrent_kernel", layout)
    with pytest.raises(VanishgradError, match=r"inside .*model\.h5"):
        recurrent_layers(path)


def test_hdf5_that_declares_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("lstm/recurrent_kernel", (2**20, 2**20), "f4", chunks=(64, 64), compression="gzip")
    with pytest.raises(VanishgradError, match="recurrent_kernel"):
        recurrent_layers(path)


def test_hdf5_groups_in_a_circle_end(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a")
        file["a/again"] = file["a"]
    with pytest.raises(VanishgradError, match="no tensors"):
        recurrent_layers(path)
