"""Truncated backpropagation: what it leaves of ∂L/∂θ, and how far back it has to reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import RNN, Cell, StoredTrajectory
from vanishgrad.curves.curve import Band, over_trials
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.propagation.singular_values.largest import largest_singular_value
from vanishgrad.propagation.weight_gradient import Contributions, OneSequence, contributions, segment_gradient
from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import NO_GATES, Absent
from vanishgrad.questions.explain.truncation.loss import LossRequest, cotangents, in_words

MAX_LOST_SHARE = 0.01
"""A truncation is long enough when it loses no more of the gradient: ‖G - G_{<N}‖ ≤ MAX_LOST_SHARE ‖G‖.

Stricter than ‖G_{<N}‖ ≥ (1 - LOST) ‖G‖, which a gradient in a wrong direction also satisfies.
"""


@dataclass(frozen=True)
class Cut:
    """What a truncation to N steps leaves, as medians over trials.

    Attributes
    ----------
    length : int
        N: every output's gradient goes back through the N steps that end with it, lags 0 … N - 1.
    kept, lost : float
        ‖G_{<N}‖/‖G‖ and ‖G - G_{<N}‖/‖G‖.
    segments_lost : float
        The same loss where the sequence is cut into segments of N steps, the state carried over and detached: an
        output soon after a cut then sees few steps only.
    """

    length: int
    kept: float
    lost: float
    segments_lost: float


@dataclass(frozen=True, eq=False)
class Truncation:
    """How much of ∂L/∂θ, θ all tensors of the layer (the two biases of a framework as one), comes from each lag.

    Attributes
    ----------
    loss : str
        In words.
    share : Band
        ln ‖G_l‖/‖G‖ by lag l; contributions are vectors, so that the shares need not sum to 1.
    kept, lost : Band
        ln ‖G_{<N}‖/‖G‖ and ln ‖G - G_{<N}‖/‖G‖ by length, N = 1 first.
    shortest, shortest_low, shortest_high : int
        From which length on no more than `MAX_LOST_SHARE` is lost: the median trial's, the least and the greatest.
    advised, asked : Cut
        At `shortest_high`, and at a length that was asked for, or None.
    contraction : float or None
        γ‖W‖₂, the largest over trials; None for a gated cell.
    log_bound : (T,) array or None
        ln of a proved upper bound of what any trial loses, by length (T1 iii); None unless γ‖W‖₂ < 1.
    zero_trials : int
        Trials whose gradient is exactly zero; they are left out.
    """

    loss: str
    share: Band
    kept: Band
    lost: Band
    shortest: int
    shortest_low: int
    shortest_high: int
    advised: Cut
    asked: Cut | None
    contraction: float | None
    log_bound: Array | None
    zero_trials: int


def truncation(run: Run) -> Truncation | Absent:
    """Return what truncation leaves of the gradient of the loss that a run's request asks for."""
    return truncated(run.cell, run.trajectory, run.sequences, run.request.loss_request(), run.request.seed)


