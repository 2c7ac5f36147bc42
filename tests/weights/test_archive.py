"""A cell written and read back is the same cell, bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vanishgrad.cells import GRU, LSTM, RNN, Cell
from vanishgrad.cells.activations import HARD_SIGMOID, LINEAR, RELU, TANH, hard_sigmoid
from vanishgrad.cells.antisymmetric import AntisymmetricRNN
from vanishgrad.cells.cornn import CoRNN
from vanishgrad.cells.coupled import CoupledLSTM
from vanishgrad.cells.indrnn import IndRNN
from vanishgrad.cells.janet import JANET
from vanishgrad.cells.ligru import LiGRU
from vanishgrad.cells.mgu import MGU
from vanishgrad.cells.mingru import MinGRU, MinLSTM
from vanishgrad.cells.peephole import PeepholeLSTM
from vanishgrad.cells.projected import ProjectedLSTM
from vanishgrad.errors import VanishgradError
from vanishgrad.weights.recognition import recurrent_layers
from vanishgrad.weights.save_npz import cell_npz

N, D, P = 4, 3, 2


def arrays(gates: int, h: int = N, trials: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((trials, *shape)) for shape in ((gates * N, h), (gates * N, D), (gates * N,)))


CELLS = {
    "rnn": RNN(*arrays(1)),
    "rnn-relu": RNN(*arrays(1), RELU),
    "lstm": LSTM(*arrays(4)),
    "lstm-hard": LSTM(*arrays(4), gate_activation=HARD_SIGMOID),
    "gru": GRU(*arrays(3), np.arange(4.0)),
    "gru-before": GRU(*arrays(3), np.arange(4.0), reset="before", gate_activation=HARD_SIGMOID),
    "mgu": MGU(*arrays(2), np.arange(4.0)),
    "mgu-flax": MGU(*arrays(2), np.arange(4.0), reset="after", keep="old"),
    "projected": ProjectedLSTM(*arrays(4, P), np.ones((P, N))),
}


OWN = {
    "peephole": PeepholeLSTM(*arrays(4), np.ones(3 * N)),
    "coupled": CoupledLSTM(*arrays(3)),
    "janet": JANET(*arrays(2), np.full((1, 1), 0.5)),
    "ligru-tanh": LiGRU(*arrays(2), TANH),
    "indrnn": IndRNN(*arrays(1)[1:], np.arange(4.0)),
    "mingru": MinGRU(*arrays(2)[1:]),
    "minlstm": MinLSTM(*arrays(3)[1:]),
    "antisymmetric": AntisymmetricRNN(*arrays(1), epsilon=0.1, gamma=0.01),
    "cornn": CoRNN(*arrays(1, 2 * N), dt=0.05),
}


@pytest.mark.parametrize("name", OWN)
def test_a_cell_that_pytorchs_names_cannot_say_comes_back_under_its_own(name: str, tmp_path: Path) -> None:
    cell, path = OWN[name], tmp_path / "cell.npz"
    path.write_bytes(cell_npz(cell, name))
    (layer,) = recurrent_layers(path)
    back = layer.build()
    assert type(back) is type(cell)
    assert (back.activation, back.gate_activation) == (cell.activation, cell.gate_activation)
    assert [getattr(back, key) for key in cell.row.numbers] == [getattr(cell, key) for key in cell.row.numbers]
    for tensor in cell.tensors:
        np.testing.assert_array_equal(getattr(back, tensor), getattr(cell, tensor))


@pytest.mark.parametrize(("tensor", "values", "sentence"), [
    ("W_hx", np.ones((7, D)), "expected W_hx of 2·n rows for a janet, got W_hx .7 × 3"),
    ("W_hh", np.ones((2 * N, 3)), "expected W_hh of 4 columns for a janet of 4 units, got 3"),
    ("beta", None, "expected the tensors of a saved janet, got none named beta"),
])  # fmt: skip
def test_a_damaged_archive_of_a_cell_is_refused(
    tensor: str, values: np.ndarray | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "cell.npz"
    path.write_bytes(cell_npz(OWN["janet"], "janet"))
    members = {**np.load(path), tensor: values}
    np.savez(path, **{name: each for name, each in members.items() if each is not None})
    with pytest.raises(VanishgradError, match=sentence):
        recurrent_layers(path).layers[0].build()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_comes_back(name: str, backward: bool, tmp_path: Path) -> None:
    cell, path = CELLS[name], tmp_path / "cell.npz"
    path.write_bytes(cell_npz(cell, name, backward))
    (layer,) = recurrent_layers(path)
    assert layer.direction == ("backward" if backward else "forward")
    back = layer.build()
    assert type(back) is type(cell)
    assert back.activation == cell.activation
    assert getattr(back, "gate_activation", None) == getattr(cell, "gate_activation", None)
    assert back.variant == cell.variant
    assert layer.assumptions == ()
    for tensor in cell.tensors:
        np.testing.assert_array_equal(getattr(back, tensor), getattr(cell, tensor))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (LSTM(*arrays(4, trials=2)), "2 sets of weights"),
        (PeepholeLSTM(*arrays(4), np.ones(3 * N), cell_activation=LINEAR), "of the cell state alone"),
        (LSTM(*arrays(4), cell_activation=LINEAR), "of the cell state alone"),
        (LSTM(*arrays(4), gate_activation=hard_sigmoid(0.3)), "the activation hard_sigmoid"),
    ],
)
def test_what_the_names_cannot_say_is_refused(cell: Cell, reason: str) -> None:
    with pytest.raises(VanishgradError, match=reason):
        cell_npz(cell, "net")


def test_layers_below_come_first_and_drive_it(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(1), tmp_path / "stack.npz"
    below = LSTM(rng.standard_normal((4 * N, N)), rng.standard_normal((4 * N, D)), rng.standard_normal(4 * N))
    top = GRU(rng.standard_normal((3 * D, D)), rng.standard_normal((3 * D, N)), rng.standard_normal(3 * D))
    path.write_bytes(cell_npz(top, "net", below=[below]))
    first, second = recurrent_layers(path)
    assert second.driven_by == (first.name,)
    np.testing.assert_array_equal(first.build().W_hh, below.W_hh)
    np.testing.assert_array_equal(second.build().W_hx, top.W_hx)


def test_a_cell_that_shapes_do_not_tell_stands_alone_in_its_file() -> None:
    with pytest.raises(VanishgradError, match="cells whose shapes do not tell them apart"):
        cell_npz(MGU(*arrays(2)), "net", below=[LSTM(*arrays(4))])


def test_one_text_cannot_speak_of_layers_with_different_activations() -> None:
    hard = LSTM(*arrays(4), gate_activation=HARD_SIGMOID)
    with pytest.raises(VanishgradError, match="layers with activations of their own"):
        cell_npz(LSTM(*arrays(4)), "net", below=[hard])
