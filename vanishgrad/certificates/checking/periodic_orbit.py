r"""A lower bound of the rate that no bound for all inputs can undercut: a cycle under repeated inputs, an eigenvalue.

A word x_1 … x_p, repeated for ever, has a cycle: a state s* with Φ(s*) = s*, Φ the p steps. Started there,
∂s_{jp}/∂s_0 = Pʲ with P = Φ′(s*), so ‖Pʲ‖ ≤ C ρ^{jp} for all j makes every eigenvalue of P at most ρᵖ in modulus.
Shown are, in this order: the word is one of the claim's inputs; a ball around the witness's state holds a cycle; a ball
around its left eigenpair holds one of P, u P = λ u with u ≠ 0; and |λ| ≥ ρᵖ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.checking import witness as demanded
from vanishgrad.certificates.checking.ball_arithmetic import Ball, Coarse, ball, joined
from vanishgrad.certificates.checking.ball_steps import Pull, ball_step
from vanishgrad.certificates.checking.newton_kantorovich import approximate_inverse, frobenius
from vanishgrad.certificates.checking.verdict import Inequalities, Undecided
from vanishgrad.certificates.subject import CertifiedCell

MAX_PERIOD = 64
FINE = 320
"""Binary digits of the residuals; the witness has 212."""
ROUGH = 128
"""Binary digits of the derivatives, which have to be right to a part in a thousand of their inverse."""


def periodic_orbit(
    subject: CertifiedCell,
    claim: Mapping[str, Any],
    witness: Mapping[str, Any],
    shown: Inequalities,
    rows: Array | None = None,
) -> None:
    """Show that every C and ρ′ with ‖∂s_t/∂s_k‖₂ ≤ C ρ′^(t-k) for all the claim's inputs and starts have ρ′ ≥ ρ."""
    word = demanded.vectors(witness, "word", subject.input_size, MAX_PERIOD)
    _demand_inputs(word, claim, shown, rows)
    try:
        _Cycle(subject, word, witness, shown).demand_eigenvalue(demanded.exact(claim, "rho"))
    except Coarse:
        raise Undecided("the ball around the state is small") from None


def _demand_inputs(word: Array, claim: Mapping[str, Any], shown: Inequalities, rows: Array | None) -> None:
    if rows is not None:
        is_within = all(bool((rows == x).all(axis=1).any()) for x in word)
        shown.demand(is_within, "the repeated inputs are among the rows")
    if claim.get("input_bound") is not None:
        bound = demanded.exact(claim, "input_bound")
        shown.demand(
            all(abs(Fraction(float(each))) <= bound for each in word.flat), "|x_j| ≤ B for the repeated inputs"
        )


