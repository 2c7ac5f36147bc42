r"""Refutations: a repeated input whose cycle has an eigenvalue that no bound C ρ^lag with a smaller ρ allows.

Candidates are found in float64: zero, constants in the box, and the words that the caller brings. The cycle and a left
eigenpair are then refined in decimals of 90 digits, and written as sums of float64 vectors. Nothing is proved here: the
checker shows the certificate, or it is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import Cell
from vanishgrad.certificates.boxes import InputSet
from vanishgrad.certificates.certificate import Certificate
from vanishgrad.certificates.decimal_steps import Pull, Step, decimal_step
from vanishgrad.certificates.decimals import Approximate, TooCoarse, context, exactly
from vanishgrad.certificates.equilibria import cycle, fixed_point, period, settled
from vanishgrad.certificates.equivalent_gru import equivalent_gru
from vanishgrad.certificates.prove import certificate, scope
from vanishgrad.certificates.subject import CertifiedCell, subject
from vanishgrad.errors import VanishgradError

DIGITS = 90
REFINEMENTS = 12
"""Newton steps with a float64 inverse, each of which gains 6 to 14 digits."""
SETTLED = 1e-75
LIMBS = 4
"""Float64 vectors whose sum is a vector of the witness: 212 binary digits."""
CONSTANTS = (0.0, -1.0, 1.0, -0.5, 0.5, -0.1, 0.1)
"""Of the input bound: what is repeated in every coordinate."""
MAX_ORBITS = 64
"""Words for each of which an orbit is run; among more, a fixed point is sought from h = 0 alone."""
MARGIN = 1 + 2.0**-8
"""Of the state's radius over its distance: what the checker's own inverse may be off by."""
LEAST_RADIUS = 2.0**-260
CONVERGED = 1e-30
EIGENVALUE_RADIUS = 2.0**-80
"""Far below the spacing of float64 beside 1, and far above the error of the refinement."""
CANDIDATES = 3
"""Cycles, those with the largest eigenvalue first, that are refined."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """A word, its cycle's state, and the largest eigenvalue of a period's Jacobian with its left eigenvector.

    Attributes
    ----------
    word : (p, d) array
    state : (m,) array
        Before x_1.
    jacobian : (m, m) array
        Of the p steps.
    eigenvalue : complex
    left_vector : (m,) array of complex
    """

    word: Array
    state: Array
    jacobian: Array
    eigenvalue: complex
    left_vector: Array

    @property
    def rho(self) -> float:
        """The eigenvalue's modulus a step."""
        return float(abs(self.eigenvalue) ** (1 / len(self.word)))


def refutations(
    cell: Cell, input_bound: float | None, words: Iterable[Array] = (), inputs: InputSet | None = None
) -> Iterator[Certificate]:
    """Yield certificates that no smaller ρ than theirs can be proved, the largest first; the checker has to show them.

    `words` (p, d) are tried beside zero and constants.
    """
    target = subject(cell)
    form = equivalent_gru(target)
    with np.errstate(all="ignore"):
        constants = () if inputs is not None and inputs.rows is not None else _constants(target, input_bound)
        tried = (*constants, *words)
        cycles = [near for word in tried if (near := _cycle(cell, form, word, len(tried) <= MAX_ORBITS))]
        for near in sorted(cycles, key=lambda near: -near.rho)[:CANDIDATES]:
            with localcontext(context(DIGITS)):
                refined = _refined(form, near)
            if refined is not None:
                about = {"input_bound": input_bound} if inputs is None else scope(inputs)
                claim = {"kind": "refuted", "rho": refined[0], **about}
                yield certificate(target, claim, "periodic_orbit", refined[1])


def _constants(target: CertifiedCell, input_bound: float | None) -> Iterator[Array]:
    """Yield zero, and constants within the bound, 1 where there is none, as words of one input."""
    scale = 1.0 if input_bound is None else input_bound
    for value in dict.fromkeys(scale * each for each in CONSTANTS):
        yield np.full((1, target.input_size), value)


def _cycle(cell: Cell, target: CertifiedCell, word: Array, along_orbit: bool) -> Cycle | None:
    try:
        state = cycle(cell, word) if len(word) > 1 else fixed_point(target, word[0], np.zeros(target.hidden_size))
        if state is None and along_orbit and len(word) == 1:
            state = fixed_point(target, word[0], settled(cell, word)[: target.hidden_size])
        if state is None:
            return None
        P = period(cell, word, state)[1]
        values, vectors = np.linalg.eig(P.T)
    except (np.linalg.LinAlgError, VanishgradError):
        return None
    largest = int(np.argmax(np.abs(values)))
    return Cycle(word, state, P, complex(values[largest]), vectors[:, largest].astype(complex))


