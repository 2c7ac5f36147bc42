"""The map's last row is the state's curve; its times end at the sequence's end, whatever was before."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.map.measure import MAX_TIMES, MIN_TIMES
from vanishgrad.questions.explain.request import ExplainRequest

RELATIVE = 1e-9


def explained(**options: object):
    (model,) = explain(ExplainRequest("lstm", hidden=6, only=("map",), **options)).models
    return model.result.curves["state"], model.sections["map"]


@pytest.mark.parametrize("options", [{}, {"burn_in": 5}, {"lengths": "20"}, {"input": "zeros", "initial": "normal"}])
def test_the_last_row_is_the_curve_of_the_state(options: dict) -> None:
    curve, found = explained(steps=None if "lengths" in options else 20, trials=1, **options)
    assert found.times.tolist() == list(range(21))
    np.testing.assert_allclose(found.log_norm[-1][::-1], curve.log_norm.median, rtol=RELATIVE, atol=1e-12)


def test_a_shorter_first_sequence_has_a_smaller_map() -> None:
    _, found = explained(lengths="7,12")
    assert found.times.tolist() == list(range(8))


@pytest.mark.parametrize("steps", [1, 2, 63, 64, 126, 127, 1000])
def test_times_are_few_evenly_spaced_and_end_at_the_end(steps: int) -> None:
    _, found = explained(steps=steps, trials=1)
    strides = np.diff(found.times)
    assert found.times[-1] == steps
    assert found.times[0] < strides[0]
    assert len(set(strides)) == 1
    assert MIN_TIMES < len(found.times) <= MAX_TIMES or steps < MIN_TIMES


def test_the_tokens_of_a_text() -> None:
    _, found = explained(input="text:abcdef", burn_in=2)
    assert found.tokens == ("c", "d", "e", "f")
