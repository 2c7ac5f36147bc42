"""LSTM whose cell state is clipped to [-C, C] at every step (TensorFlow's cell_clip)."""

from __future__ import annotations

from vanishgrad.arrays import Array, namespace
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.lstm import LSTM, LSTMLinearisation


class ClippedLSTM(LSTM):
    r"""c_t = min(C, max(-C, f ⊙ c_{t-1} + i ⊙ g)), h_t = o ⊙ φ_c(c_t), else an LSTM.

    A unit at the bound passes no gradient on through c_t: its rows of [C, F] are zero, and with them those of E C, E F.

    Parameters
    ----------
    clip : float
        The bound C > 0.
    """

    def __init__(
        self,
        W_hh: Array,
        W_hx: Array,
        b: Array,
        clip: float,
        activation: Activation = TANH,
        gate_activation: Activation = SIGMOID,
    ) -> None:
        super().__init__(W_hh, W_hx, b, activation, gate_activation)
        self.clip = clip

    def cell_state(self, record: Array, c: Array) -> Array:
        """Return c_t from c_{t-1}."""
        c = super().cell_state(record, c)
        where = namespace(c).where
        clipped: Array = where(c.real > self.clip, self.clip + 0 * c, where(c.real < -self.clip, -self.clip + 0 * c, c))
        return clipped

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _ClippedLinearisation(self, states, records, start)


class _ClippedLinearisation(LSTMLinearisation):
    """The LSTM's, with nothing written or carried on where c_t stands at the bound."""

    def __init__(self, cell: ClippedLSTM, states: Array, a: Array, start: int) -> None:
        self._is_inside: Array = namespace(states).abs(states[1:, :, cell.hidden_size :]) < cell.clip
        super().__init__(cell, states, a, start)
        self._f = self._f * self._is_inside

    def slopes(self, c_before: Array, a: Array) -> tuple[Array, ...]:
        """Return ∂c_t/∂a of i, f and g: none where c_t stands at the bound."""
        return tuple(slope * self._is_inside for slope in super().slopes(c_before, a))