def _refined(target: CertifiedCell, near: Cycle) -> tuple[float, dict[str, Any]] | None:
    """Return ρ and the witness of a cycle; None if Newton's method does not converge."""
    try:
        step, inverse = decimal_step(target), np.linalg.inv(near.jacobian - np.eye(len(near.state)))
        state = exactly(near.state)
        for _ in range(REFINEMENTS):
            correction = inverse @ _floats(_period(step, near.word, state)[0] - state)
            state = state - exactly(correction)
            if np.abs(correction).max() < SETTLED * np.abs(near.state).max(initial=1):
                break
        limbs = _limbs(state)
        after, pull = _period(step, near.word, _summed(limbs))
        distance = float(np.linalg.norm(inverse @ _floats(after - _summed(limbs))))
        real, imaginary, value = _eigenpair(near, pull)
    except (np.linalg.LinAlgError, TooCoarse, OverflowError):
        return None
    rho = _modulus(value, len(near.word))
    if not distance < CONVERGED or not 0 < rho < np.inf:
        return None
    is_real = near.eigenvalue.imag == 0
    return rho, {
        "word": near.word.tolist(),
        "state": limbs,
        "state_radius": max(distance * MARGIN, LEAST_RADIUS),
        "eigenvalue": _limbs(value[:1] if is_real else value),
        "eigenvalue_parts": 1 if is_real else 2,
        "left_vector": _limbs(real if is_real else np.concatenate([real, imaginary])),
        "eigenvalue_radius": EIGENVALUE_RADIUS,
    }


def _period(step: Step, word: Array, s: Array) -> tuple[Array, Pull]:
    """Return the state after a word from decimals s, and w ↦ w P."""
    pulls, after = [], Approximate(s, Decimal(0))
    for x in word:
        after, pull = step(after, Approximate(exactly(x), Decimal(0)))
        pulls.append(pull)

    def through(w: Approximate) -> Approximate:
        for pull in reversed(pulls):
            w = pull(w)
        return w

    return after.values, through


def _eigenpair(near: Cycle, pull: Pull) -> tuple[Array, Array, Array]:
    """Return the real and the imaginary part of u, and those of λ, with u P = λ u and u normalised as it was."""
    m, u0 = len(near.state), near.left_vector
    derivative = np.zeros((m + 1, m + 1), dtype=complex)
    derivative[:m, :m] = near.jacobian.T - near.eigenvalue * np.eye(m)
    derivative[:m, m], derivative[m, :m] = -u0, u0.conj()
    inverse = np.linalg.inv(derivative)
    u, v = exactly(u0.real), exactly(u0.imag)
    a, b = Decimal(near.eigenvalue.real), Decimal(near.eigenvalue.imag)
    for _ in range(REFINEMENTS):
        real = pull(Approximate(u, Decimal(0))).values - (a * u - b * v)
        imaginary = pull(Approximate(v, Decimal(0))).values - (a * v + b * u) if near.eigenvalue.imag else 0 * v
        step = inverse @ np.append(_floats(real) + 1j * _floats(imaginary), 0)
        u, v = u - exactly(step[:m].real), v - exactly(step[:m].imag)
        a, b = a - Decimal(step[m].real), b - Decimal(step[m].imag)
        if np.abs(step).max() < SETTLED:
            break
    return u, v, np.array([a, b], dtype=object)


def _modulus(value: Array, steps: int) -> float:
    """Return the largest float64 whose power is below |λ| by the radius at least."""
    modulus = (value[0] ** 2 + value[1] ** 2).sqrt() - Decimal(EIGENVALUE_RADIUS)
    if not modulus > 0:
        return 0.0
    rho = float(modulus ** (1 / Decimal(steps)))
    while rho > 0 and Fraction(rho) ** steps > Fraction(modulus) * (1 - Fraction(1, 10**60)):
        rho = float(np.nextafter(rho, 0))
    return rho


def _limbs(values: Array) -> list[list[float]]:
    """Return float64 vectors whose sum is a vector of decimals, but for what follows 212 binary digits."""
    limbs = []
    for _ in range(LIMBS):
        limb = _floats(values)
        limbs.append(limb.tolist())
        values = values - exactly(limb)
    return limbs


def _summed(limbs: list[list[float]]) -> Array:
    total = exactly(np.array(limbs[0]))
    for limb in limbs[1:]:
        total = total + exactly(np.array(limb))
    return total


def _floats(values: Array) -> Array:
    return np.array([float(each) for each in values])
