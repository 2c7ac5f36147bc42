"""A matrix for each gate is one LSTM; conventions that names leave open are said by a flag that works on the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vanishgrad.cells import LSTM
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.weights.layers import Layer
from vanishgrad.weights.recognition import recurrent_layers

N, D = 4, 3
RNG = np.random.default_rng(3)
GATES = "ifco"


def only(mapping: dict[str, Any], **hints: Any) -> Layer:
    (layer,) = recurrent_layers(mapping, **hints)
    return layer


def matrices(
    input_name: str, recurrent_name: str, bias_name: str, is_linear: bool, d: int = D
) -> dict[str, np.ndarray]:
    """The three families of a hand-made LSTM, the gate's letter in the place of *."""
    shapes = {input_name: (N, d) if is_linear else (d, N), recurrent_name: (N, N), bias_name: (N,)}
    return {name.replace("*", gate): RNG.standard_normal(shape) for name, shape in shapes.items() for gate in GATES}


def stacked(mapping: dict[str, np.ndarray], name: str, is_linear: bool) -> np.ndarray:
    """The rows i f g o of a family."""
    each = [mapping[name.replace("*", gate)] for gate in GATES]
    return np.concatenate([values if is_linear or values.ndim == 1 else values.T for values in each])


NAMINGS = [
    ("W_*", "U_*", "b_*", False),
    ("U_*", "V_*", "b_*", False),
    ("W_x*", "W_h*", "b_*", False),
    ("lstm.W_*.weight", "lstm.U_*.weight", "lstm.U_*.bias", True),
    ("cell.x2h_*.weight", "cell.h2h_*.weight", "cell.h2h_*.bias", True),
]


@pytest.mark.parametrize(("inputs", "recurrent", "bias", "is_linear"), NAMINGS)
def test_sisters_that_differ_by_a_letter_are_one_lstm(inputs: str, recurrent: str, bias: str, is_linear: bool) -> None:
    mapping = matrices(inputs, recurrent, bias, is_linear)
    layer = only(mapping)
    cell = layer.build()
    assert isinstance(cell, LSTM)
    np.testing.assert_array_equal(cell.W_hx[0], stacked(mapping, inputs, is_linear))
    np.testing.assert_array_equal(cell.W_hh[0], stacked(mapping, recurrent, is_linear))
    np.testing.assert_array_equal(cell.b[0], stacked(mapping, bias, is_linear))


def test_words_for_gates_are_read_as_their_letters() -> None:
    words = {"i": "input", "f": "forget", "c": "cell", "o": "output"}
    mapping = {f"rnn.{words[gate]}_gate_{side}.weight": RNG.standard_normal((N, width))
               for gate in GATES for side, width in (("i", D), ("h", N))}  # fmt: skip
    assert (only(mapping).cell, only(mapping).input_size) == ("lstm", D)


@pytest.mark.parametrize("letters", ["zrh", "ifo", "zrn"])
def test_sets_of_gates_whose_equations_names_do_not_tell_are_refused_and_never_several_networks(letters: str) -> None:
    mapping = {f"{name}_{gate}": RNG.standard_normal(shape) for gate in letters
               for name, shape in (("W", (D, N)), ("U", (N, N)), ("b", (N,)))}  # fmt: skip
    with pytest.raises(VanishgradError, match="a matrix for each of"):
        recurrent_layers(mapping)


def test_squares_that_names_do_not_tell_apart_are_refused() -> None:
    with pytest.raises(VanishgradError, match="tell apart"):
        recurrent_layers(matrices("P_*", "Q_*", "b_*", False, d=N))


def test_a_peephole_beside_them_is_refused() -> None:
    mapping = matrices("W_x*", "W_h*", "b_*", False) | {"zeta": np.ones(N)}
    with pytest.raises(VanishgradError, match="zeta"):
        recurrent_layers(mapping)


def test_a_mask_and_an_attention_are_no_recurrence() -> None:
    square = np.ones((N, N))
    attention = {"decoder.attention.W.weight": square, "decoder.attention.U.weight": square}
    with pytest.raises(VanishgradError, match="expected a recurrent layer"):
        recurrent_layers(attention)
    with pytest.raises(VanishgradError, match="expected a recurrent layer"):
        recurrent_layers({"weight_hh_l0_mask": square, "weight_ih_l0_mask": square})


def test_gates_are_taken_in_the_order_that_is_said() -> None:
    U = np.repeat(np.arange(4.0), N)[:, None] * np.ones(N)
    layer = only({"w_ih": U, "w_hh": U}, gates="fiog")
    assert layer.build().W_hh[0, ::N, 0].tolist() == [1, 0, 3, 2]
    assert any("--gates" in note for note in only({"w_ih": U, "w_hh": U}).assumptions)
    with pytest.raises(UsageError, match="--gates"):
        only({"w_ih": U, "w_hh": U}, gates="fifo")


def test_an_offset_of_the_forget_gate_is_added() -> None:
    mapping = {"w_ih": np.ones((4 * N, D)), "w_hh": np.ones((4 * N, N)), "b": np.zeros(4 * N)}
    assert only(mapping, forget_offset=1.0).build().b[0].tolist() == [0.0] * N + [1.0] * N + [0.0] * 2 * N


@pytest.mark.parametrize(
    ("shapes", "recurrent", "notes"),
    [
        ({"U": (N, N), "W": (N, N)}, "U", 1),
        ({"U": (N, N), "W": (N, N), "V": (9, N)}, "W", 1),
        ({"U": (N, 9), "W": (N, N), "V": (9, N)}, "W", 0),
        ({"U": (N, 9), "W": (N, N)}, "W", 0),
        ({"U": (N, N), "W": (N, 9)}, "U", 0),
    ],
)
def test_the_letters_of_textbooks_are_told_by_shape_and_by_v(
    shapes: dict[str, tuple[int, ...]], recurrent: str, notes: int
) -> None:
    mapping = {name: RNG.standard_normal(shape) for name, shape in shapes.items()}
    layer = only(mapping)
    assert layer.roles["W_hh"].name == recurrent
    assert sum("--recurrent" in note for note in layer.assumptions) == notes
    if notes:
        other = {"U": "W", "W": "U"}[recurrent]
        assert only(mapping, recurrent=other).roles["W_hh"].name == other


def test_two_tensors_of_any_name_are_a_layer_if_the_user_says_so() -> None:
    mapping = {"net.A": np.eye(N), "net.B": np.ones((N, D))}
    layer = only(mapping, recurrent="A", input_weight="B")
    np.testing.assert_array_equal(layer.build().W_hh[0], np.eye(N))
