"""Attention head: no recurrence at all, but a path of length one from a query to every state (Vaswani et al. 2017)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import LINEAR
from vanishgrad.cells.cell import Cell
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.published_law import Draw, Tensors, no_columns
from vanishgrad.random_streams import Role


class AttentionHead(Cell):
    r"""h_t = W_hx x_t + b, c_T = Σ_s α_s W_v h_s over h_0 … h_T, α = softmax(qᵀ W_k h_s/√n), q = W_q h_T held fixed.

    It hands nothing on, J_t = 0; what is measured in the place of ∂s_T/∂s_k is ∂c_T/∂h_k = α_k [W_v + (v_k - c) gᵀ],
    g = W_kᵀ q/√n: not a product, so that nothing in it is exponential in the lag; but the weights sum to 1, and at even
    weights each state gets 1/T.

    Bahdanau, Cho and Bengio (2015); Vaswani et al. (2017), "Attention is all you need". Its law is that of the section
    `attention` of `explain`: W_q and W_k from N(0, 1/n), an orthogonal W_v, W_hx from N(0, 1/d).

    Parameters
    ----------
    W_hx : (S, n, d) array
    b : (S, n) array
    W_q, W_k : (S, n, n) arrays
    W_v : (S, n, n) array
        Orthogonal.
    """

    name = "attention"
    tensors = ("W_hx", "b", "W_q", "W_k", "W_v")
    has_weights = False
    own_engine = "attention"
    activation = LINEAR

    def __init__(self, W_hx: Array, b: Array, W_q: Array, W_k: Array, W_v: Array) -> None:
        super().__init__(no_columns(W_hx), W_hx, b)
        self.W_q, self.W_k, self.W_v = (each if each.ndim > 2 else each[None] for each in (W_q, W_k, W_v))

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return W_hx from N(0, 1/d)."""
        normal = draw.of(Role.W_HX).standard_normal((draw.n, draw.d))
        return {"W_hx": normal * draw.d**-0.5, "b": np.zeros(draw.n)}

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return W_q and W_k from N(0, 1/n) and an orthogonal W_v."""
        of_q, of_k, of_v = (draw.of(Role.OTHER_TENSOR, place).standard_normal((draw.n, draw.n)) for place in range(3))
        Q, R = np.linalg.qr(of_v)
        return {"W_q": of_q * draw.n**-0.5, "W_k": of_k * draw.n**-0.5, "W_v": Q * np.sign(np.diagonal(R))}

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return h_t, twice."""
        return self.state(a_x, s), a_x

    def state(self, record: Array, s: Array) -> Array:
        """Return h_t."""
        h: Array = record + 0 * s
        return h

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _Memoryless(self, states.shape[1])


class _Memoryless(Linearisation):
    """J_t = 0 and ∂h_t/∂x_t = W_hx."""

    def __init__(self, cell: AttentionHead, batch: int) -> None:
        self._cell, self._batch = cell, batch

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        out[...] = namespace(W).zeros_like(W)

    def tangent(self, t: int, V: Array, out: Array) -> None:
        out[...] = namespace(V).zeros_like(V)

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        out[...] = W @ self._cell.W_hx

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        out[...] = self._cell.W_hx @ X

    def dense(self, t: int) -> Array:
        n, xp = self._cell.hidden_size, namespace(self._cell.W_hx)
        J: Array = xp.zeros((self._batch, n, n), dtype=self._cell.dtype)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        """Nothing: it is measured, and not trained."""
        return ()
