"""minLSTM, an LSTM whose gates see the input alone and are made to sum to 1 (Feng et al. 2024)."""

from __future__ import annotations

from vanishgrad.arrays import Array
from vanishgrad.cells.mingru import MinGRU
from vanishgrad.cells.trajectory import StoredTrajectory


class MinLSTM(MinGRU):
    r"""h_t = f' ⊙ h_{t-1} + i' ⊙ g(W^n x_t + b_n), f' = f/(f + i), i' = i/(f + i), f, i = σ(W x_t + b): J_t = diag f'.

    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi (2024), "Were RNNs all we needed?". Published law: minGRU-pytorch's, an
    nn.Linear without bias, U(±1/√d).
    """

    name = "minlstm"

    def factors(self, a: Array) -> tuple[Array, Array]:
        """Return f' and i'."""
        f, i = (self.gate_activation.phi(a[..., self.rows(gate)]) for gate in ("f", "i"))
        return f / (f + i), i / (f + i)

    def written_slopes(self, a: Array) -> tuple[Array, ...]:
        """Return ∂i'/∂a_f = -f' i' (1 - f) and ∂i'/∂a_i = f' i' (1 - i)."""
        kept, written = self.factors(a)
        rest_f, rest_i = (self.gate_activation.complement(a[..., self.rows(gate)]) for gate in ("f", "i"))
        return -kept * written * rest_f, kept * written * rest_i

    def gate_values(self, trajectory: StoredTrajectory) -> dict[str, Array]:
        """Return f' and i', which are what is kept and written, each (T, B, n)."""
        kept, written = self.factors(trajectory.records[..., : self.record_size])
        return {self.row.words["f"]: kept, self.row.words["i"]: written}