class _Cycle:
    """A ball that has been shown to hold a cycle's state, and the derivative of a period in all of it."""

    def __init__(self, subject: CertifiedCell, word: Array, witness: Mapping[str, Any], shown: Inequalities) -> None:
        self._subject, self._word, self._witness, self._shown = subject, word, witness, shown
        limbs, radius = demanded.limbs(witness, "state", subject.state_size), demanded.exact(witness, "state_radius")
        self._fine, self._rough = _around(limbs, radius, FINE), _around(limbs, radius, ROUGH)
        pull = self._period(self._rough)[1]
        rows = [pull(each) for each in _units(subject.state_size)]
        self._P = np.array([each.middle for each in rows], dtype=object)
        self._blur = Fraction(frobenius(np.array([each.radius for each in rows], dtype=object)), 1 << ROUGH)
        self._demand_cycle(_around(limbs, Fraction(0), FINE), radius)

    def _period(self, s: Ball) -> tuple[Ball, Callable[[Ball], Ball]]:
        """Return the state after a period, and w ↦ w P."""
        step, pulls = ball_step(self._subject, s.p, tight=False), list[Pull]()
        for x in self._word:
            s, pull = step(s, ball(x, s.p))
            pulls.append(pull)
        return s, lambda w: _through(pulls, w)

    def _demand_cycle(self, center: Ball, radius: Fraction) -> None:
        residual = self._period(center)[0] + _scaled(center, -1)
        inverse = approximate_inverse(self._P - _identity(len(self._P)), ROUGH, self._blur)
        self._shown.demand(inverse.holds_zero(residual, radius, Fraction(0)), "a cycle passes through the ball")

    def demand_eigenvalue(self, rho: Fraction) -> None:
        """Show that P has an eigenvalue of modulus at least ρᵖ."""
        witness, m = self._witness, self._subject.state_size
        parts = demanded.count(witness, "eigenvalue_parts", 2)
        self._shown.demand(parts in (1, 2), "an eigenvalue has one part or two")
        radius = demanded.exact(witness, "eigenvalue_radius")
        lambdas = demanded.limbs(witness, "eigenvalue", parts)
        vectors = demanded.limbs(witness, "left_vector", parts * m)
        u = _around(vectors, Fraction(0), FINE)
        self._shown.demand(radius < Fraction(1, 4) and frobenius(u.middle) > 1 << (FINE - 1), "u ≠ 0 in the ball")
        value = _around(lambdas, Fraction(0), FINE)
        residual = self._eigen_residual([u.part(i * m, (i + 1) * m) for i in range(parts)], value)
        G = _eigen_derivative(self._P, _at(vectors, ROUGH).reshape(parts, m), _at(lambdas, ROUGH))
        blur = parts * (self._blur + Fraction(8 * (len(G) + 1), 1 << ROUGH))
        solvable = approximate_inverse(G, ROUGH, blur).holds_zero(residual, radius, Fraction(1))
        self._shown.demand(solvable, "u P = λ u has a solution in the ball")
        square = sum((Fraction(int(each), 1 << FINE) ** 2 for each in value.middle), Fraction(0))
        least = rho ** len(self._word)
        stray = radius + Fraction(value.radius, 1 << FINE)
        if least > stray and square < (least - stray) ** 2:
            self._shown.demand(False, "|λ| ≥ ρᵖ")
        self._shown.demand(square >= (least + stray) ** 2 or None, "|λ| ≥ ρᵖ")

    def _eigen_residual(self, u: Sequence[Ball], value: Ball) -> Ball:
        """Return u P - λ u, real part and imaginary part, and 0 for the scale of u, which the witness fixes."""
        m = self._subject.state_size
        a = _constant(value, 0, m)
        pull = self._period(self._fine)[1]
        if len(u) == 1:
            parts = [pull(u[0]) + _scaled(a * u[0], -1)]
        else:
            b = _constant(value, 1, m)
            parts = [
                pull(u[0]) + _scaled(a * u[0], -1) + b * u[1],
                pull(u[1]) + _scaled(b * u[0], -1) + _scaled(a * u[1], -1),
            ]
        return joined(*parts, Ball(np.array([0] * len(u), dtype=object), 0, FINE))


def _eigen_derivative(P: Array, u: Array, value: Array) -> Array:
    r"""Return G′ at (u, λ) for G = (u P - λ u, Nᴴ (u - û)), in units of P, complex numbers as pairs of real ones.

    N is û cut to these units. Unknowns are u's real part, its imaginary part, λ's two parts; a real eigenpair has the
    first of each. In the 2-norm G′ moves by at most the distance: it is bilinear in (du, dλ).
    """
    k, m = u.shape
    G = np.zeros((k * (m + 1), k * (m + 1)), dtype=object)
    eye = _identity(m) >> ROUGH
    for i in range(k):
        G[i * m : (i + 1) * m, i * m : (i + 1) * m] = P.T - value[0] * eye
        G[i * m : (i + 1) * m, k * m] = -u[i]
        G[k * m, i * m : (i + 1) * m] = u[i]
    if k == 2:
        G[:m, m : 2 * m], G[m : 2 * m, :m] = value[1] * eye, -value[1] * eye
        G[:m, -1], G[m : 2 * m, -1] = u[1], -u[0]
        G[-1, :m], G[-1, m : 2 * m] = -u[1], u[0]
    return G


def _through(pulls: Sequence[Pull], w: Ball) -> Ball:
    for pull in reversed(pulls):
        w = pull(w)
    return w


def _at(limbs: Iterable[Array], p: int) -> Array:
    return _around(limbs, Fraction(0), p).middle


def _around(limbs: Iterable[Array], radius: Fraction, p: int) -> Ball:
    """Return the ball around a sum of float64 vectors."""
    first, *rest = (ball(limb, p) for limb in limbs)
    for limb in rest:
        first = first + limb
    units = -(-(radius.numerator << p) // radius.denominator)
    return Ball(first.middle, first.radius + units, p)


def _units(m: int) -> list[Ball]:
    return [Ball(row, 0, ROUGH) for row in _identity(m)]


def _identity(m: int) -> Array:
    eye = np.zeros((m, m), dtype=object)
    eye[np.diag_indices(m)] = 1 << ROUGH
    return eye


def _scaled(x: Ball, factor: int) -> Ball:
    return Ball(x.middle * factor, x.radius * abs(factor), x.p)


def _constant(value: Ball, place: int, m: int) -> Ball:
    """Return one entry m times."""
    constant = np.array([value.middle[place]] * m, dtype=object)
    return Ball(constant, value.radius * (int(m**0.5) + 1), value.p)
