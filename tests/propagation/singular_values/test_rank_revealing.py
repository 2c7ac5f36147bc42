"""Steps whose rows lie decades apart, as saturated units leave them, lose none of what they leave: against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.cells.cases import BATCH, CASES, T, random_run
from tests.engine import trajectory
from tests.fuzz import multiple_precision as exact
from tests.fuzz.models import draw
from vanishgrad.cells import RNN, Cell
from vanishgrad.propagation.lyapunov import lyapunov_spectrum
from vanishgrad.propagation.singular_values.all_values import spectra
from vanishgrad.propagation.singular_values.rank_revealing import rank_revealing

UNIT = np.finfo(float).eps
SATURATED = {
    "one unit at every step": lambda rng, shape: np.arange(shape[1]) == np.zeros((shape[0], 1)),
    "all units at every step": lambda rng, shape: np.ones(shape, dtype=bool),
    "all units at one step": lambda rng, shape: np.arange(shape[0])[:, None] == np.full(shape[1], 1),
    "some units at some steps": lambda rng, shape: rng.random(shape) < 0.5,
    "another unit at each step": lambda rng, shape: np.arange(shape[1]) == np.arange(shape[0])[:, None] % shape[1],
}


def log_sigmas(jacobians: list, m: int, digits: int) -> list[np.ndarray]:
    """Return ln σ of ∂s_T/∂s_{T-lag} for lag 1 … T; below the digits is zero."""
    P, right = np.array([[mp.mpf(i == j) for j in range(m)] for i in range(m)]), []
    for J in reversed(jacobians):
        P = exact.times(P, J)
        sigma = [abs(each) for each in mpmath.svd_r(mpmath.matrix(P.tolist()), compute_uv=False)]
        least = max(sigma) * mp.mpf(10) ** (-0.9 * digits)
        right.append(
            np.array(sorted((float(mp.log(each)) if each > least else -np.inf for each in sigma), reverse=True))
        )
    return right


def saturated(which: str, n: int, a: float) -> tuple[Cell, np.ndarray, list]:
    """Return a tanh network with a full W, its inputs, and its Jacobians in multiple precision."""
    rng = np.random.default_rng(n)
    W, steps = rng.normal(0, 1 / np.sqrt(n), (n, n)), 3
    cell, marked = RNN(W, np.eye(n), np.zeros(n)), SATURATED[which](rng, (steps, n))
    xs = np.where(
        marked, a * rng.choice([-1, 1], (steps, n)) * rng.uniform(0.5, 1, (steps, n)), rng.normal(0, 1, (steps, n))
    )
    records = trajectory(cell, xs[None]).records[:, 0]
    slopes = [[1 / mp.cosh(mp.mpf(each)) ** 2 for each in step] for step in records]
    return (
        cell,
        xs,
        [np.array([[d * mp.mpf(w) for w in row] for d, row in zip(step, W, strict=True)]) for step in slopes],
    )


@pytest.mark.parametrize("which", SATURATED)
@pytest.mark.parametrize(("n", "a"), [(2, 30.0), (2, 400.0), (3, 25.0)])
def test_what_saturated_units_of_a_full_matrix_leave_is_a_number(which: str, n: int, a: float) -> None:
    digits = int(50 + 6 * a)
    with mpmath.workdps(digits):
        cell, xs, jacobians = saturated(which, n, a)
        right = log_sigmas(jacobians, n, digits)
        V = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)).T)[0]  # the frame that exponents start from
        frame = np.array([[mp.mpf(each) for each in row] for row in V])
        for J in jacobians:
            frame = exact.times(J, frame)
        R = mpmath.qr(mpmath.matrix(frame.tolist()))[1]
        exponents = [float(mp.log(abs(R[i, i]))) / len(xs) for i in range(n)]
    path = trajectory(cell, xs[None])
    known = UNIT * (4 + 2 * np.abs(path.records).max())  # of tanh', by what a itself is known to
    for lag, found in spectra(cell, path, range(1, len(xs) + 1), {"state": None}):
        spectrum = found["state"]
        assert np.all(np.abs(spectrum.log_sigma[0] - right[lag - 1]) <= spectrum.error[0] + lag * known), lag
        assert spectrum.error.max() < 1e-5
    lyapunov = lyapunov_spectrum(cell, [xs[None]], path.states[0], len(xs))
    assert lyapunov.lam[0] == pytest.approx(exponents, abs=1e-6)
    assert lyapunov.log_det[0] == pytest.approx(sum(exponents), abs=1e-6)


def test_a_unit_that_stays_saturated_is_a_number_until_its_digits_are_gone() -> None:
    """Its error is multiplied at every step; the others' is not, and they stay."""
    cell = RNN(np.random.default_rng(0).normal(0, 0.6, (3, 3)), np.eye(3), np.array([0.0, 0, 60]))
    path = trajectory(cell, np.zeros((1, 60, 3)))
    slopes = np.log(1 / np.cosh(path.records[:, 0]) ** 2).sum(axis=1)
    for lag, found in spectra(cell, path, [1, 5, 10, 20, 60], {"state": None}):
        log_sigma, error = found["state"].log_sigma[0], found["state"].error[0]
        log_det = np.linalg.slogdet(cell.W_hh[0])[1] * lag + slopes[60 - lag :].sum()
        if lag <= 10:
            assert log_sigma.sum() == pytest.approx(log_det, abs=error.sum() + 1e-9)
        else:
            assert np.isfinite(log_sigma).tolist() == [True, True, False]
            assert error.max() < 1e-9


