"""Proved bounds of a curve, beside what is measured, each with the claim that it proves and nothing more.

A claim that rests on random probes says with what probability it fails.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import RNN, Cell, Trajectory
from vanishgrad.curves.block_contraction import BLOCK_STEPS, block_norms
from vanishgrad.propagation.singular_values.diagonal_scaling import perron_vectors
from vanishgrad.propagation.singular_values.largest import largest_singular_value


class Bound(NamedTuple):
    """A number that proves something about a curve.

    Attributes
    ----------
    name, curve, claim : str
    value : float
        The largest over the trials, so that the claim holds for each.
    holds : bool or None
        Whether the hypothesis of the claim holds; None where there is no claim for this cell.
    log_norm : (L,) array or None
        The natural logarithm of the bound by lag.
    failure_probability : float
        That the claim is wrong because it rests on random probes; 0 where it is proved.
    """

    name: str
    curve: str
    claim: str
    value: float
    holds: bool | None
    log_norm: Array | None
    failure_probability: float = 0.0


def bounds(
    cell: Cell, trajectory: Trajectory, steps: int, products: bool = True, taken: Array | None = None
) -> tuple[Bound, ...]:
    """Return the bounds that apply to a cell along a trajectory whose last `steps` steps are measured.

    Those that need products of whole blocks are left out where there are to be none. Where only steps `taken` (B, T)
    are, the others multiply the gradient by 1.
    """
    untied = cell.steps is not None
    applicable = list(_of_weights(cell, _steps_by_lag(steps, taken))) if isinstance(cell, RNN) and not untied else []
    if products and not untied and steps >= BLOCK_STEPS:
        applicable.append(_block_contraction(cell, trajectory, steps))
    return tuple(applicable)


def _steps_by_lag(steps: int, taken: Array | None) -> Array:
    """Return how many of the last `lag` steps each sequence takes, (B, T + 1), or (1, T + 1) where it takes all."""
    if taken is None:
        return np.arange(steps + 1)[None]
    counts = np.cumsum(taken[:, : -steps - 1 : -1], axis=1)
    return np.pad(counts, ((0, 0), (1, 0)))


def _of_weights(cell: RNN, counts: Array) -> tuple[Bound, ...]:
    gamma, every = cell.activation.gamma, "every step" if len(counts) == 1 else "every step that is not masked,"
    norm = gamma * float(largest_singular_value(cell.W_hh).max())
    radius = float(np.abs(np.linalg.eigvals(cell.W_hh)).max())
    scaled, log_condition = _perron_scaled(cell.W_hh)
    linear = cell.activation.name == "linear"
    return (
        Bound(
            "gamma_norm", "state",
            f"γ‖W‖₂ bounds the factor of {every} for every input; below 1 it proves vanishing, above 1 nothing",
            norm, norm < 1, _line(counts, norm),
        ),
        Bound(
            "gamma_norm_scaled", "state",
            "γ‖ΔWΔ⁻¹‖₂ with the Perron scaling Δ of |W| does the same up to the constant cond(Δ)",
            gamma * scaled, gamma * scaled < 1, log_condition + _line(counts, gamma * scaled),
        ),
        Bound(
            "spectral_radius", "state",
            "ln ρ(W) is the rate of the linear network" if linear else
            "ρ(W) is a linear network's factor per step; of a nonlinear network it proves nothing",
            radius, radius < 1 if linear else None, None,
        ),
    )  # fmt: skip


def _line(counts: Array, factor: float) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, counts * np.log(factor), 0.0).max(axis=0)


def _perron_scaled(W: Array) -> tuple[float, float]:
    """Return the largest ‖ΔWΔ⁻¹‖₂ and ln cond(Δ) over trials, Δ = diag √(y/x), x and y the Perron vectors of |W|."""
    x, y = perron_vectors(W)
    scale = np.sqrt(y / x)
    norms = largest_singular_value(scale[..., :, None] * W / scale[..., None, :])
    condition = scale.max(axis=-1) / scale.min(axis=-1)
    return float(norms.max()), float(np.log(condition).max())


def _block_contraction(cell: Cell, trajectory: Trajectory, steps: int) -> Bound:
    """T1′: along trial 0, ‖J_{t:k}‖ ≤ B ρ^(m⌊lag/m⌋)."""
    within, whole, failure_probability = block_norms(cell, trajectory, steps)
    count = np.arange(steps // BLOCK_STEPS * BLOCK_STEPS + 1) // BLOCK_STEPS
    with np.errstate(invalid="ignore"):
        log_norm = within + np.where(count > 0, count * whole, 0.0)
    value = float(np.exp(whole / BLOCK_STEPS))
    claim = f"no {BLOCK_STEPS} consecutive steps of trial 0 multiply the gradient by more than this factor per step"
    if failure_probability:
        claim += f", by random probes, whose constant √m fails with probability {failure_probability:.0e} at most"
    return Bound("block_contraction", "state", claim, value, value < 1, log_norm, failure_probability)
