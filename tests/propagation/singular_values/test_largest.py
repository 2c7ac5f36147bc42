"""The largest singular value against full SVDs, along sweeps and on the cases that mislead an iteration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from vanishgrad.propagation.singular_values.lanczos import Ritz, leading_ritz, positive_vector, tridiagonal
from vanishgrad.propagation.singular_values.largest import LeadingSingularValues, count_at_least, largest_singular_value

ACCURACY = 1e-10  # the contract; the squared residual at which the iteration stops leaves room for gaps down to 1e-6
EPS = np.finfo(float).eps


def orthogonal(size: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def exact(matrix: np.ndarray) -> np.ndarray:
    return np.linalg.svd(matrix, compute_uv=False)[:, 0]


def growing_product(seed: int, spread: float, size: int = 40, lags: int = 40) -> Iterator[np.ndarray]:
    """Products that grow on the right by I·(1 - spread) + spread·noise: flat spectra if small, low rank if large."""
    rng = np.random.default_rng(seed)
    P = np.broadcast_to(np.eye(size), (3, size, size))
    for _ in range(lags):
        yield P
        P = (1 - spread) * P + spread * P @ rng.standard_normal((3, size, size)) / size**0.5
        P = P / np.max(np.abs(P), axis=(1, 2), keepdims=True)


def blocks_of(P: np.ndarray) -> dict[str, np.ndarray]:
    return {"whole": P, "rows": P[:, :20], "corner": P[:, 20:, 20:], "columns": P[:, :, :17], "narrow": P[:, :, :3]}


def solver(matrices: dict[str, np.ndarray], seed: int = 0) -> LeadingSingularValues:
    first = next(iter(matrices.values()))
    return LeadingSingularValues({name: A.shape[1:] for name, A in matrices.items()}, len(first), first.dtype, seed)


@pytest.mark.parametrize("spread", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_sweep_agrees_with_full_svds(seed: int, spread: float) -> None:
    leading = solver(blocks_of(next(growing_product(seed, spread))))
    for lag, P in enumerate(growing_product(seed, spread)):
        for name, sigma in leading(blocks_of(P)).items():
            np.testing.assert_allclose(sigma, exact(blocks_of(P)[name]), rtol=ACCURACY, err_msg=f"{name} at lag {lag}")


@pytest.mark.parametrize("lags", [1, 3, 8])
def test_several_lags_at_once_are_the_same_norms(lags: int) -> None:
    leading, P = solver(blocks_of(next(growing_product(0, 0.3)))), list(growing_product(0, 0.3))
    for start in range(0, len(P), lags):
        together = np.concatenate(P[start : start + lags])
        for name, sigma in leading(blocks_of(together)).items():
            np.testing.assert_allclose(sigma, exact(blocks_of(together)[name]), rtol=ACCURACY, err_msg=name)


def test_a_matrix_may_be_absent_from_a_lag() -> None:
    P = list(growing_product(0, 0.3))
    leading = solver(blocks_of(P[0]))
    for lag, matrix in enumerate(P):
        asked = {name: A for i, (name, A) in enumerate(blocks_of(matrix).items()) if (lag + i) % 3}
        for name, sigma in leading(asked).items():
            np.testing.assert_allclose(sigma, exact(asked[name]), rtol=ACCURACY, err_msg=f"{name} at lag {lag}")


@pytest.mark.parametrize("size", [1, 2, 7, 30])
def test_the_leading_eigenvector_of_a_lanczos_matrix(size: int) -> None:
    """T x = θ x to roundoff, with all components positive, as Perron and Frobenius say."""
    rng = np.random.default_rng(size)
    alpha, beta = np.sort(rng.random((3, size)))[:, ::-1], 0.2 * rng.random((3, size))
    T = tridiagonal(alpha, beta)
    theta = np.linalg.eigvalsh(T)[:, -1]
    x = positive_vector(alpha, beta, theta)
    residual = (T + np.tril(T, -1).swapaxes(1, 2)) @ x[..., None] - theta[:, None, None] * x[..., None]
    assert np.abs(residual).max() < 100 * EPS
    assert (x > 0).all()
    np.testing.assert_allclose(np.vecdot(x, x), 1, rtol=10 * EPS)


def test_float32_is_right_to_its_own_roundoff() -> None:
    leading = LeadingSingularValues({"whole": (40, 40)}, 3, np.float32)
    for P in growing_product(0, 0.3):
        sigma = leading({"whole": P.astype(np.float32)})["whole"]
        np.testing.assert_allclose(sigma, exact(P), rtol=100 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("size", [8, 20, 40])
@pytest.mark.parametrize("values", ["equal", "few", "graded"])
def test_lanczos_in_float32_ends_where_the_space_is_exhausted(size: int, values: str) -> None:
    """Of equal singular values the first vector is all there is; of a small matrix there are no more than its rows."""
    sigma = {"equal": np.ones(size), "few": np.arange(size) % 3 + 1.0, "graded": np.geomspace(1, 1e-6, size)}[values]
    matrix = (orthogonal(size, 1) * sigma) @ orthogonal(size, 2)
    matrices = {"J": np.stack([matrix, matrix.T]).astype(np.float32)}
    leading = solver(matrices)
    for _ in range(3):
        assert leading(matrices)["J"] == pytest.approx(sigma.max(), rel=1e-6)


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("change", ["crosses", "jumps"])
def test_a_lead_that_changes_at_lag_100(change: str, rotated: bool) -> None:
    size = 32
    U, V = (orthogonal(size, 1), orthogonal(size, 2)) if rotated else (np.eye(size), np.eye(size))
    leading = LeadingSingularValues({"state": (size, size)}, 1)
    for lag in range(80, 121):
        d = np.full(size, 0.25)
        d[3] = 1.0
        d[7] = np.exp(0.01 * (lag - 99.5)) if change == "crosses" else (0.5 if lag < 100 else 1.5)
        sigma = leading({"state": (U * d @ V)[None]})["state"]
        np.testing.assert_allclose(sigma, max(1.0, d[7]), rtol=0 if not rotated else ACCURACY, err_msg=f"lag {lag}")


def test_many_leads_that_cross_one_another() -> None:
    size, rng = 48, np.random.default_rng(3)
    U, V, slopes = orthogonal(size, 4), orthogonal(size, 5), rng.uniform(-0.05, 0, size)
    offsets = rng.uniform(-0.5, 0, size)
    leading = LeadingSingularValues({"state": (size, size)}, 1)
    for lag in range(101):
        d = np.exp(offsets + slopes * lag)
        d = d / np.max(d)
        sigma = leading({"state": (U * d @ V)[None]})["state"]
        np.testing.assert_allclose(sigma, 1.0, rtol=ACCURACY, err_msg=f"lag {lag}")


SPECIAL = {
    "zero": (np.zeros((20, 30)), 0.0),
    "identity": (np.eye(20, 30), 1.0),
    "diagonal": (np.diag(-np.linspace(0.1, 0.7, 20)), 0.7),
    "rank one": (np.outer(np.ones(20), np.ones(30)), 600**0.5),
    "one entry": (np.pad([[-3.0]], ((5, 19), (20, 4))), 3.0),
    "orthogonal": (orthogonal(25, 0), 1.0),
    "tiny": (1e-200 * orthogonal(25, 0), 1e-200),
    "subnormal": (1e-310 * np.eye(20)[::-1], 1e-310),
    "huge": (1e200 * orthogonal(25, 0), 1e200),
    "small": (np.array([[3.0, 0.0], [4.0, 0.0]]), 5.0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SPECIAL)
def test_special_matrices(name: str) -> None:
    matrix, sigma = SPECIAL[name]
    found = [largest_singular_value(matrix[None])[0], *(solver({"A": matrix[None]})({"A": matrix[None]})["A"])]
    np.testing.assert_allclose(found, sigma, rtol=200 * EPS)


def test_diagonal_matrices_are_exact() -> None:
    d = np.random.default_rng(0).standard_normal((2, 24))
    A = d[:, :, None] * np.eye(24)
    leading = solver({"A": A})
    np.testing.assert_array_equal(leading({"A": A})["A"], np.max(np.abs(d), axis=1))
    np.testing.assert_array_equal(leading({"A": A[:, ::-1]})["A"] > 0, True)
    np.testing.assert_array_equal(largest_singular_value(A), np.max(np.abs(d), axis=1))


def test_one_trial_does_not_depend_on_the_state_of_another() -> None:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((3, 20, 20))
    A[1] = 0
    A[2] = np.eye(20)
    np.testing.assert_allclose(solver({"A": A})({"A": A})["A"], exact(A), rtol=ACCURACY)


def test_the_same_sweep_gives_the_same_bytes() -> None:
    runs = []
    for _ in range(2):
        leading = solver(blocks_of(next(growing_product(0, 0.3))))
        runs.append([leading(blocks_of(P))["whole"].tobytes() for P in growing_product(0, 0.3)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("factor", "converged"), [(0.1, True), (1.0, False)])
def test_what_is_below_the_floor_or_has_not_converged_is_an_exact_svd(
    monkeypatch: pytest.MonkeyPatch, factor: float, converged: bool
) -> None:
    def misled(*arguments: Any) -> Ritz:
        ritz = leading_ritz(*arguments)
        return ritz._replace(values=factor * ritz.values, converged=np.full_like(ritz.converged, converged))

    A = np.random.default_rng(0).standard_normal((2, 20, 30))
    monkeypatch.setattr("vanishgrad.propagation.singular_values.largest.leading_ritz", misled)
    np.testing.assert_array_equal(solver({"A": A})({"A": A})["A"], largest_singular_value(A))


def test_a_row_that_is_the_leading_direction_needs_no_svd_and_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that have been turned into singular vectors attain the lower bound, to roundoff."""
    monkeypatch.setattr(np.linalg, "svd", None)
    A = np.linspace(3, 1, 20)[:, None] * orthogonal(30, 0)[:20]
    (sigma,) = solver({"A": A[None]})({"A": A[None]})["A"]
    assert sigma == pytest.approx(3, rel=4 * EPS)


