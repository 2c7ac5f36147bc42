"""Random laws of recurrent weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import ACTIVATIONS, Cell
from vanishgrad.cells.cell_row import PUBLISHED, CellRow
from vanishgrad.cells.published_law import Tensors
from vanishgrad.cells.registry import CELLS
from vanishgrad.random_streams import Role, stream
from vanishgrad.weights.build import cell_of
from vanishgrad.weights.model_string import ModelSpec

OF_PYTORCH = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""The names of PyTorch's layers."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The arrays of one recurrent layer as PyTorch keeps them, behind a leading axis of trials.

    Attributes
    ----------
    weight_ih : (B, g·n, d) array
    weight_hh : (B, g·n, n) array, or (B, T, n, n) for an untied network
        Without columns where no gate sees the state.
    bias_ih, bias_hh : (B, g·n) arrays
    others : mapping
        The tensors that PyTorch's layers do not have, by the cell's names.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array
    others: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def concatenated(cls, several: Sequence[Weights]) -> Weights:
        """Return the trials of several models of one shape behind one another."""
        by_name = [{**vars(each), **each.others} for each in several]
        names = [name for name in by_name[0] if name != "others"]
        return cls.of({name: np.concatenate([arrays[name] for arrays in by_name]) for name in names})

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Weights:
        """Return the weights among arrays by name; those that PyTorch's layers do not have are the others."""
        others = {name: array for name, array in arrays.items() if name not in OF_PYTORCH}
        weight_ih, weight_hh, bias_ih, bias_hh = (arrays[name] for name in OF_PYTORCH)
        return cls(weight_ih, weight_hh, bias_ih, bias_hh, others)

    def cell(self, spec: ModelSpec) -> Cell:
        """Return the cell of a resolved model with these weights."""
        row = CELLS[spec.cell].form(spec.keys)
        activation = ACTIVATIONS[spec.keys["activation"]] if row.activation else None
        options = {key: spec.keys[key] for key in (*row.variants, *row.numbers)} | dict(self.others)
        return cell_of(row, self.weight_hh, self.weight_ih, self.bias_ih, self.bias_hh, activation, **options)


@dataclass(frozen=True, eq=False)
class _Draw:
    """One trial's streams, and the sizes that every law needs."""

    spec: ModelSpec
    seed: int
    trial: int
    d: int
    times: int

    @property
    def n(self) -> int:
        return int(self.spec.keys["hidden"])

    @property
    def keys(self) -> Mapping[str, Any]:
        return self.spec.keys

    @property
    def row(self) -> CellRow:
        return CELLS[self.spec.cell].form(self.keys)

    @property
    def gates(self) -> int:
        return len(self.row.gates)

    @property
    def columns(self) -> int:
        """How many numbers of the state the gates see."""
        return int(self.keys.get("projection", self.n))

    def of(self, role: Role, *place: int) -> np.random.Generator:
        return stream(self.seed, role, self.trial, self.row.stream, *place)

    def uniform(self, role: Role, *shape: int) -> Array:
        """Return U(±1/√n), PyTorch's law for every tensor of a recurrent layer."""
        return self.of(role).uniform(-1, 1, shape) * self.n**-0.5

    def recurrent_normal(self, *shape: int) -> Array:
        return self.of(Role.W_HH).standard_normal((self.times, *shape))


def _pytorch_recurrent(draw: _Draw) -> Array:
    return draw.uniform(Role.W_HH, draw.times, draw.gates * draw.n, draw.columns)


def _keras_recurrent(draw: _Draw) -> Array:
    """One orthogonal kernel for all gates: its columns are orthonormal, each gate has gain 1/√g."""
    return _orthogonal(draw.recurrent_normal(draw.gates * draw.n, draw.n))


def _gaussian_recurrent(draw: _Draw) -> Array:
    return draw.recurrent_normal(draw.gates * draw.n, draw.n) * (draw.spec.keys["gain"] * draw.n**-0.5)


def _orthogonal_recurrent(draw: _Draw) -> Array:
    square = draw.recurrent_normal(draw.gates, draw.n, draw.n)
    return draw.spec.keys["gain"] * _orthogonal(square).reshape(draw.times, draw.gates * draw.n, draw.n)


def _identity_recurrent(draw: _Draw) -> Array:
    return draw.spec.keys["gain"] * np.tile(np.eye(draw.n), (draw.times, draw.gates, 1))


def _orthogonal(normal: Array) -> Array:
    """Return Haar-distributed orthonormal columns: the QR factor with R's diagonal made positive (Mezzadri 2007)."""
    Q, R = np.linalg.qr(normal)
    signs: Array = np.sign(np.einsum("...ii->...i", R))
    return Q * signs[..., None, :]


def _glorot(draw: _Draw) -> Array:
    limit = (6 / (draw.d + draw.gates * draw.n)) ** 0.5
    return draw.of(Role.W_HX).uniform(-1, 1, (draw.gates * draw.n, draw.d)) * limit


