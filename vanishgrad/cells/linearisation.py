"""Linearisation: the one-step Jacobians of a cell along a run, as operators that the engine applies and never forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import numpy as np

from vanishgrad.arrays import Array, is_extended, namespace

SQUARES_IN_RANGE = 2.0**24
"""Times the root of the smallest normal number: sums of squares of such numbers lose nothing."""


class Outer(NamedTuple):
    """A gradient by consecutive rows of a tensor as an outer product, one for each sequence.

    Attributes
    ----------
    tensor : str
        One of the cell's `tensors`; in a stack of layers with the layer's place before it, ``1.W_hh``.
    cotangent : (B, r) array
        Of what the r rows yield.
    operand : (B, q) array or None
        What the rows multiply; None for a tensor that is added, or multiplied within the cotangent, so.
    """

    tensor: str
    cotangent: Array
    operand: Array | None = None


def with_input_weights(terms: tuple[Outer, ...], x: Array) -> tuple[Outer, ...]:
    """Return the terms of all tensors, those of W_hx among them: x_t (B, d) is what it multiplies.

    Its cotangent is a term's own where one names it, else that of b.
    """
    drives = [term for term in terms if term.tensor == "W_hx"] or [term for term in terms if term.tensor == "b"]
    others = (term for term in terms if term.tensor != "W_hx")
    return (*others, *(Outer("W_hx", term.cotangent, x) for term in drives))


class Split(NamedTuple):
    """W J_t by the paths that it sums over: W A_t and, for each gate, W B_t, each (B, p, m).

    Attributes
    ----------
    direct : array
        W A_t: along the conveyor, into the detour that a row has left the conveyor for, and within that detour.
    returns : mapping
        Gate → its term of W B_t: what closes a detour by returning to the conveyed part through that gate.
    """

    direct: Array
    returns: Mapping[str, Array]


class Linearisation(ABC):
    """The one-step Jacobians J_t along a stretch of a trajectory, as operators.

    `t` counts from 1, as in s_t. Batches are (B, p, m) for rows and (B, m, q) for columns; `out` is overwritten and
    must not share memory with the operand.
    """

    @abstractmethod
    def cotangent(self, t: int, W: Array, out: Array) -> None:
        """Write W J_t into `out`, both (B, p, m)."""

    @abstractmethod
    def tangent(self, t: int, V: Array, out: Array) -> None:
        """Write J_t V into `out`, both (B, m, q)."""

    @abstractmethod
    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        """Write W ds_t/dx_t into `out`; W (B, p, m), out (B, p, d)."""

    @abstractmethod
    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        """Write ds_t/dx_t X into `out`; X (B, d, q), out (B, m, q)."""

    def factors(self, t: int, identity: Array) -> tuple[Array, Array] | None:
        """Return X, (B, m, k), well conditioned, and K, (B, k, m), with J_t = X K.

        K has what saturation makes small, each of its entries with digits of its own, before X adds it to what is
        large. None where entries are differences that cancel, as a layer norm's are. `identity` is (B, m, m).
        """
        image = namespace(identity).zeros_like(identity)
        self.tangent(t, identity, image)
        return identity, image

    @abstractmethod
    def dense(self, t: int) -> Array:
        """Return J_t, (B, m, m), from its blocks: for tests and for users, never for the engine."""

    @abstractmethod
    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Return d(w · s_t)/dθ with s_{t-1} held fixed, rows of a tensor in their order; w (B, m).

        θ are all tensors of the cell but W_hx, which has the cotangent of b and the operand x_t (`with_input_weights`);
        a cell in which it has another names W_hx with that cotangent, and no operand.
        """

    def weight_gradient_norm(self, t: int, w: Array) -> Array:
        """Return the Frobenius norms, (B,), of d(w · s_t)/dW_hh with s_{t-1} held fixed; w (B, m).

        Of a cell whose gates see no state, those of d(w · s_t)/db.
        """
        xp = namespace(w)
        terms = [term._replace(tensor=term.tensor.rpartition(".")[2]) for term in self.weight_gradient(t, w)]
        recurrent = [term for term in terms if term.tensor == "W_hh"] or [term for term in terms if term.tensor == "b"]
        norms = [_norms(cotangent) * (1 if operand is None else _norms(operand)) for _, cotangent, operand in recurrent]
        norm: Array = reduce(xp.hypot, norms)
        return norm

    def taken(self, t: int) -> Array | None:
        """Return which sequences take step t, (B,); None where no step of the run is masked."""
        return None

    def conveyor(self, t: int) -> Array | None:
        """Return the diagonal, (B, n), of the direct path s_{t-1} → s_t with its gates held fixed, if there is one."""
        return None

    def detours(self, t: int, W: Array) -> Split | None:
        """Return W J_t, W (B, p, m), split at what closes a detour of the conveyor, or None where there is no conveyor.

        J_t = A_t + Σ_gates B_t; each term is computed by itself, none as a difference.
        """
        return None

    def total(self, t: int, W: Array) -> Array | None:
        """Return w_c + w_h dh_t/dc_t, (B, p, n): what reaches c_t if h_t moves with it; None without such a part."""
        return None


def _norms(x: Array) -> Array:
    """Return Euclidean norms over the last axis, of numbers whose squares are out of range too."""
    xp = namespace(x)
    with np.errstate(over="ignore", under="ignore"):
        norms: Array = xp.linalg.vector_norm(x, axis=-1)
    if is_extended(x):
        return norms
    room = float(xp.finfo(x.dtype).smallest_normal) ** 0.5 * SQUARES_IN_RANGE
    if bool(xp.all((norms > room) & (norms < 1 / room))):
        return norms
    largest = xp.max(xp.abs(x), axis=-1)
    unit = xp.where(largest > 0, largest, 1)
    scaled_norms: Array = largest * xp.linalg.vector_norm(x / unit[..., None], axis=-1)
    return scaled_norms
