"""Products of Jacobians in mpmath: forward-mode differentiation of the plain formulas, and one loop over the steps.

It shares nothing with the engine but the states along which it differentiates, and takes those from its own step as
long as they round to the engine's: so a state that floating point has rounded to its limit, or to zero, is beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
from mpmath import mp

Array = np.ndarray
SMALLEST = 1e-300
"""States below are taken from the multiple-precision step: float64 may have flushed them."""
ROUNDINGS = 16
"""Units of roundoff by which a state and that of the multiple-precision step are one and the same."""


class Dual:
    """A number and its derivatives by s and x; NumPy's functions find `exp` and `tanh` by name."""

    def __init__(self, value: mpmath.mpf, by: Array) -> None:
        self.value, self.by = value, by

    def __add__(self, other: object) -> Dual:
        value, by = _parts(other)
        return Dual(self.value + value, self.by + by)

    def __sub__(self, other: object) -> Dual:
        value, by = _parts(other)
        return Dual(self.value - value, self.by - by)

    def __mul__(self, other: object) -> Dual:
        value, by = _parts(other)
        return Dual(self.value * value, self.by * value + self.value * by)

    def __rsub__(self, other: object) -> Dual:
        return -self + other

    def __rtruediv__(self, other: object) -> Dual:
        value, _ = _parts(other)
        return Dual(value / self.value, self.by * (-value / self.value**2))

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.by)

    def __gt__(self, other: object) -> bool:
        return bool(self.value > _parts(other)[0])

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Dual:
        e = mp.exp(self.value)
        return Dual(e, self.by * e)

    def tanh(self) -> Dual:
        return Dual(mp.tanh(self.value), self.by / mp.cosh(self.value) ** 2)


def _parts(x: object) -> tuple[mpmath.mpf, Array | int]:
    return (x.value, x.by) if isinstance(x, Dual) else (mp.mpf(x), 0)


def step_jacobian(step: Callable[..., Array], t: int, x: Array, s: Array) -> tuple[Array, Array]:
    """Return s_t and ∂s_t/∂(s, x), (m, m + d), in multiple precision."""
    numbers = [mp.mpf(each) for each in (*s, *x)]
    seeds = [[mp.mpf(i == j) for j in range(len(numbers))] for i in range(len(numbers))]
    duals = np.array(
        [Dual(value, np.array(seed)) for value, seed in zip(numbers, seeds, strict=True)] + [None], dtype=object
    )[:-1]
    moved = step(t, duals[len(s) :], duals[: len(s)])
    moved = [each if isinstance(each, Dual) else Dual(mp.mpf(each), 0 * duals[0].by) for each in moved]
    return np.array([each.value for each in moved]), np.array([each.by for each in moved])


def jacobians(step: Callable[..., Array], xs: Array, states: Array) -> tuple[list[Array], list[Array]]:
    """Return J_1 … J_T and ∂s_t/∂x_t along states, (T + 1, m), of floating point."""
    by_state, by_input, s = [], [], [mp.mpf(each) for each in states[0]]
    for t, x in enumerate(xs, start=1):
        own, both = step_jacobian(step, t, x, s)
        by_state.append(both[:, : len(s)])
        by_input.append(both[:, len(s) :])
        floats = states[t]
        s = [exact if is_rounded(exact, near) else mp.mpf(near) for exact, near in zip(own, floats, strict=True)]
    return by_state, by_input


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


def perturbed(J: Array, relative: float, rng: np.random.Generator) -> Array:
    """Return a matrix whose entries have each been rounded as coarsely as that, at random."""
    return J * (1 + relative * rng.uniform(-1, 1, J.shape))
