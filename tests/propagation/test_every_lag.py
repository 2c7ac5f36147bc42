"""Networks of ordinary size along many lags: every curve at every lag against a full SVD of the plain product."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.engine import measured, trajectory
from vanishgrad.cells import ACTIVATIONS, RNN, Cell, StoredTrajectory
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

N, D, STEPS, TRIALS = 24, 10, 120, 2
ROUNDOFF = 1e-9
MODELS = [
    "rnn", "rnn@orthogonal", "rnn@gaussian:gain=1.5", "rnn@identity:activation=relu", "rnn@gaussian:untied=true",
    "lstm", "lstm@chrono", "lstm@keras", "lstm@gaussian:gain=5", "lstm@identity:gain=0.01,forget_bias=6",
    "gru", "gru:reset=before", "gru@chrono", "gru@gaussian:gain=4",
]  # fmt: skip


def plain(cell: Cell, path: StoredTrajectory, b: int) -> dict[str, list[float]]:
    """ln ‖·‖₂ by lag from dense Jacobians, the product brought back to norm 1 after every step."""
    whole, P, log_scale, n = cell.linearise(path, 0, STEPS), np.eye(cell.state_size), 0.0, N
    spans = {"state": (slice(None), slice(None)), "hidden": (slice(n), slice(n)), "output": (slice(n), slice(None))}
    if cell.state_size > n:
        spans["cell"] = (slice(n, None), slice(n, None))
    found: dict[str, list[float]] = {name: [] for name in (*spans, "input")}
    for t in range(STEPS, -1, -1):
        with np.errstate(divide="ignore"):
            for name, (rows, columns) in spans.items():
                found[name].append(log_scale + np.log(np.linalg.svd(P[rows, columns], compute_uv=False)[0]))
            if t:
                B = np.empty((TRIALS, n, D))
                whole.input_cotangent(t, np.broadcast_to(P[:n], (TRIALS, *P[:n].shape)).copy(), B)
                found["input"].append(log_scale + np.log(np.linalg.svd(B[b], compute_uv=False)[0]))
        if t:
            P = P @ whole.dense(t)[b]
            size = np.linalg.norm(P) or 1.0
            P, log_scale = P / size, log_scale + math.log(size)
    return found


@pytest.mark.parametrize("label", MODELS)
def test_every_curve_at_every_lag(label: str) -> None:
    spec = parse(label).resolved(N, STEPS)
    cell = draw(spec, D, STEPS, TRIALS, seed=0).cell(spec)
    path = trajectory(cell, np.random.default_rng(0).standard_normal((TRIALS, STEPS, D)))
    curves = measured(cell, path).curves
    for b in range(TRIALS):
        for name, expected in plain(cell, path, b).items():
            found = curves[name].log_norm[b]
            np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected), err_msg=name)
            some = np.isfinite(expected)
            np.testing.assert_allclose(found[some], np.array(expected)[some], rtol=0, atol=ROUNDOFF, err_msg=name)


def two_groups(rotation: np.ndarray, drop: float, turn: int, steps: int) -> tuple[Cell, np.ndarray]:
    """An untied linear network whose second half of directions decays up to lag `turn`, and its first half from there.

    Returns it with ln of its largest singular value by lag.
    """
    n, lags = len(rotation), np.arange(steps)
    first, second = np.where(lags < turn, 1.0, drop), np.where(lags < turn, drop, 1.0)
    factors = np.concatenate([np.tile(each[:, None], n // 2) for each in (first, second)], axis=1)
    W_by_lag = (rotation * factors[:, None]) @ rotation.T
    cell = RNN(W_by_lag[None, ::-1].copy(), np.zeros((1, n, 1)), np.zeros((1, n)), ACTIVATIONS["linear"])
    logs = np.concatenate([[0.0], np.maximum(np.log(first).cumsum(), np.log(second).cumsum())])
    return cell, logs


@pytest.mark.parametrize(("rotated", "drop", "turn", "steps"), [
    (False, 0.5, 100, 220), (False, 0.9999, 40, 100),
    (True, 0.9, 100, 220), (True, 0.9999, 40, 100), (True, 0.1, 8, 30), (True, 0.1, 10, 30), (True, 0.8, 100, 220),
])  # fmt: skip
def test_the_lead_changes_after_it_was_far_behind(rotated: bool, drop: float, turn: int, steps: int) -> None:
    """A vector that was the best one stays a singular vector: no residual shows that it leads no more."""
    n = 40
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((n, n)))[0] if rotated else np.eye(n)
    cell, expected = two_groups(rotation, drop, turn, steps)
    found = measured(cell, trajectory(cell, np.zeros((1, steps, 1)))).curves["state"].log_norm[0]
    # What is drop^turn beside 1 in the same entry keeps so many digits fewer, in any float64 product.
    lost = 64 * np.finfo(float).eps / drop**turn if rotated else 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDOFF + lost)
