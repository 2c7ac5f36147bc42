"""GRU, the gated recurrent unit, with the reset gate before or after the recurrent product."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, matmul_into, namespace, shared_matmul, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.convex_update import ConvexUpdate
from vanishgrad.cells.gate_products import GateProducts
from vanishgrad.cells.linearisation import Linearisation, Outer, Split

Reset: TypeAlias = Literal["after", "before"]


class GRU(ConvexUpdate):
    r"""h_t = (1 - z) ⊙ n̂ + z ⊙ h_{t-1}; z keeps, as in PyTorch, Keras and Cho et al. 2014.

    after:  n̂ = φ(W^n_hx x + b_n + r ⊙ (W^n_hh h + b_hn))      (PyTorch; Keras by default)
    before: n̂ = φ(W^n_hx x + b_n + W^n_hh (r ⊙ h) + b_hn)      (Cho et al. 2014; ONNX by default)

        J_t = diag z + diag((h_{t-1} - n̂) z') W^z + diag((1 - z) φ') K,
        K = diag(r) W^n + diag((W^n h + b_hn) r') W^r   or   W^n (diag(r) + diag(h r') W^r) .
    """

    name = "gru"
    gate_activation: Activation
    tensors = ("W_hh", "W_hx", "b", "b_hn")

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        b_hn: Array | None = None,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        reset: Reset = "after",
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        n = self.hidden_size
        self.b_hn = np.zeros_like(self.b[:, :n]) if b_hn is None else np.atleast_2d(b_hn)
        self.activation = activation
        self.gate_activation = gate_activation
        self.reset: Reset = reset

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and the pre-activations of r, z and the candidate, then what r multiplies, W^n h + b_hn or h."""
        xp, n, gate = namespace(a_x), self.hidden_size, self.gate_activation.phi
        a_xn, b_hn = a_x[..., 2 * n :], for_each_sequence(self.b_hn, s.shape[0])
        if self.reset == "after":
            inner = self.recurrent(t, s)
            a_rz, multiplied = a_x[..., : 2 * n] + inner[..., : 2 * n], inner[..., 2 * n :] + b_hn
            r = gate(a_rz[..., :n])
            a_n = a_xn + r * multiplied
        else:
            a_rz, multiplied = a_x[..., : 2 * n] + times(self.W_hh[:, : 2 * n], s), s
            r = gate(a_rz[..., :n])
            a_n = a_xn + times(self.W_hh[:, 2 * n :], r * s) + b_hn
        record = xp.concat([a_rz, a_n, multiplied, s - self.activation.phi(a_n)], axis=-1)
        return self.state(record, s), record

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return z and 1 - z."""
        a_z = self.split(record)[1]
        return self.gate_activation.phi(a_z), self.gate_activation.complement(a_z)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        kind = _After if self.reset == "after" else _Before
        return kind(self, states, records, start)


class _GRULinearisation(Linearisation):
    """What both conventions share: z, and the factors of z' and of the candidate's derivative."""

    def __init__(self, cell: GRU, states: Array, records: Array, start: int) -> None:
        self._first, self._n = start + 1, cell.hidden_size
        a_r, a_z, a_n, self._multiplied, difference = cell.split(records)
        self._h = states[:-1]
        gate, dgate = cell.gate_activation.phi, cell.gate_activation.dphi
        self._z, self._r, self._dr = gate(a_z), gate(a_r), dgate(a_r)
        self._to_z = difference * dgate(a_z)
        self._to_n = cell.gate_activation.complement(a_z) * cell.activation.dphi(a_n)

    def conveyor(self, t: int) -> Array:
        z: Array = self._z[t - self._first]
        return z


class _After(_GRULinearisation):
    def __init__(self, cell: GRU, states: Array, records: Array, start: int) -> None:
        super().__init__(cell, states, records, start)
        xp, every_gate = namespace(self._z), ((0, 1, 2),)
        to_r = self._to_n * self._multiplied * self._dr
        self._K = GateProducts(cell.W_hh, xp.stack([to_r, self._to_z, self._to_n * self._r], axis=2), every_gate)
        self._K_input = GateProducts(cell.W_hx, xp.stack([to_r, self._to_z, self._to_n], axis=2), every_gate)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        self._K.cotangent(t - self._first, W, out)
        out += W * self._z[t - self._first][:, None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        self._K.tangent(t - self._first, V, out)
        out += self._z[t - self._first][..., None] * V

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = diag z; every other path returns to h through r, z or the candidate."""
        step = t - self._first
        r, z, candidate = self._K.cotangent_terms(step, W)
        return Split(W * self._z[step][:, None], {"r": r, "z": z, "n": candidate})

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        self._K_input.cotangent(t - self._first, W, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        self._K_input.tangent(t - self._first, X, out)

    def dense(self, t: int) -> Array:
        step = t - self._first
        J: Array = self._K.dense(step) + self._z[step][..., None] * namespace(self._z).eye(self._n, dtype=self._z.dtype)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        delta = self._K.pulled_back(step, w[:, None])[:, 0]
        of_drive = self._K_input.pulled_back(step, w[:, None])[:, 0]
        return (
            Outer("W_hh", delta, self._h[step]),
            Outer("b", of_drive),
            Outer("b_hn", delta[:, 2 * self._n :]),
        )


class _Before(_GRULinearisation):
    """W J = W z + y r + (W a_z, y h r') (W^z; W^r) with y = (W a_n) W^n: two products, J is never formed."""

    def __init__(self, cell: GRU, states: Array, records: Array, start: int) -> None:
        super().__init__(cell, states, records, start)
        n = self._n
        self._W_r, self._W_z, self._W_n = (cell.W_hh[:, j * n : (j + 1) * n] for j in range(3))
        self._W_hx = cell.W_hx
        self._to_r = self._h * self._dr

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        step = t - self._first
        _, a_z, y = self._pulled_back(step, W)
        xp = namespace(W)
        rz = xp.concat([y * self._to_r[step][:, None], a_z], axis=-1)
        matmul_into(rz, xp.concat([self._W_r, self._W_z], axis=1), out)
        out += W * self._z[step][:, None]
        out += y * self._r[step][:, None]

    def _pulled_back(self, step: int, W: Array) -> tuple[Array, Array, Array]:
        """Return the cotangents of the candidate's and of z's pre-activation, and of r ⊙ h."""
        a_n, a_z = W * self._to_n[step][:, None], W * self._to_z[step][:, None]
        return a_n, a_z, shared_matmul(a_n, self._W_n)

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = diag z; every other path returns to h through r, z or the candidate."""
        step = t - self._first
        _, a_z, y = self._pulled_back(step, W)
        r, candidate = (y * self._to_r[step][:, None]) @ self._W_r, y * self._r[step][:, None]
        return Split(W * self._z[step][:, None], {"r": r, "z": a_z @ self._W_z, "n": candidate})

    def tangent(self, t: int, V: Array, out: Array) -> None:
        step = t - self._first
        z, r, to_z, to_r, to_n = (
            factor[step][..., None] for factor in (self._z, self._r, self._to_z, self._to_r, self._to_n)
        )
        reset_h = r * V + to_r * (self._W_r @ V)
        out[...] = z * V + to_z * (self._W_z @ V) + to_n * (self._W_n @ reset_h)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        step = t - self._first
        a_n, a_z, y = self._pulled_back(step, W)
        matmul_into(namespace(W).concat([y * self._to_r[step][:, None], a_z, a_n], axis=-1), self._W_hx, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        to_z, to_r, to_n = (each[step][..., None] for each in (self._to_z, self._to_r, self._to_n))
        image = self._W_hx @ X
        r, z, candidate = (image[:, j * n : (j + 1) * n] for j in range(3))
        out[...] = to_z * z + to_n * (candidate + self._W_n @ (to_r * r))

    def dense(self, t: int) -> Array:
        step, identity = t - self._first, namespace(self._z).eye(self._n, dtype=self._z.dtype)
        z, r, to_z, to_r, to_n = (
            factor[step][..., None] for factor in (self._z, self._r, self._to_z, self._to_r, self._to_n)
        )
        J: Array = z * identity + to_z * self._W_z + to_n * (self._W_n @ (r * identity + to_r * self._W_r))
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        xp, step = namespace(w), t - self._first
        a_n, a_z, y = (each[:, 0] for each in self._pulled_back(step, w[:, None]))
        gates = xp.concat([y * self._to_r[step], a_z], axis=-1)
        return (
            Outer("W_hh", gates, self._h[step]),
            Outer("W_hh", a_n, self._r[step] * self._h[step]),
            Outer("b", xp.concat([gates, a_n], axis=-1)),
            Outer("b_hn", a_n),
        )
