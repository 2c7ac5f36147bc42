"""Lyapunov spectra against closed forms, published values and exact sum rules."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest
from scipy.special import digamma, polygamma

from tests.cells.cases import CASES, T, random_run
from tests.curves.test_mean_field import Z, fixed_point, mean
from tests.propagation.logistic import Logistic
from tests.propagation.singular_values.test_all_values import untied
from vanishgrad.cells import LSTM, RNN, Cell
from vanishgrad.cells.activations import LINEAR, RELU
from vanishgrad.propagation.lyapunov import LyapunovSpectrum, entropy, kaplan_yorke, lyapunov_spectrum

STRETCH = 50


def silence(cell: Cell, batch: int, steps: int) -> Iterator[np.ndarray]:
    for start in range(0, steps, STRETCH):
        yield np.zeros((batch, min(STRETCH, steps - start), cell.input_size))


def noise(cell: Cell, batch: int, steps: int, seed: int = 0) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(xs.shape) for xs in silence(cell, batch, steps))


def autonomous(cell: Cell, s0: np.ndarray, steps: int, burn_in: int = 0, **options) -> LyapunovSpectrum:
    return lyapunov_spectrum(cell, silence(cell, len(s0), steps + burn_in), s0, steps, burn_in, **options)


def linear(W: np.ndarray) -> RNN:
    return RNN(W, np.zeros((len(W), 1)), np.zeros(len(W)), LINEAR)


def newman(n: int) -> np.ndarray:
    """Exponents of fresh Gaussian matrices with entries N(0, 1/n) (Newman 1986)."""
    return (digamma((n - np.arange(n)) / 2) + np.log(2 / n)) / 2


def test_newmans_formula_as_published():
    assert newman(4) == pytest.approx([-0.135181, -0.328329, -0.635181, -1.328329], abs=5e-7)


@pytest.mark.parametrize(
    ("n", "steps"), [(1, 4000), (2, 4000), (4, 4000), (8, 4000), pytest.param(4, 100_000, marks=pytest.mark.slow)]
)
def test_newmans_formula_for_a_fresh_gaussian_matrix_every_step(n, steps):
    rng = np.random.default_rng(n)
    cell = untied(rng.standard_normal((steps, n, n)) / np.sqrt(n))
    found = autonomous(cell, np.zeros((1, n)), steps)
    one_sigma = np.sqrt(polygamma(1, (n - np.arange(n)) / 2) / (4 * steps))
    assert np.all(np.abs(found.lam[0] - newman(n)) < 4 * one_sigma)
    assert np.all((found.error[0] / one_sigma > 0.4) & (found.error[0] / one_sigma < 1.9))  # 20 blocks: χ²₁₉, 1e-4


def test_the_logistic_map():
    """R16: r = 3.8 has the exponent 0.432 ± 0.002."""
    s0 = np.random.default_rng(0).uniform(0.2, 0.9, (200, 1))
    found = autonomous(Logistic(3.8), s0, steps=1000, burn_in=100)
    assert found.lam.mean() == pytest.approx(0.432, abs=0.002)
    assert found.error.mean() == pytest.approx(found.lam.std(), rel=0.5)


def test_a_tied_linear_network_has_the_moduli_of_its_eigenvalues():
    rng = np.random.default_rng(3)
    vectors = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    eigenvalues = np.array([1.5, -1.1, 0.9, 0.6, -0.3, 0.05])
    S = rng.standard_normal((6, 6)) + 3 * np.eye(6)
    for W in ((vectors * eigenvalues) @ vectors.T, S @ np.diag(eigenvalues) @ np.linalg.inv(S)):
        found = autonomous(linear(W), np.zeros((1, 6)), steps=50, burn_in=400)
        assert found.lam[0] == pytest.approx(np.log(np.abs(eigenvalues)), abs=1e-12)


def test_complex_eigenvalues_come_in_pairs():
    """A pair's two exponents turn about their mean, which alone converges like 1/N; their sum is exact."""
    turn = 0.8 * np.array([[np.cos(1), -np.sin(1)], [3 * np.sin(1), 3 * np.cos(1)]])
    found = autonomous(linear(turn), np.zeros((1, 2)), steps=500, burn_in=50)
    assert found.lam[0].sum() == pytest.approx(np.log(abs(np.linalg.det(turn))), abs=1e-13)
    assert found.lam[0] == pytest.approx(np.log(np.abs(np.linalg.eigvals(turn))), abs=2 / 500)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_exponents_sum_to_the_mean_logarithm_of_the_determinants(case):
    run = random_run(case)
    found = lyapunov_spectrum(run.cell, [run.xs[:, :2], run.xs[:, 2:]], run.trajectory.states[0], T)
    dense = np.stack([run.linearisation.dense(t) for t in range(1, T + 1)])
    true = np.array([[-np.inf if case.normed else log_det(J) for J in step] for step in dense]).mean(axis=0)
    some = np.isfinite(true)
    assert np.array_equal(np.isfinite(found.lam.sum(axis=1)), some)
    assert np.array_equal(np.isfinite(found.log_det), some)
    rounding = 1e-15 * found.lam.shape[1] * np.linalg.cond(dense[:, some]).mean(axis=0)
    assert np.all(np.abs(found.lam.sum(axis=1)[some] - true[some]) < rounding)
    assert np.all(np.abs(found.log_det[some] - true[some]) < rounding)


