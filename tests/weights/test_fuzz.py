"""Mutated real files: a layer or one sentence, never a traceback, and memory bounded by the file."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
READERS = {
    "npz": ["modules.npz", "linen.npz"],
    "pytorch": ["modules.pt", "lightning.ckpt", "whole_module.pt", "torchscript.pt", "weight_norm.pt"],
    "pytorch-legacy": ["modules_legacy.pt", "views_legacy.pt"],
    "safetensors": ["modules.safetensors"],
    "hdf5": ["stack.h5", "stack.weights.h5"],
    "keras": ["nested.keras"],
    "onnx": ["torch_lstm_old.onnx", "behind_nodes.onnx", "inside_if.onnx", "listed.onnx", "dequantised.onnx"],
    "msgpack": ["linen.msgpack", "linen_bfloat16.msgpack"],
    "pytorch-export": ["exported.pt2"],
    "pickle": ["arrays_protocol2.pkl", "arrays_protocol4.pkl", "arrays_protocol5.pkl"],
    "safetensors-index": ["sharded"],
    "distributed-checkpoint": ["distributed"],
    "keras-shards": ["keras_shards"],
    "tensorflow": ["tensorflow_1", "saved_model"],
    "tensorflow-js": ["tensorflow_js"],
    "equinox": ["gru.eqx", "lstm.eqx"],
    "orbax": ["orbax"],
    "mxnet": ["mxnet.params"],
    "mindspore": ["mindspore.ckpt"],
    "paddle": ["paddle"],
    "keras1": ["keras1.h5"],
}
"""Format → fixtures, files or folders."""
BOUND = 64 << 20
"""Bytes that a reader may allocate for any mutation of these files, all below 100 kB."""
EXTREMES = [bytes(8), b"\xff" * 8, b"\xff" * 7 + b"\x7f", (1 << 60).to_bytes(8, "little"), b"\x80\0\0\0"]

edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(EXTREMES) | st.binary(max_size=9), st.integers(0, 16)),
    min_size=1,
    max_size=8,
)
ends = st.just(1.0) | st.floats(0, 1)


def mutated(data: bytes, changes: list[tuple[float, bytes, int]], end: float) -> bytes:
    """Return data with stretches replaced at relative places, and what is behind `end` cut off."""
    for place, new, removed in changes:
        start = int(place * len(data))
        data = data[:start] + new + data[start + removed :]
    return data[: int(end * len(data))]


def judge(path: Path) -> None:
    """Read everything; only the project's own error may come out."""
    message = ""
    try:
        for layer in recurrent_layers(path):
            layer.build()
    except VanishgradError as error:
        message = str(error)
    assert "\n" not in message


def pieces(name: str) -> list[Path]:
    """Return the files of a fixture."""
    whole = FIXTURES / name
    return sorted(each for each in whole.rglob("*") if each.is_file()) if whole.is_dir() else [whole]


def fuzz(reader: str, folder: Path, examples: int) -> None:
    """Mutate one file of a fixture after the other, those beside it left whole."""
    places = [(name, each) for name in READERS[reader] for each in pieces(name)]
    for _, each in places:
        target = folder / each.relative_to(FIXTURES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(each.read_bytes())

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(places), edits, ends)
    def run(place: tuple[str, Path], changes: list[tuple[float, bytes, int]], end: float) -> None:
        name, piece = place
        original, target = piece.read_bytes(), folder / piece.relative_to(FIXTURES)
        target.write_bytes(mutated(original, changes, end))
        judge(folder / name)
        target.write_bytes(original)

    run()


def needs(reader: str) -> None:
    if reader in ("hdf5", "keras", "keras-shards", "keras1"):
        pytest.importorskip("h5py")
    if reader == "orbax":
        pytest.importorskip("tensorstore")


@pytest.mark.parametrize("reader", READERS)
def test_mutated_files_are_read_or_refused(reader: str, tmp_path: Path) -> None:
    needs(reader)
    tracemalloc.start()
    try:
        fuzz(reader, tmp_path, examples=40)
        assert tracemalloc.get_traced_memory()[1] < BOUND
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_many_mutated_files_are_read_or_refused(reader: str, tmp_path: Path) -> None:
    """At least twenty thousand in all."""
    needs(reader)
    fuzz(reader, tmp_path, examples=2500)
