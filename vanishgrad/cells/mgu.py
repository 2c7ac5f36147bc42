"""MGU, the minimal gated unit of Zhou et al. (2016): one gate that keeps, writes and resets."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, matmul_into, namespace, shared_matmul, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell_row import Multiplied
from vanishgrad.cells.convex_update import ConvexUpdate
from vanishgrad.cells.gate_products import GateProducts
from vanishgrad.cells.linearisation import Linearisation, Outer, Split

MinimalReset: TypeAlias = Literal["before", "after", "none"]


class MGU(ConvexUpdate):
    r"""h_t = k ⊙ h_{t-1} + (1 - k) ⊙ n̂ with one gate f = σ(W^f_hx x + b_f + W^f_hh h_{t-1}).

    keep=new: k = 1 - f, so f writes   (Zhou et al. 2016; torchrecurrent)
    keep=old: k = f                    (Flax)

    before: n̂ = φ(W^n_hx x + b_n + W^n_hh (f ⊙ h) + b_hn)      (Zhou et al. 2016; torchrecurrent)
    after:  n̂ = φ(W^n_hx x + b_n + f ⊙ (W^n_hh h + b_hn))      (Flax)
    none:   n̂ = φ(W^n_hx x + b_n + W^n_hh h + b_hn)            (Flax with reset_gate=False)

        J_t = diag k + diag(±(h_{t-1} - n̂) f') W^f + diag((1 - k) φ') K, + for keep=old,
        K = W^n (diag f + diag(h f') W^f)   or   diag f W^n + diag((W^n h + b_hn) f') W^f   or   W^n .

    The complement is computed as σ(-a), which keeps its digits where 1 - σ(a) has none left.
    """

    name = "mgu"
    tensors = ("W_hh", "W_hx", "b", "b_hn")
    gate_activation: Activation

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        b_hn: Array | None = None,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        reset: MinimalReset = "before",
        keep: Multiplied = "new",
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        n = self.hidden_size
        self.b_hn = np.zeros_like(self.b[:, :n]) if b_hn is None else np.atleast_2d(b_hn)
        self.activation = activation
        self.gate_activation = gate_activation
        self.reset: MinimalReset = reset
        self.keep: Multiplied = keep

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t and the pre-activations of f and the candidate, then what f may multiply, W^n h + b_hn or h."""
        (a_xf, a_xn), b_hn = self.split(a_x), for_each_sequence(self.b_hn, s.shape[0])
        if self.reset == "before":
            a_f, multiplied = a_xf + times(self.W_hh[:, self.rows("f")], s), s
            a_n = a_xn + times(self.W_hh[:, self.rows("n")], self.gate_activation.phi(a_f) * s) + b_hn
        else:
            of_f, of_n = self.split(self.recurrent(t, s))
            a_f, multiplied = a_xf + of_f, of_n + b_hn
            a_n = a_xn + (self.gate_activation.phi(a_f) * multiplied if self.reset == "after" else multiplied)
        record = namespace(a_x).concat([a_f, a_n, multiplied, s - self.activation.phi(a_n)], axis=-1)
        return self.state(record, s), record

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return k and 1 - k."""
        a_f = self.split(record)[0]
        gate, complement = self.gate_activation.phi(a_f), self.gate_activation.complement(a_f)
        return (gate, complement) if self.keep == "old" else (complement, gate)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        kind = _Before if self.reset == "before" else _Stacked
        return kind(self, states, records, start)


class _MGULinearisation(Linearisation):
    """What all conventions share: k, and the factors of f' and of the candidate's derivative."""

    def __init__(self, cell: MGU, states: Array, records: Array, start: int) -> None:
        self._first, self._n = start + 1, cell.hidden_size
        a_f, a_n, self._multiplied, difference = cell.split(records)
        self._h = states[:-1]
        self._kept, complement = cell.factors(records)
        self._f, self._df = cell.gate_activation.phi(a_f), cell.gate_activation.dphi(a_f)
        self._to_f = (difference if cell.keep == "old" else -difference) * self._df
        self._to_n = complement * cell.activation.dphi(a_n)

    def conveyor(self, t: int) -> Array:
        k: Array = self._kept[t - self._first]
        return k


class _Stacked(_MGULinearisation):
    """reset=after and reset=none: J = diag k + diag(c_f) W^f + diag(c_n) W^n."""

    def __init__(self, cell: MGU, states: Array, records: Array, start: int) -> None:
        super().__init__(cell, states, records, start)
        xp, both = namespace(self._f), ((0, 1),)
        to_f, to_n = self._to_f, self._to_n
        if cell.reset == "after":
            to_f, to_n = to_f + to_n * self._multiplied * self._df, to_n * self._f
        self._K = GateProducts(cell.W_hh, xp.stack([to_f, to_n], axis=2), both)
        self._K_input = GateProducts(cell.W_hx, xp.stack([to_f, self._to_n], axis=2), both)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        self._K.cotangent(t - self._first, W, out)
        out += W * self._kept[t - self._first][:, None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        self._K.tangent(t - self._first, V, out)
        out += self._kept[t - self._first][..., None] * V

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = diag k; every other path returns to h through f or the candidate."""
        step = t - self._first
        f, candidate = self._K.cotangent_terms(step, W)
        return Split(W * self._kept[step][:, None], {"f": f, "n": candidate})

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        self._K_input.cotangent(t - self._first, W, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        self._K_input.tangent(t - self._first, X, out)

    def dense(self, t: int) -> Array:
        step = t - self._first
        identity = namespace(self._f).eye(self._n, dtype=self._f.dtype)
        J: Array = self._K.dense(step) + self._kept[step][..., None] * identity
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        delta = self._K.pulled_back(step, w[:, None])[:, 0]
        of_input = self._K_input.pulled_back(step, w[:, None])[:, 0]
        return Outer("W_hh", delta, self._h[step]), Outer("b", of_input), Outer("b_hn", delta[:, self._n :])


class _Before(_MGULinearisation):
    """W J = W k + y f + (W c_f + y h f') W^f with y = (W c_n) W^n: two products, J is never formed."""

    def __init__(self, cell: MGU, states: Array, records: Array, start: int) -> None:
        super().__init__(cell, states, records, start)
        self._W_f, self._W_n = cell.W_hh[:, cell.rows("f")], cell.W_hh[:, cell.rows("n")]
        self._W_hx = cell.W_hx
        self._inner = self._h * self._df

    def _pulled_back(self, step: int, W: Array) -> tuple[Array, Array, Array]:
        """Return the cotangents of the gate's and of the candidate's pre-activation, and of f ⊙ h."""
        a_n = W * self._to_n[step][:, None]
        y = shared_matmul(a_n, self._W_n)
        return W * self._to_f[step][:, None] + y * self._inner[step][:, None], a_n, y

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        step = t - self._first
        a_f, _, y = self._pulled_back(step, W)
        matmul_into(a_f, self._W_f, out)
        out += W * self._kept[step][:, None]
        out += y * self._f[step][:, None]

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = diag k; every other path returns to h through f or the candidate."""
        step = t - self._first
        a_f, _, y = self._pulled_back(step, W)
        return Split(W * self._kept[step][:, None], {"f": a_f @ self._W_f, "n": y * self._f[step][:, None]})

    def _columns(self, step: int) -> tuple[Array, Array, Array, Array, Array]:
        """Return k, f, h f' and the two factors of one step, to scale columns."""
        k, f, inner, to_f, to_n = (
            factor[step][..., None] for factor in (self._kept, self._f, self._inner, self._to_f, self._to_n)
        )
        return k, f, inner, to_f, to_n

    def tangent(self, t: int, V: Array, out: Array) -> None:
        k, f, inner, to_f, to_n = self._columns(t - self._first)
        image = self._W_f @ V
        out[...] = k * V + to_f * image + to_n * (self._W_n @ (f * V + inner * image))

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        a_f, a_n, _ = self._pulled_back(t - self._first, W)
        matmul_into(namespace(W).concat([a_f, a_n], axis=-1), self._W_hx, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        _, _, inner, to_f, to_n = self._columns(t - self._first)
        image, n = self._W_hx @ X, self._n
        out[...] = to_f * image[:, :n] + to_n * (image[:, n:] + self._W_n @ (inner * image[:, :n]))

    def dense(self, t: int) -> Array:
        k, f, inner, to_f, to_n = self._columns(t - self._first)
        identity = namespace(self._f).eye(self._n, dtype=self._f.dtype)
        J: Array = k * identity + to_f * self._W_f + to_n * (self._W_n @ (f * identity + inner * self._W_f))
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        a_f, a_n, _ = (each[:, 0] for each in self._pulled_back(step, w[:, None]))
        return (
            Outer("W_hh", a_f, self._h[step]),
            Outer("W_hh", a_n, self._f[step] * self._h[step]),
            Outer("b", namespace(w).concat([a_f, a_n], axis=-1)),
            Outer("b_hn", a_n),
        )