def log_det(J: np.ndarray) -> float:
    """ln|det J| of a float64 matrix, -inf if it is exactly singular."""
    with mpmath.workdps(80):
        det = abs(mpmath.det(mpmath.matrix(J.tolist())))
        return float(mpmath.log(det)) if det > 1e-60 else -np.inf


def test_the_sum_rule_of_the_lstm():
    """Σ λ = ln|det U_o| + ⟨Σ ln f + ln o(1 - o) + ln|tanh c|⟩."""
    rng = np.random.default_rng(8)
    n = 5
    cell = LSTM(rng.standard_normal((4 * n, n)) / 2, rng.standard_normal((4 * n, 3)), rng.standard_normal(4 * n))
    xs = rng.standard_normal((2, 300, 3))
    found = lyapunov_spectrum(cell, [xs], np.zeros((2, 2 * n)), 300)
    s, terms = np.zeros((2, 2 * n)), []
    for t in range(300):
        s, a = cell.advance(t + 1, cell.input_preactivation(xs)[t], s)
        _, f, _, o = cell.gate_outputs(a)
        terms.append(np.sum(np.log(f) + np.log(o * (1 - o)) + np.log(np.abs(np.tanh(s[:, n:]))), axis=1))
    rule = np.linalg.slogdet(cell.W_hh[0, 3 * n :])[1] + np.mean(terms, axis=0)
    assert found.lam.sum(axis=1) == pytest.approx(rule, abs=1e-10)
    assert found.log_det == pytest.approx(rule, abs=1e-10)


def tanh_network(gain: float, size: int, seeds: range) -> tuple[RNN, np.ndarray]:
    """Return networks x ← J tanh x, as h = tanh x, and where they start."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    W = np.stack([gain * rng.standard_normal((size, size)) / np.sqrt(size) for rng in rngs])
    cell = RNN(W, np.zeros((len(W), size, 1)), np.zeros((len(W), size)))
    return cell, np.tanh(np.stack([rng.standard_normal(size) for rng in rngs]))


def mean_field(gain: float, w: float) -> tuple[float, float]:
    """Return (s, F): the exponent s and the fraction of exponents below it, w ≥ 0 the parameter."""
    d = np.cosh(np.sqrt(fixed_point(gain, 0.0)[0]) * Z) ** -2.0
    return 0.5 * np.log(gain**2 * mean(d**2 / (1 + w * d**2))), mean(1 / (1 + w * d**2))


def test_the_leading_spectrum_of_random_tanh_networks():
    """R19, g = 3: λ₁, the fraction of positive exponents, Kaplan and Yorke's dimension, and single quantiles."""
    cell, s0 = tanh_network(3.0, 200, range(2))
    found = autonomous(cell, s0, steps=600, burn_in=100, exponents=70)
    lam = found.lam.mean(axis=0)
    assert lam[0] == pytest.approx(mean_field(3, 0)[0], abs=0.03)
    assert mean_field(3, 0)[0] == pytest.approx(0.31025, abs=5e-6)
    assert np.mean(lam > 0) * 70 / 200 == pytest.approx(0.15289, abs=0.015)
    assert kaplan_yorke(lam, complete=False) / 200 == pytest.approx(0.28772, abs=0.02)
    assert entropy(lam, complete=False) / 200 == pytest.approx(0.02520, rel=0.15)  # the errors of both
    for w in (1.0, 3.0, 10.0):
        s, below = mean_field(3, w)
        assert np.interp(s, lam[::-1], np.arange(70)[::-1]) / 200 == pytest.approx(1 - below, abs=0.015)


@pytest.mark.parametrize(("gain", "deviation"), [(1, 1.0), (2, 0.5)])
def test_the_first_exponent_of_a_driven_tanh_network(gain, deviation):
    """R20: ½ ln(g² E φ'²) within 0.02 at N = 800."""
    size, steps = 800, 300
    W = gain * np.random.default_rng(1).standard_normal((size, size)) / np.sqrt(size)
    cell = RNN(W, deviation * np.eye(size), np.zeros(size))
    found = lyapunov_spectrum(cell, noise(cell, 1, steps + 50), np.zeros((1, size)), steps, 50, exponents=1)
    assert found.lam[0, 0] == pytest.approx(fixed_point(gain, deviation)[1], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "first", "average"), [(1.5, 0.06522, -0.71435), (3, 0.31025, -2.27281)])
def test_the_whole_spectrum_of_random_tanh_networks(gain, first, average):
    """R19 within its tolerance, for the mean of six networks: one network's average differs by 0.04 from another's."""
    cell, s0 = tanh_network(gain, 200, range(6))
    found = autonomous(cell, s0, steps=600, burn_in=200)
    assert found.lam[:, 0].mean() == pytest.approx(first, abs=0.03)
    assert found.lam.mean() == pytest.approx(average, abs=0.03 if gain == 3 else 0.06)
    assert found.lam.sum(axis=1) == pytest.approx(found.log_det, abs=1e-6)


