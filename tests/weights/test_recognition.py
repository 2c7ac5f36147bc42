"""What is recognised from names, shapes and configuration, what is assumed, and how the user chooses otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.weights.hints import CHOICES, Hints
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.layouts.plain import BIASES, NAMINGS
from vanishgrad.weights.recognition import layers_of, recurrent_layers
from vanishgrad.weights.tensors import TensorFile, stored_array

FIXTURES = Path(__file__).parent / "fixtures"
N, D = 4, 3
RNG = np.random.default_rng(1)


def weights(gates: int, suffix: str = "_l0", path: str = "", width: int = D) -> dict[str, np.ndarray]:
    shapes = {
        "weight_ih": (gates * N, width),
        "weight_hh": (gates * N, N),
        "bias_ih": (gates * N,),
        "bias_hh": (gates * N,),
    }
    return {f"{path}{name}{suffix}": RNG.standard_normal(shape) for name, shape in shapes.items()}


def only(mapping: dict[str, Any], **hints: str) -> Layer:
    (layer,) = recurrent_layers(mapping, **hints)
    return layer


@pytest.mark.parametrize(("gates", "cell"), [(1, "rnn"), (3, "gru"), (4, "lstm")])
def test_the_ratio_of_sides_tells_the_cell(gates: int, cell: str) -> None:
    layer = only(weights(gates))
    assert (layer.cell, layer.hidden_size, layer.input_size) == (cell, N, D)
    assert layer.build().name == cell
    assert "weight_hh_l0" in layer.why


@pytest.mark.parametrize(
    ("prefixes", "names"),
    [
        ([""], ["lstm.0"]),
        (["rnn."], ["rnn.0"]),
        (["module.rnn."], ["rnn.0"]),
        (["_orig_mod.module.rnn."], ["rnn.0"]),
        (["state_dict.model.encoder.rnn."], ["encoder.rnn.0"]),
        (["model.", "ema."], ["model.0", "ema.0"]),
        (["module.encoder.", "module.decoder."], ["encoder.0", "decoder.0"]),
    ],
)
def test_wrappers_are_no_part_of_a_name(prefixes: list[str], names: list[str]) -> None:
    mapping = {name: value for prefix in prefixes for name, value in weights(4, path=prefix).items()}
    assert [layer.name for layer in recurrent_layers(mapping)] == names


def test_a_stack_is_driven_by_the_layer_below_and_both_its_directions() -> None:
    layers = recurrent_layers(FIXTURES / "modules.pt")
    assert layers["lstm.1"].driven_by == ("lstm.0", "lstm.0.reverse")
    assert layers["projected.1"].driven_by == ("projected.0",)
    assert layers["lstm.0"].driven_by is None
    assert [layer.direction for layer in layers.select(["lstm"])] == ["forward", "backward"] * 2
    assert recurrent_layers(FIXTURES / "views.pt").layers[0].driven_by == ()


def test_layers_whose_widths_do_not_fit_are_not_stacked() -> None:
    layers = recurrent_layers({**weights(4), **weights(4, "_l1", width=D)})
    assert [layer.driven_by for layer in layers] == [(), None]


@pytest.mark.parametrize("file", ["stack.keras", "stack.h5"])
def test_a_keras_configuration_tells_the_order(file: str) -> None:
    layers = {layer.name: layer.driven_by for layer in recurrent_layers(FIXTURES / file)}
    assert layers == {
        "plain": (),
        "memory": ("plain",),
        "after": ("memory",),
        "before": ("after",),
        "both": ("before",),
        "both.reverse": ("before",),
        "unbiased": ("both", "both.reverse"),
        "hard": None,
    }


def test_onnx_edges_tell_the_order() -> None:
    first, _, second, _ = recurrent_layers(FIXTURES / "torch_lstm_old.onnx")
    assert first.driven_by == ()
    assert second.driven_by == (first.name, f"{first.name}.reverse")


def test_what_an_optimiser_keeps_is_no_layer() -> None:
    moments = {f"optimizer.state.{name}": value for name, value in weights(4).items()}
    assert len(recurrent_layers({**weights(4), **moments})) == 1
    assert len(recurrent_layers(FIXTURES / "nested.keras")) == 2


ASSUMED = [
    ("relu.pt", "encoder.0", ["--activation relu"]),
    ("stack.weights.h5", "lstm", ["--activation relu", "--gate-activation hard_sigmoid or hard_sigmoid_0.2"]),
    ("stack.weights.h5", "gru_2", ["--activation", "--gate-activation", "--reset before"]),
    ("linen.npz", "SimpleCell_0", ["--activation relu"]),
    ("modules.pt", "lstm.0", []),
    ("stack.keras", "unbiased", []),
    ("whole_module.pt", "encoder.0", []),
]


@pytest.mark.parametrize(("file", "name", "flags"), ASSUMED)
def test_what_the_file_leaves_open_is_said_with_its_flag(file: str, name: str, flags: list[str]) -> None:
    assumptions = recurrent_layers(FIXTURES / file)[name].assumptions
    assert len(assumptions) == len(flags)
    assert all(flag in sentence for flag, sentence in zip(flags, assumptions, strict=True))


def test_hints_choose_the_other_reading() -> None:
    layer = only(weights(3), reset="before", activation="relu", gate_activation="hard_sigmoid_0.2")
    assert (layer.reading.reset, layer.reading.activation.name) == ("before", "relu")
    assert layer.reading.gate_activation is not None
    assert layer.reading.gate_activation.gamma == 0.2
    assert len(layer.assumptions) == 3


@pytest.mark.parametrize(
    ("file", "hints", "words"),
    [
        ("stack.keras", {"activation": "sigmoid"}, "as the file says"),
        ("peephole.onnx", {"layout": "pytorch"}, "as the file says"),
        ("views.pt", {"reset": "before"}, "expected a GRU"),
        ("relu.pt", {"gate_activation": "sigmoid"}, "expected gates"),
        ("views.pt", {"cell": "gru"}, "--cell gru"),
        ("views.pt", {"layout": "keras"}, "keras layout"),
    ],
)
def test_a_hint_that_contradicts_the_file_is_refused(file: str, hints: dict[str, str], words: str) -> None:
    with pytest.raises(VanishgradError, match=words):
        recurrent_layers(FIXTURES / file, **hints)


def test_an_unknown_hint_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--gate-activation"):
        recurrent_layers(weights(4), gate_activation="swish")


@pytest.mark.parametrize("weights", NAMINGS, ids=" ".join)
@pytest.mark.parametrize("biases", BIASES, ids=" ".join)
@pytest.mark.parametrize("affixes", [("", ""), ("enc_", ""), ("dec.", "_1")])
def test_plain_names_are_recognised(
    weights: tuple[str, str], biases: tuple[str, ...], affixes: tuple[str, str]
) -> None:
    shapes = dict(zip(weights, [(4 * N, N), (4 * N, D)], strict=True)) | dict.fromkeys(biases, (4 * N,))
    layer = only({affixes[0] + name + affixes[1]: np.ones(shape) for name, shape in shapes.items()})
    assert layer.cell == "lstm"
    assert set(layer.roles) == {"W_hh", "W_hx", *("b_x", "b_h")[: len(biases)]}


def test_plain_matrices_are_read_in_either_orientation() -> None:
    W, U = RNG.standard_normal((3 * N, D)), RNG.standard_normal((3 * N, N))
    upright, lying = only({"w_ih": W, "w_hh": U}, layout="pytorch"), only({"w_ih": W.T, "w_hh": U.T}, layout="flax")
    np.testing.assert_array_equal(upright.build().W_hh, lying.build().W_hh)
    np.testing.assert_array_equal(upright.build().W_hx, lying.build().W_hx)


def test_a_layout_orders_the_gates() -> None:
    U = np.repeat(np.arange(4.0), N)[:, None] * np.ones(N)
    built = only({"w_ih": U, "w_hh": U}, layout="onnx").build()
    assert built.W_hh[0, ::N, 0].tolist() == [0, 2, 3, 1]


def test_orientation_of_squares_is_an_assumption_with_its_flag() -> None:
    assumptions = only({"w_ih": np.ones((N, N)), "w_hh": np.ones((N, N))}).assumptions
    assert any("--layout keras" in sentence for sentence in assumptions)


def test_integer_weights_that_are_a_layer_are_refused_beside_one_that_is_not() -> None:
    quantised = {name: value.astype(np.int8) for name, value in weights(4, path="small.").items()}
    layers = recurrent_layers({**weights(4, path="large."), **quantised})
    assert [layer.name for layer in layers] == ["large.0"]
    assert "int8" in layers.refused[0]


def test_integers_packed_by_pytorch_are_refused_by_name() -> None:
    with pytest.raises(VanishgradError, match="dynamically quantised"):
        recurrent_layers(FIXTURES / "quantized.pt")


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (("parametrizations.weight_hh_l0.original", "parametrizations.weight_hh_l0.0.zeta"), "0.zeta, which is not"),
        (("parametrizations.weight_hh_l0.original",), "a parametrisation of its own"),
        (("parametrizations.weight_hh_l0.original", "parametrizations.weight_hh_l0.0.lora_A"), "LoRA"),
        (("weight_hh_l0_orig",), "prune.remove"),
        (("weight_hh_l0_orig", "weight_hh_l0_u"), "a parametrisation of u"),
    ],
)
def test_pieces_of_no_known_kind_are_refused_by_name(pieces: tuple[str, ...], words: str) -> None:
    mapping = weights(4) | {name: np.ones((4 * N, N)) for name in pieces}
    del mapping["weight_hh_l0"]
    with pytest.raises(VanishgradError, match=words):
        recurrent_layers(mapping)


def test_the_map_of_an_orthogonal_matrix_is_a_choice_with_its_flag() -> None:
    (layer,) = recurrent_layers(FIXTURES / "orthogonal_gru_householder.pt")
    assert any("--orthogonal-map matrix_exp or cayley" in sentence for sentence in layer.assumptions)


@pytest.mark.parametrize(("bias", "reset"), [(True, "after"), (False, "none")])
def test_a_minimal_unit_of_flax_keeps_with_its_gate_and_resets_where_hn_has_a_bias(bias: bool, reset: str) -> None:
    mapping = {f"cell/{name}/kernel": np.ones((N, N)) for name in ("if", "in", "hf", "hn")}
    (layer,) = recurrent_layers(mapping | ({"cell/hn/bias": np.ones(N)} if bias else {}))
    assert (layer.cell, dict(layer.reading.variant)) == ("mgu", {"reset": reset, "keep": "old"})


def test_two_gates_are_a_minimal_unit_only_if_someone_says_so() -> None:
    mapping = {"weight_hh_l0": np.ones((2 * N, N)), "weight_ih_l0": np.ones((2 * N, N))}
    with pytest.raises(VanishgradError, match="expected n, 3n or 4n rows"):
        recurrent_layers(mapping)
    (layer,) = recurrent_layers(mapping, cell="mgu", keep="old")
    assert dict(layer.reading.variant) == {"reset": "before", "keep": "old"}
    assert any("--reset after or none" in note for note in layer.assumptions)


def test_select_takes_a_path_and_names_the_nearest() -> None:
    layers = recurrent_layers(FIXTURES / "modules.pt")
    assert [layer.name for layer in layers.select(["projected", "rnn.0"])] == ["rnn.0", "projected.0", "projected.1"]
    with pytest.raises(VanishgradError, match="lstm_cell"):
        layers.select(["lstm_cel"])


def test_an_embedding_is_found_by_name() -> None:
    layers = recurrent_layers(FIXTURES / "nested.keras")
    assert layers.embedding("layers/embedding/vars/0").shape == (5, D)
    with pytest.raises(VanishgradError, match="layers/embedding/vars/0"):
        layers.embedding("layers/embeding/vars/0")


def test_the_digest_is_of_the_layers_own_tensors() -> None:
    whole, legacy, half = (recurrent_layers(FIXTURES / f"modules{kind}.pt") for kind in ("", "_legacy", "_float16"))
    digests = [layer.sha256 for layer in whole]
    assert len(set(digests)) == len(digests)
    assert digests == [layer.sha256 for layer in legacy]
    assert digests[0] != half.layers[0].sha256


@pytest.mark.parametrize("file", ["classes.keras", "classes.h5"])
def test_a_keras_configuration_is_found_in_every_nesting(file: str) -> None:
    layers = {layer.name: layer for layer in recurrent_layers(FIXTURES / file)}
    assert list(layers) == ["own", "own_cell.reverse", "cells.0", "cells.1", "both", "both.reverse"]
    assert [layer.reading.gate_activation and layer.reading.gate_activation.name for layer in layers.values()] == (
        ["hard_sigmoid"] * 6
    )
    assert layers["cells.1"].driven_by == ("cells.0",)
    assert layers["both"].driven_by == ("cells.1",)
    notes = " ".join(note for layer in layers.values() for note in layer.assumptions)
    assert "the file does not say" not in notes
    assert "recurrent_dropout 0.2" in notes
    assert "OwnLSTM is read as the LSTM" in notes


def configured(layer: dict[str, Any], units: int = N) -> TensorFile:
    """A file of weights in a nesting that no rule knows, with a configuration somewhere in it."""
    shapes = {"0": (D, 4 * N), "1": (N, 4 * N), "2": (4 * N,)}
    tensors = {f"layers/zeta/deep/cell/vars/{place}": np.ones(shape) for place, shape in shapes.items()}
    fields = {"units": units, "recurrent_initializer": {}, "unit_forget_bias": True, "activation": "relu"}
    entry = {"class_name": "Mine", "config": fields | {"recurrent_activation": "hard_sigmoid"} | layer}
    model = {"class_name": "OwnModel", "config": {"name": "m", "blocks": {"deep": [entry, {"x": [entry]}]}}}
    stored = {name: stored_array(name, value) for name, value in tensors.items()}
    return TensorFile("own.keras", "keras", stored, {"keras": model, "keras_version": "3.5.0"})


def test_a_configuration_of_no_known_nesting_is_believed_where_it_says_one_thing() -> None:
    (layer,) = layers_of(configured({}), Hints())
    assert (layer.reading.activation.name, layer.reading.gate_activation) == ("relu", CHOICES["hard_sigmoid"])
    assert "does not say" not in " ".join(layer.assumptions)
    (other,) = layers_of(configured({}, units=N + 1), Hints())
    assert "does not say" in " ".join(other.assumptions)


def test_a_configuration_that_its_tensors_contradict_is_refused() -> None:
    model = {"class_name": "Sequential", "config": {"layers": [
        {"class_name": "LSTM", "config": {"name": "lstm", "units": N - 1}}]}}  # fmt: skip
    shapes = {f"layers/lstm/cell/vars/{place}": shape for place, shape in enumerate([(D, 4 * N), (N, 4 * N), (4 * N,)])}
    tensors = {name: stored_array(name, np.ones(shape)) for name, shape in shapes.items()}
    with pytest.raises(VanishgradError, match="LSTM with 3 units"):
        layers_of(TensorFile("a.keras", "keras", tensors, {"keras": model}), Hints())
