"""Diagonal scaling: the Perron vectors against SciPy's eigenvectors, the search against a closed form and SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg, optimize

from vanishgrad.propagation.singular_values.diagonal_scaling import PRIMITIVE, bfgs, perron_vectors


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(optimize.rosen(x)), optimize.rosen_der(x)


@pytest.mark.parametrize("seed", range(3))
def test_perron_vectors_are_the_eigenvectors_of_the_largest_eigenvalue(seed):
    W = np.random.default_rng(seed).standard_normal((2, 5, 5))
    for b, (x, y) in enumerate(zip(*perron_vectors(W), strict=True)):
        magnitude = np.abs(W[b]) + PRIMITIVE * np.abs(W[b]).mean()
        values, left, right = linalg.eig(magnitude, left=True, right=True)
        k = np.argmax(values.real)
        for vector, expected in ((x, right[:, k]), (y, left[:, k])):
            # Both are eigenvectors to roundoff times the inverse gap, which is below 100 here.
            np.testing.assert_allclose(vector, np.abs(expected) / np.abs(expected).max(), rtol=1e-12)


def test_perron_scaling_reaches_the_spectral_radius_of_a_nonnegative_matrix():
    """‖ΔAΔ⁻¹‖₂ = ρ(A) for A ≥ 0: theory T1. A with small variation, so that `PRIMITIVE` moves ρ by 1e-6 of it."""
    A = 1 + 0.01 * np.random.default_rng(0).random((4, 4))
    x, y = perron_vectors(A)
    scale = np.sqrt(y / x)
    norm, radius = linalg.svdvals(scale[:, None] * A / scale)[0], np.abs(linalg.eigvals(A)).max()
    assert norm == pytest.approx(radius, rel=1e-6)
    assert norm >= radius * (1 - 1e-14)


def test_a_quadratic_is_minimised():
    A, b = np.diag([1.0, 3.0, 10.0]), np.array([1.0, -2.0, 0.5])
    x = bfgs(lambda x: (float(x @ A @ x / 2 - b @ x), A @ x - b), np.zeros(3), 60)
    # The value is flat to the square root of roundoff about the minimum.
    np.testing.assert_allclose(x, b / np.diag(A), atol=1e-7)


def test_a_curved_valley_is_followed():
    x = bfgs(rosenbrock, np.array([-1.2, 1.0]), 60)
    np.testing.assert_allclose(x, optimize.minimize(optimize.rosen, x, jac=optimize.rosen_der).x, atol=1e-5)


def test_the_value_never_rises():
    values = [rosenbrock(bfgs(rosenbrock, np.array([-1.2, 1.0]), iterations))[0] for iterations in range(8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0]


def test_a_value_without_a_number_is_stepped_back_from():
    def barrier(x: np.ndarray) -> tuple[float, np.ndarray]:
        return (float(x[0] - math.log(x[0])), 1 - 1 / x) if x[0] > 0 else (math.inf, np.zeros(1))

    np.testing.assert_allclose(bfgs(barrier, np.array([20.0]), 60), [1.0], atol=1e-7)
