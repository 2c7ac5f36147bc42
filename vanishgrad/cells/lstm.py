"""LSTM, the long short-term memory with forget gate, as every framework has it."""

from __future__ import annotations

from vanishgrad.arrays import Array, is_extended, multiply_into, namespace, weighted_columns_into
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell import Cell, Part
from vanishgrad.cells.gate_products import NARROW, GateProducts
from vanishgrad.cells.linearisation import Linearisation, Outer, Split


class LSTM(Cell):
    r"""The state is (h, c), whole.

    i, f, o = σ(W h_{t-1} + …), g = φ(W h_{t-1} + …), c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ φ_c(c_t); with
    F = diag f, C = diag(g i') W^i + diag(c_{t-1} f') W^f + diag(i g') W^g, O = diag(φ_c(c_t) o') W^o and
    E = diag(o φ_c'(c_t)),

        J_t = [[O + E C, E F], [C, F]] .
    """

    name = "lstm"
    curves = {"hidden": ("h", "h"), "cell": ("c", "c")}
    gate_activation: Activation

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        cell_activation: Activation | None = None,
    ) -> None:
        super().__init__(W_hh, W_hx, b)
        self.activation = activation
        self.gate_activation = gate_activation
        self.cell_activation = cell_activation or activation

    @property
    def parts(self) -> tuple[Part, ...]:
        """The hidden state h, then the cell state c."""
        return (Part("h", self.hidden_size), Part("c", self.hidden_size))

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t) and the pre-activations of i, f, g, o."""
        a = a_x + self.recurrent(t, s[..., : self.hidden_size])
        return self.state(a, s), a

    def state(self, record: Array, s: Array) -> Array:
        """Return (h_t, c_t)."""
        c = self.cell_state(record, s[..., self.parts[0].size :])
        o = self.gate_activation.phi(record[..., self.rows("o")])
        return namespace(c).concat([self.output(o, c), c], axis=-1)

    def cell_state(self, record: Array, c: Array) -> Array:
        """Return c_t from c_{t-1}."""
        a_i, a_f, a_g, _ = self.split(record)
        gate = self.gate_activation.phi
        return gate(a_f) * c + gate(a_i) * self.activation.phi(a_g)

    def output(self, o: Array, c: Array) -> Array:
        """Return h_t."""
        return o * self.cell_activation.phi(c)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Of the candidate, of the gates and of the cell state."""
        return self.activation, self.gate_activation, self.cell_activation

    def gate_outputs(self, a: Array) -> tuple[Array, Array, Array, Array]:
        """Return i, f, g, o of the stacked pre-activations."""
        a_i, a_f, a_g, a_o = self.split(a)
        gate = self.gate_activation.phi
        return gate(a_i), gate(a_f), self.activation.phi(a_g), gate(a_o)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return LSTMLinearisation(self, states, records, start)

    @property
    def read_out(self) -> Activation:
        """φ_c, through which h reads the cell state."""
        return self.cell_activation