def test_diagonal_matrices_need_no_svd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.linalg, "svd", None)
    A = np.stack([np.diag(np.linspace(-3, 1, 20)), np.zeros((20, 20))])
    np.testing.assert_array_equal(largest_singular_value(A), [3, 0])


@pytest.mark.parametrize("size", [1.0, 1e-150, 1e150])
def test_count_at_least(size: float) -> None:
    """Thresholds beside the largest singular value, 1e-7 of it, beyond it, and of zero."""
    graded = orthogonal(20, 0) * np.geomspace(1e-12, 1, 20)
    A = size * np.stack([orthogonal(20, 0) * np.linspace(1, 20, 20), graded, 1e-3 * np.eye(20), np.zeros((20, 20))])
    threshold = size * np.array([10.5, 1e-7, 1e-2, 1e-4])
    np.testing.assert_array_equal(count_at_least(A, threshold, leading=exact(A)), [10, 12, 0, 0])


@pytest.mark.parametrize("exponent", [-140, -100, -90, -81, -78, -60, 70, 80, 100, 140])
def test_matrices_far_from_order_one_are_measured_all_the_same(exponent: int) -> None:
    """Where the squares of A Aᵀ leave the range Lanczos would meet NaN: there an SVD stands in."""
    rng, n = np.random.default_rng(0), 24
    leading = LeadingSingularValues({"small": (n, n), "ordinary": (n, n)}, 2)
    for _ in range(3):
        small, ordinary = rng.standard_normal((2, 2, n, n))
        found = leading({"small": small * 10.0**exponent, "ordinary": ordinary})
        np.testing.assert_allclose(found["small"], np.linalg.norm(small, 2, axis=(1, 2)) * 10.0**exponent, rtol=1e-9)
        np.testing.assert_allclose(found["ordinary"], np.linalg.norm(ordinary, 2, axis=(1, 2)), rtol=1e-9)
