r"""Jacobian products along a run, in limbs or float64, and bounds of their singular values that hold for the real ones.

The run ŝ is made in fixed point (`fixed_point_run`); its one-step Jacobians Ĵ_t and the products P̂_k = P̂_{k+1} Ĵ_{k+1}
are arrays of float64 (`float_arrays`) or of limbs (`limb_arrays`). What is left is how far they are from the real ones:

    e_t ≤ ‖Ĵ_t e_{t-1}‖ + d_t + ρ_t e_{t-1} + β e_{t-1}² / 2,          ‖J_t - Ĵ_t‖ ≤ η_t = ρ_t + β e_{t-1},
    Δ_{k-1} = Δ_k J_k + P̂_k (J_k - Ĵ_k) - R_k

with d_t the defect of a step, ρ_t the rounding of Ĵ_t, R_k that of a product. Both are followed through blocks of
steps: what a block begins with grows by the norm of the *product* of its Jacobians, not by the product of their norms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Generic

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.cholesky import frobenius_up
from vanishgrad.certificates.fixed_point_run import FixedPointRun
from vanishgrad.certificates.float_arrays import FloatArray
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, UP
from vanishgrad.certificates.least_by_blocks import MAX_CONDITION, LeastByBlocks
from vanishgrad.certificates.matrix_norms import (
    accurate_product,
    largest_singular_value,
    quick_norm_up,
    smallest_singular_value,
)
from vanishgrad.certificates.step_jacobians import Arithmetic, Numbers, StepJacobians
from vanishgrad.certificates.subject import CertifiedCell

BLOCK = 4
"""Steps whose Jacobians' product is formed to see by how much an error grows over them."""
LEAST_WIDTH = 1e-3
"""Relative width of σ_min that is narrow enough, up to a condition from which products cannot make it so."""


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Bounds by lag: of ∂s_T/∂s_{T-ℓ}, ℓ from 1, and of ∂s_T/∂x_{T-ℓ}, ℓ from 0.

    Attributes
    ----------
    state, sigma_min, input : list of (low, high)
    blocks : list of int
        The lags j after which a block begins whose least singular value, times that at j, bounds that of the product.
    """

    state: list[tuple[float, float]]
    sigma_min: list[tuple[float, float]]
    input: list[tuple[float, float]]
    blocks: list[int] = field(default_factory=list)

    @property
    def bounds(self) -> dict[str, dict[str, list[float]]]:
        """The bounds as a claim has them."""
        return {
            name: {"low": [low for low, _ in pairs], "high": [high for _, high in pairs]}
            for name, pairs in (("state", self.state), ("sigma_min", self.sigma_min), ("input", self.input))
        }

    @property
    def width(self) -> float:
        """The largest (high - low) / low of the norms; infinite if one is not known to be above 0."""
        return max(map(_width, self.state + self.input))

    @property
    def has_narrow_least(self) -> bool:
        """Whether σ_min is narrow wherever the condition lets it be."""
        return all(
            _width(least) <= LEAST_WIDTH or least[1] * MAX_CONDITION < norm[1]
            for least, norm in zip(self.sigma_min, self.state, strict=True)
        )


def _width(pair: tuple[float, float]) -> float:
    low, high = pair
    return high / low - 1 if low > 0 else math.inf if high > 0 else 0.0


@dataclass(frozen=True, eq=False)
class _Norms:
    """Bounds of the step t, all in the 2-norm.

    Attributes
    ----------
    jacobian, rounding : float
        ‖Ĵ_t‖, and by how much Ĵ_t is rounded.
    product, product_rounding : float
        ‖P̂_t‖, and by how much P̂_{t-1} differs from P̂_t Ĵ_t.
    entry : float
        ‖∂s_t/∂x_t‖ as it was computed.
    """

    jacobian: float
    rounding: float
    product: float
    product_rounding: float
    entry: float


class _Block:
    """Products of consecutive float64 Jacobians, newest first, with a bound of their norm."""

    def __init__(self, m: int) -> None:
        self._product, self._error = np.eye(m), 0.0

    def take(self, J: Array, norm: float, error: float) -> None:
        """Multiply by the Jacobian of the step before, which is within `error` and of at most the given norm."""
        P = self._product
        product, rounding = accurate_product(P, J)
        own = rounding + frobenius_up(P) * error
        self._product, self._error = product, (self._error * norm + own) * UP + MAX_UNDERFLOW

    @property
    def norm(self) -> float:
        """An upper bound of the norm of the product."""
        return (quick_norm_up(self._product) + self._error) * UP


class EnclosedProducts(Generic[Numbers]):
    """Products from the last step back to the first that counts; then the errors, forward and back."""

    def __init__(
        self,
        target: CertifiedCell,
        run: FixedPointRun,
        start: int,
        arithmetic: Arithmetic[Numbers],
        of_entries: Arithmetic[Numbers],
    ) -> None:
        self._target, self._run, self._start = target, run, start
        self._jacobians: StepJacobians[Numbers] = StepJacobians(target, arithmetic)
        self._entries: StepJacobians[Numbers] = StepJacobians(target, of_entries)
        self._steps, self._m = len(run.factors), target.state_size
        self._norms = dict[int, _Norms]()
        self._blocks = {self._steps: 1.0}
        """Step a → a bound of the norm of the Jacobians' product from after it to the end of its block."""
        self._least_vector: Array | None = None
        """Of the last product that was too near to a singular one; none before that."""
        self._raw = dict[str, list[tuple[float, float, float]]](state=[], sigma_min=[], input=[])
        """By lag: bounds for the computed matrix, and how far that is from what its numbers stand for."""
        self._by_blocks = LeastByBlocks()

    def enclosure(self) -> Enclosure | None:
        """Return the bounds, or None if the run is not known well enough."""
        beta = self._jacobians.curvature(self._run)
        self._multiply()
        errors = self._state_errors(beta)
        if errors is None:
            return None
        deltas = self._product_errors(beta, errors)
        T, around = self._steps, self._around
        to_input = beta * (1 + frobenius_up(self._target.tensors["W_hx"]))
        stray = []
        for t in range(T, self._start, -1):
            norms, moved = self._norms[t], to_input * errors[t - 1]
            stray.append((deltas[t] * (norms.entry + moved) + norms.product * moved) * UP)
        of_state = [deltas[T - lag] for lag in range(1, T - self._start + 1)]
        least, by_step = around("sigma_min", of_state), self._norms
        lows = self._by_blocks.improved(
            [low for low, _ in least],
            lambda lag: by_step[T + 1 - lag].jacobian,
            lambda lag: (by_step[T + 1 - lag].rounding + beta * errors[T - lag]) * UP,
        )
        least = [(min(low, high), high) for low, (_, high) in zip(lows, least, strict=True)]
        return Enclosure(around("state", of_state), least, around("input", stray), self._by_blocks.starts)

    def _around(self, name: str, stray: list[float]) -> list[tuple[float, float]]:
        bounds = []
        for (low, high, error), more in zip(self._raw[name], stray, strict=True):
            width = (error + more) * UP
            bounds.append((max(0.0, math.nextafter(low - width, -math.inf)), math.nextafter(high + width, math.inf)))
        return bounds

    def _multiply(self) -> None:
        P: Numbers | None = None
        product_norm, block = 1.0, _Block(self._m)
        for t in range(self._steps, 0, -1):
            J, B = self._jacobians.recurrent(self._run, t), self._entries.entry(self._run, t)
            norm = quick_norm_up(J.floats) + J.float_spread
            entry, before, cut = quick_norm_up(B.floats) + B.float_spread, product_norm, 0.0
            if t > self._start:
                self._take_input(P, B, product_norm)
                P = J.exact if P is None else P @ J.exact
                cut, P = P.spread, P.exact
                product_norm = self._take_product(P, J)
            block.take(J.floats, norm, J.float_spread)
            self._blocks[t - 1] = block.norm
            if self._is_end(t - 1):
                block = _Block(self._m)
            self._norms[t] = _Norms(norm * UP, J.spread * UP, before, cut * UP, entry * UP)

    def _is_end(self, t: int) -> bool:
        """Return whether a block ends with the step after t, seen from the last step on."""
        return (self._steps - t) % BLOCK == 0 or t == 0

    def _take_product(self, P: Numbers, J: Numbers) -> float:
        """Note the singular values of ∂s_T/∂s_k; return a bound of the largest."""
        floats: Array = P.floats
        error = P.float_spread * UP
        low, high = largest_singular_value(floats)
        if self._least_vector is not None:
            self._least_vector = _pulled_back(J.floats, self._least_vector)
        least_low, least_high, w = smallest_singular_value(floats, self._least_vector)
        if least_low <= 0:
            self._least_vector = w
        self._raw["state"].append((low, high, error))
        self._by_blocks.take(len(self._raw["state"]), FloatArray(J.floats, J.float_spread), least_low, high)
        self._raw["sigma_min"].append((least_low, least_high, error))
        return (high + error) * UP

    def _take_input(self, P: Numbers | None, B: Numbers, product_norm: float) -> None:
        """Note the norm of ∂s_T/∂x_t = P̂_t ∂s_t/∂x_t."""
        floats: Array = B.floats
        error = product_norm * B.float_spread
        if P is not None:
            A = P.floats
            error += P.float_spread * (frobenius_up(floats) + B.float_spread)
            floats, rounding = accurate_product(A, floats)
            error += rounding
        self._raw["input"].append((*largest_singular_value(floats), error * UP))

    def _state_errors(self, beta: float) -> dict[int, float] | None:
        """Return a bound of ‖s_t - ŝ_t‖ by step, or None once it is too large for β."""
        defect = math.sqrt(self._m) * self._run.defect * UP + MAX_UNDERFLOW
        limit = 1 / (1 + frobenius_up(self._target.tensors["W_hh"])) / UP
        begun = self._run.start_error
        errors, grown, inner = {0: begun}, 1.0, 0.0
        for t in range(1, self._steps + 1):
            norms, last = self._norms[t], errors[t - 1]
            if not max(last, defect) < min(limit, self._run.margin * limit):
                return None
            inner = (norms.jacobian * inner + defect + norms.rounding * last + beta * last**2) * UP
            grown = grown * norms.jacobian * UP
            errors[t] = (begun * grown + inner) * UP
            if t == self._steps or self._is_end(t):
                errors[t] = min(errors[t], (begun * self._blocks[self._begin(t)] + inner) * UP)
                begun, grown, inner = errors[t], 1.0, 0.0
        return errors

    def _begin(self, t: int) -> int:
        """Return after which step the block begins that ends with step t."""
        return max(0, t - BLOCK)

    def _product_errors(self, beta: float, errors: dict[int, float]) -> dict[int, float]:
        """Return a bound of ‖∂s_T/∂s_k - P̂_k‖ by k."""
        deltas, begun, grown, inner, blurs = {self._steps: 0.0}, 0.0, 1.0, 0.0, 0.0
        for t in range(self._steps, self._start, -1):
            norms = self._norms[t]
            blur = (norms.rounding + beta * errors[t - 1]) * UP
            own = norms.product * blur + norms.product_rounding
            inner = (inner * (norms.jacobian + blur) + own) * UP + MAX_UNDERFLOW
            grown = grown * norms.jacobian * UP
            blurs += math.log1p(blur / norms.jacobian) * UP if norms.jacobian > 0 else math.inf
            blurred = grown * math.expm1(blurs) * UP if blurs < 1 else math.inf
            deltas[t - 1] = (begun * (grown + blurred) + inner) * UP if begun else inner
            block_norm = (self._blocks[t - 1] + blurred) * UP
            deltas[t - 1] = min(deltas[t - 1], (begun * block_norm + inner) * UP if begun else inner)
            if self._is_end(t - 1):
                begun, grown, inner, blurs = deltas[t - 1], 1.0, 0.0, 0.0
        return deltas


def _pulled_back(J: Array, w: Array) -> Array:
    """Return the unit vector along J⁻¹ w, which J shortens to w; w itself where there is none."""
    try:
        v = np.linalg.solve(J, w)
    except np.linalg.LinAlgError:
        return w
    length = float(np.linalg.norm(v))
    return v / length if 0 < length < math.inf else w