def truncated(
    cell: Cell, trajectory: StoredTrajectory, sequences: InputSequences, request: LossRequest, seed: int
) -> Truncation | Absent:
    """Return how much of the gradient comes from each lag, and what is left of it where lags are cut off.

    Raises
    ------
    VanishgradError
        If the file of cotangents does not fit.

    Notes
    -----
    O(g n (n + d) B T²) work for a loss on all outputs, a T-th of it for one on the last.
    """
    if not cell.has_weights:
        return Absent(NO_GATES)
    if cell.steps is not None:
        return Absent("an untied net has no weights that steps share")
    rows = cotangents(cell, sequences, request, seed)
    trials = [_Trial(cell, trajectory, sequences, rows, b) for b in range(sequences.trials)]
    alive = [trial for trial in trials if trial.log_whole > -math.inf]
    if not alive:
        return Absent("the gradient of the weights is exactly 0")
    share, within, lost = (
        np.stack([trial.relative(name, sequences.steps) for trial in alive])
        for name in ("log_own", "log_kept", "log_lost")
    )
    shortest = np.array([trial.shortest for trial in alive])
    contraction = _contraction(cell)
    provable = contraction is not None and contraction < 1 and not sequences.masked_steps
    return Truncation(
        loss=in_words(request, sequences.steps),
        share=over_trials(share),
        kept=over_trials(within),
        lost=over_trials(lost),
        shortest=int(np.sort(shortest)[(len(shortest) - 1) // 2]),
        shortest_low=int(shortest.min()),
        shortest_high=int(shortest.max()),
        advised=_cut(alive, int(shortest.max())),
        asked=None if request.truncation is None else _cut(alive, request.truncation),
        contraction=contraction,
        log_bound=np.max([trial.log_bound(sequences.steps) for trial in alive], axis=0) if provable else None,
        zero_trials=len(trials) - len(alive),
    )


class _Trial:
    """One sequence with its own loss."""

    def __init__(
        self, cell: Cell, trajectory: StoredTrajectory, sequences: InputSequences, rows: Array, b: int
    ) -> None:
        total = trajectory.steps
        own = cell.trial(b)
        alone = StoredTrajectory(trajectory.states[:, b : b + 1], trajectory.records[:, b : b + 1])
        self._path = OneSequence(own, alone, sequences.xs[b], total - int(sequences.lengths[b]))
        self._rows = np.zeros((total, rows.shape[2]), dtype=rows.dtype)
        self._rows[sequences.burn_in :] = rows[b]
        self._rows[: self._path.first] = 0
        self._found: Contributions = contributions(self._path, self._rows)
        self.log_whole = self._found.whole.log_norm

    def relative(self, name: str, steps: int) -> Array:
        """Return logarithms by lag relative to the whole gradient's, NaN beyond the trial's own length.

        Lags that no output reaches, since the product is exactly zero, contribute nothing: all is kept by then.
        """
        logs = getattr(self._found, name) - self.log_whole
        length = self._path.trajectory.steps - self._path.first
        unreached = np.full(length - len(logs), 0.0 if name == "log_kept" else -np.inf)
        return np.concatenate([logs, unreached, np.full(steps - length, np.nan)])

    @property
    def shortest(self) -> int:
        """The length from which on no more than `MAX_LOST_SHARE` is lost."""
        enough = self._found.log_lost - self.log_whole <= math.log(MAX_LOST_SHARE)
        return int(np.flatnonzero(~enough)[-1]) + 2 if not enough.all() else 1

    def cut(self, length: int) -> tuple[float, float, float]:
        """Return what is kept, what is lost, and what is lost in segments."""
        place = min(length, len(self._found.log_own)) - 1
        segments = self._found.whole - segment_gradient(self._path, self._rows, length)
        logs = (self._found.log_kept[place], self._found.log_lost[place], segments.log_norm)
        remaining, lost, in_segments = (math.exp(each - self.log_whole) for each in logs)
        return remaining, lost, in_segments

    def log_bound(self, steps: int) -> Array:
        """Return ln of Σ‖g_t‖ B ρ^N/(1 - ρ)/‖G‖ by length N, ρ = γ‖W‖₂, B = γ max ‖(h_{k-1}, x_k, 1)‖."""
        path, first = self._path, self._path.first
        gamma = path.cell.activation.gamma if isinstance(path.cell, RNN) else math.nan
        h, x = path.trajectory.states[first:-1, 0], path.xs[first:]
        largest = math.sqrt(float((np.vecdot(h, h) + np.vecdot(x, x)).max()) + 1)
        rho = gamma * float(largest_singular_value(path.cell.W_hh)[0])
        losses = float(np.linalg.norm(self._rows, axis=1).sum())
        with np.errstate(divide="ignore"):
            reach = np.arange(1, steps + 1) * np.log(rho) - np.log1p(-rho)
        bound: Array = reach + math.log(losses * gamma * largest) - self.log_whole
        return bound


def _cut(trials: list[_Trial], length: int) -> Cut:
    remaining, lost, segments = np.median([trial.cut(length) for trial in trials], axis=0).tolist()
    return Cut(length, remaining, lost, segments)


def _contraction(cell: Cell) -> float | None:
    if not isinstance(cell, RNN):
        return None
    return cell.activation.gamma * float(largest_singular_value(cell.W_hh).max())
