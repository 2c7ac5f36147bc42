"""What the section says of the paths: shares that add up, signs of cancellation, every sequence at its own length."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.paths.measure import Paths
from vanishgrad.questions.explain.request import ExplainRequest

MODELS = ["lstm", "lstm@chrono", "gru", "gru:reset=before", "lstm@gaussian:gain=4"]
SUM = 1e-11
"""Shares of up to a hundred times the whole, each right to roundoff."""


def paths(model: str, **options: object) -> Paths:
    (explained,) = explain(ExplainRequest(model, only=("paths",), **options)).models
    return explained.sections["paths"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("hidden", [3, 20])
def test_shares_add_up_to_one(model: str, hidden: int) -> None:
    found = paths(model, hidden=hidden, steps=40, trials=3)
    by_count = [carried.share.mean for carried in found.detours.values()]
    by_gate = [found.detours["0"].share.mean, *(carried.share.mean for carried in found.gates.values())]
    for shares in (by_count, by_gate):
        np.testing.assert_allclose(sum(shares), 1, rtol=0, atol=SUM * max(1, np.abs(shares).max()))


def test_the_curve_of_the_whole_is_named() -> None:
    assert paths("lstm", hidden=3, steps=5, trials=1).curve == "cell"
    assert paths("gru", hidden=3, steps=5, trials=1).curve == "hidden"


def test_without_recurrent_weights_all_goes_along_the_conveyor() -> None:
    found = paths("lstm@identity:gain=0", hidden=18, steps=30, trials=2)
    np.testing.assert_array_equal(found.detours["0"].share.mean, 1)
    for carried in (found.detours["1"], *found.gates.values()):
        np.testing.assert_array_equal(carried.share.mean, 0)


@pytest.mark.parametrize("hidden", [3, 20])
def test_a_share_is_the_component_along_the_leading_singular_pair(hidden: int) -> None:
    from vanishgrad.propagation.products.detours import detour_products
    from vanishgrad.questions.explain.run import runs

    request = ExplainRequest("lstm", hidden=hidden, steps=12, trials=1)
    (run,) = runs(request)
    *_, last = detour_products(run.cell, run.trajectory, 1)
    values = {
        name: matrix[0] * np.exp(scale[0]) for name, (matrix, scale) in ({"whole": last.whole} | last.counts).items()
    }
    left, sigma, right = np.linalg.svd(values["whole"])
    found = paths("lstm", hidden=hidden, steps=12, trials=1)
    for name in last.counts:
        expected = left[:, 0] @ values[name] @ right[0] / sigma[0]
        # A pair that is off by ε leaves its value off by ε² only: 1e-10 there is 1e-5 here, over the relative gap.
        assert found.detours[name].share.mean[-1] == pytest.approx(expected, abs=1e-4)


def test_norms_that_share_a_scale_and_lie_far_apart_are_right() -> None:
    """After 900 steps the conveyor is 1e-60 of the whole and more, on the same scale for long."""
    (explained,) = explain(ExplainRequest("lstm", hidden=18, steps=900, trials=1, only=("paths",))).models
    curves, found = explained.result.curves, explained.sections["paths"]
    conveyor = found.detours["0"].log_norm.median
    assert conveyor[-1] < curves["cell"].log_norm.median[-1] - 100
    np.testing.assert_allclose(conveyor, curves["conveyor"].log_norm.median, rtol=1e-9, atol=1e-12)
