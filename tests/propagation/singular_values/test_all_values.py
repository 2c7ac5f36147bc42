"""All singular values of long products, against the same float64 factors in high precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from tests import reference
from tests.cells.cases import BATCH, CASES, T, random_run
from tests.engine import lstm, silence, stacked, trajectory
from vanishgrad.cells import LSTM, RNN
from vanishgrad.cells.activations import LINEAR, RELU
from vanishgrad.propagation.singular_values.all_values import Spectrum, spectra

WHOLE = {"state": None}


def untied(factors: np.ndarray) -> RNN:
    """Return the linear network whose Jacobians are these, (T, n, n)."""
    zeros = np.zeros_like(factors[:1])
    return RNN(factors[None], zeros, zeros[:, 0], LINEAR)


def last(cell, path, block=None) -> Spectrum:
    """Return the spectrum of the whole product, or of a block."""
    ((_, found),) = spectra(cell, path, [path.steps], {"it": block})
    return found["it"]


def of_factors(factors: np.ndarray) -> Spectrum:
    cell = untied(factors)
    return last(cell, trajectory(cell, np.zeros_like(factors[None, :, 0])))


def exact(factors: np.ndarray, digits: int) -> np.ndarray:
    """ln σ_i of the product of float64 factors, multiplied and decomposed with so many digits."""
    with mpmath.workdps(digits):
        P = mpmath.eye(factors.shape[1])
        for J in factors:
            P = mpmath.matrix(J.tolist()) * P
        return np.array(sorted((float(mpmath.log(s)) for s in mpmath.svd_r(P, compute_uv=False)), reverse=True))


def factor(rng: np.random.Generator, n: int, kappa: float) -> np.ndarray:
    """Return a random matrix with singular values from 1 down to 1/κ."""
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    return (left * kappa ** -rng.permutation(np.linspace(0, 1, n))) @ right


def product_of(kind: str, rng: np.random.Generator, n: int, steps: int) -> np.ndarray:
    if kind == "tied":
        return np.stack([factor(rng, n, 10)] * steps)
    if kind == "orthogonal":
        return np.stack([factor(rng, n, 1)] * steps)
    if kind == "gaussian":
        return rng.standard_normal((steps, n, n)) / np.sqrt(n)
    return np.stack([factor(rng, n, {"kappa 10": 10, "kappa 1000": 1e3}[kind]) for _ in range(steps)])


@pytest.mark.parametrize("kind", ["kappa 10", "kappa 1000", "gaussian", "tied", "orthogonal"])
def test_every_singular_value_of_500_factors(kind):
    """n = 8, κ(J_t) ≤ 10³: spreads of 10⁻¹⁷⁰ to 10⁻⁹⁷⁰, each value within 1e-9 in the logarithm."""
    factors = product_of(kind, np.random.default_rng(0), n=8, steps=500)
    found, true = of_factors(factors), exact(factors, digits=1100)
    assert np.abs(found.log_sigma[0] - true).max() < 1e-9
    assert np.all(np.abs(found.log_sigma[0] - true) <= found.error[0])


def test_the_error_estimate_grows_with_the_condition_of_the_factors():
    rng = np.random.default_rng(1)
    mild, harsh = (of_factors(product_of(kind, rng, 8, 50)).error[0].max() for kind in ("kappa 10", "kappa 1000"))
    assert 8 < harsh / mild < 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_cell_every_lag_and_every_block(case):
    run = random_run(case)
    blocks = {"state": None, **run.cell.curves}
    for lag, found in spectra(run.cell, run.trajectory, range(1, T + 1), blocks):
        jacobians = [run.linearisation.dense(t) for t in range(T - lag + 1, T + 1)]
        for b in range(BATCH):
            with mpmath.workdps(80):
                P = reference.products([J[b] for J in jacobians], mpmath.mpf)[-1]
                for name, block in blocks.items():
                    true = block_log_sigma(P, run.cell, block)
                    if case.normed in (block or run.cell.slices):
                        true[-1] = -np.inf
                    log_sigma, some = found[name].log_sigma[b], np.isfinite(true)
                    if case.normed:  # its zero is known to rounding alone, behind which nothing can be told
                        near = true < true[0] + np.log(1e-11)
                        some = np.where(near, np.isfinite(log_sigma) & some, some)
                    assert np.array_equal(np.isfinite(log_sigma), some), (name, lag)
                    assert np.all(np.abs(log_sigma[some] - true[some]) <= found[name].error[b][some]), (name, lag)


def block_log_sigma(P: list[list], cell, block) -> np.ndarray:
    rows, columns = (slice(None),) * 2 if block is None else (cell.slices[block[0]], cell.slices[block[1]])
    sigma = mpmath.svd_r(mpmath.matrix([row[columns] for row in P[rows]]), compute_uv=False)
    return np.array(sorted((float(mpmath.log(s)) if s > 1e-60 else -np.inf for s in sigma), reverse=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_leading_vectors_are_carried_into_one_another(case):
    run = random_run(case)
    found = last(run.cell, run.trajectory)
    P = np.broadcast_to(np.eye(run.cell.state_size), (BATCH, run.cell.state_size, run.cell.state_size))
    for t in range(1, T + 1):
        P = run.linearisation.dense(t) @ P
    image = (P @ found.right[..., None])[..., 0]
    scale = np.exp(found.log_sigma[:, :1])
    assert np.allclose(image, scale * found.left, rtol=0, atol=1e-12 * float(scale.max()))
    assert np.allclose(np.linalg.vector_norm(found.right, axis=1), np.isfinite(found.log_sigma[:, 0]))


def test_the_identity_at_lag_0():
    cell = lstm(n=2)
    ((lag, found),) = spectra(cell, trajectory(cell, silence(cell, 1)), [0], {"cell": ("c", "c")})
    assert lag == 0
    assert found["cell"].log_sigma.tolist() == [[0, 0]]
    assert found["cell"].error.tolist() == [[0, 0]]


def test_dead_relu_units_leave_exact_zeros():
    """The rank of the product is the least number of units that were active together."""
    rng = np.random.default_rng(4)
    cell = RNN(rng.standard_normal((16, 16)) / 4, rng.standard_normal((16, 3)), np.zeros(16), RELU)
    path = trajectory(cell, rng.standard_normal((6, 60, 3)))
    active = np.sum(path.records > 0, axis=-1)
    for lag, found in spectra(cell, path, [1, 3, 10, 60], WHOLE):
        ranks = np.isfinite(found["state"].log_sigma).sum(axis=1)
        assert ranks.tolist() == active[60 - lag :].min(axis=0).tolist()


def test_an_output_gate_that_no_unit_reaches_halves_the_rank():
    """U_o = 0: h_t is a function of c_t alone, so that n of the 2n singular values are exactly zero."""
    rng = np.random.default_rng(5)
    gates = [(rng.standard_normal((4, 4)), 1, 0.5) for _ in range(3)]
    cell = LSTM(*stacked(4, 1, *gates, (0, 1, 1)))
    found = last(cell, trajectory(cell, rng.standard_normal((2, 20, 1))))
    assert np.isfinite(found.log_sigma).sum(axis=1).tolist() == [4, 4]


def test_a_nilpotent_product_is_exactly_zero():
    W = np.array([[1.0, -1.0], [1.0, -1.0]])
    found = of_factors(np.stack([W, W]))
    assert np.isneginf(found.log_sigma).all()
    assert not found.left.any()


def test_beyond_the_range_of_a_float64():
    """The conveyor alone, b_f = -2: σ(-2)^2000 = 10^-1847 for every unit."""
    cell = lstm(n=3, f=(0, 0, -2.0))
    found = last(cell, trajectory(cell, silence(cell, 2000)), ("c", "c"))
    assert found.log_sigma[0] == pytest.approx(-2000 * np.log1p(np.exp(2.0)), abs=found.error.max())
    assert found.error.max() < 1e-8


def test_single_precision_is_kept_and_counted():
    factors = product_of("kappa 10", np.random.default_rng(0), 6, 40).astype(np.float32)
    found, true = of_factors(factors), exact(factors, digits=100)
    assert np.all(np.abs(found.log_sigma[0] - true) <= found.error[0])
    assert found.error.min() > 1e-6


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_factors_at_the_ends_of_the_range(scale):
    factors = product_of("kappa 10", np.random.default_rng(2), 4, 30)
    found, far = of_factors(factors), of_factors(scale * factors)
    assert far.log_sigma == pytest.approx(found.log_sigma + 30 * np.log(scale), rel=1e-13)
