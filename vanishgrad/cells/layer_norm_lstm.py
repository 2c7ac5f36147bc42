"""Layer-normalised LSTM of PyTorch's fast-RNN example and of TensorFlow Addons: c_t is carried on normed."""

from __future__ import annotations

from vanishgrad.arrays import Array, for_each_sequence, matmul_into, namespace, shared_matmul
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell_row import KeepGate
from vanishgrad.cells.layer_norm import LayerNorm
from vanishgrad.cells.linearisation import Linearisation, Outer
from vanishgrad.cells.lstm import LSTM

EPSILON = 1e-5
"""ε of PyTorch's nn.LayerNorm; TensorFlow Addons has 1e-3."""


class LayerNormLSTM(LSTM):
    r"""a = N_x(W_hx x_t) + N_h(W_hh h_{t-1}) + b, ĉ_t = f ⊙ c_{t-1} + i ⊙ g, c_t = N_c(ĉ_t) + b_c, h_t = o ⊙ φ_c(c_t).

    N(v) = gain ⊙ (v - mean v) / √(var v + ε), each over all gates or all units at once. So every path from c_{t-1} to
    c_t leads through a norm that mixes the units and rescales them: no gate alone is the factor that is kept, there is
    no conveyor, and J_t is singular, for N_c does not see what all units have in common. With P = dN/dv,

        dĉ = diag f dc_{t-1} + Σ_{i,f,g} diag(a'_·) P_h W^· dh_{t-1},  dc_t = P_c dĉ,
        dh_t = diag(o φ_c') dc_t + diag(φ_c o') P_h W^o dh_{t-1} .

    In Ba, Kiros and Hinton (2016) the norm of c_t stands within h_t alone, and c_t is carried on as it is: another
    cell.

    Parameters
    ----------
    b : (S, 4·n) array
        The sum of every shift of a: of the norms and beside them.
    gain_x, gain_h : (S, 4·n) array, optional
        Ones by default.
    gain_c, shift_c : (S, n) array, optional
        Ones and zeros by default.
    epsilon : float
        ε of all three norms.
    """

    form = {"norm": "layer"}
    tensors = (*LSTM.tensors, "gain_x", "gain_h", "gain_c", "shift_c")

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        gain_x: Array | None = None,
        gain_h: Array | None = None,
        gain_c: Array | None = None,
        shift_c: Array | None = None,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        epsilon: float = EPSILON,
    ) -> None:
        super().__init__(W_hh, W_hx, b, activation, gate_activation)
        ones = namespace(self.b).ones_like(self.b)
        units = ones[:, : self.hidden_size]
        self.gain_x, self.gain_h = (_rows(ones if gain is None else gain) for gain in (gain_x, gain_h))
        self.gain_c = _rows(units if gain_c is None else gain_c)
        self.shift_c = _rows(0 * units if shift_c is None else shift_c)
        self.epsilon = epsilon

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps: the pre-activations, and what the norms of x and of h take."""
        return 12 * self.hidden_size

    @property
    def keep_gate(self) -> KeepGate | None:
        """None: what the forget gate lets through, the norm rescales."""
        return None

    def input_preactivation(self, xs: Array) -> Array:
        """Return W_hx x_t for every step, (T, B, 4·n), not yet normalised."""
        return self.input_product(xs)

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t), and the pre-activations of i, f, g, o, W_hx x_t and W_hh h_{t-1}."""
        u_h = self.recurrent(t, s[..., : self.hidden_size])
        normed = self.norm(a_x, self.gain_x).output + self.norm(u_h, self.gain_h).output
        record = namespace(s).concat([normed + for_each_sequence(self.b, s.shape[0]), a_x + 0 * u_h, u_h], axis=-1)
        return self.state(record, s), record

    def cell_state(self, record: Array, c: Array) -> Array:
        """Return c_t from c_{t-1}."""
        c_hat = super().cell_state(record, c)
        return self.norm(c_hat, self.gain_c).output + for_each_sequence(self.shift_c, c.shape[0])

    def norm(self, v: Array, gain: Array) -> LayerNorm:
        """Return the layer normalisation of vectors (…, B, m)."""
        return LayerNorm(v, gain, self.epsilon)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _LayerNormLinearisation(self, states, records, start)


def _rows(tensor: Array) -> Array:
    return tensor if tensor.ndim > 1 else tensor[None]


