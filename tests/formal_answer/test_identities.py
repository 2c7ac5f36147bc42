"""The exact statements, against something computed in another way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.formal_answer.nets import random_run
from vanishgrad.formal_answer.quantities import lstm, retention
from vanishgrad.formal_answer.quantities.definition import log_share
from vanishgrad.formal_answer.quantities.measured import spectral_norms
from vanishgrad.propagation import attention

ROUNDOFF = 1e-13
"""A dozen products of matrices of six units."""


def dense_product(model):
    total = np.eye(model.cell.state_size)
    for J in model.jacobians():
        total = J @ total
    return total


@pytest.mark.parametrize("seed", range(5))
def test_factorisation_and_determinant(seed):
    model = random_run("lstm", seed)
    blocks = lstm.blocks_of(model)
    for step, J in enumerate(model.jacobians()):
        np.testing.assert_allclose(blocks.jacobian(step), J, rtol=0, atol=ROUNDOFF)
    np.testing.assert_allclose(blocks.log_determinants(), model.log_determinants, rtol=1e-9)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru-after"])
def test_curves_are_those_of_dense_products(kind):
    model = random_run(kind, 1)
    product, n = dense_product(model), model.cell.hidden_size
    memory = product[-n:, -n:]
    assert np.exp(model.log_memory) == pytest.approx(np.linalg.norm(memory, 2), rel=1e-9)
    assert np.exp(model.products.log_state) == pytest.approx(np.linalg.norm(product, 2), rel=1e-9)
    np.testing.assert_allclose(np.exp(model.products.log_diagonal[-1]), np.abs(np.diag(memory)), rtol=1e-9)
    if kind != "rnn":
        gate = model.cell.gate_values(model.trajectory)["forget" if kind == "lstm" else "keep"][:, 0]
        direct = np.diag(gate.prod(axis=0))
        assert np.exp(model.products.curves["detours"][-1]) == pytest.approx(
            np.linalg.norm(memory - direct, 2), rel=1e-8
        )
        assert np.exp(model.products.curves["conveyor"][-1]) == pytest.approx(direct.max(), rel=1e-9)


@pytest.mark.parametrize("units", [[0], [0, 2]])
def test_slow_maps_multiply_to_their_block(units):
    model = random_run("lstm", 2)
    slow = model.cell.state_size - model.cell.hidden_size + np.array(units)
    maps = retention.slow_maps(model.jacobians(), slow)
    product = np.linalg.multi_dot([*maps[::-1]]) if len(maps) > 1 else maps[0]
    np.testing.assert_allclose(product, dense_product(model)[np.ix_(slow, slow)], rtol=1e-6, atol=1e-14)


def test_slow_maps_end_at_a_singular_one():
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert len(retention.slow_maps([rotation, rotation], np.array([0]))) == 1


def paths(blocks, start, stop):
    """Sum ∂c_stop/∂c_start over all its paths, one by one."""
    n = blocks.f.shape[1]

    def kept(high, low):
        return np.diag(blocks.f[low:high].prod(axis=0))

    def in_hidden(high, low):
        total = np.eye(n)
        for s in range(low + 1, high + 1):
            total = blocks.O(s - 1) @ total
        return total

    def from_conveyor(time, earliest):
        total = kept(stop, time)
        for r in range(earliest, stop):
            for s in range(r, stop):
                detour = blocks.C(s) @ in_hidden(s, r) @ np.diag(blocks.e[r - 1]) @ kept(r, time)
                total = total + from_conveyor(s + 1, s + 1) @ detour
        return total

    return from_conveyor(start, start + 1)


def test_all_paths_add_up_to_the_partial_derivative():
    model = random_run("lstm", 4, steps=6)
    n = model.cell.hidden_size
    np.testing.assert_allclose(
        paths(lstm.blocks_of(model), 0, 6), dense_product(model)[-n:, -n:], rtol=1e-9, atol=1e-14
    )


def test_four_gradients_against_dense_ones():
    model = random_run("lstm", 6)
    blocks, n = lstm.blocks_of(model), model.cell.hidden_size
    found = lstm.four_gradients(model, blocks)
    total, chained = np.eye(2 * n), np.eye(n)
    for J in list(model.jacobians())[1:]:
        total = J @ total
    for before, s in pairwise(range(blocks.steps)):
        chained = (np.diag(blocks.f[s]) + blocks.C(s) @ np.diag(blocks.e[before])) @ chained
    E = np.diag(blocks.e[0])
    expected = (
        np.prod(blocks.f[1:], axis=0).max(),
        np.linalg.norm(total[n:, n:], 2),
        np.linalg.norm(total[n:, n:] + total[n:, :n] @ E, 2),
        np.linalg.norm(chained, 2),
    )
    measured = np.exp([found.conveyor, found.partial, found.total, found.four_term])
    np.testing.assert_allclose(measured, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["dot", "additive"])
def test_attention_gradient_equals_a_complex_step(kind):
    draw = np.random.default_rng(0)
    d, position = 5, 2
    W_v, W_k, W_q = draw.standard_normal((3, d, d))
    w, q, h = draw.standard_normal(d), draw.standard_normal(d), draw.standard_normal((7, d))

    def built(states):
        if kind == "dot":
            return attention.dot_product(W_v, W_k, q, states)
        return attention.additive(W_v, W_q, W_k, w, q, states)

    def context(states):
        scores = built(states).scores
        e = np.exp(scores - scores.real.max())
        return (e / e.sum()) @ (states @ W_v.T)

    columns = []
    for j in range(d):
        moved = h.astype(complex)
        moved[position, j] += 1e-30j
        columns.append(context(moved).imag / 1e-30)
    np.testing.assert_allclose(built(h).gradient(position), np.stack(columns, axis=1), rtol=0, atol=ROUNDOFF)


def test_shares_of_all_lags_are_one():
    model = random_run("gru-before", 3)
    assert log_share(model, 0) == 0
    assert log_share(model, 5) < log_share(model, 2) < 0


def test_spectral_norms_in_batches():
    matrices = np.random.default_rng(0).standard_normal((9, 7, 7))
    np.testing.assert_allclose(spectral_norms(iter(matrices)), np.linalg.norm(matrices, 2, axis=(1, 2)), rtol=ROUNDOFF)