def _gaussian_input(draw: _Draw) -> Array:
    return draw.of(Role.W_HX).standard_normal((draw.gates * draw.n, draw.d)) * draw.d**-0.5


def _pytorch_input(draw: _Draw) -> Array:
    return draw.uniform(Role.W_HX, draw.gates * draw.n, draw.d)


def _pytorch_biases(draw: _Draw) -> tuple[Array, Array]:
    size = draw.gates * draw.n
    return draw.uniform(Role.BIAS_IH, size), draw.uniform(Role.BIAS_HH, size)


def _zero_biases(draw: _Draw) -> tuple[Array, Array]:
    size = draw.gates * draw.n
    return np.zeros(size), np.zeros(size)


def _keras_biases(draw: _Draw) -> tuple[Array, Array]:
    bias_ih, bias_hh = _zero_biases(draw)
    if draw.row.keras_keep_bias:
        _keep_bias(draw, bias_ih, bias_hh, np.full(draw.n, draw.row.keras_keep_bias))
    return bias_ih, bias_hh


def _chrono_biases(draw: _Draw) -> tuple[Array, Array]:
    """b_f = -b_i = ln U[1, chrono_max - 1] (Tallec and Ollivier 2018), whole in bias_ih; other keep gates alike."""
    bias_ih, bias_hh = _pytorch_biases(draw)
    b = np.log(draw.of(Role.CHRONO).uniform(1, draw.spec.keys["chrono_max"] - 1, draw.n))
    _keep_bias(draw, bias_ih, bias_hh, b)
    if draw.row.write:
        _set_bias(bias_ih, bias_hh, draw.row.place(draw.row.write), -b)
    return bias_ih, bias_hh


def _keep_bias(draw: _Draw, bias_ih: Array, bias_hh: Array, value: Array) -> None:
    """Set the total bias of the factor that is kept: negative for a gate whose complement keeps."""
    keep = draw.row.keep_gate(draw.spec.keys)
    assert keep is not None
    _set_bias(bias_ih, bias_hh, draw.row.place(keep.letter), keep.sign * value)


def _set_bias(bias_ih: Array, bias_hh: Array, gate: int, value: Array) -> None:
    """Set a gate's total bias: PyTorch adds its two biases, so one of them takes the whole."""
    rows = slice(gate * value.size, (gate + 1) * value.size)
    bias_ih[rows], bias_hh[rows] = value, 0


class Law(NamedTuple):
    """How each tensor of a layer is drawn."""

    recurrent: Callable[[_Draw], Array]
    input: Callable[[_Draw], Array]
    biases: Callable[[_Draw], tuple[Array, Array]]


LAWS = {
    "pytorch": Law(_pytorch_recurrent, _pytorch_input, _pytorch_biases),
    "keras": Law(_keras_recurrent, _glorot, _keras_biases),
    "gaussian": Law(_gaussian_recurrent, _gaussian_input, _zero_biases),
    "orthogonal": Law(_orthogonal_recurrent, _pytorch_input, _zero_biases),
    "identity": Law(_identity_recurrent, _pytorch_input, _zero_biases),
    "chrono": Law(_pytorch_recurrent, _pytorch_input, _chrono_biases),
}


def draw(spec: ModelSpec, input_size: int, steps: int, trials: int, seed: int, dtype: str = "float64") -> Weights:
    """Return the weights of `trials` independent trials of a resolved model.

    All is drawn in float64 and rounded once; an untied network draws a fresh W_hh for each of the T steps.
    """
    by_trial = [_one_trial(_Draw(spec, seed, trial, input_size, _times(spec, steps))) for trial in range(trials)]
    stacked = {name: np.stack([each[name] for each in by_trial]).astype(dtype) for name in by_trial[0]}
    return Weights.of(stacked)


def _times(spec: ModelSpec, steps: int) -> int:
    return steps if spec.keys.get("untied") else 1


def _one_trial(draw: _Draw) -> Tensors:
    tensors = _published(draw) if draw.spec.law == PUBLISHED else _by_law(draw, LAWS[draw.spec.law])
    if "forget_bias" in draw.keys:
        _keep_bias(draw, tensors["bias_ih"], tensors["bias_hh"], np.full(draw.n, draw.keys["forget_bias"]))
    return tensors | draw.row.cell_class.other_tensors(draw)


def _by_law(draw: _Draw, law: Law) -> Tensors:
    weight_hh, (bias_ih, bias_hh) = law.recurrent(draw), law.biases(draw)
    weight_hh = weight_hh if draw.keys.get("untied") else weight_hh[0]
    return {"weight_ih": law.input(draw), "weight_hh": weight_hh, "bias_ih": bias_ih, "bias_hh": bias_hh}


def _published(draw: _Draw) -> Tensors:
    """Return a cell's own law; its bias stands whole in bias_ih."""
    own = draw.row.cell_class.published(draw)
    b, none = own["b"], np.zeros((len(own["b"]), 0))
    return {"weight_ih": own["W_hx"], "weight_hh": own.get("W_hh", none), "bias_ih": b, "bias_hh": np.zeros_like(b)}
