"""Every tensor of a layer's module is used or explained: an unknown one is refused, what stands beside a layer is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.weights.formats import open_tensors
from vanishgrad.weights.hints import Hints
from vanishgrad.weights.layers import Layer, LayerFile
from vanishgrad.weights.recognition import layers_of, recurrent_layers
from vanishgrad.weights.tensors import TensorFile, stored_array

FIXTURES = Path(__file__).parent / "fixtures"
FILES = sorted(
    path
    for path in FIXTURES.iterdir()
    if path.suffix in (".pt", ".ckpt", ".npz", ".safetensors", ".msgpack", ".h5", ".hdf5", ".keras")
    and path.name != "quantized.pt"
)
WEIGHT = re.compile(
    r"(?:parametrizations[./])?weight_hh.*|recurrent_kernel.*|vars[./].*|(?:hi|hr|hf|h|dense_h)[./]kernel.*|"
    r"hgates[./].*|lateral/W|w4$|linear(?:_1)?[./]w$|_?w_h$|Wh$|U(?:_[irz])?$|input_gate_h.*"
)
"""What is left of a recurrent matrix's name behind its module's."""
N, D = 4, 3
LSTM = {
    "weight_ih": np.ones((4 * N, D)), "weight_hh": np.ones((4 * N, N)), "bias_ih": np.ones(4 * N),
    "bias_hh": np.ones(4 * N),
}  # fmt: skip


def module(layer: Layer) -> str:
    name = layer.roles["W_hh"].stored[0].name
    found = WEIGHT.search(name)
    return name[: found.start()] if found else ""


def strangers(layer: Layer) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of tensors that might act on the recurrence: vectors, squares, as many as the gates."""
    n, rows = layer.hidden_size, layer.gate_rows
    for shape in ((n,), (rows,), (n, n), layer.stacking.columns((rows, n))):
        for name in ("zeta", "zeta_l0", "zeta/kernel", "zeta.weight"):
            yield module(layer) + name, shape


def with_one_more(file: TensorFile, name: str, shape: tuple[int, ...]) -> LayerFile:
    return layers_of(replace(file, tensors={**file.tensors, name: stored_array(name, np.zeros(shape))}), Hints())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_one_unexplained_tensor_in_a_layers_module_is_refused(path: Path) -> None:
    if path.suffix in (".h5", ".hdf5", ".keras"):
        pytest.importorskip("h5py")
    file = open_tensors(path)
    layers = list(layers_of(file, Hints()))
    for layer in layers:
        for name, shape in strangers(layer):
            if len(layers) > 1:
                assert any("zeta" in sentence for sentence in with_one_more(file, name, shape).refused), (name, shape)
            else:
                with pytest.raises(VanishgradError, match="zeta"):
                    with_one_more(file, name, shape)


def read(mapping: dict[str, np.ndarray], *ignore: str) -> Layer:
    (layer,) = recurrent_layers(mapping, ignore=ignore)
    return layer


@pytest.mark.parametrize(
    ("beside", "looks"),
    [
        ({"ln_ih.weight": (16,), "ln_ih.bias": (16,)}, "norms"),
        ({"layernorm_c.weight": (4,)}, "norms"),
        ({"recurrent_norm.running_var": (16,)}, "norms"),
        ({"w_ci": (4,), "w_cf": (4,)}, "peepholes"),
        ({"mask": (16, 4)}, "masks"),
        ({"attn.weight": (1, 7)}, "attention"),
        ({"weight_mx": (4, 3), "weight_mh": (4, 4)}, "multiplicative"),
        ({"weight_hh_lora_A": (2, 4), "weight_hh_lora_B": (16, 2)}, "low-rank"),
        ({"bias_ch": (16,)}, "second biases"),
        ({"leak": ()}, "learned constant"),
        ({"skip.weight": (4, 4)}, "second recurrent matrix"),
        ({"weight_sh": (16, 2)}, "weights of the gates"),
    ],
)
@pytest.mark.parametrize("path", ["", "cell."])
def test_what_makes_it_another_cell_is_named_for_what_it_looks_like(
    path: str, beside: dict[str, tuple[int, ...]], looks: str
) -> None:
    cell = {path + name: value for name, value in LSTM.items()}
    with pytest.raises(VanishgradError, match=looks) as caught:
        read(cell | {path + name: np.zeros(shape) for name, shape in beside.items()})
    assert all(path + name.partition(".")[0] in str(caught.value) for name in beside)


@pytest.mark.parametrize(
    "beside",
    [
        {"fc.weight": (10, N), "fc.bias": (10,)},
        {"fc.weight": (N, N), "fc.bias": (N,)},
        {"head.0.weight": (N, N), "head.1.weight": (N,), "head.1.running_mean": (N,)},
        {"embedding.weight": (16, D)},
        {"encoder.conv.weight": (N, 2, 3), "encoder.norm.weight": (N,), "encoder.norm.num_batches_tracked": ()},
        {"W_out": (N, N), "b_out": (N,)},
        {"Why": (9, N), "by": (9,)},
        {"w2.weight": (10, N)},
        {"hidden2tag.weight": (N, N), "hidden2tag.bias": (N,)},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_heads_and_encoders_directly_under_a_layer_are_no_part_of_it(beside: dict[str, tuple[int, ...]]) -> None:
    assert read(LSTM | {name: np.zeros(shape) for name, shape in beside.items()}).without == ()


@pytest.mark.parametrize("beside", ["norm.weight", "attn.weight", "mask", "zeta"])
def test_what_stands_beside_a_layer_is_no_part_of_it(beside: str) -> None:
    cell = {"rnn." + name: value for name, value in LSTM.items()}
    assert read(cell | {beside: np.zeros((16, N))}).name == "rnn"


def test_ignore_reads_on_and_says_without() -> None:
    norms = {f"ln_{place}.{name}": np.ones(size) for place, size in (("ih", 16), ("hh", 16), ("ho", 4))
             for name in ("weight", "bias")}  # fmt: skip
    cell = {"cell." + name: value for name, value in (LSTM | norms).items()}
    assert read(cell, "ln_ih", "cell.ln_hh", "cell.ln_ho.weight", "ln_ho.bias").without == (
        "cell.ln_hh", "cell.ln_ho", "cell.ln_ih",
    )  # fmt: skip
    with pytest.raises(VanishgradError, match=r"cell\.ln_ho left over"):
        read(cell, "ln_ih", "ln_hh")
    with pytest.raises(VanishgradError, match="expected --ignore to name"):
        read(LSTM, "ln_ih")


def test_a_learned_start_is_said_with_the_flag_that_sets_it() -> None:
    assert "--initial" in read(LSTM | {"h0": np.ones(N)}).assumptions[-1]
