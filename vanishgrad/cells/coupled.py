"""Coupled LSTM (CIFG), whose input gate is the complement of the forget gate (Greff et al. 2017; ONNX input_forget)."""

from __future__ import annotations

from vanishgrad.arrays import Array
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.lstm import LSTM, LSTMLinearisation


class CoupledLSTM(LSTM):
    r"""An LSTM with i = 1 - f: c_t = f ⊙ c_{t-1} + (1 - f) ⊙ g, h_t = o ⊙ φ_c(c_t); gates f, g, o.

    J_t is the LSTM's with C = diag((c_{t-1} - g) f') W^f + diag((1 - f) g') W^g. Greff et al. (2017), "LSTM: a search
    space odyssey"; ONNX's LSTM with input_forget = 1.
    """

    form = {"coupled": "true"}

    def cell_state(self, record: Array, c: Array) -> Array:
        """Return c_t from c_{t-1}."""
        a_f, a_g, _ = self.split(record)
        gate = self.gate_activation
        return gate.phi(a_f) * c + gate.complement(a_f) * self.activation.phi(a_g)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _CoupledLinearisation(self, states, records, start)


class _CoupledLinearisation(LSTMLinearisation):
    """The LSTM's, with one gate the less."""

    _cell: CoupledLSTM

    def slopes(self, c_before: Array, a: Array) -> tuple[Array, ...]:
        cell = self._cell
        a_f, a_g, _ = cell.split(a)
        gate = cell.gate_activation
        of_f = (c_before - cell.activation.phi(a_g)) * gate.dphi(a_f)
        return of_f, gate.complement(a_f) * cell.activation.dphi(a_g)
