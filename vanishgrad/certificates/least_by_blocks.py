r"""Lower bounds of σ_min(∂s_T/∂s_k) where ∂s_T/∂s_k is too near to a singular matrix for float64 to invert it.

σ_min(A B) ≥ σ_min(A) σ_min(B): from the lag j at which the condition passes 10⁹ on, the bound there times that of a
block of Jacobians, ∂s_j/∂s_k, and a new block wherever the condition of the last one passes 10⁹.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.certificates.float_arrays import FloatArray
from vanishgrad.certificates.intervals import UP
from vanishgrad.certificates.matrix_norms import quick_norm_up, smallest_singular_value

MAX_CONDITION = 1e9
ROOM = 1 - 2.0**-30
"""Left to the checker, whose blocks are the same and whose rounding is not."""


@dataclass(frozen=True, eq=False)
class _Lag:
    """A block's product at a lag: its σ_min as computed, and what the step adds to what the product is off by."""

    least: float
    spread: float
    before: float
    rounding: float
    is_first: bool


class LeastByBlocks:
    """The blocks of a run, newest first.

    Attributes
    ----------
    starts : list of int
        The lags j after which a block begins.
    """

    def __init__(self) -> None:
        self.starts = list[int]()
        self._product: FloatArray | None = None
        self._lags = dict[int, _Lag]()

    def take(self, lag: int, J: FloatArray, least: float, norm: float) -> None:
        """Note the Jacobian that leads to a lag, and the singular values of the whole product there."""
        if not self.starts and (lag == 1 or least * MAX_CONDITION >= norm):
            return
        if self._product is not None:
            product = self._product @ J.exact
            found = smallest_singular_value(product.floats)[0]
            if found * MAX_CONDITION >= quick_norm_up(product.floats):
                self._lags[lag] = _Lag(found, J.spread, quick_norm_up(self._product.floats), product.spread, False)
                self._product = product.exact
                return
        self.starts.append(lag - 1)
        self._product = J.exact
        self._lags[lag] = _Lag(smallest_singular_value(J.floats)[0], J.spread, 1.0, 0.0, True)

    def improved(
        self, lows: Sequence[float], norms: Callable[[int], float], blurs: Callable[[int], float]
    ) -> list[float]:
        """Return the bounds by lag, from 1, or those of the blocks where they are larger.

        `norms` and `blurs`, by lag: of the Jacobian that leads there, a bound of its norm as computed, and how far it
        is from the real one.
        """
        best, base, off = list(lows), 0.0, 0.0
        for lag, block in sorted(self._lags.items()):
            blur = (blurs(lag) + block.spread) * UP
            if block.is_first:
                base, off = best[lag - 2], blur
            else:
                off = (off * (norms(lag) + blur) + block.before * blur + block.rounding) * UP
            found = base * max(0.0, block.least - off) * ROOM
            best[lag - 1] = max(best[lag - 1], float(np.nextafter(found, 0)))
        return best
