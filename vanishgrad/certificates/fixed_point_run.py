r"""A cell's run in fixed point on Python integers, in units of 2⁻ᵖ, with what each step's Jacobian is made of.

The state ŝ_t that a step ends with is cut to units, and the next step starts from exactly that: a step is off by a few
units, its *defect*, and nothing is carried over. With M - 1 the largest |entry| of states and of what a reset gate
multiplies, and S the largest row sum of |W_hh| and that of |W_hx| together, each number that a step makes of ŝ_{t-1}
is within 64 (1 + S)(1 + M)² units of the real one: pre-activations are cut to 3 units and S 2⁻²⁰, functions of them to
4 more, slopes at most double that, and each of at most three further products adds M times what its factors are off by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.certificates.limb_arrays import BASE, LIMB_BITS
from vanishgrad.certificates.subject import CertifiedCell


@dataclass(frozen=True, eq=False)
class FixedPointRun:
    """A run, and the vectors by name that `step_jacobians` puts together.

    Attributes
    ----------
    factors : sequence of (name → (n,) array of int)
        Of each step, in units of 2⁻ᵖ.
    bits : int
        p.
    largest : float
        M: 1 more than the largest |h|, |c|, and |W_hh^n h + b_hn| of a GRU (after).
    defect : float
        An upper bound of what an entry of the factors, and of a step's state, is off by.
    margin : float
        The least |pre-activation| of a relu; infinite for other functions.
    start_error : float
        ‖s_0 - ŝ_0‖₂: 0 for a start that has no digits beyond p.
    """

    factors: Sequence[dict[str, Array]]
    bits: int
    largest: float
    defect: float
    margin: float
    start_error: float = 0.0


def fixed_point_run(target: CertifiedCell, xs: Array, bits: int, s0: Array | None = None) -> FixedPointRun:
    """Return the run along xs (T, d) from s_0 (m,), 0 if None.

    O(T n (n + d)) operations of BLAS, and 10 n T exponentials.
    """
    cell = _Cell(target, bits)
    state, factors = _units(np.zeros(target.state_size) if s0 is None else s0, bits), []
    cell.note(state)
    for entered in cell.entered(xs):
        state, of_step = cell.step(state, entered)
        factors.append(of_step)
    largest = 2 + cell.largest / 2.0**bits
    sums = [np.abs(target.tensors[name]).sum(axis=1).max(initial=0.0) for name in ("W_hh", "W_hx")]
    row_sum = float(sum(sums)) * (1 + 2.0**-30)
    defect = 64 * (1 + row_sum) * (1 + largest) ** 2 * 2.0**-bits
    start_error = 0.0 if s0 is None else math.sqrt(len(s0)) * 2.0 ** (1 - bits)
    return FixedPointRun(factors, bits, largest, defect, cell.margin, start_error)


class _Cell:
    """The step of a cell at p binary digits."""

    def __init__(self, target: CertifiedCell, bits: int) -> None:
        self._target, self._p = target, bits
        self._step = target.of_cell(self._rnn, self._lstm, self._gru)
        n = target.hidden_size
        rows = (slice(None),) if target.reset != "before" else (slice(0, 2 * n), slice(2 * n, None))
        self._W = [_Weights(target.tensors["W_hh"][each]) for each in rows]
        self.largest, self.margin = 0.0, math.inf

    def entered(self, xs: Array) -> list[Array]:
        """Return W_hx x + b of each step."""
        V, b = _Weights(self._target.tensors["W_hx"]), _units(self._target.tensors["b"], self._p)
        return [V.times(_units(x, self._p + LIMB_BITS), LIMB_BITS) + b for x in xs]

    def step(self, state: Array, a: Array) -> tuple[Array, dict[str, Array]]:
        """Return the state after a step, and its factors."""
        after, factors = self._step(state, a)
        self.note(after)
        return after, factors

    def note(self, values: Array) -> None:
        """Raise the largest size to that of some values."""
        self.largest = max(self.largest, *(abs(float(each)) for each in values))

    def _rnn(self, h: Array, a: Array) -> tuple[Array, dict[str, Array]]:
        a, p = self._W[0].times(h, 0) + a, self._p
        name = self._target.activation
        if name == "linear":
            return a, {"h": np.array([1 << p] * len(a), dtype=object)}
        if name == "relu":
            self.margin = min(self.margin, *(abs(float(each)) / 2.0**p for each in a))
            is_on = np.array([int(each > 0) for each in a], dtype=object)
            return a * is_on, {"h": is_on << p}
        y = _sigma(a, p) if name == "sigmoid" else _tanh(a, p)
        return y, {"h": y * ((1 << p) - y) >> p if name == "sigmoid" else _sech2(y, p)}

    def _lstm(self, s: Array, a: Array) -> tuple[Array, dict[str, Array]]:
        n, p, one = self._target.hidden_size, self._p, 1 << self._p
        h, c = s[:n], s[n:]
        a = self._W[0].times(h, 0) + a
        sigmas = _sigma(np.concatenate([a[: 2 * n], a[3 * n :]]), p)
        i, f, o, g = sigmas[:n], sigmas[n : 2 * n], sigmas[2 * n :], _tanh(a[2 * n : 3 * n], p)
        new_c = (f * c + i * g) >> p
        y = _tanh(new_c, p)
        factors = {
            "i": (g * i >> p) * (one - i) >> p,
            "f": (c * f >> p) * (one - f) >> p,
            "g": i * _sech2(g, p) >> p,
            "o": (y * o >> p) * (one - o) >> p,
            "E": o * _sech2(y, p) >> p,
            "F": f,
        }
        return np.concatenate([o * y >> p, new_c]), factors

    def _gru(self, h: Array, a: Array) -> tuple[Array, dict[str, Array]]:
        n, p, one = self._target.hidden_size, self._p, 1 << self._p
        after, b_hn = self._target.reset == "after", _units(self._target.tensors["b_hn"], p)
        recurrent = self._W[0].times(h, 0)
        gates = _sigma(recurrent[: 2 * n] + a[: 2 * n], p)
        r, z = gates[:n], gates[n:]
        multiplied = recurrent[2 * n :] + b_hn if after else h
        self.note(multiplied)
        reset = r * multiplied >> p
        y = _tanh(a[2 * n :] + (reset if after else self._W[1].times(reset, 0) + b_hn), p)
        write = (one - z) * _sech2(y, p) >> p
        through = (multiplied * r >> p) * (one - r) >> p
        factors = {
            "z": ((h - y) * z >> p) * (one - z) >> p,
            "w": write,
            "n": write * r >> p,
            "r": write * through >> p if after else through,
            "R": r,
            "Z": z,
        }
        return ((one - z) * y + z * h) >> p, factors


class _Weights:
    """Float64 weights as limbs, times whole numbers exactly."""

    def __init__(self, weights: Array) -> None:
        largest = float(np.abs(weights).max(initial=0.0))
        self._rows, self._exponent, self._limbs = len(weights), math.frexp(largest)[1], list[Array]()
        rest = np.ldexp(weights, -self._exponent)
        while rest.any():
            rest = rest * BASE
            self._limbs.append(np.rint(rest))
            rest = rest - self._limbs[-1]

    def times(self, x: Array, drop: int) -> Array:
        """Return W x / 2^drop for whole numbers x, rounded down."""
        digits = max((abs(each).bit_length() for each in x), default=0)
        limbs, whole = list[Array](), x
        for _ in range(digits // LIMB_BITS):
            limbs.append((whole & (int(BASE) - 1)).astype(np.float64))
            whole = whole >> LIMB_BITS
        block = np.array([*limbs, whole.astype(np.float64)]).T
        total = np.array([0] * self._rows, dtype=object)
        for place, weights in enumerate(self._limbs):
            products = (weights @ block).astype(np.int64).astype(object)
            column = products[:, -1]
            for j in reversed(range(products.shape[1] - 1)):
                column = (column << LIMB_BITS) + products[:, j]
            total = (total << LIMB_BITS) + column if place else column
        shift = self._exponent - LIMB_BITS * len(self._limbs) - drop
        return total << shift if shift >= 0 else total >> -shift


def _units(array: Array, p: int) -> Array:
    """Return float64 numbers in units of 2⁻ᵖ, rounded down."""
    mantissas, exponents = np.frexp(array)
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    shifts = (exponents.astype(int) - 53 + p).tolist()
    return np.array([w << s if s >= 0 else w >> -s for w, s in zip(whole.tolist(), shifts, strict=True)], dtype=object)


def _exponential(a: Array, p: int) -> Array:
    """Return 2^p e^-a for a ≥ 0 in units, to 1.5 units.

    The series of e^-r, r = a / 2^s < 2⁻⁸, is off by 4 N + 8 units of the guarded digits after N terms, s squarings make
    less than 2^s (4 N + 9) of that, and s + 16 guarded digits are more than that has.
    """
    s = max(0, max(int(each).bit_length() for each in a) - p) + 8 + math.isqrt(p)
    guard = s + 16
    r, width = (a << guard) >> s, p + guard
    term = np.array([1 << width] * len(a), dtype=object)
    total, count = term, 1
    while np.any(term):
        term = (term * r >> width) // count
        total = total - term if count % 2 else total + term
        count += 1
    for _ in range(s):
        total = total * total >> width
    return total >> guard


def _sigma(a: Array, p: int) -> Array:
    """Return σ to 3 units."""
    e, one = _exponential(np.abs(a), p), 1 << p
    numerator = np.where(a >= 0, one, e)
    return (numerator << p) // (one + e)


def _tanh(a: Array, p: int) -> Array:
    """Return tanh to 4 units."""
    e, one = _exponential(2 * np.abs(a), p), 1 << p
    size = ((one - e) << p) // (one + e)
    return np.where(a >= 0, size, -size)


def _sech2(y: Array, p: int) -> Array:
    """Return 1 - y²."""
    one: Array = (1 << p) - (y * y >> p)
    return one
