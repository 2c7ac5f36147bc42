r"""Block contraction: ‖J_{t:k}‖ ≤ B ρ^(m ⌊(t - k)/m⌋) from the norms of a trajectory's blocks of m steps (theorem T1′).

ρ^m is the largest ‖·‖₂ of a whole block, B bounds what a part of one may do. Small products are formed, all blocks side
by side, and B is their largest Frobenius norm, of which that of nothing at all, √(state size), is the least. That no
part of a block has a larger ‖·‖₂ than that is seen from Gaussian probes of large products, which are then not formed:
with k probes G, ‖G P‖₂ ≥ ‖G u‖ σ₁(P) for the leading left vector u, and ‖G u‖² is a χ² of k degrees of freedom, below
`MIN_MEAN_SQUARE` k with probability `PROBES_FAIL` only. What rests on probes says with what probability it fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, is_extended
from vanishgrad.cells import Cell, StoredTrajectory, Trajectory
from vanishgrad.cells.gate_products import NARROW
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.singular_values.lanczos import unit
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues
from vanishgrad.propagation.singular_values.matrix_free import VectorBlock, leading
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors

BLOCK_STEPS = 10
"""Steps of a block."""
BATCH_NUMBERS = 2**22
"""Entries of the products of blocks that are measured in one batch."""
PROBE_COUNT = NARROW
"""As many as a step takes at the price of its weights alone."""
MIN_MEAN_SQUARE = 0.108
"""x with (x e^(1 - x))^(k/2) = 1e-9 for k probes: Chernoff's bound of the probability that χ²_k < k x."""
PROBES_FAIL = 1e-9
"""Probability that the probes of one part of a block do not show how large it is."""
MIN_PROBED_STATE_SIZE = 8 * PROBE_COUNT
"""State size from which on probes cost clearly less than products."""
WHOLE = VectorBlock(None, None)


class BlockNorms(NamedTuple):
    """The norms of blocks.

    Attributes
    ----------
    log_within, log_whole : float
        ln B, and the largest ln ‖·‖₂ of a block.
    failure_probability : float
        That B is too small: of each step of each block that was probed; 0 where products were formed.
    """

    log_within: float
    log_whole: float
    failure_probability: float = 0.0


def block_norms(cell: Cell, trajectory: Trajectory, steps: int) -> BlockNorms:
    """Return the norms of the blocks of trial 0, counted from the last step.

    Cost of a block of an LSTM: 10 products of (2 n × 2 n)·(2 n × n); of a large one 8 n² multiplications and additions
    for each of 10 steps and of 32 probes and about 25 Lanczos vectors.
    """
    first, m = cell.trial(0), cell.state_size
    if m >= MIN_PROBED_STATE_SIZE:
        by_probes = _largest(_by_probes(first, each) for each in _pieces(trajectory, steps, 2 * m * PROBE_COUNT))
        if by_probes is not None:
            return BlockNorms(*by_probes, min(1.0, steps // BLOCK_STEPS * BLOCK_STEPS * PROBES_FAIL))
    norms = _largest(_by_products(first, each) for each in _pieces(trajectory, steps, m * m))
    return BlockNorms(*norms) if norms is not None else BlockNorms(0.0, 0.0)


def _largest(norms: Iterable[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Return the largest of each, or None as soon as there is nothing of some."""
    within = whole = -math.inf
    for norm in norms:
        if norm is None:
            return None
        within, whole = max(within, norm[0]), max(whole, norm[1])
    return within, whole


def _pieces(trajectory: Trajectory, steps: int, size: int) -> Iterator[StoredTrajectory]:
    """Yield blocks of the last `steps` steps as trials, as many together as a batch holds at `size` numbers each."""
    blocks, batch = steps // BLOCK_STEPS, max(1, BATCH_NUMBERS // size)
    for stop in range(blocks, 0, -batch):
        count, start = min(batch, stop), trajectory.steps - stop * BLOCK_STEPS
        stretch = StoredTrajectory(*trajectory.between(start, start + count * BLOCK_STEPS))
        yield step_blocks(stretch, [j * BLOCK_STEPS for j in range(count)], BLOCK_STEPS)


def step_blocks(trajectory: StoredTrajectory, starts: Sequence[int], size: int) -> StoredTrajectory:
    """Return the blocks of `size` steps that begin after the steps `starts` of trial 0, side by side as trials."""
    return StoredTrajectory(
        np.stack([trajectory.states[start : start + size + 1, 0] for start in starts], axis=1),
        np.stack([trajectory.records[start : start + size, 0] for start in starts], axis=1),
    )


def _by_products(cell: Cell, pieces: StoredTrajectory) -> tuple[float, float]:
    """Return the largest ln ‖·‖_F of parts of blocks, and the largest ln ‖·‖₂ of whole ones."""
    (count, m), within, whole = pieces.start.shape, -math.inf, -math.inf
    norms = LeadingSingularValues({"": (m, m)}, count, pieces.start.dtype)
    with np.errstate(divide="ignore"):
        for product in backward_products(cell, pieces, count):
            if product.lag < BLOCK_STEPS:
                within = max(within, float(product.log_frobenius(None, None).max()))
            else:
                matrix, log_scale = product.block(None, None)
                whole = float((np.log(norms({"": matrix})[""]) + log_scale).max())
    return within, whole


def _by_probes(cell: Cell, pieces: StoredTrajectory) -> tuple[float, float] | None:
    """Return ln √m and the largest ln ‖·‖₂ of whole blocks; None where probes do not show that B = √m."""
    count, m = pieces.start.shape
    noise = np.random.default_rng(0).standard_normal((count, PROBE_COUNT, m)).astype(pieces.start.dtype)
    probes, steps = ScaledVectors.on(pieces.start, noise), LinearisedSteps(cell, pieces)
    for t, linearisation in steps.backward():
        probes.cotangent(linearisation, t)
        if is_extended(probes.values) or _log_bound(probes) > math.log(m) / 2:
            return None
    wanted = (WHOLE, BLOCK_STEPS)
    largest = leading(cell, pieces, [wanted], {wanted: _left(probes, steps)}, largest_only=True)[wanted]
    return (math.log(m) / 2, float(largest.log_norm.max())) if largest.settled else None


def _on_one_scale(probes: ScaledVectors) -> tuple[Array, Array]:
    """Return the probes of each block on the scale of the largest, (B, k, m), and its exponent, (B,)."""
    top = probes.exponents.max(axis=1)
    shift = np.clip(probes.exponents - top[:, None], -1000, 0).astype(float)
    return probes.values * (2.0**shift)[..., None].astype(probes.values.dtype), top


def _log_bound(probes: ScaledVectors) -> float:
    """Return what ln ‖·‖₂ of the products is below in all blocks, but with probability `PROBES_FAIL` for each."""
    Y, top = _on_one_scale(probes)
    squares = np.linalg.eigvalsh(Y @ np.swapaxes(Y, 1, 2))[:, -1]
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(squares, 0) / (MIN_MEAN_SQUARE * PROBE_COUNT)) / 2 + top * LN_2
    return float(logs.max())


def _left(probes: ScaledVectors, steps: LinearisedSteps) -> Array:
    """Return vectors near the leading left ones of whole blocks: the images of the probes' leading right ones."""
    Y, _ = _on_one_scale(probes)
    z = np.linalg.eigh(Y @ np.swapaxes(Y, 1, 2))[1][:, None, :, -1]
    column = ScaledVectors.on(Y, unit(z @ Y))
    for t, linearisation in steps.forward(1):
        column.tangent(linearisation, t)
    return column.vector(0, slice(None))[0]
