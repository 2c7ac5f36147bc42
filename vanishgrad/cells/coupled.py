"""Coupled LSTM (CIFG), whose input gate is the complement of the forget gate (Greff et al. 2017; ONNX input_forget)."""

from __future__ import annotations

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.convex_update import ConvexUpdate
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.lstm import LSTM, LSTMLinearisation


class CoupledLSTM(ConvexUpdate, LSTM):
    r"""An LSTM with i = 1 - f: c_t = f ⊙ c_{t-1} + (1 - f) ⊙ g, h_t = o ⊙ φ_c(c_t); gates f, g, o.

    J_t is the LSTM's with C = diag((c_{t-1} - g) f') W^f + diag((1 - f) g') W^g. Greff et al. (2017), "LSTM: a search
    space odyssey"; ONNX's LSTM with input_forget = 1.
    """

    form = {"coupled": "true"}

    @property
    def record_size(self) -> int:
        """How many numbers a step keeps: the pre-activations, and c_{t-1} - g_t."""
        return int(self.W_hh.shape[-2]) + self.hidden_size

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t), the pre-activations of f, g, o and c_{t-1} - g_t."""
        state, a = LSTM.advance(self, t, a_x, s)
        return state, namespace(a).concat([a, self.mixed(s) - self.activation.phi(self.candidate(a))], axis=-1)

    def factors(self, record: Array) -> tuple[Array, Array]:
        """Return f and 1 - f."""
        a_f = self.split(record)[0]
        return self.gate_activation.phi(a_f), self.gate_activation.complement(a_f)

    def candidate(self, record: Array) -> Array:
        """Return g's pre-activation."""
        return self.split(record)[1]

    def mixed(self, states: Array) -> Array:
        """Return the cell states."""
        return states[..., self.hidden_size :]

    def state(self, record: Array, s: Array) -> Array:
        """Return (h_t, c_t)."""
        return LSTM.state(self, record, s)

    def cell_state(self, record: Array, c: Array) -> Array:
        """Return c_t from c_{t-1}."""
        keep, write = self.factors(record)
        return keep * c + write * self.activation.phi(self.candidate(record))

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _CoupledLinearisation(self, states, records, start)


class _CoupledLinearisation(LSTMLinearisation):
    """The LSTM's, with one gate the less."""

    _cell: CoupledLSTM

    def slopes(self, c_before: Array, a: Array) -> tuple[Array, ...]:
        cell = self._cell
        a_f, a_g, _, difference = cell.split(a)
        gate = cell.gate_activation
        of_f = difference * gate.dphi(a_f)
        return of_f, gate.complement(a_f) * cell.activation.dphi(a_g)