SEEDS = [seed for seed in range(7, 42) if seed % 7 > 1] + [51, 163, 167, 224, 543]
"""Gated cells: saturated, graded, masked, with open gates, switching."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_gated_cells_have_the_right_number_or_none(seed: int) -> None:
    model = draw(seed)
    half = model.xs.shape[1] // 2
    xs, m = model.xs[:, half - 4 : half + 4], model.cell.state_size
    path = trajectory(model.cell, xs)
    largest = float(np.abs(path.records).max())
    digits = int(200 + 4 * largest) + 1500 * ("graded" in model.name)
    with mpmath.workdps(digits):
        right = log_sigmas(exact.jacobians(model.step, xs[0], path.states[:, 0])[0], m, digits)
    known = UNIT * (4 + 2 * largest)
    for lag, found in spectra(model.cell, path, range(1, xs.shape[1] + 1), {"state": None}):
        log_sigma, error = found["state"].log_sigma[0], found["state"].error[0]
        some = np.isfinite(log_sigma)
        assert np.all(np.abs(log_sigma[some] - right[lag - 1][some]) <= error[some] + lag * known), lag


def test_an_output_gate_that_is_open_leaves_its_own_digits() -> None:
    """h's rows of an LSTM are those of c times E, and o' W_o on top of it, decades below."""
    model = draw(9)
    xs = model.xs[:, 71:72]
    path = trajectory(model.cell, xs)
    with mpmath.workdps(2000):
        (J,), *_ = exact.jacobians(model.step, xs[0], path.states[:, 0])
        (right,) = log_sigmas([J], 4, 2000)
    ((_, found),) = spectra(model.cell, path, [1], {"state": None})
    assert found["state"].log_sigma[0] == pytest.approx(right, abs=1e-10)
    assert lyapunov_spectrum(model.cell, [xs], path.states[0], 1).log_det[0] == pytest.approx(right.sum(), abs=1e-10)


@pytest.mark.parametrize("case", [case for case in CASES if not case.normed], ids=lambda case: case.name)
def test_a_steps_factors_multiply_to_it(case) -> None:
    run = random_run(case)
    m = run.cell.state_size
    identity = np.broadcast_to(np.eye(m), (BATCH, m, m))
    for t in range(1, T + 1):
        X, K = run.linearisation.factors(t, identity)
        assert pytest.approx(run.linearisation.dense(t), abs=1e-13) == X @ K


def test_a_layer_norm_has_no_factors() -> None:
    run = random_run(next(case for case in CASES if case.normed))
    m = run.cell.state_size
    assert run.linearisation.factors(1, np.broadcast_to(np.eye(m), (BATCH, m, m))) is None


def test_rows_and_columns_on_scales_of_their_own() -> None:
    rng = np.random.default_rng(0)
    B, rows, columns = rng.standard_normal((3, 5, 5)), rng.uniform(-900, 0, (3, 5)), rng.uniform(-900, 0, (3, 5))
    found = rank_revealing(B, rows, columns, UNIT * np.abs(B), UNIT)
    with mpmath.workdps(3000):
        for b in range(3):
            A = [[mp.mpf(B[b, i, j]) * mp.exp(rows[b, i] + columns[b, j]) for j in range(5)] for i in range(5)]
            right = log_sigmas([np.array(A)], 5, 3000)[0]
            assert found.log_d[b].sum() == pytest.approx(right.sum(), rel=1e-13)
            assert np.abs(found.log_d[b] - right).max() < np.log(25)
    assert np.abs(found.X).max() == np.abs(found.Y).max() == 1


@pytest.mark.parametrize("noise", [0.0, 1e-17])
def test_a_pivot_that_rounding_may_have_made_is_lost(noise: float) -> None:
    B = np.array([[[1.0, 1.0], [1.0, 1 + noise]]])
    found = rank_revealing(B, np.zeros((1, 2)), np.zeros((1, 2)), UNIT * np.abs(B), UNIT)
    assert found.log_d.tolist() == [[0, -np.inf]]
