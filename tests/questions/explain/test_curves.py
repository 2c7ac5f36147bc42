"""The curves that an explanation adds: their place, their lengths, and the whole stack against the complex step."""

from __future__ import annotations

import numpy as np
import pytest

from tests import reference
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import runs

N, D, STEPS = 4, 3, 7
RELATIVE = 1e-10


def weights(cell_gates: int, below: int, seed: int, place: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"weight_ih": (cell_gates * N, below), "weight_hh": (cell_gates * N, N), "bias_ih": (cell_gates * N,)}
    found = {f"{name}_l{place}": rng.standard_normal(shape) / 2 for name, shape in shapes.items()}
    return {**found, f"bias_hh_l{place}": np.zeros(cell_gates * N)}


def through(layers: list[dict[str, np.ndarray]], xs: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Both LSTMs of a stack, s = (h, c of the upper, h, c of the lower)."""
    for x in xs:
        upper, lower = s[: 2 * N], s[2 * N :]
        lower = reference.lstm(0, x, lower, *layers[0].values())
        upper = reference.lstm(0, lower[:N], upper, *layers[1].values())
        s = np.concatenate([upper, lower])
    return s


def test_stack_is_the_derivative_of_all_layers_states() -> None:
    layers = [weights(4, D, 0, 0), weights(4, N, 1, 1)]
    request = ExplainRequest(layers[0] | layers[1], steps=STEPS, trials=2, initial="normal:0.5", only=("paths",))
    models = explain(request).models
    assert ["stack" in model.result.curves for model in models] == [False, True]
    _, upper = runs(request)
    assert upper.stack is not None
    tensors = [
        [layer[f"{name}_l{l}"] for name in ("weight_hh", "weight_ih", "bias_ih")] for l, layer in enumerate(layers)
    ]
    named = [dict(zip(("W_hh", "W_hx", "b"), each, strict=True)) for each in tensors]
    found = np.array([models[1].result.curves["stack"].trial_final[b] for b in range(2)])
    for b in range(2):
        J = reference.complex_step(lambda s: through(named, upper.stack.sequences.xs[b], s), upper.stack.s0[b])  # noqa: B023
        assert np.exp(found[b]) == pytest.approx(np.linalg.norm(J, 2), rel=RELATIVE)


def test_total_and_four_term_of_an_lstm_have_a_lag_less_than_the_state() -> None:
    (model,) = explain(ExplainRequest("lstm", steps=9, hidden=5, trials=3, only=("paths",))).models
    curves = model.result.curves
    assert [len(curves[name].count) for name in ("state", "total", "four_term")] == [10, 9, 9]
    for name in ("total", "four_term"):
        assert curves[name].log_norm.median[0] == 0
        assert curves[name].alive == {8: curves[name].alive[8]}


def test_lengths_end_the_curves_of_each_sequence() -> None:
    (model,) = explain(ExplainRequest("lstm", hidden=4, lengths="5,9", only=("paths",))).models
    assert model.result.curves["total"].count.tolist() == [2] * 5 + [1] * 4
    assert np.isnan(model.sections["paths"].detours["0"].log_norm.median).sum() == 0


def test_a_gru_has_no_other_curve() -> None:
    (model,) = explain(ExplainRequest("gru", steps=6, hidden=4, trials=2, only=("paths",))).models
    assert not {"total", "four_term", "stack"} & set(model.result.curves)
