"""Attention curves: a head's ∂c_T/∂h_k beside complex steps of its softmax, and as one row of a comparison."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vanishgrad
from tests.reference import complex_step
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import EVERYTHING
from vanishgrad.errors import UsageError, VanishgradError
from vanishgrad.propagation.run import run
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

T, N, D, B = 12, 4, 3, 2


def context(head: dict[str, np.ndarray], q: np.ndarray, h: np.ndarray) -> np.ndarray:
    """c of states h (T, n)."""
    scores = h @ head["W_k"].T @ q / np.sqrt(N)
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights @ h @ head["W_v"].T


@pytest.mark.parametrize("lengths", [(T, T), (T, 7)])
def test_every_lag_is_the_derivative_of_the_context(lengths: tuple[int, int]) -> None:
    spec = parse("attention").resolved(N, T)
    cell = draw(spec, D, T, B, 0).cell(spec)
    rng = np.random.default_rng(1)
    trajectory = run(cell, rng.standard_normal((B, T, D)), rng.standard_normal((B, N)))
    measured = measure(cell, trajectory, np.array(lengths), None, 0.05, EVERYTHING)
    assert measured.engine.name == "attention"
    state, through = measured.curves["state"], measured.curves["input"]
    for b, length in enumerate(lengths):
        head = {name: getattr(cell, name)[b] for name in cell.tensors}
        h = trajectory.states[T - length :, b]
        q = head["W_q"] @ h[-1]
        for lag in range(length + 1):
            place = length - lag

            def moved(x: np.ndarray, place: int = place, h: np.ndarray = h, q: np.ndarray = q, head=head) -> np.ndarray:
                return context(head, q, np.concatenate([h[:place], x[None], h[place + 1 :]]))

            G = complex_step(moved, h[place])
            values = np.linalg.svd(G, compute_uv=False)
            assert state.log_norm[b, lag] == pytest.approx(np.log(values[0]), abs=1e-12)
            assert state.log_rms[b, lag] == pytest.approx(np.log((values**2).mean()) / 2, abs=1e-12)
            if lag in state.alive:
                assert state.alive[lag][b] == np.sum(values >= 0.05)
            if lag < length:
                expected = np.log(np.linalg.norm(G @ head["W_hx"], 2))
                assert through.log_norm[b, lag] == pytest.approx(expected, abs=1e-12)
        assert np.isnan(state.log_norm[b, length + 1 :]).all()


def test_a_comparison_says_what_it_is() -> None:
    document = json.loads(vanishgrad.compare(["mingru", "attention"], hidden=8, steps=10, trials=2).to_json())
    model = document["models"][1]
    assert model["engine"]["name"] == "attention"
    assert "∂c_T/∂h_k of one random head" in " ".join(model["notes"])


def test_masked_steps_are_refused() -> None:
    mask = np.ones((1, 10), bool)
    mask[0, 4] = False
    with pytest.raises(UsageError, match="expected no masked steps for attention"):
        vanishgrad.compare("attention", hidden=4, steps=10, trials=1, mask=mask)


@pytest.mark.parametrize("std", ["1e3", "1e200"])
def test_weights_beyond_float64_are_refused(std: str) -> None:
    with pytest.raises(VanishgradError, match="expected attention scores at most 700 apart"):
        vanishgrad.compare(["attention"], hidden=8, steps=10, trials=1, input=f"white:{std}")
