r"""Two-sided enclosures along one input sequence: ‖∂s_T/∂s_k‖₂, its least singular value, and ‖∂s_T/∂x_k‖₂, every k.

The run ŝ is made in fixed point (`fixed_point_run`); its one-step Jacobians Ĵ_t and the products P̂_k = P̂_{k+1} Ĵ_{k+1}
are arrays of limbs (`limb_arrays`). What is left is how far they are from the real ones:

    e_t ≤ ‖Ĵ_t e_{t-1}‖ + d_t + ρ_t e_{t-1} + β e_{t-1}² / 2,          ‖J_t - Ĵ_t‖ ≤ η_t = ρ_t + β e_{t-1},
    Δ_{k-1} = Δ_k J_k + P̂_k (J_k - Ĵ_k) - R_k

with d_t the defect of a step, ρ_t the rounding of Ĵ_t, R_k that of a product. Both are followed through blocks of
steps: what a block begins with grows by the norm of the *product* of its Jacobians, not by the product of their norms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.cholesky import frobenius_up
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.fixed_point_run import FixedPointRun, fixed_point_run
from vanishgrad.certificates.intervals import MAX_UNDERFLOW, UP
from vanishgrad.certificates.limb_arrays import LIMB_BITS, MAX_TERMS, LimbArray, fits
from vanishgrad.certificates.matrix_norms import (
    largest_singular_value,
    product_error,
    quick_norm_up,
    smallest_singular_value,
)
from vanishgrad.certificates.prove import Outcome, beyond_proof, certificate
from vanishgrad.certificates.step_jacobians import StepJacobians
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import UsageError

BLOCK = 8
FIRST_LIMBS, MAX_LIMBS = 5, 20
"""Of the Jacobians: as many more as are missing at a relative width of `WIDTH`."""
ENTRY_LIMBS = 4
"""Of ∂s_t/∂x_t, which no product is made of: more than float64 holds."""
BITS_PER_LIMB = 40
"""Binary digits of the run for each limb of its Jacobians."""
WIDTH = 5e-9
"""Relative width of an enclosure that is narrow enough."""


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Bounds by lag: of ∂s_T/∂s_{T-ℓ}, ℓ from 1, and of ∂s_T/∂x_{T-ℓ}, ℓ from 0.

    Attributes
    ----------
    state, sigma_min, input : list of (low, high)
    """

    state: list[tuple[float, float]]
    sigma_min: list[tuple[float, float]]
    input: list[tuple[float, float]]

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
        pairs = self.state + self.input
        return max((high / low - 1 if low > 0 else math.inf if high > 0 else 0.0) for low, high in pairs)


def enclosed(cell: Cell, sequences: Sequence[Array], start: int = 0) -> Outcome:
    r"""Enclose :math:`\|\partial s_T/\partial s_k\|_2` and what belongs to it along each of the sequences (T, d).

    The certificate's claim lacks the name and digest of the inputs, which the caller adds.

    Raises
    ------
    VanishgradError
        For a cell that has no certificates.
    UsageError
        If `start` is not a step before the last of each sequence.
    """
    shortest = min(map(len, sequences))
    if not 0 <= start < shortest:
        raise UsageError(f"expected --start from 0 to {shortest - 1}, got {start}; try --start 0")
    target = subject(cell)
    if unknown := beyond_proof(target):
        return Outcome(None, unknown)
    found = []
    for xs in sequences:
        try:
            with np.errstate(all="ignore"):
                one = enclosure(equivalent_gru(target), xs, start)
        except OverflowError:
            one = None
        if one is None or not all(math.isfinite(high) for _, high in one.state + one.input):
            return Outcome(None, "the run along this sequence could not be enclosed; try fewer --steps")
        found.append(one)
    claim = {
        "kind": "enclosure",
        "lengths": [len(xs) for xs in sequences],
        "start": start,
        "inputs": {},
        "sequences": [each.bounds for each in found],
    }
    width = max(each.width for each in found)
    return Outcome(certificate(target, claim, "enclosure", {}), f"enclosed to a relative width of {width:.1e}")


def enclosure(target: CertifiedCell, xs: Array, start: int) -> Enclosure | None:
    """Return the enclosure along xs (T, d) from s_0 = 0 for k ≥ `start`; None if no precision is enough for one.

    O((T - k) m³ K²) for K limbs: LSTM, n = d = 128: 30 ms a step.
    """
    best, count = None, FIRST_LIMBS
    while count <= MAX_LIMBS and fits(target.state_size, count) and target.input_size <= MAX_TERMS:
        latest = _Sweep(target, fixed_point_run(target, xs, count * BITS_PER_LIMB), start, count).enclosure()
        width, before = (math.inf if each is None else each.width for each in (latest, best))
        if width < before:
            best = latest
        if width <= WIDTH or (math.isfinite(width) and width > before / 2):
            break
        missing = math.ceil(math.log2(width / WIDTH) / LIMB_BITS) if width < 1 else count
        count += missing
    return best


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
        own = product_error(P, J) + frobenius_up(P) * error
        self._product, self._error = P @ J, (self._error * norm + own) * UP + MAX_UNDERFLOW

    @property
    def norm(self) -> float:
        """An upper bound of the norm of the product."""
        return (quick_norm_up(self._product) + self._error) * UP


