"""The leading pair of singular vectors, from call to call, against the SVD."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.propagation.singular_values.largest import LeadingPairs


def assert_leading(u: np.ndarray, A: np.ndarray, v: np.ndarray, tolerance: float = 1e-9) -> None:
    sigma = np.linalg.norm(A, 2, axis=(1, 2))
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.einsum("bp,bpq,bq->b", u, A, v), sigma, rtol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
def test_pairs_follow_a_sweep(rng, dtype, tolerance):
    A = np.tile(np.eye(7), (3, 1, 1)).astype(dtype)
    pairs = LeadingPairs(3, 7, dtype)
    for _ in range(20):
        A = (A @ rng.standard_normal((3, 7, 7)) / 3).astype(dtype)
        u, v = pairs(A, np.linalg.norm(A, 2, axis=(1, 2)))
        assert_leading(u, A, v, tolerance)
        assert u.dtype == v.dtype == dtype


def test_a_change_of_lead_is_met():
    """The old vector is still a singular one, of the second value: only noise or an SVD leaves it."""
    pairs = LeadingPairs(1, 6)
    for diagonal in ([9, 1, 1, 1, 1, 1], [1, 1 + 1e-6, 1, 1, 1, 1], [0, 0, 0, 0, 0, 3]):
        A = np.diag(np.array(diagonal, dtype=float))[None]
        u, v = pairs(A, A.max(axis=(1, 2)))
        assert_leading(u, A, v)


def test_zero_and_equal_singular_values(rng):
    pairs = LeadingPairs(2, 4)
    A = np.stack([np.zeros((4, 4)), np.linalg.qr(rng.standard_normal((4, 4)))[0]])
    u, v = pairs(A, np.array([0.0, 1.0]))
    assert np.isfinite(u).all() and np.isfinite(v).all()
    assert_leading(u[1:], A[1:], v[1:])
    again, right = pairs(A[[1, 0]], np.array([1.0, 0.0]))
    assert_leading(again[:1], A[1:], right[:1])
