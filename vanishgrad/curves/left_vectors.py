"""Left singular vectors of trial 0's products at some lags: what another run along the same inputs is compared by.

For the unit vector u that A = ∂s_T/∂s_k grows most from the left, ‖uᵀA'‖ of a product A' near A is ‖A'‖₂ but for the
square of how far u is from the leading one of A'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell, Trajectory
from vanishgrad.propagation.products.scaling import LN_2
from vanishgrad.propagation.singular_values.scaled_vectors import LinearisedSteps, ScaledVectors

COUNT = 32
"""Vectors at most: as many as a step takes at the price of its weights alone."""
CLOSE = 1e-5
"""How far ‖uᵀA‖ may be from ‖A‖₂, relative, for u to be taken for the leading left vector in float32."""


class LeftVectors:
    """Gathers vectors as a sweep goes on whose rows may be turned.

    Attributes
    ----------
    by_lag : dict
        Lag → u, (m,), in the state's own coordinates.
    """

    def __init__(self, steps: int) -> None:
        self.by_lag: dict[int, Array] = {}
        self._turns: list[list[Array]] = []
        self._steps, self._next = steps, 0

    def turn(self, turns: Mapping[str, Array]) -> None:
        """Go on with rows Q R in the place of R, part by part, Q (B, new, old)."""
        self._turns.append([Q[0] for Q in turns.values()])

    def observe(self, lag: int, A: Array, u: Array | None, sigma: float) -> None:
        """Take the left vector of a product A (p, m) with ‖A‖₂ = sigma, if it is one and its turn has come."""
        if u is None or (lag < self._next and lag < self._steps) or np.linalg.norm(u @ A) < (1 - CLOSE) * sigma:
            return
        for turns in reversed(self._turns):
            ends = np.cumsum([len(Q) for Q in turns])[:-1]
            u = np.concatenate([part @ Q for part, Q in zip(np.split(u, ends), turns, strict=True)])
        self.by_lag[lag] = u / np.linalg.norm(u)
        self._next = lag + math.ceil(self._steps / (COUNT - 1))


def log_norms_along(vectors: Mapping[int, Array], cell: Cell, trajectory: Trajectory) -> dict[int, float]:
    """Return lag → ln ‖uᵀ ∂s_T/∂s_k‖ of trial 0 of a run, in one sweep of vectors."""
    lags, norms = sorted(vectors), dict[int, float]()
    values = np.stack([vectors[lag] for lag in lags])[None]
    rows = ScaledVectors.on(trajectory.start, values.astype(trajectory.start.dtype))

    def read(lag: int) -> None:
        nonlocal rows
        if len(norms) < len(lags) and lags[len(norms)] == lag:
            image, exponents = rows.vector(0, slice(None))
            with np.errstate(divide="ignore"):
                norms[lag] = float(np.log(np.linalg.norm(image[0])) + exponents[0] * LN_2)
            rows = rows[1:]

    read(0)
    for t, linearisation in LinearisedSteps(cell, trajectory).backward(trajectory.steps - lags[-1] + 1):
        rows.cotangent(linearisation, t)
        read(trajectory.steps - t + 1)
    return norms
