"""T13 on a model: how much the memory feels a forget gate, beside how much it feels the gate's logit."""

from __future__ import annotations

import numpy as np

from vanishgrad.arrays import Array
from vanishgrad.cells.registry import LSTM
from vanishgrad.formal_answer.claims import Log
from vanishgrad.formal_answer.quantities.lstm import blocks_of
from vanishgrad.formal_answer.quantities.measured import MeasuredRun


def gate_sensitivity(run: MeasuredRun) -> list[dict[str, float | Log]]:
    """Return ‖∂c_T/∂f_j‖ and ‖∂c_T/∂b_{f,j}‖ of three units: where their ratio is largest, in the middle, smallest."""
    in_gate, in_bias = log_sensitivities(run)
    gate = keep_gate(run)
    felt = np.flatnonzero(np.isfinite(in_gate) & np.isfinite(in_bias))
    order = felt[np.argsort(in_bias[felt] - in_gate[felt], kind="stable")]
    shown = dict.fromkeys(order[[0, len(order) // 2, -1]].tolist()) if len(order) else {}
    return [
        {
            "unit": float(j),
            "mean_keep": float(gate[:, j].mean()),
            "in_gate": Log(float(in_gate[j])),
            "in_bias": Log(float(in_bias[j])),
            "stiffness": Log(float(in_gate[j] - in_bias[j])),
        }
        for j in shown
    ]


def log_sensitivities(run: MeasuredRun) -> tuple[Array, Array]:
    """Return ln ‖∂c_T/∂f_j‖₂ and ln ‖∂c_T/∂b_{f,j}‖₂ of every unit j of an LSTM or a GRU, (n,) each.

    f_j is moved by the same amount at every step, and so is its pre-activation: D_s = J_s D_{s-1} + ∂⁺s_s/∂f, with
    ∂⁺c_s/∂f_j = c_{s-1,j} and ∂⁺h_s/∂f_j = e_{s,j} c_{s-1,j}; of a GRU's z it is h_{s-1,j} - n_{s,j}.
    """
    n, slopes = run.cell.hidden_size, _slopes(run)
    columns, log_scale = np.zeros((run.cell.state_size, 2 * n)), 0.0
    for s, (J, direct) in enumerate(zip(run.jacobians(), _direct(run), strict=True)):
        columns = J @ columns
        for part, rows in enumerate(np.split(direct, len(direct) // n)):
            units = part * n + np.arange(n)
            columns[units, np.arange(n)] += rows * np.exp(-log_scale)
            columns[units, n + np.arange(n)] += rows * slopes[s] * np.exp(-log_scale)
        size = max(float(np.abs(columns).max()), 1.0)
        columns, log_scale = columns / size, log_scale + float(np.log(size))
    with np.errstate(divide="ignore"):
        logs = np.log(np.linalg.norm(columns[-n:], axis=0)) + log_scale
    return logs[:n], logs[n:]


def keep_gate(run: MeasuredRun) -> Array:
    """Return f_s of an LSTM, z_s of a GRU, (T, n)."""
    values: Array = run.cell.gate_values(run.trajectory)["forget" if run.kind == LSTM.name else "keep"][:, 0]
    return values


def _slopes(run: MeasuredRun) -> Array:
    """Return f'_s = f_s (1 - f_s), (T, n), from the pre-activations."""
    cell = run.cell
    assert cell.keep_gate is not None and cell.gate_activation is not None
    slopes: Array = cell.gate_activation.dphi(run.trajectory.records[:, 0, cell.rows(cell.keep_gate.letter)])
    return slopes


def _direct(run: MeasuredRun) -> Array:
    """Return what a change of the gate does to the state of its own step, (T, m), by unit of each part."""
    n, states = run.cell.hidden_size, run.trajectory.states[:, 0]
    if run.kind == LSTM.name:
        before = states[:-1, n:]
        return np.concatenate([blocks_of(run).e * before, before], axis=1)
    difference: Array = run.trajectory.records[:, 0, -n:]  # h_{s-1} - n_s
    return difference
