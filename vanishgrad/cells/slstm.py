"""sLSTM, the scalar memory of xLSTM: an LSTM with exponential gates and a normaliser (Beck et al. 2024)."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array, for_each_sequence, namespace, times
from vanishgrad.cells.activations import SIGMOID, TANH, Activation
from vanishgrad.cells.cell import Part
from vanishgrad.cells.dense_jacobian import DenseCell, DenseLinearisation, diagonal, scaled_rows
from vanishgrad.cells.linearisation import Linearisation
from vanishgrad.cells.published_law import Draw, Tensors, linear_uniform
from vanishgrad.cells.trajectory import StoredTrajectory
from vanishgrad.random_streams import Role

EMPTY = -1e4
"""ln n of a memory that holds nothing: every gate writes over it, to the last bit."""
HIGHEST_FORGET_BIAS, BIAS_RANGE = 5.0, 12.0


class SLSTM(DenseCell):
    r"""c_t = φ c_{t-1} + (1 - φ) tanh a_z, φ = σ(a_f) e^{ν_{t-1} - ν_t}, ν_t = ln(σ(a_f) e^{ν_{t-1}} + e^{a_i}).

    h_t = σ(a_o) c_t.

    The paper's state (y, c, n, m) has a gauge: (c, n, m) and (c e^{-s}, n e^{-s}, m + s) are one memory, and which of
    them it is depends on the other sequences of the batch. Here h = y, c is the paper's c/n, and nu its ln n + m, in
    which nothing is arbitrary. (a_i, a_f, a_z, a_o) = W_hh h_{t-1} + W_hx x_t + b, block-diagonal in the heads.

        ∂c_t/∂c = D(φ), ∂ν_t/∂ν = D(φ), ∂c_t/∂ν = D(φ (1 - φ)(c_{t-1} - tanh a_z)), and W_hh's terms by h:

    the conveyor ∏ φ is a coupled forget gate, which closes as the memory fills. A start of zeros is a memory
    of weight 1; of an empty one, ν = -∞, nothing depends on the start behind the first step.

    Beck, Pöppel, Spanring, Auer, Prudnikova, Kopp, Klambauer, Brandstetter and Hochreiter (2024), "xLSTM: extended long
    short-term memory". Published law: xlstm's first block, W_hh = 0, b_f = 5 - 12 (j/(n - 1))^0.3 for the j-th unit,
    the other biases 0, W_hx of an nn.Linear.

    Parameters
    ----------
    W_hh : (S, 4·n, n) array
        Of a_i, a_f, a_z, a_o.
    """

    name = "slstm"
    curves = {"hidden": ("h", "h"), "cell": ("c", "c")}
    activation: Activation = TANH
    gate_activation: Activation = SIGMOID

    @classmethod
    def published(cls, draw: Draw) -> Tensors:
        """Return no recurrent weights, a Linear's W_hx, and biases that spread the forget gates."""
        n, b = draw.n, np.zeros(4 * draw.n)
        place = np.arange(n) / max(n - 1, 1)
        b[n : 2 * n] = HIGHEST_FORGET_BIAS - BIAS_RANGE * place**0.3
        W_hx = linear_uniform(draw.of(Role.W_HX), 4 * n, draw.d)
        return {"W_hh": np.zeros((4 * n, n)), "W_hx": W_hx, "b": b}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The output h, the memory c (the paper's c/n) and its weight nu (ln n + m)."""
        return (Part("h", self.hidden_size), Part("c", self.hidden_size), Part("nu", self.hidden_size))

    @property
    def conveyed(self) -> str:
        """The memory."""
        return "c"

    def empty(self, batch: int) -> Array:
        """Return a memory that holds nothing, as xlstm starts from, (B, 3·n)."""
        s = np.zeros((batch, self.state_size))
        s[:, self.slices["nu"]] = EMPTY
        return s

    def advance(self, t: int, a_x: Array, s: Array) -> tuple[Array, Array]:
        """Return (h_t, c_t, ν_t) and the pre-activations."""
        record = a_x + times(self.W_hh, s[..., : self.hidden_size])
        return self.state(record, s), record

    def next_state(self, record: Array, s: Array) -> Array:
        """Return (h_t, c_t, ν_t)."""
        n = self.hidden_size
        _, _, a_z, a_o = self.split(record)
        c, nu = s[..., n : 2 * n], s[..., 2 * n :]
        new_nu, kept, written = self.shares(record, nu)
        c = kept * c + written * self.activation.phi(a_z)
        return namespace(c).concat([self.gate_activation.phi(a_o) * c, c, new_nu], axis=-1)

    def shares(self, record: Array, nu: Array) -> tuple[Array, Array, Array]:
        """Return ν_t, φ and 1 - φ, of complex numbers too."""
        a_i, a_f = self.split(record)[:2]
        held = nu - _softplus(-a_f)
        difference = held - a_i
        return a_i + _softplus(difference), SIGMOID.phi(difference), SIGMOID.phi(-difference)

    def along(self, states: Array, records: Array, start: int) -> Linearisation:
        """Return the linearisation of steps start + 1, … of which states and records are given."""
        return _SLSTMLinearisation(self, states, records, start)

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        """Return φ and the output gate, each (T, B, n)."""
        records = trajectory.records[..., : self.record_size]
        kept = self.shares(records, trajectory.states[:-1][..., self.slices["nu"]])[1]
        return {self.row.words["f"]: kept, self.row.words["o"]: self.gate_activation.phi(self.split(records)[3])}


def _softplus(a: Array) -> Array:
    """Return ln(1 + e^a), of complex numbers too."""
    small: Array = np.log1p(np.exp(np.where(a.real > 0, -a, a)))
    return np.where(a.real > 0, a + small, small)


class _SLSTMLinearisation(DenseLinearisation):
    """The nine blocks, six of them diagonal but for what W_hh adds."""

    def __init__(self, cell: SLSTM, states: Array, records: Array, start: int) -> None:
        super().__init__(states, records, start)
        self._cell = cell

    def _shares(self, record: Array, before: Array) -> tuple[Array, Array, Array]:
        return self._cell.shares(record, before[:, self._cell.slices["nu"]])

    def conveyor(self, t: int) -> Array:
        """Return φ."""
        step = t - self._first
        return self._shares(self._records[step], self._states[step])[1]

    def blocks(self, record: Array, before: Array, after: Array) -> tuple[Array, Array]:
        cell, batch = self._cell, len(record)
        _, a_f, a_z, a_o = cell.split(record)
        _, kept, written = self._shares(record, before)
        c, new_c = (s[:, cell.slices["c"]] for s in (before, after))
        z, o = TANH.phi(a_z), SIGMOID.phi(a_o)
        of_shares = kept * written * (c - z)
        by_forget = SIGMOID.phi(-a_f)
        zeros = np.zeros_like(kept)
        of_gates = {
            "nu": (written, kept * by_forget, zeros, zeros),
            "c": (-of_shares, of_shares * by_forget, written * TANH.dphi(a_z), zeros),
        }
        of_gates["h"] = (*(o * slope for slope in of_gates["c"][:3]), SIGMOID.dphi(a_o) * new_c)
        W = np.concatenate([for_each_sequence(each, batch) for each in (cell.W_hh, cell.W_hx)], axis=-1)
        gates = np.split(W, 4, axis=1)
        through = {
            part: np.sum([scaled_rows(slope, gate) for slope, gate in zip(slopes, gates, strict=True)], axis=0)
            for part, slopes in of_gates.items()
        }
        n, none = cell.hidden_size, diagonal(zeros)
        cc, c_nu = diagonal(kept), diagonal(of_shares)
        rest = {"h": (o[..., None] * cc, o[..., None] * c_nu), "c": (cc, c_nu), "nu": (none, cc)}
        parts = ("h", "c", "nu")
        rows = [np.concatenate([through[part][..., :n], *rest[part]], axis=-1) for part in parts]
        return np.concatenate(rows, axis=1), np.concatenate([through[part][..., n:] for part in parts], axis=1)
