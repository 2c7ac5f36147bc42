"""Key-side cells: a matrix state of which every value channel is carried by the same key-side matrix of its head.

Linear attention with a state keeps S = Σ v_t k_tᵀ and changes it from the side of the keys alone, so that its Jacobian
is diagonal plus rank one on that side, and the identity over the values (Schlag, Irie and Schmidhuber 2021).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from vanishgrad.arrays import Array, floating, for_each_sequence, namespace
from vanishgrad.cells.activations import LINEAR, SIGMOID, Activation
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.published_law import no_columns
from vanishgrad.cells.registry import CELLS

STEP = 1e-30
"""Of the complex step along the input: no difference is taken, so that it is exact to rounding."""


class KeySide(NamedTuple):
    """A step of all heads: S_j ← (diag w - p qᵀ) S_j + v_j r for each value channel j of a head.

    Attributes
    ----------
    w, r : (…, H, d_k) arrays
        What each key channel keeps, and along which key a value is written.
    v : (…, n) array
    p, q : (…, H, d_k) arrays or None
        What is erased; None where nothing is.
    """

    w: Array
    r: Array
    v: Array
    p: Array | None = None
    q: Array | None = None


class KeySideCell(Cell):
    r"""S_j ← (diag w_t - p_t q_tᵀ) S_j + v_tj r_t, S (n, d_k), all of w, p, q, r and v from x_t alone.

    The state is S value channel by value channel, all of it h. n value channels stand in H heads, channel j in head
    ⌊j H/n⌋, and those of a head share w, p, q and r: J_t = ⊕_heads (diag w - p qᵀ) ⊗ I.

    Parameters
    ----------
    W_hx : (S, ·, d) array
    b : (S, ·) array
        Blocks of rows as `blocks` says: v first.
    heads, keys : int
        H and d_k.
    """

    tensors: ClassVar[tuple[str, ...]] = ("W_hx", "b")
    has_weights = False
    own_engine = "key-side"
    activation = LINEAR

    def __init__(self, W_hx: Array, b: Array, heads: int, keys: int) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)
        self.heads, self.keys = int(heads), int(keys)

    @classmethod
    @abstractmethod
    def other_rows(cls, numbers: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Return how many rows of W_hx are no value channel's, of a MODEL's numbers and tensors' shapes by name."""

    @classmethod
    def units_of(cls, shapes: Mapping[str, tuple[int, ...]], keys: Mapping[str, Any]) -> int:
        """Return n."""
        return shapes["W_hx"][0] - cls.other_rows({**CELLS[cls.name].numbers, **keys}, shapes)

    @abstractmethod
    def key_side(self, record: Array) -> KeySide:
        """Return steps from their records (…, B, r), real or complex."""

    @property
    def hidden_size(self) -> int:
        """The number n of value channels."""
        shapes = {name: getattr(self, name).shape[1:] for name in self.tensors}
        numbers = {name: getattr(self, name) for name in self.row.numbers}
        return int(self.W_hx.shape[-2]) - self.other_rows(numbers, shapes)

    @property
    def parts(self) -> tuple[Part, ...]:
        """One: S, value channel after value channel."""
        return (Part("h", self.hidden_size * self.keys),)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Silu and softplus are made of the logistic function."""
        return (SIGMOID,)

    @property
    def head_of(self) -> Array:
        """The head of each value channel, (n,)."""
        return np.arange(self.hidden_size) * self.heads // self.hidden_size

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return S_t, (B, n·d_k), and the pre-activations."""
        return self.state(a_x, s), a_x

    def log_multipliers(self, a: Array, before: Array, after: Array) -> Array:
        """Return ln w, what each key channel of each head keeps, (T', B, H·d_k)."""
        w = self.key_side(a).w
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(w)).reshape(*w.shape[:-2], -1)

    def state(self, record: Array, s: Array) -> Array:
        """Return S_t."""
        S = s.reshape(*s.shape[:-1], self.hidden_size, self.keys)
        new: Array = self.carried(self.key_side(floating(record)), S)
        return new.reshape(s.shape)

    def carried(self, side: KeySide, S: Array) -> Array:
        """Return (diag w - p qᵀ) S_j + v_j r of every value channel, (…, n, d_k)."""
        w, r = (each[..., self.head_of, :] for each in (side.w, side.r))
        new: Array = w * S + side.v[..., None] * r
        if side.p is None or side.q is None:
            return new
        p, q = (each[..., self.head_of, :] for each in (side.p, side.q))
        return new - p * total(q * S, -1)[..., None]

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return KeySideLinearisation(self, floating(states), floating(records), start)


class KeySideLinearisation(Linearisation):
    """The matrices of the heads, and by a complex step along x_t what the input does to them and to what is written."""

    def __init__(self, cell: KeySideCell, states: Array, records: Array, start: int) -> None:
        self._cell, self._first, self._records = cell, start + 1, records
        self._side = cell.key_side(records)
        self._S = states[:-1].reshape(*states[:-1].shape[:-1], cell.hidden_size, cell.keys)

    def _at(self, t: int) -> tuple[Array, Array | None, Array | None]:
        """Return w, p and q of step t by value channel, each (B, n, d_k)."""
        i, head_of, side = t - self._first, self._cell.head_of, self._side
        w = side.w[i][:, head_of]
        if side.p is None or side.q is None:
            return w, None, None
        return w, side.p[i][:, head_of], side.q[i][:, head_of]

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        w, p, q = self._at(t)
        rows = W.reshape(*W.shape[:2], *self._S.shape[-2:])
        product = rows * w[:, None]
        if p is not None and q is not None:
            product = product - total(rows * p[:, None], -1)[..., None] * q[:, None]
        out[...] = product.reshape(out.shape)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        w, p, q = self._at(t)
        columns = V.reshape(V.shape[0], *self._S.shape[-2:], V.shape[-1])
        product = columns * w[..., None]
        if p is not None and q is not None:
            product = product - p[..., None] * total(columns * q[..., None], -2)[:, :, None]
        out[...] = product.reshape(out.shape)

    def _input_jacobian(self, t: int) -> Array:
        """Return ∂S_t/∂x_t, (B, n·d_k, d)."""
        cell, i = self._cell, t - self._first
        records = self._records[i] + 1j * STEP * np.moveaxis(
            for_each_sequence(floating(cell.W_hx), self._records.shape[1]), -1, 0
        )
        moved = cell.carried(cell.key_side(records), self._S[i])
        slopes: Array = moved.imag / STEP
        return np.moveaxis(slopes.reshape(*slopes.shape[:2], -1), 0, -1).astype(self._records.dtype, copy=False)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        out[...] = W @ self._input_jacobian(t)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        out[...] = self._input_jacobian(t) @ X

    def dense(self, t: int) -> Array:
        w, p, q = self._at(t)
        n, keys = self._S.shape[-2:]
        blocks = w[..., None] * np.eye(keys, dtype=w.dtype)
        if p is not None and q is not None:
            blocks = blocks - p[..., None] * q[..., None, :]
        J = np.zeros((len(w), n, keys, n, keys), dtype=w.dtype)
        J[:, np.arange(n), :, np.arange(n)] = np.moveaxis(blocks, 1, 0)
        return J.reshape(len(w), n * keys, n * keys)

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it is measured, and not trained."""
        return ()


def total(x: Array, axis: int) -> Array:
    """Return sums along an axis, in either range."""
    summed: Array = namespace(x).mean(x, axis=axis, keepdims=False) * x.shape[axis]
    return summed


def silu(a: Array) -> Array:
    """Return a σ(a)."""
    value: Array = a * SIGMOID.phi(a)
    return value
