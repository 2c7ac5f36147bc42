"""Lyapunov spectrum of a driven cell by QR, step by step, with no trajectory kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.extended_range import extended, matrix_transpose, on_one_scale, zeros
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import LN_2, RangeWatch
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.rank_revealing import after_factors, step_factors

BLOCKS = 20
"""Blocks of steps whose means give the error of a mean over all steps."""
HISTORY = 60
"""Intermediate results that are kept, evenly spaced in the logarithm of time."""


@dataclass(frozen=True, eq=False)
class LyapunovSpectrum:
    """The leading Lyapunov exponents of B runs, nats per step, -inf where a direction is lost.

    Lost means zero, or below the rounding of what it is a difference of at some step.

    Attributes
    ----------
    lam : (B, K) array
        In the order of the frame's columns, which is descending but for the exponents' errors.
    error : (B, K) array
        Standard error of `lam`, from the means of consecutive blocks; NaN where there are fewer than two.
    log_det : (B,) array or None
        The mean of ln|det J_t| over the same steps, which Σ lam must equal; None where K < m.
    history : list of (steps, (B, K) array)
        What `lam` was after so many steps.
    steps : int
        How many steps were averaged over.
    """

    lam: Array
    error: Array
    log_det: Array | None
    history: list[tuple[int, Array]]
    steps: int


def lyapunov_spectrum(
    cell: Cell,
    inputs: Iterable[Array],
    s0: Array,
    steps: int,
    burn_in: int = 0,
    exponents: int | None = None,
    interval: int = 1,
    seed: int = 0,
) -> LyapunovSpectrum:
    r"""Return λ_i = lim (1/N) Σ_t ln R_ii(t), J_t Q_{t-1} = Q_t R_t, along a run.

    Parameters
    ----------
    cell : Cell
    inputs : iterable of (B, L, d) arrays
        Consecutive stretches of the input sequences, of any lengths; only one is held at a time.
    s0 : (B, m) array
    steps, burn_in : int
        The steps that are averaged over, and those before them, in which state and frame settle.
    exponents : int, optional
        The number K of leading exponents, at most m; all by default.
    interval : int
        Steps from one QR to the next. Exponents further than 36/interval nats below the first are lost to rounding.
    seed : int
        Of the frame's random start.

    Raises
    ------
    VanishgradError
        If a state overflows.

    Notes
    -----
    The algorithm of Benettin, Galgani, Giorgilli and Strelcyn (1980) by Householder QR. 2 m K² operations a step
    beside the cell's own, and m³/3 for the determinants if K = m; O(B m K) numbers and one stretch, whatever N.
    """
    m = cell.state_size
    frame = _Frame(m, min(m, exponents or m), s0, burn_in, steps, interval, seed)
    for linearisation, t in _steps(cell, inputs, s0, burn_in + steps):
        frame.step(linearisation, t)
    return frame.spectrum()


def kaplan_yorke(lam: Array, complete: bool) -> float | None:
    r"""Return D = j + (λ_1 + … + λ_j)/|λ_{j+1}|, j the most exponents whose sum is not negative.

    lam (K,); None if the sum is not negative for all K and further exponents are not known (`complete` is False).
    """
    ordered = np.sort(lam)[::-1]
    total = np.cumsum(ordered)
    j = int(np.sum(total >= 0))
    if j == len(ordered):
        return float(j) if complete else None
    return j + (float(total[j - 1] / -ordered[j]) if j else 0.0)


def entropy(lam: Array, complete: bool) -> float | None:
    """Return the sum of the positive exponents, nats per step (Pesin); None if more of them may be missing."""
    return None if not complete and lam.min() > 0 else float(np.sum(lam[lam > 0]))


def _steps(cell: Cell, inputs: Iterable[Array], s: Array, wanted: int) -> Iterator[tuple[EitherRange, int]]:
    """Yield a linearisation and the step t within it, for `wanted` steps in all."""
    done = 0
    for xs in inputs:
        if done == wanted:
            return
        xs = xs[:, : wanted - done]
        weights = cell.between(done, done + xs.shape[1])
        trajectory = run(weights, xs, s)
        linearisation = EitherRange(weights, trajectory, 0, trajectory.steps)
        for t in range(1, trajectory.steps + 1):
            yield linearisation, t
        s, done = trajectory.states[-1], done + trajectory.steps
    if done < wanted:
        raise ValueError(f"expected inputs for {wanted} steps, got {done}")


class _Frame:
    """Orthonormal tangent vectors, and the sums of what they were stretched by."""

    def __init__(self, m: int, k: int, s0: Array, burn_in: int, steps: int, interval: int, seed: int) -> None:
        batch = len(s0)
        # Drawn row by row: the first columns are the same for every k.
        start = np.linalg.qr(np.random.default_rng(seed).standard_normal((k, m)).T)[0]
        self._V = np.array(np.broadcast_to(start, (batch, m, k)), dtype=s0.dtype)
        self._next, self._log_scales = np.empty_like(self._V), np.zeros((batch, k))
        self._t, self._last, self._burn_in, self._steps, self._interval = 0, 0, burn_in, steps, interval
        blocks = min(BLOCKS, -(-steps // interval))
        self._sums, self._counts = np.zeros((blocks, batch, k)), np.zeros(blocks)
        self._log_det = np.zeros(batch) if k == m else None
        self._identity = np.array(np.broadcast_to(np.eye(m), (batch, m, m)), dtype=s0.dtype)
        self._due = np.unique(np.geomspace(min(10, steps), steps, HISTORY).round()).tolist()[::-1]
        self._history: list[tuple[int, Array]] = []

    def step(self, linearisation: EitherRange, t: int) -> None:
        """Move by J_t."""
        before = self._V
        if RangeWatch(self._V).lasts(self._V, linearisation, t):
            linearisation.tangent(t, self._V, self._next)
            self._V, self._next = self._next, self._V
        else:
            image = _scaled_image(linearisation, t, self._V, by_column=True)
            self._V, self._log_scales = image[0], self._log_scales + image[1]
        self._t += 1
        done = self._t - self._burn_in
        if done > 0 and self._log_det is not None:
            self._log_det += self._log_det_of(linearisation, t)
        if self._t % self._interval == 0 or done in (0, self._steps):
            self._orthonormalise(done, linearisation, t, before)

    def _log_det_of(self, linearisation: EitherRange, t: int) -> Array:
        """Return ln|det J_t|, (B,)."""
        if RangeWatch(self._identity).lasts(self._identity, linearisation, t):
            J, log_scales = np.empty_like(self._identity), np.zeros((1, 1))
            linearisation.tangent(t, self._identity, J)
        else:
            J, log_scales = _scaled_image(linearisation, t, self._identity, by_column=False)
        log_det, doubtful = _log_det(J)
        log_det = log_det + log_scales.sum(axis=1)
        eps = float(np.finfo(J.dtype).eps)
        if doubtful.any() and (factors := step_factors(linearisation, t, doubtful, J.shape[1], eps)):
            own, trials = factors
            log_det[trials] = np.linalg.slogdet(own.X)[1] + own.log_d.sum(axis=1)
        return log_det

    def _orthonormalise(self, done: int, linearisation: EitherRange, t: int, before: Array) -> None:
        self._V, r, rounding = _row_wise_qr(self._V)
        with np.errstate(divide="ignore"):
            log_r = np.log(np.where(r > rounding, r, 0)) + self._log_scales
        alive = np.isfinite(self._sums).all(axis=0)
        doubtful = np.any(alive & (rounding > r * math.sqrt(np.finfo(r.dtype).eps)), axis=1)
        if self._interval == 1 and doubtful.any():
            _by_factors(linearisation, t, before, doubtful, self._V, log_r)
        if done > 0:
            block = min((done - 1) * len(self._counts) // self._steps, len(self._counts) - 1)
            self._sums[block] += log_r
            self._counts[block] += done - self._last
            if self._due and done >= self._due[-1]:
                self._due = [time for time in self._due if time > done]
                self._history.append((done, self._sums.sum(axis=0) / done))
        self._last, self._log_scales = max(done, 0), np.zeros_like(self._log_scales)

    def spectrum(self) -> LyapunovSpectrum:
        """Return the means."""
        total = int(self._counts.sum())
        filled = self._counts > 0
        means = self._sums[filled] / self._counts[filled][:, None, None]
        return LyapunovSpectrum(
            lam=self._sums.sum(axis=0) / total,
            error=_standard_error(means),
            log_det=None if self._log_det is None else self._log_det / total,
            history=self._history,
            steps=total,
        )


def _scaled_image(step: EitherRange, t: int, V: Array, by_column: bool) -> tuple[Array, Array]:
    """Return J_t V, (B, m, k), where floating point has no room for it: each column, or row, divided by e^log_scale."""
    wide: Any = extended(V)
    images: Any = zeros(wide.shape)
    step.tangent(t, wide, images)
    lines = matrix_transpose(images) if by_column else images
    batch, count, length = lines.shape
    scaled, exponents = on_one_scale(lines.reshape(batch * count, 1, length))
    image = scaled.reshape(batch, count, length).astype(V.dtype)
    return np.ascontiguousarray(np.swapaxes(image, 1, 2)) if by_column else image, exponents.reshape(batch, -1) * LN_2


def _log_det(J: Array) -> tuple[Array, Array]:
    """Return ln|det J|, (B,), of J (B, m, m), -inf where rounding alone would keep it from 0; and where it is doubtful.

    That is asked of rows and columns of one size each: a determinant that is small because they are is a number, if
    their small entries have digits of their own.
    """
    half = math.sqrt(np.finfo(J.dtype).eps)
    log_sizes, (doubtful, singular) = np.zeros(len(J)), np.zeros((2, len(J)), dtype=bool)
    for axis in (2, 1):
        sizes = np.abs(J).max(axis=axis, keepdims=True)
        singular |= (sizes == 0).any(axis=(1, 2))
        sizes = np.where(sizes > 0, sizes, 1)
        J, log_sizes = J / sizes, log_sizes + np.log(sizes).sum(axis=(1, 2))
        doubtful |= sizes.min(axis=(1, 2)) < half * sizes.max(axis=(1, 2))
    r = np.abs(np.diagonal(np.linalg.qr(J, mode="r"), axis1=1, axis2=2))
    whole = r.min(axis=1) > J.shape[1] * np.finfo(J.dtype).eps * r.max(axis=1)
    logs = np.log(np.where(whole[:, None], r, 1)).sum(axis=1)
    doubtful |= r.min(axis=1) < half * r.max(axis=1)
    return np.where(whole & ~singular, log_sizes + logs, -np.inf), doubtful & ~singular


def _by_factors(step: EitherRange, t: int, V: Array, trials: Array, Q: Array, log_r: Array) -> None:
    """Write Q and ln R_ii of J_t V, V (B, m, K), of some trials, by the factors X diag(d) Y of a graded J_t."""
    eps = float(np.finfo(V.dtype).eps)
    factors = step_factors(step, t, trials, V.shape[1], eps)
    if factors is None:
        return
    own, trials = factors
    images = own.Y @ V[trials]
    nothing = np.zeros_like(log_r[trials])
    inner = after_factors(own, images, nothing, nothing, eps, in_order=True)
    turned, R = np.linalg.qr(own.X @ inner.X)
    r = np.abs(np.diagonal(R, axis1=1, axis2=2))
    with np.errstate(divide="ignore"):
        logs = inner.log_d + np.log(np.where(r > V.shape[1] * eps * r.max(axis=1, keepdims=True), r, 0))
    better = np.isfinite(logs).sum(axis=1) >= np.isfinite(log_r[trials]).sum(axis=1)
    places = np.flatnonzero(trials)[better]
    Q[places], log_r[places] = turned[better], logs[better]


def _row_wise_qr(A: Array) -> tuple[Array, Array, Array]:
    """Return Q, (B, m, K), and |R_ii| with its rounding error, both (B, K), of A (B, m, K).

    Householder QR of the rows in the order of their size: each row then keeps its own accuracy, however far it is below
    another one (Powell and Reid 1969), and r_i = Q_iᵀ A is off by the rounding of the rows that Q_i has a share of.
    """
    sizes = np.abs(A).max(axis=2)
    order = np.argsort(-sizes, axis=1)[..., None]
    Q, R = np.linalg.qr(np.take_along_axis(A, order, axis=1))
    Q = np.take_along_axis(Q, np.argsort(order, axis=1), axis=1)
    rounding = A.shape[1] * np.finfo(A.dtype).eps * np.einsum("bm,bmk->bk", sizes, np.abs(Q))
    return Q, np.abs(np.diagonal(R, axis1=1, axis2=2)), rounding


def _standard_error(means: Array) -> Array:
    """Return the standard error of the mean of consecutive blocks' means (M, B, K)."""
    blocks = len(means)
    if blocks < 2:
        return np.full(means.shape[1:], np.nan)
    finite = np.isfinite(means).all(axis=0)
    error: Array = np.std(np.where(finite, means, 0), axis=0, ddof=1) / math.sqrt(blocks)
    return np.where(finite, error, np.nan)
