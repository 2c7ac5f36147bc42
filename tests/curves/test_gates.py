"""What a report says of a model's gates: the measured steps alone, over units, steps and trials."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference import sigmoid
from vanishgrad.curves.gates import QUANTILES, SATURATED
from vanishgrad.models.random_models import weights_of
from vanishgrad.questions.compare import CompareRequest, compare
from vanishgrad.weights.model_string import parse

PLACES = {"lstm@chrono": {"input": 0, "forget": 1, "output": 3}, "gru@chrono": {"reset": 0, "keep": 1}}


@pytest.mark.parametrize("label", PLACES)
@pytest.mark.parametrize("burn_in", [0, 7])
def test_gates_are_those_of_the_measured_steps(label: str, burn_in: int) -> None:
    n, steps, trials = 5, 9, 3
    request = CompareRequest((label,), hidden=n, input_size=4, steps=steps, trials=trials, burn_in=burn_in)
    result = compare(request)
    (model,) = result.models
    spec, weights = weights_of(parse(label), request, result.sequences)
    cell, xs = weights.cell(spec), result.sequences.xs
    values: dict[str, list] = {name: [] for name in PLACES[label]}
    for b in range(trials):
        s = np.zeros((1, cell.state_size))
        alone = cell.trial(b)
        for t in range(1, burn_in + steps + 1):
            a = alone.W_hh[0] @ s[0, :n] + alone.W_hx[0] @ xs[b, t - 1] + alone.b[0]
            if t > burn_in:
                for name, j in PLACES[label].items():
                    values[name].append(sigmoid(a[j * n : (j + 1) * n]))
            s, _ = alone.advance(t, alone.input_preactivation(xs[b : b + 1, t - 1 : t])[0], s)
    assert model.gates.keys() == values.keys()
    for name, each in values.items():
        gate, flat = model.gates[name], np.ravel(each)
        assert gate.mean == pytest.approx(flat.mean(), rel=1e-12)
        assert list(gate.quantiles.values()) == pytest.approx(np.quantile(flat, QUANTILES), rel=1e-12)
        assert gate.near_zero == np.mean(flat < SATURATED)
        assert gate.near_one == np.mean(flat > 1 - SATURATED)


def test_time_constants_are_those_of_the_mean_keep_gate() -> None:
    (lstm,) = compare(CompareRequest(("lstm@gaussian:gain=0,forget_bias=3",), hidden=3, steps=5, input="zeros")).models
    np.testing.assert_allclose(lstm.time_constants, -1 / np.log(sigmoid(3.0)), rtol=1e-12)
    (rnn,) = compare(CompareRequest(("rnn",), hidden=3, steps=5)).models
    assert rnn.time_constants is None
    assert rnn.gates == {}