class _LayerNormLinearisation(Linearisation):
    """The slopes of the gates and the derivatives of the three norms along a stretch of a trajectory."""

    def __init__(self, cell: LayerNormLSTM, states: Array, records: Array, start: int) -> None:
        xp, n = namespace(records), cell.hidden_size
        self._first, self._n, self._W_hh, self._W_hx = start + 1, n, cell.W_hh, cell.W_hx
        a, u_x, u_h = (records[..., j * 4 * n : (j + 1) * 4 * n] for j in range(3))
        self._h, c_before, c = states[:-1, :, :n], states[:-1, :, n:], states[1:, :, n:]
        a_i, a_f, a_g, a_o = cell.split(a)
        i, self._f, g, o = cell.gate_outputs(a)
        self._norm_x, self._norm_h = cell.norm(u_x, cell.gain_x), cell.norm(u_h, cell.gain_h)
        self._norm_c = cell.norm(self._f * c_before + i * g, cell.gain_c)
        dgate, phi_c = cell.gate_activation.dphi, cell.cell_activation
        self._slopes = xp.concat(
            [g * dgate(a_i), c_before * dgate(a_f), i * cell.activation.dphi(a_g), phi_c.phi(c) * dgate(a_o)], axis=-1
        )
        self._E = o * phi_c.dphi(c)

    def _pulled_back(self, step: int, W: Array) -> tuple[Array, Array, Array]:
        """Return the cotangents of c_t, of ĉ_t and of the pre-activations."""
        n = self._n
        of_c = W[..., n:] + W[..., :n] * self._E[step][:, None]
        of_written = self._norm_c.cotangent(step, of_c)
        signals = namespace(W).concat([of_written, of_written, of_written, W[..., :n]], axis=-1)
        return of_c, of_written, signals * self._slopes[step][:, None]

    def _pushed_forward(self, step: int, da: Array, dc_hat: Array, out: Array) -> None:
        """Write ds_t into `out`, from the tangents of the pre-activations and of what else is written into ĉ_t."""
        n = self._n
        gate_changes = self._slopes[step][..., None] * da
        dc = self._norm_c.tangent(
            step, dc_hat + gate_changes[:, :n] + gate_changes[:, n : 2 * n] + gate_changes[:, 2 * n : 3 * n]
        )
        out[:, n:] = dc
        out[:, :n] = self._E[step][..., None] * dc + gate_changes[:, 3 * n :]

    def cotangent(self, t: int, W: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        _, of_written, of_a = self._pulled_back(step, W)
        out[..., :n] = shared_matmul(self._norm_h.cotangent(step, of_a), self._W_hh)
        out[..., n:] = of_written * self._f[step][:, None]

    def tangent(self, t: int, V: Array, out: Array) -> None:
        n, step = self._n, t - self._first
        da = self._norm_h.tangent(step, self._W_hh @ V[:, :n])
        self._pushed_forward(step, da, self._f[step][..., None] * V[:, n:], out)

    def factors(self, t: int, identity: Array) -> None:
        """A norm's derivative is the identity less what it projects out."""
        return

    def input_cotangent(self, t: int, W: Array, out: Array) -> None:
        step = t - self._first
        *_, of_a = self._pulled_back(step, W)
        matmul_into(self._norm_x.cotangent(step, of_a), self._W_hx, out)

    def input_tangent(self, t: int, X: Array, out: Array) -> None:
        step = t - self._first
        da = self._norm_x.tangent(step, self._W_hx @ X)
        self._pushed_forward(step, da, 0 * da[:, : self._n], out)

    def dense(self, t: int) -> Array:
        xp, f, m = namespace(self._f), self._f[t - self._first], 2 * self._n
        J: Array = xp.zeros((f.shape[0], m, m), dtype=f.dtype)
        self.tangent(t, J + xp.eye(m, dtype=f.dtype), J)
        return J

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        step = t - self._first
        of_c, _, of_a = self._pulled_back(step, w[:, None])
        of_u_x, of_u_h = (norm.cotangent(step, of_a)[:, 0] for norm in (self._norm_x, self._norm_h))
        return (
            Outer("W_hh", of_u_h, self._h[step]),
            Outer("W_hx", of_u_x),
            Outer("b", of_a[:, 0]),
            Outer("gain_x", of_a[:, 0] * self._norm_x.unscaled[step]),
            Outer("gain_h", of_a[:, 0] * self._norm_h.unscaled[step]),
            Outer("gain_c", of_c[:, 0] * self._norm_c.unscaled[step]),
            Outer("shift_c", of_c[:, 0]),
        )

    def total(self, t: int, W: Array) -> Array | None:
        """dh_t/dc_t = diag(o φ_c'(c_t))."""
        of_c: Array = W[..., self._n :] + W[..., : self._n] * self._E[t - self._first][:, None]
        return of_c
