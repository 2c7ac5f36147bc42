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
}
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


def fuzz(reader: str, folder: Path, examples: int) -> None:
    originals = [(FIXTURES / file).read_bytes() for file in READERS[reader]]
    path = folder / "mutated"

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(originals), edits, ends)
    def run(original: bytes, changes: list[tuple[float, bytes, int]], end: float) -> None:
        path.write_bytes(mutated(original, changes, end))
        judge(path)

    run()


def needs(reader: str) -> None:
    if reader in ("hdf5", "keras"):
        pytest.importorskip("h5py")


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
    """Twenty thousand in all."""
    needs(reader)
    fuzz(reader, tmp_path, examples=2500)
