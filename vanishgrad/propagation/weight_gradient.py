r"""Weight gradient ∂L/∂θ by lag: how much of it comes from each, for a loss that may see the output of every step.

With cotangents g_t = ∂L/∂h_t and the immediate derivative ∂⁺s_k/∂θ (s_{k-1} held fixed),

    G_l = Σ_{t-k=l} g_t ∂h_t/∂s_k ∂⁺s_k/∂θ ,    ∂L/∂θ = Σ_l G_l ,

and backpropagation that is cut off behind N steps yields Σ_{l<N} G_l. All outputs go back together, one lag at a time:
each has its own k, so that a lag is one product with the recurrent weights for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from vanishgrad.arrays import Array, is_extended, namespace
from vanishgrad.cells import Cell, Linearisation, StoredTrajectory
from vanishgrad.cells.linearisation import with_input_weights
from vanishgrad.extended_range import ExtendedRange, extended, on_one_scale
from vanishgrad.extended_range.array import ABSENT as ZERO
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import ABSENT, LN_2, RangeWatch, powers, shifted

STRETCH = 2**22
"""Numbers in the gradients that are held at a time."""


@dataclass(frozen=True, eq=False)
class Contributions:
    """Natural logarithms of Frobenius norms over all tensors of θ, -inf for exactly zero; L is the number of lags.

    Attributes
    ----------
    log_own : (L,) array
        ln ‖G_l‖.
    log_kept : (L,) array
        ln ‖Σ_{j≤l} G_j‖; the last is the whole gradient.
    log_lost : (L,) array
        ln ‖Σ_{j>l} G_j‖, summed from the oldest lag on, so that a small rest is not lost in roundoff.
    whole : Gradient
        ∂L/∂θ itself.
    """

    log_own: Array
    log_kept: Array
    log_lost: Array
    whole: Gradient


class Gradient(NamedTuple):
    """A gradient by all tensors of a cell, in their order side by side, divided by 2^exponent."""

    values: Array
    exponent: int

    def __add__(self, other: Gradient) -> Gradient:  # type: ignore[override]
        top = max(self.exponent, other.exponent)
        return Gradient(_at(self, top) + _at(other, top), top)

    def __sub__(self, other: Gradient) -> Gradient:
        return self + Gradient(-other.values, other.exponent)

    @property
    def log_norm(self) -> float:
        """The logarithm of the Frobenius norm."""
        with np.errstate(divide="ignore"):
            return float(np.log(np.linalg.norm(self.values)) + self.exponent * LN_2)


def _at(gradient: Gradient, exponent: int) -> Array:
    return gradient.values if gradient.exponent == exponent else gradient.values * 2.0 ** (gradient.exponent - exponent)


MANY = 4
"""Rows at a fourth of all steps and more go through all of them, linearised once, and not through theirs alone."""


class OneSequence(NamedTuple):
    """One layer with one trial's weights, along one sequence; nothing before step `first` + 1 is in the gradient."""

    cell: Cell
    trajectory: StoredTrajectory
    xs: Array
    first: int = 0


