"""Fused forward and backward pass: every gate of a step in one matrix product, its outputs kept for the way back.

Arrays are (S, features, B): S sets of weights, B sequences of each, which stand last, so that a gate's share of a stack
is one block of memory. With z_t = (h_t, x_{t+1}, 1) and W = (W_hh, W_hx, b) side by side,

    a_t = W z_{t-1},    δ_t = ∂L/∂a_t,    ∂L/∂W = Σ_t δ_t z_{t-1}ᵀ,    ∂L/∂h_{t-1} = W_hhᵀ δ_t + … .

The element-wise work is `loops` where Numba compiles them, else NumPy's. There, σ(a) = 1 / (1 + exp(-a)) and
tanh a = 2 σ(2 a) - 1 take a product with -W, or -2 W, and one exponential: half the time of its tanh. Derivatives are
those of the outputs, σ' = σ - σ² and 1 - tanh², as PyTorch's are: their error is a roundoff of 1, not of the
derivative.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.loops import loops


class FusedPass(ABC):
    """Forward and backward pass of one kind of cell, with buffers that serve every update.

    Parameters
    ----------
    cell : Cell
        For its shapes alone; tied, on the host.
    steps, batch : int
        T, and all sequences S·B.

    Notes
    -----
    O(T S B r (n + d)) multiplications and additions three times over, r the rows of `stacked`; T S B (r + n + d + 1)
    numbers, and what a cell keeps beside.
    """

    exponents: ClassVar[Sequence[int]]
    """Of each block of n rows of `stacked`, by what its pre-activation is multiplied before the exponential."""

    def __init__(self, cell: Cell, steps: int, batch: int) -> None:
        S, n, d, dtype = cell.trials, cell.hidden_size, cell.input_size, cell.dtype
        self.shape, self._n, self._steps = (S, n, batch // S), n, steps
        self._z = np.empty((steps + 1, S, n + d + 1, batch // S), dtype=dtype)
        self._z[0, :, :n], self._z[:, :, -1] = 0, 1
        rows = len(self.exponents) * n
        self._scale = np.repeat(np.array(self.exponents, dtype=dtype), n)[:, None]
        self._gates = np.empty((steps, S, rows, batch // S), dtype=dtype)
        self._delta = np.empty((S, rows, batch // S), dtype=dtype)
        self._scratch, self._dh = np.empty((2, *self.shape), dtype=dtype)
        self._loops = loops(dtype)

    def forward(self, cell: Cell, xs: Array) -> None:
        """Run the cell from the zero state along xs (S·B, T, d)."""
        S, n, B = self.shape
        self._z[:-1, :, n:-1] = xs.reshape(S, B, self._steps, -1).transpose(2, 0, 3, 1)
        weights = self.stacked(cell)
        scaled = weights if self._loops else weights * self._scale
        self._W_hh_transposed = np.ascontiguousarray(weights[:, :, :n].swapaxes(1, 2))
        with np.errstate(over="ignore"):  # exp of a closed gate: 1 / (1 + inf) is 0
            for t in range(1, self._steps + 1):
                np.matmul(scaled, self._z[t - 1], out=self._gates[t - 1])
                self._advance(t)

    def hidden(self, outputs: int) -> Array:
        """Return h of the last steps, (L, S, B, n), a view."""
        return self._z[-outputs:, :, : self._n].swapaxes(2, 3)

    def backward(self, cotangents: Array, truncation: int | None = None, only: Array | None = None) -> dict[str, Array]:
        """Return ∂L/∂θ, tensor → (S, …), as `backpropagation.backward` does; cotangents (L, S·B, n)."""
        S, n, B = self.shape
        outputs, dh = len(cotangents), self._dh
        at_step = cotangents.reshape(outputs, S, B, n).swapaxes(2, 3)
        keys = None if only is None else only.reshape(S, 1, B)
        term = np.empty((S, self._delta.shape[1], self._z.shape[2]), dtype=dh.dtype)
        sums = np.zeros_like(term)
        self._cut()
        for t in range(self._steps, 0, -1):
            age = self._steps - t + 1
            if age <= outputs:
                dh += at_step[-age]
            self._differentiate(t)
            delta = self._delta if keys is None else self._delta * (keys == t)
            np.matmul(delta, self._z[t - 1].swapaxes(1, 2), out=term)
            sums += term
            if truncation is not None and age % truncation == 0:
                if age >= outputs:
                    break
                self._cut()
            else:
                self._retreat(t)
        return self.by_tensor(sums)

    def _cut(self) -> None:
        """Hold the state fixed: nothing reaches the steps before."""
        self._dh[...] = 0

    def _block(self, t: int, place: int, blocks: int = 1) -> Array:
        """Return some blocks of rows of the gates of step t."""
        return self._gates[t - 1, :, place * self._n : (place + blocks) * self._n]

    def _delta_block(self, place: int, blocks: int = 1) -> Array:
        return self._delta[:, place * self._n : (place + blocks) * self._n]

    def _h(self, t: int) -> Array:
        return self._z[t, :, : self._n]

    @abstractmethod
    def stacked(self, cell: Cell) -> Array:
        """Return (W_hh, W_hx, b) side by side, (S, r, n + d + 1), rows in the order of this pass."""

    @abstractmethod
    def by_tensor(self, stacked: Array) -> dict[str, Array]:
        """Return the gradient by `stacked` as gradients by the cell's tensors."""

    @abstractmethod
    def _advance(self, t: int) -> None:
        """Turn the scaled pre-activations of step t into outputs of the gates, and write h_t."""

    @abstractmethod
    def _differentiate(self, t: int) -> None:
        """Write δ_t into `_delta`, from ∂L/∂h_t in `_dh`; scale what a gate keeps of the old state by that gate."""

    @abstractmethod
    def _retreat(self, t: int) -> None:
        """Turn `_dh` into ∂L/∂h_{t-1}, through the recurrent weights."""


def side_by_side(cell: Cell) -> Array:
    """Return W_hh, W_hx and b side by side, (S, g·n, n + d + 1)."""
    return np.concatenate([cell.W_hh, cell.W_hx, cell.b[..., None]], axis=2)


def apart(stacked: Array, n: int) -> dict[str, Array]:
    """Return the columns of what `side_by_side` joined."""
    return {"W_hh": stacked[..., :n], "W_hx": stacked[..., n:-1], "b": stacked[..., -1]}


def logistic_of_exponent(a: Array) -> None:
    """Turn -a into σ(a), in place."""
    np.exp(a, out=a)
    a += 1
    np.reciprocal(a, out=a)


def tanh_of_logistic(s: Array) -> None:
    """Turn σ(2 a) into tanh a, in place."""
    s *= 2
    s -= 1


def tanh_of_exponent(a: Array) -> None:
    """Turn -2 a into tanh a, in place."""
    logistic_of_exponent(a)
    tanh_of_logistic(a)
