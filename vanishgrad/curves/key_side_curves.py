"""Key-side curves: all lags of a matrix state from one product of d_k × d_k matrices a head, for all values.

∂S_T/∂S_k = ⊕_heads P_h ⊗ I with P_h = ∏ (diag w - p qᵀ): its singular values are those of P_h, each as often as the
head has value channels. A step costs O(d_k²) a head.
"""

from __future__ import annotations

import math

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.cells.key_side import KeySide, KeySideCell
from vanishgrad.cells.masked_steps import TAKEN, marks_of
from vanishgrad.curves.lag_batches import INPUT_CURVE
from vanishgrad.curves.recorder import KEY_SIDE, Engine, Norms, alive_lags, input_lags
from vanishgrad.curves.request import Scope
from vanishgrad.propagation.singular_values.largest import largest_singular_value

STRETCH_NUMBERS = 2**18
"""Of products of consecutive lags that are held at a time."""


class KeySideCurves:
    """The curves of a run of a key-side cell at every lag.

    Parameters
    ----------
    cell : KeySideCell
    trajectory : Trajectory
    lengths : (B,) array of int
    threshold : float
    scope : Scope

    Notes
    -----
    Each head of each sequence has an exponent of its own: one that forgets at once loses no digit of another.
    The input's curve takes the largest singular value of an n d_k × d matrix at each of its lags.
    """

    def __init__(self, cell: Cell, trajectory: Trajectory, lengths: Array, threshold: float, scope: Scope) -> None:
        assert isinstance(cell, KeySideCell)
        self._cell, self._lengths, self._level = cell, lengths, math.log(threshold)
        self._heads, self._widths = np.unique(cell.head_of, return_counts=True)
        batch, self._steps = len(lengths), int(lengths.max())
        self._counted = alive_lags(int(lengths.min())) if scope.details else []
        self._input_lags = set(input_lags(lengths, scope))
        self._log_norm, self._log_rms = (np.full((batch, self._steps + 1), np.nan) for _ in range(2))
        self._log_input = np.full((2, batch, self._steps), np.nan)
        self._alive = dict[int, Array]()
        self._record(trajectory)

    @property
    def engine(self) -> Engine:
        """Exact but for the rounding of products."""
        return Engine(KEY_SIDE, self._cell.keys, 0.0)

    def _record(self, trajectory: Trajectory) -> None:
        batch, heads, keys = len(self._lengths), len(self._heads), self._cell.keys
        longest = max(1, STRETCH_NUMBERS // (batch * heads * keys**2))
        product, exponent = np.tile(np.eye(keys), (batch, heads, 1, 1)), np.zeros((batch, heads))
        self._observe(0, product[None], exponent[None])
        first = trajectory.steps - self._steps
        for stop in range(trajectory.steps, first, -longest):
            start = max(stop - longest, first)
            w, p, q = self._matrices(trajectory, start, stop)
            products, exponents = np.empty((stop - start, *product.shape)), np.empty((stop - start, batch, heads))
            for place, t in enumerate(range(stop, start, -1)):
                if trajectory.steps - t in self._input_lags:
                    self._observe_input(trajectory, t, product, exponent)
                i = t - start - 1
                along = product @ p[i][..., None]
                product = product * w[i][:, :, None] - along * q[i][:, :, None]
                size = np.abs(product).max(axis=(-2, -1))
                scale = np.exp2(np.frexp(np.where(size > 0, size, 1.0))[1])
                product, exponent = product / scale[..., None, None], exponent + np.log(scale)
                products[place], exponents[place] = product, exponent
            self._observe(trajectory.steps - stop + 1, products, exponents)

    def _matrices(self, trajectory: Trajectory, start: int, stop: int) -> tuple[Array, Array, Array]:
        """Return w, p and q of steps start + 1 … stop, (L, B, H, d_k) each; of masked steps those of an identity."""
        _, records = trajectory.between(start, stop)
        size = self._cell.record_size
        side = self._cell.key_side(records[..., :size].astype(np.float64, copy=False))
        w, p, q = (each[..., self._heads, :] for each in _all_of(side))
        marks = marks_of(records, size)
        if marks is None:
            return w, p, q
        taken = (marks == TAKEN)[..., None, None]
        return np.where(taken, w, 1.0), np.where(taken, p, 0.0), q

    def _observe(self, lag: int, products: Array, exponents: Array) -> None:
        """Record consecutive lags: products (L, B, H, d_k, d_k) times e to the exponents."""
        lags = slice(lag, lag + len(products))
        keys, size = products.shape[-1], self._cell.state_size
        with np.errstate(divide="ignore"):
            largest = np.log(largest_singular_value(products.reshape(-1, keys, keys))).reshape(exponents.shape)
            squares = np.log((products**2).sum(axis=(-2, -1)) * self._widths / size) + 2 * exponents
            self._log_norm[:, lags] = (largest + exponents).max(axis=-1).T
            self._log_rms[:, lags] = np.logaddexp.reduce(squares, axis=-1).T / 2
            for counted in self._counted:
                if lag <= counted < lag + len(products):
                    values = np.log(np.linalg.svd(products[counted - lag], compute_uv=False))
                    reached = np.sum(values + exponents[counted - lag][..., None] >= self._level, axis=-1)
                    self._alive[counted] = reached @ self._widths

    def _observe_input(self, trajectory: Trajectory, t: int, product: Array, exponent: Array) -> None:
        """Record ∂S_T/∂x_t, with the product behind step t."""
        cell, lag = self._cell, trajectory.steps - t
        identity = np.tile(np.eye(cell.input_size, dtype=cell.dtype), (len(product), 1, 1))
        written = np.empty((len(product), cell.state_size, cell.input_size), dtype=cell.dtype)
        cell.linearise(trajectory, t - 1, t).input_tangent(t, identity, written)
        top = exponent.max(axis=-1)
        scaled = product * np.exp(exponent - top[:, None])[..., None, None]
        head_of = np.searchsorted(self._heads, cell.head_of)
        matrix = scaled[:, head_of] @ written.reshape(len(product), cell.hidden_size, cell.keys, -1)
        matrix = matrix.reshape(written.shape)
        with np.errstate(divide="ignore"):
            self._log_input[0, :, lag] = np.log(largest_singular_value(matrix)) + top
            flat = np.linalg.norm(matrix.reshape(len(matrix), -1), axis=-1)
            self._log_input[1, :, lag] = np.log(flat) + top - math.log(cell.input_size) / 2

    def curves(self) -> dict[str, Norms]:
        """Return the norms of each curve."""
        beyond = np.arange(self._steps + 1) > self._lengths[:, None]
        self._log_norm[beyond] = self._log_rms[beyond] = np.nan
        self._log_input[:, beyond[:, 1:]] = np.nan
        curves = {"state": Norms(self._log_norm, self._log_rms, self._alive)}
        if self._input_lags:
            curves[INPUT_CURVE] = Norms(self._log_input[0], self._log_input[1], {})
        return curves


def _all_of(side: KeySide) -> tuple[Array, Array, Array]:
    """Return w, p and q, 0 where nothing is erased."""
    if side.p is None or side.q is None:
        none = np.zeros_like(side.w)
        return side.w, none, none
    return side.w, side.p, side.q
