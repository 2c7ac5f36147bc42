"""Norms of attention's gradient, against singular values of complex steps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference import complex_step
from vanishgrad.propagation.attention import Attention, dot_product

ROUNDOFF = 1e-13


def head(n: int, steps: int, size: float) -> tuple[Attention, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    W_v, _ = np.linalg.qr(rng.standard_normal((n, n)))
    W_k, q, h = size * rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal((steps, n))
    return dot_product(W_v, W_k, q, h), W_v, W_k, q, h


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("size", [0.0, 0.3, 4.0])
def test_norms_for_orthogonal_values_are_those_of_the_complex_step(n: int, size: float) -> None:
    found, W_v, W_k, q, h = head(n, 6, size)

    def context(moved: np.ndarray) -> np.ndarray:
        e = np.exp(moved @ W_k.T @ q / np.sqrt(n))
        return (e / e.sum()) @ moved @ W_v.T

    blocks = complex_step(context, h).reshape(n, 6, n).swapaxes(0, 1)
    spectral, frobenius = found.orthogonal_norms()
    np.testing.assert_allclose(spectral, np.linalg.norm(blocks, 2, axis=(1, 2)), rtol=ROUNDOFF)
    np.testing.assert_allclose(frobenius, np.linalg.norm(blocks, axis=(1, 2)), rtol=ROUNDOFF)