class _Sweep:
    """Products from the last step back to the first that counts; then the errors, forward and back."""

    def __init__(self, target: CertifiedCell, run: FixedPointRun, start: int, count: int) -> None:
        self._target, self._run, self._start, self._count = target, run, start, count
        self._steps, self._m = len(run.factors), target.state_size
        self._norms = dict[int, _Norms]()
        self._blocks = {self._steps: 1.0}
        """Step a → a bound of the norm of the Jacobians' product over the block that begins after it."""
        self._raw = dict[str, list[tuple[float, float, float]]](state=[], sigma_min=[], input=[])
        """By lag: bounds for the computed matrix, and how far that is from what the limbs stand for."""

    def enclosure(self) -> Enclosure | None:
        """Return the bounds, or None if the run is not known well enough."""
        jacobians = StepJacobians(self._target, self._count)
        beta = jacobians.curvature(self._run)
        self._multiply(jacobians)
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
        return Enclosure(around("state", of_state), around("sigma_min", of_state), around("input", stray))

    def _around(self, name: str, stray: list[float]) -> list[tuple[float, float]]:
        bounds = []
        for (low, high, error), more in zip(self._raw[name], stray, strict=True):
            width = (error + more) * UP
            bounds.append((max(0.0, math.nextafter(low - width, -math.inf)), math.nextafter(high + width, math.inf)))
        return bounds

    def _multiply(self, jacobians: StepJacobians) -> None:
        entries = StepJacobians(self._target, ENTRY_LIMBS)
        P, product_norm, is_regular, block = None, 1.0, True, _Block(self._m)
        for t in range(self._steps, 0, -1):
            J, B = jacobians.recurrent(self._run, t), entries.entry(self._run, t)
            norm = quick_norm_up(J.floats) + self._m * J.float_error
            entry, before, cut = frobenius_up(B.floats) + _spread(B), product_norm, 0.0
            if t > self._start:
                self._take_input(P, B, product_norm)
                exact = LimbArray(J.limbs, J.exponent)
                P = exact if P is None else P @ exact
                cut, P = self._m * P.error, LimbArray(P.limbs, P.exponent)
                product_norm, is_regular = self._take_product(P, is_regular)
            block.take(J.floats, norm, self._m * J.float_error)
            if (self._steps - t + 1) % BLOCK == 0 or t == 1:
                self._blocks[t - 1], block = block.norm, _Block(self._m)
            self._norms[t] = _Norms(norm * UP, self._m * J.error * UP, before, cut * UP, entry * UP)

    def _take_product(self, P: LimbArray, is_regular: bool) -> tuple[float, bool]:
        """Note the singular values of ∂s_T/∂s_k; return a bound of the largest, and whether the least is above 0."""
        floats, error = P.floats, self._m * P.float_error * UP
        low, high = largest_singular_value(floats)
        least = smallest_singular_value(floats, is_regular)
        self._raw["state"].append((low, high, error))
        self._raw["sigma_min"].append((*least, error))
        return (high + error) * UP, least[0] > 0

    def _take_input(self, P: LimbArray | None, B: LimbArray, product_norm: float) -> None:
        """Note the norm of ∂s_T/∂x_t = P̂_t ∂s_t/∂x_t."""
        floats, error = B.floats, product_norm * _spread(B)
        if P is not None:
            A = P.floats
            error += product_error(A, floats) + self._m * P.float_error * (frobenius_up(floats) + _spread(B))
            floats = A @ floats
        self._raw["input"].append((*largest_singular_value(floats), error * UP))

    def _state_errors(self, beta: float) -> dict[int, float] | None:
        """Return a bound of ‖s_t - ŝ_t‖ by step, or None once it is too large for β."""
        defect = math.sqrt(self._m) * self._run.defect * UP + MAX_UNDERFLOW
        limit = 1 / (1 + frobenius_up(self._target.tensors["W_hh"])) / UP
        errors, begun, grown, inner = {0: 0.0}, 0.0, 1.0, 0.0
        for t in range(1, self._steps + 1):
            norms, last = self._norms[t], errors[t - 1]
            if not max(last, defect) < min(limit, self._run.margin * limit):
                return None
            inner = (norms.jacobian * inner + defect + norms.rounding * last + beta * last**2) * UP
            grown = grown * norms.jacobian * UP
            errors[t] = (begun * grown + inner) * UP
            if t in self._blocks:
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
            if t - 1 in self._blocks:
                block = (self._blocks[t - 1] + blurred) * UP
                deltas[t - 1] = min(deltas[t - 1], (begun * block + inner) * UP if begun else inner)
                begun, grown, inner, blurs = deltas[t - 1], 1.0, 0.0, 0.0
        return deltas


def _spread(x: LimbArray) -> float:
    """Return an upper bound of the 2-norm of what a matrix's floats are off by."""
    return math.sqrt(x.limbs.shape[1] * x.limbs.shape[2]) * x.float_error * UP
