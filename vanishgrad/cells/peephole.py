"""Peephole LSTM, whose gates also see the cell state (Gers and Schmidhuber 2000; ONNX's input P)."""

from __future__ import annotations

from vanishgrad.arrays import Array, for_each_sequence, namespace
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.linearisation import Linearisation, Outer, Split
from vanishgrad.cells.lstm import LSTM, LSTMLinearisation
from vanishgrad.cells.published_law import Draw, Tensors, stacked_glorot
from vanishgrad.random_streams import Role


class PeepholeLSTM(LSTM):
    r"""a_i += p_i ⊙ c_{t-1}, a_f += p_f ⊙ c_{t-1}, a_o += p_o ⊙ c_t, else an LSTM.

    dc_t = (f + g i' p_i + c_{t-1} f' p_f) ⊙ dc_{t-1} + C dh_{t-1},
    dh_t = (o φ'(c_t) + φ(c_t) o' p_o) ⊙ dc_t + O dh_{t-1}; so c → c is no longer the forget gate alone.

    Parameters
    ----------
    w_c : (B | 1, 3·n) array
        The peepholes p_i, p_f, p_o.

    Published law: torchrecurrent's PeepholeLSTM, `stacked_glorot` and peepholes N(0, 1).
    """

    name = "peephole"
    tensors = (*LSTM.tensors, "w_c")

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        w_c: Array,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
        cell_activation: Activation | None = None,
    ) -> None:
        super().__init__(W_hh, W_hx, b, activation, gate_activation, cell_activation)
        self.w_c = w_c if w_c.ndim > 1 else w_c[None]

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return stacked Glorot matrices and no biases."""
        return stacked_glorot(draw)

    @classmethod
    def other_tensors(cls, draw: Draw) -> Tensors:
        """Return peepholes N(0, 1)."""
        return {"w_c": draw.of(Role.OTHER_TENSOR).standard_normal(3 * draw.n)}

    def peepholes(self, batch: int) -> tuple[Array, Array, Array]:
        """Return p_i, p_f, p_o of a batch of sequences, each (B | 1, n)."""
        n, w_c = self.hidden_size, for_each_sequence(self.w_c, batch)
        return w_c[:, :n], w_c[:, n : 2 * n], w_c[:, 2 * n :]

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t) and the pre-activations of i, f, g, o, peepholes included."""
        n, xp, gate = self.hidden_size, namespace(a_x), self.gate_activation.phi
        p_i, p_f, p_o = self.peepholes(s.shape[0])
        a_i, a_f, a_g, a_o = self.split(a_x + self.recurrent(t, s[..., :n]))
        a_i, a_f = a_i + p_i * s[..., n:], a_f + p_f * s[..., n:]
        c = gate(a_f) * s[..., n:] + gate(a_i) * self.activation.phi(a_g)
        record = xp.concat([a_i, a_f, a_g, a_o + p_o * c], axis=-1)
        return self.state(record, s), record

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _PeepholeLinearisation(self, states, records, start)


class _PeepholeLinearisation(LSTMLinearisation):
    """The LSTM's, with F and E lengthened by the peepholes; the conveyor stays the forget gate."""

    def __init__(self, cell: PeepholeLSTM, states: Array, a: Array, start: int) -> None:
        super().__init__(cell, states, a, start)
        n, dgate = cell.hidden_size, cell.gate_activation.dphi
        c_before, c = states[:-1, :, n:], states[1:, :, n:]
        a_i, a_f, a_g, a_o = cell.split(a)
        p_i, p_f, p_o = cell.peepholes(states.shape[1])
        self._forget, self._c, self._c_before = self._f, c, c_before
        self._by_peephole = {
            "i": cell.activation.phi(a_g) * dgate(a_i) * p_i,
            "f": c_before * dgate(a_f) * p_f,
        }
        self._f = self._f + self._by_peephole["i"] + self._by_peephole["f"]
        self._E = self._E + cell.cell_activation.phi(c) * dgate(a_o) * p_o

    def weight_gradient(self, t: int, w: Array) -> tuple[Outer, ...]:
        terms, step, n = super().weight_gradient(t, w), t - self._first, self._n
        delta = terms[0].cotangent
        peephole_rows = (delta[:, :n] * self._c_before[step], delta[:, n : 2 * n] * self._c_before[step])
        of_output = delta[:, 3 * n :] * self._c[step]
        return (*terms, Outer("w_c", namespace(delta).concat([*peephole_rows, of_output], axis=-1)))

    def conveyor(self, t: int) -> Array:
        f: Array = self._forget[t - self._first]
        return f

    def detours(self, t: int, W: Array) -> Split | None:
        """The LSTM's, and from c_{t-1} back to c_t by a peephole: a detour of one step through i or f."""
        split, step, n = super().detours(t, W), t - self._first, self._n
        if split is not None:
            y = self._signals(t, W)[..., n:]
            split.direct[..., n:] = y * self._forget[step][:, None]
            for name, slope in self._by_peephole.items():
                split.returns[name][..., n:] = y * slope[step][:, None]
        return split