def test_leading_exponents_are_the_first_of_all():
    cell, s0 = tanh_network(2.0, 12, range(2))
    few, all_ = (autonomous(cell, s0, steps=100, exponents=k) for k in (3, None))
    assert few.lam == pytest.approx(all_.lam[:, :3], abs=1e-10)
    assert few.log_det is None
    assert all_.log_det is not None


def test_fewer_factorisations_change_nothing_but_rounding():
    cell, s0 = tanh_network(2.0, 12, range(2))
    often, rarely = (autonomous(cell, s0, steps=100, burn_in=7, exponents=4, interval=k) for k in (1, 6))
    assert rarely.lam == pytest.approx(often.lam, abs=1e-9)
    assert rarely.steps == often.steps == 100


def test_how_the_inputs_are_cut_changes_nothing():
    cell, _ = tanh_network(1.0, 6, range(1))
    cell = RNN(cell.W_hh, np.ones((6, 2)), np.zeros(6))
    xs = np.random.default_rng(0).standard_normal((1, 60, 2))
    whole = lyapunov_spectrum(cell, [xs], np.zeros((1, 6)), 50, 10)
    cut = lyapunov_spectrum(cell, [xs[:, a:b] for a, b in ((0, 1), (1, 17), (17, 60))], np.zeros((1, 6)), 50, 10)
    assert np.array_equal(whole.lam, cut.lam)


def test_dead_units_have_the_exponent_minus_infinity():
    W = np.diag([0.5, 0.9, 0.7])
    cell = RNN(W, np.zeros((3, 1)), np.array([1.0, 1.0, -1.0]), RELU)
    found = autonomous(cell, np.zeros((1, 3)), steps=80, burn_in=40)
    assert found.lam[0] == pytest.approx([np.log(0.9), np.log(0.5), -np.inf], abs=1e-9)
    assert np.isnan(found.error[0, 2])
    assert found.log_det[0] == -np.inf


def test_the_history_ends_in_the_result_and_stays_short():
    cell, s0 = tanh_network(2.0, 6, range(2))
    found = autonomous(cell, s0, steps=3000, exponents=2)
    steps = [step for step, _ in found.history]
    assert steps == sorted(set(steps))
    assert len(steps) <= 60
    assert steps[-1] == 3000
    assert np.array_equal(found.history[-1][1], found.lam)


@pytest.mark.parametrize(
    ("short", "long"), [(1000, 5000), pytest.param(1000, 100_000, marks=pytest.mark.slow)]
)  # fmt: skip
def test_memory_does_not_grow_with_the_length(short, long):
    """At most 1.2 times the peak, but for a quarter of a megabyte that the interpreter may or may not have freed."""
    cell, _ = tanh_network(1.5, 16, range(1))
    cell = RNN(cell.W_hh, np.ones((16, 8)), np.zeros(16))
    assert _peak(cell, long) <= 1.2 * _peak(cell, short) + 2**18


def _peak(cell: Cell, steps: int) -> int:
    tracemalloc.start()
    try:
        lyapunov_spectrum(cell, noise(cell, 1, steps), np.zeros((1, 16)), steps, exponents=4)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("lam", "dimension"),
    [
        ([-0.1, -1.0], 0),
        ([0.9, 0.0, -14.57], 2 + 0.9 / 14.57),  # Lorenz's, in his units
        ([0.5, -0.2, -0.4], 2 + 0.3 / 0.4),
        ([0.5, -np.inf], 1),
        ([0.2, 0.1], 2),
    ],
)
def test_kaplan_and_yorkes_dimension(lam, dimension):
    assert kaplan_yorke(np.array(lam), complete=True) == pytest.approx(dimension)


def test_what_further_exponents_would_decide_is_left_open():
    assert kaplan_yorke(np.array([0.2, 0.1]), complete=False) is None
    assert entropy(np.array([0.2, 0.1]), complete=False) is None
    assert entropy(np.array([0.2, -0.1]), complete=False) == pytest.approx(0.2)


def test_too_short_an_input_is_named():
    cell, s0 = tanh_network(1.0, 4, range(1))
    with pytest.raises(ValueError, match="expected inputs for 20 steps, got 10"):
        lyapunov_spectrum(cell, silence(cell, 1, 10), s0, 20)


def test_directions_400_decades_apart_keep_their_exponents():
    # One step turns the frame onto the axes. The least direction is 1e-400 of the first, where no single scale serves.
    found = autonomous(linear(np.diag([1e200, 1.0, 1e-200])), np.zeros((1, 3)), steps=50, burn_in=1)
    assert found.lam[0] == pytest.approx([200 * np.log(10), 0, -200 * np.log(10)], rel=1e-14, abs=1e-14)


def test_a_direction_that_only_rounding_keeps_alive_has_the_exponent_minus_infinity():
    assert autonomous(linear(np.ones((3, 3))), np.zeros((1, 3)), steps=20).lam[0, 1:].tolist() == [-np.inf, -np.inf]
