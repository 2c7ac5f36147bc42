"""Theory's spectrum of wide random networks: published values, and to whom it is applied."""

from __future__ import annotations

import numpy as np
import pytest

from tests.curves.test_mean_field import fixed_point
from vanishgrad.questions.explain.lyapunov.mean_field import exponents_above, mean_field, variance
from vanishgrad.questions.explain.lyapunov.measure import lyapunov
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.explain.run import Run, runs

MIDDLES = (np.arange(20_000) + 0.5) / 20_000


def a_run(source: str, **options) -> Run:
    (run,) = runs(ExplainRequest(source, **{"hidden": 10, "steps": 5, "trials": 2, **options}))
    return run


@pytest.mark.parametrize(
    ("gain", "q", "first", "mean", "positive", "entropy"),
    [(1.5, 0.79335, 0.06522, -0.71435, 0.08432, 0.00280), (3, 6.30539, 0.31025, -2.27281, 0.15289, 0.02520)],
)
def test_the_published_spectra_of_autonomous_networks(gain, q, first, mean, positive, entropy):
    lam = exponents_above(gain, 0.0, MIDDLES)
    assert variance(gain, 0.0) == pytest.approx(q, abs=5e-6)
    assert exponents_above(gain, 0.0, np.zeros(1))[0] == pytest.approx(first, abs=5e-6)
    assert lam.mean() == pytest.approx(mean, abs=2e-3)  # interpolation, and the last of 20 000
    assert np.mean(lam > 0) == pytest.approx(positive, abs=1e-4)
    assert lam[lam > 0].sum() / lam.size == pytest.approx(entropy, abs=2e-5)


@pytest.mark.parametrize(("gain", "noise"), [(1, 1.0), (2, 0.5), (0.5, 0.2)])
def test_the_first_exponent_of_driven_networks(gain, noise):
    q, first = fixed_point(gain, noise)
    assert variance(gain, noise) == pytest.approx(q, rel=1e-9)
    assert exponents_above(gain, noise, np.zeros(1))[0] == pytest.approx(first, abs=1e-9)


def test_a_network_at_rest_has_newmans_spectrum():
    """d = 1: the share below λ is e^{2λ}/g², the quarter circle's law of a Gaussian matrix."""
    lam = exponents_above(0.5, 0.0, np.array([0.0, 0.5, 0.9]))
    assert lam == pytest.approx(np.log(0.5) + np.log([1.0, 0.5, 0.1]) / 2, abs=1e-3)


@pytest.mark.parametrize("source", ["rnn", "rnn@gaussian:activation=relu", "lstm@gaussian", "rnn@orthogonal"])
def test_of_other_networks_theory_is_silent(source):
    assert mean_field(a_run(source), 3) is None


def test_a_wide_network_lies_on_theorys_curve():
    run = a_run(
        "rnn@gaussian:gain=2", hidden=200, trials=1, exponents=40, lyapunov_steps=300, input="white:0.5", lags=(5,)
    )
    found = lyapunov(run)
    assert found.mean_field is not None
    assert found.lam == pytest.approx(found.mean_field, abs=0.04)  # one of many networks


@pytest.mark.parametrize("gain", [1e-100, 1e-200, 1e-300])
def test_a_linear_regime_has_the_gains_logarithm_at_any_gain(gain):
    # φ' is 1 to roundoff: the share w of singular values of a Gaussian matrix is that of gain 1, and the first is ln g.
    assert exponents_above(gain, 0.0, np.zeros(1))[0] == pytest.approx(np.log(gain), rel=1e-12)
    assert np.allclose(
        exponents_above(gain, 0.0, MIDDLES) - np.log(gain), exponents_above(1e-50, 0.0, MIDDLES) - np.log(1e-50)
    )


def test_without_weights_every_exponent_is_minus_infinity():
    assert exponents_above(0.0, 1.0, MIDDLES[:3]).tolist() == [-np.inf] * 3