class LSTMLinearisation(Linearisation):
    """F, C, O and E of the LSTM along a stretch of a trajectory; the output gate is the last of the stacked ones."""

    def __init__(self, cell: LSTM, states: Array, a: Array, start: int) -> None:
        xp, n, gate = namespace(a), cell.hidden_size, cell.gate_activation
        self._cell, self._first, self._n = cell, start + 1, n
        self._h = states[:-1, :, :n]
        c_before, c = states[:-1, :, n:], states[1:, :, n:]
        a_f, a_o = a[..., cell.rows("f")], a[..., cell.rows("o")]
        written = self.slopes(c_before, a)
        coefficients = xp.stack([*written, cell.cell_activation.phi(c) * gate.dphi(a_o)], axis=2)
        self._f, self._E = gate.phi(a_f), gate.phi(a_o) * cell.cell_activation.dphi(c)
        groups = ((len(written),), tuple(range(len(written))))
        self._OC = GateProducts(cell.W_hh, coefficients, groups)
        self._OC_input = GateProducts(cell.W_hx, coefficients, groups)
        self._signals_scratch: Array | None = None

    def slopes(self, c_before: Array, a: Array) -> tuple[Array, ...]:
        """Return ∂c_t/∂a of each gate but the output's, in their order."""
        gate, activation = self._cell.gate_activation, self._cell.activation
        a_i, a_f, a_g, _ = self._cell.split(a)
        of_i, of_f = activation.phi(a_g) * gate.dphi(a_i), c_before * gate.dphi(a_f)
        return of_i, of_f, gate.phi(a_i) * activation.dphi(a_g)

    def _signals(self, t: int, W: Array) -> Array:
        """Return (w_h, w_c + w_h E): what reaches the output gate, and what reaches c_t."""
        n, shape = self._n, (*W.shape[:-1], 2 * self._n)
        if self._signals_scratch is None or self._signals_scratch.shape != shape:
            self._signals_scratch = namespace(W).empty(shape, dtype=W.dtype)
        y = self._signals_scratch
        y[..., :n] = W[..., :n]
        multiply_into(W[..., :n], self._E[t - self._first][:, None], y[..., n:])
        y[..., n:] += W[..., n:]
        return y

    def _through(self, gates: GateProducts, t: int, W: Array, out: Array) -> None:
        """Write what reaches the gates of W's signals, through their weights; many rows are taken as they are."""
        step = t - self._first
        if W.shape[-2] > NARROW and not is_extended(W):
            gates.cotangent_with(step, self._E[step], W, out)
        else:
            gates.cotangent(step, self._signals(t, W), out)

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        self._through(self._OC, t, W, out[..., :n])
        f = self._f[step]
        weighted_columns_into(W, namespace(f).stack([self._E[step] * f, f], axis=1), out[..., n:])

    def tangent(self, t: int, V: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        self._OC.tangent(step, V[:, :n], out)
        out[:, n:] += self._f[step][..., None] * V[:, n:]
        out[:, :n] += self._E[step][..., None] * out[:, n:]

    def factors(self, t: int, identity: Array) -> tuple[Array, Array]:
        """J = [[1, E], [0, 1]] [[O, 0], [C, F]]: what a saturated output gate leaves of O is not added to E C."""
        xp, n, step, p = namespace(identity), self._n, t - self._first, identity.shape[-1] - self._n
        K = xp.zeros((identity.shape[0], 2 * n, n + p), dtype=identity.dtype)
        self._OC.tangent(step, identity[:, :p], K)
        K[:, n:] += self._f[step][..., None] * identity[:, p:]
        X = xp.zeros((identity.shape[0], 2 * n, 2 * n), dtype=identity.dtype)
        X[...] = xp.eye(2 * n, dtype=identity.dtype)
        X[:, :n, n:] = self._E[step][..., None] * X[:, n:, n:]
        return X, K

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        self._OC_input.tangent(step, X, out)
        out[:, :n] += self._E[step][..., None] * out[:, n:]

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        self._through(self._OC_input, t, W, out)

    def dense(self, t: int) -> Array:
        xp, n, step = namespace(self._f), self._n, t - self._first
        OC = self._OC.dense(step)
        O, C, identity = OC[:, :n], OC[:, n:], xp.eye(n, dtype=OC.dtype)
        E, F = (each[step][..., None] * identity for each in (self._E, self._f))
        top, bottom = xp.concat([O + E @ C, E @ F], axis=-1), xp.concat([C, F], axis=-1)
        J: Array = xp.concat([top, bottom], axis=1)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        delta = self._OC.pulled_back(step, self._signals(t, w[:, None]))[:, 0]
        return Outer("W_hh", delta, self._h[step]), Outer("b", delta)

    def conveyor(self, t: int) -> Array:
        f: Array = self._f[t - self._first]
        return f

    def detours(self, t: int, W: Array) -> Split | None:
        """A_t = (w_h O, y F) and B_t = (y C, 0) with y = w_c + w_h E: a detour returns to c by any gate but o."""
        xp, step, n = namespace(W), t - self._first, self._n
        y = self._signals(t, W)
        *returns, o = self._OC.cotangent_terms(step, y)
        carried = y[..., n:] * self._f[step][:, None]
        nothing = xp.zeros_like(carried)
        return Split(
            xp.concat([o, carried], axis=-1),
            {name: xp.concat([term, nothing], axis=-1) for name, term in zip(self._cell.gates, returns, strict=False)},
        )

    def total(self, t: int, W: Array) -> Array | None:
        """dh_t/dc_t = E_t."""
        total: Array = namespace(W).asarray(self._signals(t, W)[..., self._n :], copy=True)
        return total
