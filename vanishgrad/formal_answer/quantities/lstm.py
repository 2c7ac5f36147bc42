"""T4 on an LSTM: the blocks F, C, O, E of every step, the determinant, and the four gradients of the textbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells import LSTM
from vanishgrad.formal_answer.quantities.measured import MeasuredRun, spectral_norms


@dataclass(frozen=True, eq=False)
class Blocks:
    r"""F = diag f, C, O and E = diag e of the steps 1 … T.

    J_t = [[O + E C, E F], [C, F]] = [[I, E], [0, I]] [[O, 0], [C, F]].

    Attributes
    ----------
    f, e : (T, n) arrays
    C_scales : (T, 3, n) array
        What multiplies the rows of W^f, W^i, W^g in C.
    O_scales : (T, n) array
        What multiplies the rows of W^o in O.
    i, o, cell_state : (T, n) arrays
        The input gate, the output gate and c_t.
    weights : mapping
        Gate → W_hh of that gate, (n, n).
    """

    f: Array
    e: Array
    C_scales: Array
    O_scales: Array
    i: Array
    o: Array
    cell_state: Array
    weights: Mapping[str, Array]

    @property
    def steps(self) -> int:
        """The length T."""
        return len(self.f)

    def C(self, step: int) -> Array:
        """Return C of step `step` + 1: what dh_{t-1} adds to dc_t."""
        a_f, a_i, a_g = self.C_scales[step][:, :, None]
        C: Array = a_f * self.weights["f"] + a_i * self.weights["i"] + a_g * self.weights["g"]
        return C

    def O(self, step: int) -> Array:  # noqa: E743
        """Return O of step `step` + 1: what dh_{t-1} adds to dh_t through the output gate."""
        O: Array = self.O_scales[step][:, None] * self.weights["o"]
        return O

    def jacobian(self, step: int) -> Array:
        """Return J_t from the factorisation."""
        n = self.f.shape[1]
        identity, zero = np.eye(n), np.zeros((n, n))
        upper = np.block([[identity, np.diag(self.e[step])], [zero, identity]])
        lower = np.block([[self.O(step), zero], [self.C(step), np.diag(self.f[step])]])
        return upper @ lower

    def log_determinants(self) -> Array:
        """Return ln |det J_t| = ln |det W^o| + Σ_j ln f_j + ln |∂h_j/∂a^o_j|, (T,)."""
        with np.errstate(divide="ignore"):
            logs: Array = np.log(self.f).sum(axis=1) + np.log(np.abs(self.O_scales)).sum(axis=1)
        return logs + np.linalg.slogdet(self.weights["o"])[1]


def blocks_of(run: MeasuredRun) -> Blocks:
    """Return the blocks of every step of an LSTM's run."""
    cell = run.cell
    assert isinstance(cell, LSTM)
    n, a, states = cell.hidden_size, run.trajectory.records[:, 0], run.trajectory.states[:, 0]
    a_i, a_f, a_g, a_o = cell.split(a)
    i, f, g, o = cell.gate_outputs(a)
    before, c = states[:-1, n:], states[1:, n:]
    gate = cell.gate_activation.dphi
    C_scales = np.stack([before * gate(a_f), g * gate(a_i), i * cell.activation.dphi(a_g)], axis=1)
    weights = dict(zip("ifgo", np.split(cell.W_hh[0], 4), strict=True))
    e = o * cell.cell_activation.dphi(c)
    return Blocks(f, e, C_scales, cell.cell_activation.phi(c) * gate(a_o), i, o, c, weights)


@dataclass(frozen=True)
class Gradients:
    """Four things called the gradient of an LSTM, from c_1 to c_T: natural logarithms of their spectral norms."""

    conveyor: float
    partial: float
    total: float
    four_term: float


def four_gradients(run: MeasuredRun, blocks: Blocks) -> Gradients:
    """Return the norms of ∏ diag f, ∂c_T/∂c_1, dc_T/dc_1 and of the product of one-step total derivatives."""
    n, last = run.cell.hidden_size, blocks.steps
    conveyor = float(np.log(blocks.f[1:]).sum(axis=0).max())
    columns, log_scale = np.vstack([np.diag(blocks.e[0]), np.eye(n)]), 0.0
    product, product_scale = np.eye(n), 0.0
    for s, J in zip(range(1, last), _after_first(run), strict=True):
        columns, log_scale = _scaled(J @ columns, log_scale)
        product, product_scale = _scaled(
            (np.diag(blocks.f[s]) + blocks.C(s) * blocks.e[s - 1]) @ product, product_scale
        )
    return Gradients(
        conveyor, float(run.products.curves["memory"][-2]), _log(columns[n:], log_scale), _log(product, product_scale)
    )


def _after_first(run: MeasuredRun) -> list[Array]:
    return list(run.jacobians())[1:]


def _scaled(matrix: Array, log_scale: float) -> tuple[Array, float]:
    size = float(np.abs(matrix).max()) or 1.0
    return matrix / size, log_scale + float(np.log(size))


def _log(matrix: Array, log_scale: float) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(np.linalg.norm(matrix, 2))) + log_scale


def coupling_norms(blocks: Blocks) -> tuple[Array, Array]:
    """Return ‖C_s‖₂ and ‖O_s‖₂ of every step, each (T,)."""
    return (
        spectral_norms(blocks.C(step) for step in range(blocks.steps)),
        spectral_norms(blocks.O(step) for step in range(blocks.steps)),
    )


def path_counts(steps: int) -> tuple[int, int]:
    """Return how many paths the partial and the total derivative over T steps sum: Fib(2T - 1) and Fib(2T + 1)."""
    h, c = 0, 1
    for _ in range(steps):
        # The all-ones comparison of dc' = F dc + C dh, dh' = O dh + E dc'.
        c = c + h
        h = h + c
    return c, c + h
