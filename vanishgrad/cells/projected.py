"""Projected LSTM, whose hidden state is a smaller projection (Sak, Senior and Beaufays 2014; proj_size)."""

from __future__ import annotations

from vanishgrad.arrays import Array, multiply_into, namespace, shared_matmul, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.cell_row import ANY_NUMBER
from vanishgrad.cells.gate_products import GateProducts
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.lstm import LSTM, LSTMLinearisation
from vanishgrad.cells.published_law import Draw, Tensors
from vanishgrad.random_streams import Role


class ProjectedLSTM(LSTM):
    r"""h_t = R m_t with m_t = o ⊙ φ(c_t), R (p, n); the gates see h_{t-1}, so W_hh is (4·n, p).

    With O, C, E and F of an LSTM, J_t = [R (O + E C), R E F; C, F].

    Parameters
    ----------
    W_hr : (B | 1, p, n) array
        The projection R.
    """

    form = {"projection": ANY_NUMBER}
    tensors = (*LSTM.tensors, "W_hr")

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        W_hr: Array,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        cell_activation: Activation | None = None,
    ) -> None:
        super().__init__(W_hh, W_hx, b, activation, gate_activation, cell_activation)
        self.W_hr = W_hr if W_hr.ndim > 2 else W_hr[None]

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return R from U(±1/√n), as PyTorch draws every tensor of the layer."""
        p = draw.keys["projection"]
        return {"W_hr": draw.of(Role.OTHER_TENSOR).uniform(-1, 1, (p, draw.n)) * draw.n**-0.5}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The projected hidden state h, then the cell state c."""
        return (Part("h", int(self.W_hr.shape[-2])), Part("c", self.hidden_size))

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t) and the pre-activations of i, f, g, o."""
        a = a_x + self.recurrent(t, s[..., : self.parts[0].size])
        return self.state(a, s), a

    def output(self, o: Array, c: Array) -> Array:
        """Return h_t = R m."""
        return times(self.W_hr, self.unprojected(o, c))

    def unprojected(self, o: Array, c: Array) -> Array:
        """Return m = o ⊙ φ(c), what R multiplies."""
        return super().output(o, c)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _ProjectedLinearisation(self, states, records, start)


class _ProjectedLinearisation(LSTMLinearisation):
    """J = diag(R, 1) [O + E C, E F; C, F]; the right factor is the LSTM's, its columns for h being p."""

    def __init__(self, cell: ProjectedLSTM, states: Array, a: Array, start: int) -> None:
        xp, n, p = namespace(states), cell.hidden_size, cell.parts[0].size
        unprojected = xp.zeros((*states.shape[:-1], n), dtype=states.dtype)
        super().__init__(cell, xp.concat([unprojected, states[..., p:]], axis=-1), a, start)
        self._R, self._p = cell.W_hr, p
        self._h = states[:-1, :, :p]
        *_, o = cell.gate_outputs(a)
        self._m = cell.unprojected(o, states[1:, :, p:])

    def _signals(self, t: int, W: Array) -> Array:
        p = self._p
        return super()._signals(t, namespace(W).concat([shared_matmul(W[..., :p], self._R), W[..., p:]], axis=-1))

    def _through(self, gates: GateProducts, t: int, W: Array, out: Array) -> None:
        gates.cotangent(t - self._first, self._signals(t, W), out)

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        return (*super().weight_gradient(t, w), Outer("W_hr", w[:, : self._p], self._m[t - self._first]))

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        y, n, p = self._signals(t, W), self._n, self._p
        self._OC.cotangent(t - self._first, y, out[..., :p])
        multiply_into(y[..., n:], self._f[t - self._first][:, None], out[..., p:])

    def tangent(self, t: int, V: Array, out: Array) -> None:
        n, p, step = self._n, self._p, t - self._first
        inner = namespace(V).empty((out.shape[0], 2 * n, out.shape[-1]), dtype=out.dtype)
        self._OC.tangent(step, V[:, :p], inner)
        inner[:, n:] += self._f[step][..., None] * V[:, p:]
        inner[:, :n] += self._E[step][..., None] * inner[:, n:]
        out[:, :p] = self._R @ inner[:, :n]
        out[:, p:] = inner[:, n:]

    def factors(self, t: int, identity: Array) -> tuple[Array, Array]:
        """J = diag(R, 1) X K, X and K of the LSTM; K is (2·n, p + n)."""
        X, K = super().factors(t, identity)
        n = self._n
        return namespace(X).concat([self._R @ X[:, :n], X[:, n:]], axis=1), K

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        n, p = self._n, self._p
        inner = namespace(X).empty((out.shape[0], 2 * n, out.shape[-1]), dtype=out.dtype)
        super().input_tangent(t, X, inner)
        out[:, :p] = self._R @ inner[:, :n]
        out[:, p:] = inner[:, n:]

    def dense(self, t: int) -> Array:
        xp, n, step = namespace(self._f), self._n, t - self._first
        OC = self._OC.dense(step)
        O, C, identity = OC[:, :n], OC[:, n:], xp.eye(n, dtype=OC.dtype)
        E, F = (each[step][..., None] * identity for each in (self._E, self._f))
        top = self._R @ xp.concat([O + E @ C, E @ F], axis=-1)
        J: Array = xp.concat([top, xp.concat([C, F], axis=-1)], axis=1)
        return J
