"""T1′ on any cell: blocks of m steps contract where single steps do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import StoredTrajectory
from vanishgrad.curves.block_contraction import step_blocks
from vanishgrad.formal_answer.claims import Claim
from vanishgrad.formal_answer.quantities.measured import MeasuredRun, leading_values, spectral_norms
from vanishgrad.propagation.products.products import backward_products

SIZES = (1, 5, 10, 25)
MAX_BLOCK_NUMBERS = 2**25
"""Numbers that the blocks of one size may hold together."""


@dataclass(frozen=True, eq=False)
class StepBlock:
    """The worst of a trajectory's consecutive blocks of m steps.

    Attributes
    ----------
    size : int
        m.
    log_rho : float
        ln ρ_m, the worst block's norm to the power 1/m.
    log_rests : (m,) array
        ln of a bound on the product of the newest 0, 1, …, m - 1 steps of any block; B is the largest.
    """

    size: int
    log_rho: float
    log_rests: Array

    def log_bound(self, lags: Array) -> Array:
        """Return ln of ρ_m^(m ⌊lag/m⌋) times the bound of what is left over."""
        whole = lags // self.size * self.size
        with np.errstate(invalid="ignore"):
            bound: Array = np.where(whole > 0, whole * self.log_rho, 0.0) + self.log_rests[lags % self.size]
        return bound


def blocks(run: MeasuredRun) -> list[StepBlock]:
    """Return the worst blocks of every size that fits the run.

    What a block leaves over is measured where its size has no smaller one that divides it, and else bounded by that
    one's blocks, which stand in line with it.
    """
    if run.cell.W_hh.ndim > 3:  # an untied network's steps cannot be moved to another time
        return [StepBlock(1, float(np.log(spectral_norms(run.jacobians()).max())), np.zeros(1))]
    worst_blocks: list[StepBlock] = []
    for m in SIZES:
        if m <= run.steps and (run.steps // m) * run.cell.state_size**2 <= MAX_BLOCK_NUMBERS:
            worst_blocks.append(
                _worst_block(run, m, [block for block in worst_blocks if block.size > 1 and m % block.size == 0])
            )
    return worst_blocks


def _worst_block(run: MeasuredRun, size: int, dividing: list[StepBlock]) -> StepBlock:
    """Return the worst of the blocks of `size` steps that end at T, T - m, T - 2m, …."""
    count, stop = run.steps // size, run.steps
    starts = [stop - (j + 1) * size for j in range(count)]
    pieces = step_blocks(run.trajectory, starts, size)
    if dividing:
        rests = np.min([block.log_bound(np.arange(size)) for block in dividing], axis=0)
        return StepBlock(size, _worst_norms(run, pieces, count, size)[0] / size, rests)
    *within, whole = _worst_norms(run, pieces, count)
    rests, rest = np.array(within), stop - count * size
    if rest:
        oldest = StoredTrajectory(run.trajectory.states[: rest + 1], run.trajectory.records[:rest])
        rests[: rest + 1] = np.maximum(rests[: rest + 1], _worst_norms(run, oldest, 1))
    return StepBlock(size, whole / size, rests)


def _worst_norms(run: MeasuredRun, pieces: StoredTrajectory, count: int, first: int = 0) -> list[float]:
    """Return, for `first`, `first` + 1, … of the newest steps of each piece, the largest ln ‖·‖₂ of their products."""
    m = run.cell.state_size
    leading, worst = leading_values({"": (m, m)}, count), []
    with np.errstate(divide="ignore"):
        for product in backward_products(run.cell, pieces, count):
            matrix, log_scale = product.block(None, None)
            if product.lag >= first:
                worst.append(float((np.log(leading({"": matrix})[""]) + log_scale).max()))
    return worst


def block_contraction(run: MeasuredRun, worst_blocks: list[StepBlock]) -> Claim:
    """T1′: ‖J_{T:k}‖ ≤ B ρ_m^(m ⌊lag/m⌋) with the m that bounds lag T best; where ρ_m > 1, growth at most."""
    lag = np.array(run.steps)
    best = min(worst_blocks, key=lambda block: float(block.log_bound(lag)))
    rates = {f"rho_{block.size}": math.exp(block.log_rho) for block in worst_blocks}
    return Claim(
        "T1b", "T1b", run.label, (), "upper", "state", float(best.log_bound(lag)), run.products.log_state,
        {**rates, "best_size": float(best.size), "rho_best": math.exp(best.log_rho)},
    )  # fmt: skip
