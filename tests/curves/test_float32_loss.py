"""What float32 costs is measured in every run that asks for it, and said."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.cells import LSTM
from vanishgrad.curves import float32_loss
from vanishgrad.propagation.products.products import backward_products
from vanishgrad.propagation.run import run
from vanishgrad.questions.compare import CompareRequest, compare, comparison

MODELS = ("rnn", "lstm", "gru")


@pytest.mark.parametrize("engine", ["auto", "matrix-free"])
@pytest.mark.parametrize("options", [{}, {"lengths": "10,16"}, {"input": "zeros", "initial": "normal"}], ids=str)
def test_the_loss_is_that_of_the_first_trial(engine: str, options: dict) -> None:
    """Against the whole comparison in float64, whose weights and inputs have not been rounded first."""
    request = {"hidden": 13, "steps": 16, "trials": 2, "engine": engine, **options}
    single = compare(CompareRequest(MODELS, **request, dtype="float32")).models
    double = compare(CompareRequest(MODELS, **request)).models
    for one, other in zip(single, double, strict=True):
        assert other.engine.float32_loss is None
        assert 0 < one.engine.float32_loss < 1e-3
        exact = other.curves["state"].trial_final[0]
        # rounding the weights moves a norm by about as much again, with each step
        assert abs(one.curves["state"].trial_final[0] - exact) < 1e-3


def test_the_report_says_so() -> None:
    document = comparison(compare(CompareRequest(("lstm",), hidden=8, steps=10, trials=2, dtype="float32")))
    (model,) = document.models
    loss = model.engine.float32_loss
    assert loss is not None
    assert 0 < loss < 1e-4
    assert f"float32: ln ‖∂s_T/∂s_k‖₂ of trial 0 is off by up to {loss:.1e} from float64's" in model.notes


def test_without_the_state_there_is_nothing_to_compare() -> None:
    (model,) = compare(CompareRequest(("lstm",), hidden=8, steps=5, dtype="float32", curves=("hidden",))).models
    assert model.engine.float32_loss is None


def test_a_chaotic_run_loses_more_than_a_contracting_one() -> None:
    """Rounding grows along a chaotic trajectory, until nothing of the other run is left."""
    request = {"hidden": 40, "steps": 150, "trials": 1, "dtype": "float32"}
    calm, chaotic = compare(
        CompareRequest(("rnn", "rnn@gaussian:gain=4"), **request, input="zeros", initial="normal")
    ).models
    assert calm.engine.float32_loss < 1e-3
    assert chaotic.engine.float32_loss > 0.1
    assert np.isfinite(chaotic.engine.float32_loss)


@pytest.mark.parametrize("model", ["lstm", "gru@chrono", "rnn@orthogonal"])
def test_vectors_at_some_lags_tell_what_every_lag_does(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any measurement in float64, through rows that are turned and left out."""
    request = CompareRequest((model,), hidden=40, steps=120, trials=2, dtype="float32")

    def refused(*_: object) -> None:
        raise AssertionError("measured again")

    with monkeypatch.context() as patched:
        patched.setattr(float32_loss, "measure", refused)
        (by_vectors,) = compare(request).models
    monkeypatch.setattr(float32_loss, "VECTORS_TELL", 0)
    (by_every_lag,) = compare(request).models
    every = by_every_lag.engine.float32_loss
    assert every / 3 < by_vectors.engine.float32_loss < every + 2e-6


def test_float32_leaves_rows_out_as_float64_does_and_stays_in_floating_point() -> None:
    """Small entries of the first, sparse products are no reason to leave it: float64 shows that none is lost."""
    request = {"hidden": 96, "steps": 120, "trials": 1}
    (single,) = compare(CompareRequest(("lstm",), **request, dtype="float32")).models
    (double,) = compare(CompareRequest(("lstm",), **request)).models
    assert single.engine.name == double.engine.name == "adaptive"
    assert single.engine.final_rows < 96
    assert single.engine.error_bound < 1e-8
    norms = (each.curves["state"].log_norm.median for each in (single, double))
    np.testing.assert_allclose(*norms, rtol=0, atol=120 * np.finfo(np.float32).eps)
    cell = LSTM(*(each.astype(np.float32) for each in lstm_weights(96)))
    path = run(cell, np.ones((1, 30, 96), np.float32), np.zeros((1, 192), np.float32))
    assert all(product.extended is None for product in backward_products(cell, path, 1))


def lstm_weights(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, shape) / n**0.5 for shape in ((4 * n, n), (4 * n, n), (4 * n,))]
