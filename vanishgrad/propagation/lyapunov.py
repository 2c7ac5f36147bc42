"""Lyapunov spectrum of a driven cell by QR, step by step, with no trajectory kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.extended_range import SMALLEST_LOG
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.products.scaling import RangeWatch
from vanishgrad.propagation.run import run
from vanishgrad.propagation.singular_values.householder import log_determinant, row_wise_qr
from vanishgrad.propagation.singular_values.nested_qr import (
    Frame,
    NestedQR,
    by_factors,
    leaves_room,
    nested_qr,
    nested_qr_of_image,
    with_factors,
)
from vanishgrad.steps_done import counted

BLOCKS = 20
"""Blocks of steps whose means give the error of a mean over all steps."""
HISTORY = 60
"""Intermediate results that are kept, evenly spaced in the logarithm of time."""


@dataclass(frozen=True, eq=False)
class LyapunovSpectrum:
    """The leading Lyapunov exponents of B runs, nats per step, -inf where a direction is lost.

    Lost means zero, or below the rounding of what it is a difference of at some step, or behind such a direction.

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
    wanted = burn_in + steps
    for linearisation, t in counted("Lyapunov exponents", _steps(cell, inputs, s0, wanted), wanted):
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
        self._V = np.array(np.broadcast_to(start, (batch, m, k)))
        self._next, self._log_scales = np.empty_like(self._V), np.zeros((batch, k))
        self._wide: Frame | None = None  # the vectors, where `_V` has no room for them
        self._alive = np.ones((batch, k), dtype=bool)
        self._t, self._since, self._last, self._burn_in, self._steps, self._interval = 0, 0, 0, burn_in, steps, interval
        blocks = min(BLOCKS, -(-steps // interval))
        self._sums, self._counts = np.zeros((blocks, batch, k)), np.zeros(blocks)
        self._log_det = np.zeros(batch) if k == m else None
        self._identity = np.array(np.broadcast_to(np.eye(m), (batch, m, m)))
        self._due = np.unique(np.geomspace(min(10, steps), steps, HISTORY).round()).tolist()[::-1]
        self._history: list[tuple[int, Array]] = []

    def step(self, linearisation: EitherRange, t: int) -> None:
        """Move by J_t."""
        before, log_scales = self._wide or self._V, self._log_scales
        if self._wide is None and RangeWatch(self._V).lasts(self._V, linearisation, t):
            linearisation.tangent(t, self._V, self._next)
            self._V, self._next = self._next, self._V
        if before is self._wide or not (before is self._next and leaves_room(self._V)):
            self._wide = _frame(before).image(linearisation, t)
            self._narrow()
        self._t += 1
        done = self._t - self._burn_in
        if done > 0 and self._log_det is not None:
            self._log_det += self._log_det_of(linearisation, t)
        self._since += 1
        if done in (0, self._steps) or (self._t % self._interval == 0 and not self._may_wait(done)):
            self._count(done, self._orthonormalised(linearisation, t, before, log_scales))
            self._since = 0
        self._narrow()

    def _may_wait(self, done: int) -> bool:
        """Return whether vectors in extended range, whose QR takes long, need none now."""
        if self._wide is None or (done > 0 and (self._block(done) < self._block(done + 1) or self._is_due(done))):
            return False
        return self._wide.independent

    def _narrow(self) -> None:
        """Go on in floating point if it has room for all entries, each column divided by e^log_scale; else do not."""
        if self._wide is None and not leaves_room(self._V):
            self._wide = Frame.of(self._V)
        elif self._wide is not None and (columns := self._wide.narrowed()):
            self._V, self._log_scales, self._wide = columns[0], self._log_scales + columns[1], None

    def _log_det_of(self, linearisation: EitherRange, t: int) -> Array:
        """Return ln|det J_t|, (B,)."""
        identity = Frame.of(self._identity)
        if not RangeWatch(self._identity).lasts(self._identity, linearisation, t):
            return nested_qr_of_image(linearisation, t, identity, identity.image(linearisation, t)).log_r.sum(axis=1)
        J = np.empty_like(self._identity)
        linearisation.tangent(t, self._identity, J)
        log_det, doubtful = log_determinant(J)
        if doubtful.any() and (own := by_factors(linearisation, t, identity, doubtful)):
            log_det[own.trials] = own.log_r.sum(axis=1)
        return log_det

    def _orthonormalised(self, step: EitherRange, t: int, before: Array | Frame, log_scales: Array) -> Array:
        """Orthonormalise the vectors and return ln R_ii, (B, K); `log_scales` were those before the last step."""
        one_step, own_scales = self._since == 1, self._log_scales
        self._log_scales = np.zeros_like(own_scales)
        if self._wide is None:
            Q, r, rounding = row_wise_qr(self._V)
            lost = np.any(self._alive & (rounding >= r), axis=1)
            if not (one_step and lost.any()):
                with np.errstate(divide="ignore"):
                    log_r: Array = np.log(np.where(r > rounding, r, 0)) + own_scales
                doubtful = self._alive & (rounding > r * math.sqrt(np.finfo(r.dtype).eps))
                self._V = Q
                if one_step and doubtful.any():
                    whole = NestedQR(Frame.of(Q), log_r - log_scales, doubtful, np.arange(len(Q)))
                    better = with_factors(whole, step, t, _frame(before))
                    if better is not whole:
                        self._wide, log_r = better.Q, better.log_r + log_scales
                return log_r
            # Whether a direction is below the rounding of its own terms is seen from the images of others beside it.
            self._wide, own_scales = _frame(before).image(step, t), log_scales
        wide = nested_qr_of_image(step, t, _frame(before), self._wide) if one_step else nested_qr(self._wide)
        self._wide = wide.Q
        return wide.log_r + own_scales

    def _count(self, done: int, log_r: Array) -> None:
        """Add ln R_ii, (B, K), to the sums, `done` steps after the burn-in."""
        log_r = np.where(log_r < SMALLEST_LOG, -np.inf, log_r)
        # Behind a direction that is lost to rounding, the next ones are orthogonal to another one.
        log_r = np.where(np.logical_or.accumulate(np.isneginf(log_r), axis=1), -np.inf, log_r)
        self._alive = np.ones_like(self._alive) if done == 0 else self._alive & np.isfinite(log_r)
        if done > 0:
            self._sums[self._block(done)] += log_r
            self._counts[self._block(done)] += done - self._last
            if self._is_due(done):
                self._due = [time for time in self._due if time > done]
                self._history.append((done, self._sums.sum(axis=0) / done))
        self._last = max(done, 0)

    def _block(self, done: int) -> int:
        return min((done - 1) * len(self._counts) // self._steps, len(self._counts) - 1)

    def _is_due(self, done: int) -> bool:
        """Return whether the means are to be kept in the history."""
        return bool(self._due) and done >= self._due[-1]

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


def _frame(vectors: Array | Frame) -> Frame:
    return vectors if isinstance(vectors, Frame) else Frame.of(vectors)


def _standard_error(means: Array) -> Array:
    """Return the standard error of the mean of consecutive blocks' means (M, B, K)."""
    blocks = len(means)
    if blocks < 2:
        return np.full(means.shape[1:], np.nan)
    finite = np.isfinite(means).all(axis=0)
    error: Array = np.std(np.where(finite, means, 0), axis=0, ddof=1) / math.sqrt(blocks)
    return np.where(finite, error, np.nan)