def contributions(path: OneSequence, cotangents: Array) -> Contributions:
    """Return how much of ∂L/∂θ comes from each lag.

    Parameters
    ----------
    path : OneSequence
        A trajectory of one sequence; xs (T, d).
    cotangents : (T, n) array
        ∂L/∂h_t; rows of zeros cost nothing.

    Notes
    -----
    With R rows that are not zero: at most 2 g n (2 n + d) R T multiplications and additions for each gradient formed,
    and each is formed at most twice; O(R m √T) numbers for rows to begin again from, and `STRETCH` numbers.
    """
    total = _nothing(path.cell)
    stretch = max(1, STRETCH // total.values.size)
    begins, gradients_of_stretch = list[Rows](), list[Gradient]()
    log_own, log_kept = list[float](), list[float]()
    for lag, (begin, gradient) in enumerate(gradients(path, outputs(path, cotangents))):
        if lag % stretch == 0:
            begins.append(begin)
            gradients_of_stretch = []
        gradients_of_stretch.append(gradient)
        total = total + gradient
        log_own.append(gradient.log_norm)
        log_kept.append(total.log_norm)
    return Contributions(
        np.array(log_own), np.array(log_kept), _log_lost(path, begins, gradients_of_stretch, stretch), total
    )


def _log_lost(path: OneSequence, begins: list[Rows], stretch_gradients: list[Gradient], stretch: int) -> Array:
    """Sum from the oldest lag on; the gradients of the last stretch are held, those of the others are formed again."""
    lost, log_lost = _nothing(path.cell), list[float]()
    for begin in reversed(begins):
        stretch_gradients = stretch_gradients or [gradient for _, gradient in islice(gradients(path, begin), stretch)]
        for gradient in reversed(stretch_gradients):
            log_lost.append(lost.log_norm)
            lost = lost + gradient
        stretch_gradients = []
    return np.array(log_lost[::-1])


def segment_gradient(path: OneSequence, cotangents: Array, segment: int) -> Gradient:
    """Return the gradient of backpropagation in segments of so many steps, the state carried over and detached."""
    total = _nothing(path.cell)
    for _, gradient in gradients(path, outputs(path, cotangents), segment):
        total = total + gradient
    return total


def _nothing(cell: Cell) -> Gradient:
    size = sum(int(np.prod(getattr(cell, name).shape[1:])) for name in cell.tensors)
    return Gradient(np.zeros(size, dtype=cell.dtype), ABSENT)


class Rows(NamedTuple):
    """g_t ∂h_t/∂s_k at one lag t - k, for every output t that reaches so far back.

    Attributes
    ----------
    lag : int
    t : (K,) array of int
    values : (K, 1, m) array
        Each divided by 2^exponent; in extended range, with exponents of 0, once an entry may leave floating point.
    exponents : (K,) array of int
    """

    lag: int
    t: Array
    values: Array
    exponents: Array


def outputs(path: OneSequence, cotangents: Array) -> Rows:
    """Return the rows at lag 0."""
    t = np.flatnonzero(cotangents.any(axis=1)) + 1
    t = t[t > path.first]
    values = np.zeros((len(t), 1, path.cell.state_size), dtype=path.trajectory.states.dtype)
    values[:, 0, : cotangents.shape[1]] = cotangents[t - 1]
    return Rows(0, t, values, np.zeros(len(t), dtype=np.int64))


def gradients(path: OneSequence, rows: Rows, segment: int | None = None) -> Iterator[tuple[Rows, Gradient]]:
    """Yield the rows of each lag and G_l, from a lag on until no output reaches further back.

    With a segment, an output reaches back to the beginning of its own segment only.
    """
    every, every_k = None, np.arange(1, path.trajectory.steps + 1)
    while len(rows.t):
        k = rows.t - rows.lag
        if MANY * len(k) >= len(every_k) and not is_extended(rows.values):
            every = every or _steps(path, every_k)
            if RangeWatch(rows.values).lasts(rows.values, every, 1):
                some, rows = rows, _at_every_step(rows, every_k)
                yield some, _gradient(path, every, rows, every_k)
                rows = _back(path, every, rows, segment)
                continue
        linearisation = _steps(path, k)
        rows = _in_range(rows, linearisation)
        yield rows, _gradient(path, linearisation, rows, k)
        rows = _back(path, linearisation, rows, segment)


def _at_every_step(rows: Rows, k: Array) -> Rows:
    """Return rows for all steps k, those that no output reaches zero: they end with the next step back."""
    values, exponents = np.zeros((len(k), *rows.values.shape[1:]), rows.values.dtype), np.full_like(k, ABSENT)
    values[rows.t - rows.lag - 1], exponents[rows.t - rows.lag - 1] = rows.values, rows.exponents
    return Rows(rows.lag, k + rows.lag, values, exponents)


def _steps(path: OneSequence, k: Array) -> EitherRange:
    """Return the linearisation of steps k, one for each row: a batch that is one step long."""
    states, records = path.trajectory.states[:, 0], path.trajectory.records[:, 0]
    side_by_side = StoredTrajectory(np.stack([states[k - 1], states[k]]), records[None, k - 1])
    return EitherRange(path.cell, side_by_side, 0, 1)


def _in_range(rows: Rows, step: EitherRange) -> Rows:
    """Return the rows in extended range if a step may take an entry out of that of floating point."""
    if is_extended(rows.values) or RangeWatch(rows.values).lasts(rows.values, step, 1):
        return rows
    values = extended(rows.values)
    shifted_up: Any = ExtendedRange(values.m, np.where(values.m != 0, values.e + rows.exponents[:, None, None], ZERO))
    return rows._replace(values=shifted_up, exponents=np.zeros_like(rows.exponents))


def _gradient(path: OneSequence, linearisation: Linearisation, rows: Rows, k: Array) -> Gradient:
    top, order = int(rows.exponents.max()), path.cell.tensors
    wide = is_extended(rows.values)
    terms = linearisation.weight_gradient(
        1, (rows.values if wide else shifted(rows.values, rows.exponents - top))[:, 0]
    )
    every = with_input_weights(terms, path.xs[k - 1])
    ones = np.ones((len(rows.t), 1), dtype=path.cell.dtype)
    summed = [
        (cotangent.T @ (ones if operand is None else operand)).reshape(-1)
        for _, cotangent, operand in sorted(every, key=lambda each: order.index(each.tensor))
    ]
    flat = namespace(rows.values).concat(summed)
    if not wide:
        return Gradient(flat, top)
    values, (exponent,) = on_one_scale(flat[None, None])
    return Gradient(values[0, 0].astype(path.cell.dtype), int(exponent))


def _back(path: OneSequence, linearisation: Linearisation, rows: Rows, segment: int | None) -> Rows:
    """Return the rows one step further back, scaled to order 1, without those that end or are zero."""
    products = namespace(rows.values).empty_like(rows.values)
    linearisation.cotangent(1, rows.values, products)
    k, wide = rows.t - rows.lag - 1, is_extended(products)
    exponents = np.where((products.m != 0).any(axis=(1, 2)), 0, ABSENT) if wide else powers(products, rows.exponents)
    goes_on = (k > path.first) & (exponents != ABSENT)
    if segment is not None:
        goes_on &= (k - path.first - 1) // segment == (rows.t - path.first - 1) // segment
    scaled = products if wide else shifted(products, rows.exponents - exponents)
    return Rows(rows.lag + 1, rows.t[goes_on], scaled[goes_on], exponents[goes_on])
