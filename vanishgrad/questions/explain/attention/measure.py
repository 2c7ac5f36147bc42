"""What attention and skips would send back along the same hidden states, beside the recurrence (theory: T9)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, StoredTrajectory
from vanishgrad.curves.curve import Curve, curve
from vanishgrad.curves.product_norms import ProductNorms
from vanishgrad.curves.statistics import slopes
from vanishgrad.inputs.sequences import InputSequences
from vanishgrad.propagation.attention import Attention, dot_product
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.questions.explain.run import Run
from vanishgrad.questions.explain.section import MASKED, Absent
from vanishgrad.random_streams import Role, stream

SHORTEST, PREFIXES = 4, 12
"""States that the shortest context has, and how many lengths up to T the dilution is read from."""
NEGLIGIBLE_LOG_NORM = -40.0
"""ln ‖P‖ below which ‖I + P‖ is 1 to the last bit."""


@dataclass(frozen=True, eq=False)
class Shortcuts:
    """Two ways around the recurrence, measured on its own hidden states.

    Attributes
    ----------
    attention : Curve
        ‖∂c/∂h_s‖₂ by lag T - s for a random head: query W_q h_T held fixed, keys W_k h_s, W_q and W_k N(0, 1/n), the
        values W_v h_s with an orthogonal W_v, so that 1 is the norm of a state that has all the weight.
    skip : Curve
        ‖I + ∂h_T/∂h_s‖₂ by lag: the loss sees h_s added to h_T.
    largest_score : float
        B, the largest |score| of any trial.
    log_floor : float
        ln of e^(-2B)/T, which no weight of any trial is below.
    lengths, log_typical : (P,) arrays
        Numbers of states t, and ln of the median of ‖∂c/∂h_s‖₂ over s and trials with the query at t.
    exponent : float or None
        The slope of `log_typical` against ln t: -1 is dilution among all states. None for too few lengths.
    """

    attention: Curve
    skip: Curve
    largest_score: float
    log_floor: float
    lengths: Array
    log_typical: Array
    exponent: float | None


def attention(run: Run) -> Shortcuts | Absent:
    """Return how attention and an additive skip would send the gradient back along a run's states."""
    if run.sequences.masked_steps:
        return Absent(MASKED)
    return shortcuts(run.cell, run.trajectory, run.sequences, run.request.threshold, run.request.seed)


def shortcuts(
    cell: Cell, trajectory: StoredTrajectory, sequences: InputSequences, threshold: float, seed: int
) -> Shortcuts:
    """Return how attention and an additive skip would send the gradient back.

    Notes
    -----
    O(B T n) for attention; for the skip one sweep of ∂h_T/∂h_s as every curve needs.
    """
    states = [_hidden(cell, trajectory, sequences, b) for b in range(sequences.trials)]
    heads = [_Head(cell, seed, b) for b in range(sequences.trials)]
    whole = [head(h) for head, h in zip(heads, states, strict=True)]
    log_norms, log_rms = zip(*(_by_lag(each, sequences.steps) for each in whole), strict=True)
    last = int(sequences.lengths.min())
    lengths = np.unique(np.geomspace(min(SHORTEST, last), last, PREFIXES).astype(int))
    typical = np.array([_typical(heads, states, length) for length in lengths.tolist()])
    slope = slopes(np.log(lengths), typical[None])[0]
    largest = float(max(np.abs(each.scores).max() for each in whole))
    return Shortcuts(
        attention=curve(np.stack(log_norms), np.stack(log_rms), {}, threshold),
        skip=_skip(cell, trajectory, sequences, threshold),
        largest_score=largest,
        log_floor=-2 * largest - math.log(sequences.steps),
        lengths=lengths,
        log_typical=typical,
        exponent=float(slope) if np.isfinite(slope) else None,
    )


def _hidden(cell: Cell, trajectory: StoredTrajectory, sequences: InputSequences, b: int) -> Array:
    """Return h_1 … h_T of one trial, its own length."""
    return trajectory.states[-int(sequences.lengths[b]) :, b, cell.slices[cell.parts[0].name]]


class _Head:
    """One trial's random head."""

    def __init__(self, cell: Cell, seed: int, trial: int) -> None:
        n = cell.parts[0].size
        draw = stream(seed, Role.ATTENTION, trial, cell.row.stream)
        self.W_q, self.W_k = draw.standard_normal((2, n, n)) * n**-0.5
        self.W_v, _ = np.linalg.qr(draw.standard_normal((n, n)))

    def __call__(self, h: Array) -> Attention:
        """Return the attention of the query of the last state to all states."""
        return dot_product(self.W_v, self.W_k, self.W_q @ h[-1], h.astype(np.float64))


def _by_lag(attention: Attention, steps: int) -> tuple[Array, Array]:
    """Return ln ‖·‖₂ and ln(‖·‖_F/√n) by lag, (T,), NaN beyond the trial's own length."""
    spectral, frobenius = attention.orthogonal_norms()
    rms = frobenius * attention.W_v.shape[0] ** -0.5
    beyond = np.full(steps - len(spectral), np.nan)
    with np.errstate(divide="ignore"):
        log_norm, log_rms = (np.concatenate([np.log(each[::-1]), beyond]) for each in (spectral, rms))
    return log_norm, log_rms


def _typical(heads: list[_Head], states: list[Array], length: int) -> float:
    norms = [head(h[:length]).orthogonal_norms()[0] for head, h in zip(heads, states, strict=True)]
    with np.errstate(divide="ignore"):
        return float(np.log(np.median(np.concatenate(norms))))


def _skip(cell: Cell, trajectory: StoredTrajectory, sequences: InputSequences, threshold: float) -> Curve:
    """Return ‖I + ∂h_T/∂h_s‖ by lag: that of I, ln 1 = 0, once the product is gone."""
    recorder = ProductNorms(sequences.lengths - 1, unobserved=0.0)
    for lag, whole in enumerate(_with_skip(cell, trajectory, sequences.trials, sequences.steps)):
        recorder.observe(lag, {"skip": whole})
    return recorder.curve("skip", threshold)


def _with_skip(cell: Cell, trajectory: StoredTrajectory, batch: int, steps: int) -> Iterator[tuple[Array, Array]]:
    """Yield I + ∂h_T/∂h_s, lag after lag, as (B, n, n) and ln of its scale, (B,), until the product is gone."""
    h, n = cell.parts[0].name, cell.parts[0].size
    for product in backward_products(cell, trajectory, batch, lags=steps - 1):
        if product.log_frobenius(h, h).max() < NEGLIGIBLE_LOG_NORM:
            return
        P, log_scale = product.block(h, h)
        grown = np.maximum(log_scale, 0)
        size, one = (np.exp(each)[:, None, None] for each in (log_scale - grown, -grown))
        yield P * size + np.eye(n, dtype=P.dtype) * one, grown
