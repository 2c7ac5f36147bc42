"""Fused forward and backward pass: every gate of a step in one matrix product, its outputs kept for the way back.

Arrays are (S, B, features), and of the gates (S, blocks, B, n): S sets of weights, B sequences of each, and a block of
memory for each gate; of the matrix products that this needs, OpenBLAS packs no operand anew. With
z_t = (h_t, x_{t+1}, 1) and W = (W_hh, W_hx, b) side by side,

    a_t = W z_{t-1},    δ_t = ∂L/∂a_t,    ∂L/∂W = Σ_t δ_t z_{t-1}ᵀ,    ∂L/∂h_{t-1} = W_hhᵀ δ_t + … .

Numba compiles the passes where it is installed (`loops`), else they are NumPy's. Logistic gates are
σ(a) = ½ + ½ tanh(a / 2), their rows of W halved beforehand, so that one tanh serves all blocks. Derivatives are those
of the outputs, σ' = σ - σ² and 1 - tanh², as PyTorch's are: their error is a roundoff of 1, not of the derivative.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.propagation.passes.loops import StepLoop, compiler


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
    numbers, and what a cell keeps beside. Along 80 steps of 4·64 sequences the kept numbers, 37 MB, come and go through
    memory; that and not arithmetic is what NumPy's element-wise work costs, so a step's own arrays are few and dense.
    """

    logistic: ClassVar[Sequence[bool]]
    """Of each block of n rows of `stacked`, whether it is a gate's."""
    loops: ClassVar[tuple[StepLoop, StepLoop] | None]
    """A step forward and a step backward, to be compiled."""
    carries_h: ClassVar[bool] = False
    """Whether h_{t-1} reaches h_t past the gates too."""

    def __init__(self, cell: Cell, steps: int, batch: int) -> None:
        S, B, n, d, dtype = cell.trials, batch // cell.trials, cell.hidden_size, cell.input_size, cell.dtype
        self.shape, self._steps, blocks = (S, B, n), steps, len(self.logistic)
        self._z = np.empty((steps + 1, S, B, n + d + 1), dtype=dtype)
        self._z[0, ..., :n], self._z[..., -1] = 0, 1
        self._gates = np.empty((steps, S, blocks, B, n), dtype=dtype)
        self._delta = np.empty((S, B, blocks * n), dtype=dtype)
        self._delta_by_block = np.empty((S, blocks, B, n), dtype=dtype)
        self._scratch, self._dh = np.empty((2, S, B, n), dtype=dtype)
        self._c, self._tanh_c, self._dc = (
            np.zeros((1, S, 1, 1), dtype),
            np.zeros((1, S, 1, 1), dtype),
            self._dh[:, :1, :1].copy(),
        )
        self._scale = np.where(self.logistic, 0.5, 1).astype(dtype)[:, None, None]
        self._forward = self._backward = None
        if self.loops and (compiled := compiler(dtype)):
            self._forward = compiled.forward(self.loops[0])
            self._backward = compiled.backward(self.loops[1], self.carries_h)

    def forward(self, cell: Cell, xs: Array) -> None:
        """Run the cell from the zero state along xs (S·B, T, d)."""
        S, B, n = self.shape
        self._z[:-1, ..., n:-1] = xs.reshape(S, B, self._steps, -1).transpose(2, 0, 1, 3)
        weights = self.stacked(cell).reshape(S, -1, n, self._z.shape[3])
        self._W_hh = np.ascontiguousarray(weights[..., :n]).reshape(S, -1, n)
        scaled = np.ascontiguousarray((weights * self._scale).swapaxes(2, 3))
        if self._forward:
            self._forward(scaled, self._z, self._gates, self._c, self._tanh_c)
            return
        for t in range(1, self._steps + 1):
            np.matmul(self._z[t - 1, :, None], scaled, out=self._gates[t - 1])
            self._advance(t)

    def hidden(self, outputs: int) -> Array:
        """Return h of the last steps, (L, S, B, n), a view."""
        return self._z[-outputs:, ..., : self.shape[2]]

    def backward(self, cotangents: Array, truncation: int | None = None, only: Array | None = None) -> dict[str, Array]:
        """Return ∂L/∂θ, tensor → (S, …), as `backpropagation.backward` does; cotangents (L, S·B, n)."""
        S, B, n = self.shape
        at_step = np.ascontiguousarray(cotangents, dtype=self._dh.dtype).reshape(-1, S, B, n)
        sums = np.zeros((S, self._z.shape[3], self._delta.shape[2]), dtype=self._dh.dtype)
        if self._backward and only is None:
            self._backward(
                self._W_hh, self._z, self._gates, self._c, self._tanh_c, at_step, truncation or 0,
                self._dh, self._dc, self._delta, sums,
            )  # fmt: skip
        else:
            self._sum_up(at_step, truncation, None if only is None else only.reshape(S, B, 1), sums)
        return self.by_tensor(sums.swapaxes(1, 2))

    def _sum_up(self, at_step: Array, truncation: int | None, keys: Array | None, sums: Array) -> None:
        """Add the gradient of every step to `sums`, (S, n + d + 1, r)."""
        (S, B, n), outputs, dh, term = self.shape, len(at_step), self._dh, np.empty_like(sums)
        dh[...], self._dc[...] = 0, 0
        for t in range(self._steps, 0, -1):
            age = self._steps - t + 1
            if age <= outputs:
                dh += at_step[-age]
            self._differentiate(t)
            self._delta.reshape(S, B, -1, n)[...] = self._delta_by_block.swapaxes(1, 2)
            delta = self._delta if keys is None else self._delta * (keys == t)
            sums += np.matmul(self._z[t - 1].swapaxes(1, 2), delta, out=term)
            if truncation is not None and age % truncation == 0:
                if age >= outputs:
                    break
                dh[...], self._dc[...] = 0, 0
            else:
                self._retreat()

    def _retreat(self) -> None:
        """Turn `_dh` into ∂L/∂h_{t-1}, through the recurrent weights."""
        if self.carries_h:
            self._dh += np.matmul(self._delta, self._W_hh, out=self._scratch)
        else:
            np.matmul(self._delta, self._W_hh, out=self._dh)

    def _delta_block(self, place: int) -> Array:
        """Return δ of a block, (S, B, n)."""
        return self._delta_by_block[:, place]

    def _block(self, t: int, place: int) -> Array:
        """Return a block of the gates of step t, (S, B, n)."""
        return self._gates[t - 1, :, place]

    def _h(self, t: int) -> Array:
        return self._z[t, ..., : self.shape[2]]

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
        """Write δ_t into `_delta_by_block`, from ∂L/∂h_t in `_dh`; scale what a gate keeps of the old state by it."""


def side_by_side(cell: Cell) -> Array:
    """Return W_hh, W_hx and b side by side, (S, g·n, n + d + 1)."""
    return np.concatenate([cell.W_hh, cell.W_hx, cell.b[..., None]], axis=2)


def apart(stacked: Array, n: int) -> dict[str, Array]:
    """Return the columns of what `side_by_side` joined."""
    return {"W_hh": stacked[..., :n], "W_hx": stacked[..., n:-1], "b": stacked[..., -1]}


def logistic_of_tanh(u: Array) -> None:
    """Turn tanh(a / 2) into σ(a), in place."""
    u *= 0.5
    u += 0.5
