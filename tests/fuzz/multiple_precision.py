"""Products of Jacobians in mpmath: forward-mode differentiation of the plain formulas, and one loop over the steps.

It shares nothing with the engine but the states along which it differentiates, and takes those from its own step as
long as they round to the engine's: so a state that floating point has rounded to its limit, or to zero, is beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import mpmath
import numpy as np
from mpmath import mp

Array = np.ndarray
SMALLEST = 1e-300
"""States below are taken from the multiple-precision step: float64 may have flushed them."""
ROUNDINGS = 16
"""Units of roundoff by which a state and that of the multiple-precision step are one and the same."""


class Dual:
    """A number, its derivatives by s and x, and the sums of the sizes of the terms of each.

    NumPy's functions find `exp` and `tanh` by name.
    """

    def __init__(self, value: mpmath.mpf, by: Array, sizes: Array) -> None:
        self.value, self.by, self.sizes = value, by, sizes

    def __add__(self, other: object) -> Dual:
        value, by, sizes = _parts(other)
        return Dual(self.value + value, self.by + by, self.sizes + sizes)

    def __sub__(self, other: object) -> Dual:
        value, by, sizes = _parts(other)
        return Dual(self.value - value, self.by - by, self.sizes + sizes)

    def __mul__(self, other: object) -> Dual:
        value, by, sizes = _parts(other)
        of_terms = self.sizes * abs(value) + abs(self.value) * sizes
        return Dual(self.value * value, self.by * value + self.value * by, of_terms)

    def __rsub__(self, other: object) -> Dual:
        return -self + other

    def __rtruediv__(self, other: object) -> Dual:
        return _parts(other)[0] * self._changed(1 / self.value, -1 / self.value**2)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.by, self.sizes)

    def __truediv__(self, other: object) -> Dual:
        return self * (1 / (other if isinstance(other, Dual) else mp.mpf(other)))

    def __gt__(self, other: object) -> bool:
        return bool(self.value > _parts(other)[0])

    def __ge__(self, other: object) -> bool:
        return bool(self.value >= _parts(other)[0])

    def __lt__(self, other: object) -> bool:
        return bool(self.value < _parts(other)[0])

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Dual:
        e = mp.exp(self.value)
        return self._changed(e, e)

    def tanh(self) -> Dual:
        return self._changed(mp.tanh(self.value), 1 / mp.cosh(self.value) ** 2)

    def _changed(self, value: mpmath.mpf, slope: mpmath.mpf) -> Dual:
        return Dual(value, self.by * slope, self.sizes * abs(slope))


def _parts(x: object) -> tuple[mpmath.mpf, Array | int, Array | int]:
    return (x.value, x.by, x.sizes) if isinstance(x, Dual) else (mp.mpf(x), 0, 0)


def step_jacobian(step: Callable[..., Array], t: int, x: Array, s: Array) -> tuple[Array, Array, Array]:
    """Return s_t, ∂s_t/∂(s, x), (m, m + d), and the sizes of its entries' terms, in multiple precision."""
    numbers = [mp.mpf(each) for each in (*s, *x)]
    seeds = np.array([[mp.mpf(i == j) for j in range(len(numbers))] for i in range(len(numbers))])
    duals = np.array([Dual(*each) for each in zip(numbers, seeds, seeds, strict=True)] + [None], dtype=object)[:-1]
    moved = step(t, duals[len(s) :], duals[: len(s)])
    moved = [each if isinstance(each, Dual) else Dual(mp.mpf(each), 0 * seeds[0], 0 * seeds[0]) for each in moved]
    value, by, sizes = (np.array([getattr(each, name) for each in moved]) for name in ("value", "by", "sizes"))
    return value, by, sizes


class Jacobians(NamedTuple):
    """J_1 … J_T and ∂s_t/∂x_t, and the sizes of the terms of both side by side."""

    by_state: list[Array]
    by_input: list[Array]
    sizes: list[Array]


def jacobians(step: Callable[..., Array], xs: Array, states: Array) -> Jacobians:
    """Return J_1 … J_T and ∂s_t/∂x_t along states, (T + 1, m), of floating point."""
    found, s = Jacobians([], [], []), [mp.mpf(each) for each in states[0]]
    for t, x in enumerate(xs, start=1):
        own, both, sizes = step_jacobian(step, t, x, s)
        found.by_state.append(both[:, : len(s)])
        found.by_input.append(both[:, len(s) :])
        found.sizes.append(sizes)
        floats = states[t]
        s = [exact if is_rounded(exact, near) else mp.mpf(near) for exact, near in zip(own, floats, strict=True)]
    return found


def is_rounded(exact: mpmath.mpf, near: float) -> bool:
    """Return whether a number of floating point is that of multiple precision, but for a few roundings."""
    return abs(near) < SMALLEST or abs(exact - near) <= ROUNDINGS * np.finfo(float).eps * abs(near)


def log_norm(block: Array) -> float:
    """Return ln ‖A‖₂, from float64's SVD of A over its largest entry."""
    largest = max(abs(each) for each in block.flat)
    if largest == 0:
        return -np.inf
    near = np.array([[float(each / largest) for each in row] for row in block])
    return float(mp.log(largest)) + float(np.log(np.linalg.norm(near, 2)))


def log_norms(
    by_state: list[Array], by_input: list[Array], blocks: dict[str, tuple[slice, slice]], hidden: slice
) -> dict[str, Array]:
    """Return ln ‖·‖₂ of blocks of ∂s_T/∂s_{T-lag} at every lag, and of ∂h_T/∂x_{T-lag} as ``input``."""
    m = len(by_state[0])
    P = np.array([[mp.mpf(i == j) for j in range(m)] for i in range(m)])
    found: dict[str, list[float]] = {name: [] for name in (*blocks, "input")}
    for J, X in zip(reversed(by_state), reversed(by_input), strict=True):
        for name, place in blocks.items():
            found[name].append(log_norm(P[place]))
        found["input"].append(log_norm(times(P[hidden], X)))
        P = times(P, J)
    for name, place in blocks.items():
        found[name].append(log_norm(P[place]))
    return {name: np.array(values) for name, values in found.items()}


def times(A: Array, B: Array) -> Array:
    """Return A B, entry by entry."""
    return np.array([[mp.fdot(row, column) for column in B.T] for row in A])


def perturbed(J: Array, sizes: Array, relative: float, rng: np.random.Generator) -> Array:
    """Return a matrix whose entries have each been rounded at random by so much of a size."""
    return J + relative * sizes * rng.uniform(-1, 1, J.shape)
