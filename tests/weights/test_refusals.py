"""What a refusal or a note tells to do: the index of a shard, the source of an unrolled graph, the flag of an offset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.recognition import layers_of, recurrent_layers

FIXTURES = Path(__file__).parent / "fixtures"
N, D = 4, 3
RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("present", ["rnn.weight_hh_l0", "encoder.bias"])
def test_a_shard_alone_names_its_index(present: str, tmp_path: Path) -> None:
    path = tmp_path / "model-00002-of-00003.safetensors"
    save_file({present: RANDOM.normal(size=(4 * N, N))}, path)
    with pytest.raises(VanishgradError, match=r"try \S+model\.safetensors\.index\.json or its folder"):
        recurrent_layers(path)


def field(number: int, content: bytes) -> bytes:
    """Return a field of a protobuf message, for contents below 128 bytes or below 16384."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def unrolled(path: Path, steps: int, between: tuple[str, ...] = ("Tanh",)) -> None:
    """Write h = tanh(h @ R) over some steps as ONNX nodes of their own, or other nodes between the products."""
    graph = b""
    for k in range(steps):
        names = [f"a{k}", *(f"a{k}.{place}" for place in range(1, len(between))), f"h{k + 1}"]
        rest = [([read], written, name) for read, written, name in zip(names, names[1:], between, strict=False)]
        for read, written, name in (([f"h{k}", "R"], f"a{k}", "MatMul"), *rest):
            node = b"".join(field(1, each.encode()) for each in read) + field(2, written.encode())
            graph += field(1, node + field(4, name.encode()))
    R = RANDOM.normal(size=(N, N)).astype("<f4").tobytes()
    graph += field(5, bytes([8, N, 8, N, 16, 1]) + field(8, b"R") + field(9, R)) + field(11, field(1, b"h0"))
    path.write_bytes(bytes([8, 8]) + field(7, graph))


@pytest.mark.parametrize(("steps", "words"), [(5, "5 products with R, as of a cell unrolled"), (1, "1 tensor ")])
def test_an_unrolled_cell_is_told_from_a_single_product(steps: int, words: str, tmp_path: Path) -> None:
    unrolled(tmp_path / "cell.onnx", steps)
    with pytest.raises(VanishgradError, match=words):
        recurrent_layers(tmp_path / "cell.onnx")


def test_blocks_with_tied_weights_are_no_unrolled_cell(tmp_path: Path) -> None:
    """As in transformers whose layers share their weights: a norm or a softmax stands between the products."""
    unrolled(tmp_path / "blocks.onnx", 5, ("Tanh", "LayerNormalization"))
    with pytest.raises(VanishgradError, match="1 tensor "):
        recurrent_layers(tmp_path / "blocks.onnx")


def test_branches_with_tied_weights_are_no_unrolled_cell(tmp_path: Path) -> None:
    """Nothing leads from one product to the next: no node takes in what the branch before puts out."""
    unrolled(tmp_path / "branches.onnx", 5, ())
    with pytest.raises(VanishgradError, match="1 tensor "):
        recurrent_layers(tmp_path / "branches.onnx")


def test_a_node_that_contradicts_its_weights_is_refused() -> None:
    file = open_tensors(FIXTURES / "torch_lstm_old.onnx")
    (node, *_) = (each for graph in file.configuration["onnx"].every() for each in graph.nodes if each.op == "LSTM")
    node.attributes["hidden_size"] = 17
    found = layers_of(file, Hints())
    (sentence, *_) = found.refused
    assert "expected R of hidden_size 17, as the node says, got" in sentence
    assert node.name.strip("/").replace("/", ".") not in [layer.name for layer in found]


def test_the_one_that_tensorflow_1_adds_is_noted_with_the_flag_that_takes_it_off() -> None:
    name = "rnn/basic_lstm_cell/"
    weights = {name + "kernel": RANDOM.normal(size=(D + N, 4 * N)), name + "bias": RANDOM.normal(size=4 * N)}
    (usual,), (without,) = (recurrent_layers(weights, forget_offset=each).layers for each in (None, -1.0))
    assert any("--forget-offset -1" in note for note in usual.assumptions)
    expected = weights[name + "bias"].reshape(4, N)[2]
    for layer, offset in ((usual, 1.0), (without, 0.0)):
        np.testing.assert_allclose(
            layer.roles["b_x"].read().reshape(4, N)[2], expected + offset, rtol=1e-15, atol=1e-15
        )


def test_the_course_cs231n_has_its_own_order_of_gates() -> None:
    weights = {
        "Wx": RANDOM.normal(size=(D, 4 * N)),
        "Wh": RANDOM.normal(size=(N, 4 * N)),
        "b": RANDOM.normal(size=4 * N),
    }
    (layer,) = recurrent_layers(weights).layers
    assert layer.stacking.order("lstm") == "ifog"
    assert any("--gates" in note for note in layer.assumptions)


@pytest.mark.parametrize("length", range(1, 6))
def test_a_file_of_a_few_zeros_is_refused(length: int, tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(length))
    with pytest.raises(VanishgradError, match="expected weights"):
        recurrent_layers(tmp_path / "zeros")


def test_peepholes_beside_a_projection_are_not_dropped() -> None:
    """TensorFlow 1's LSTMCell(use_peepholes=True, num_proj=2)."""
    shapes = {"kernel": (D + 2, 4 * N), "bias": (4 * N,), "projection/kernel": (N, 2)}
    shapes |= {f"w_{gate}_diag": (N,) for gate in "ifo"}
    with pytest.raises(VanishgradError, match="expected peepholes or a projection, got both"):
        recurrent_layers({f"rnn/lstm_cell/{name}": RANDOM.normal(size=shape) for name, shape in shapes.items()})
