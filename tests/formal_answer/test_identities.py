"""The exact statements, against something computed in another way."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from tests.formal_answer.nets import random_run
from vanishgrad.cells import LSTM, RNN
from vanishgrad.formal_answer.quantities import lstm, retention, scalars, separation
from vanishgrad.formal_answer.quantities.definition import log_share, samples
from vanishgrad.formal_answer.quantities.gate_sensitivity import log_sensitivities
from vanishgrad.formal_answer.quantities.learned import updates
from vanishgrad.formal_answer.quantities.measured import MeasuredRun, spectral_norms
from vanishgrad.propagation import attention
from vanishgrad.propagation.run import run

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


@pytest.mark.parametrize(("kind", "gate"), [("lstm", "f"), ("gru-after", "z"), ("gru-before", "z")])
def test_sensitivity_to_a_gate_bias_equals_a_complex_step(kind, gate):
    model = random_run(kind, 5)
    cell, n = model.cell, model.cell.hidden_size
    trajectory = run(cell, np.zeros((1, model.steps, cell.input_size)), model.trajectory.states[0])
    model = dataclasses.replace(model, trajectory=trajectory)
    _, in_bias = log_sensitivities(model)
    for j in range(n):
        b = cell.b.astype(complex)
        b[0, cell.rows(gate).start + j] += 1e-30j
        s, moved = model.trajectory.states[0].astype(complex), type(cell).__new__(type(cell))
        moved.__dict__ |= cell.__dict__ | {"b": b}
        for t in range(model.steps):
            s, _ = moved.advance(t, np.broadcast_to(b[0], (1, b.shape[1])), s)
        assert np.exp(in_bias[j]) == pytest.approx(np.linalg.norm(s[0, -n:].imag) / 1e-30, rel=1e-9)


def test_sensitivity_to_a_gate_is_the_closed_form_of_one_unit():
    """c_T = Σ f^(T-s) x_s with blind gates: ∂c_T/∂f = Σ (T-s) f^(T-s-1) x_s, and f (1 - f) times it by the bias."""
    f, T = 1 / (1 + np.exp(-2.0)), 30
    cell = scalars.scalar_lstm({}, {"f": 2.0, "i": 40.0}, {g: [float(g == "g")] for g in "ifgo"})
    xs = np.random.default_rng(1).standard_normal((1, T, 1))
    model = MeasuredRun("one", "", cell, run(cell, xs, np.zeros((1, 2))), np.ones(1))
    lags = T - 1 - np.arange(T)
    expected = abs(np.sum(lags * f ** (lags - 1.0) * np.tanh(xs[0, :, 0])))
    in_gate, in_bias = log_sensitivities(model)
    assert np.exp(in_gate[0]) == pytest.approx(expected, rel=1e-12)
    assert np.exp(in_bias[0] - in_gate[0]) == pytest.approx(f * (1 - f), rel=1e-12)


def test_the_distance_to_loss_is_where_one_unit_loses_its_memory():
    """Blocks with F = φ, O = ω, E = η, C = -κ; at the killing coupling of a step v is 0, a little before it is not."""
    numbers = retention.Coupling(np.full(9, 0.9), np.full(9, 0.02), np.full(9, 0.3), np.full(9, 0.4), 0.9)
    for row in retention.distance_to_loss(numbers):
        v, w = 1.0, 0.0
        for s in range(1, int(row["step"]) + 1):
            kappa = row["killing"] if s == row["step"] else 0.02
            v = 0.9 * v - kappa * w
            w = 0.3 * w + 0.4 * v
        assert v == pytest.approx(0, abs=1e-13)
        assert row["distance"] == pytest.approx(row["killing"] - 0.02) and row["delta"] > 0


def test_the_half_line_keeps_its_promise_on_the_network_that_is_built_to_it():
    model = random_run("lstm", 7, steps=20)
    needed = separation.half_line(model)["needed_bias"]
    n, b = model.cell.hidden_size, model.cell.b[0].copy()
    b[:n], b[n : 2 * n] = -needed, needed
    cell = LSTM(model.cell.W_hh[0], np.zeros_like(model.cell.W_hx[0]), b)
    start = model.trajectory.states[0]
    built = dataclasses.replace(model, cell=cell, trajectory=run(cell, np.zeros((1, 20, cell.input_size)), start))
    block = dense_product(built)[n:, n:]
    assert separation.half_line(built)["bias_room"] >= 0
    assert 1 / np.linalg.norm(np.linalg.inv(block), np.inf) >= 0.9
    assert np.linalg.norm(block, np.inf) <= 1 + 0.1 / 3


def test_the_window_of_an_orthogonal_recurrence_is_kept_and_of_a_small_one_is_not():
    model = random_run("rnn", 2, steps=50)
    n, d = model.cell.hidden_size, model.cell.input_size
    for scale, within in ((1.0, True), (0.99, False)):
        cell = RNN(scale * np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0], np.zeros((n, d)),
                   np.zeros(n))  # fmt: skip
        row = separation.window(dataclasses.replace(model, cell=cell))
        assert (row["from_circle"] <= row["allowed"]) == within


def test_samples_are_the_square_of_half_over_the_share():
    model = random_run("rnn", 3, steps=14)
    assert samples(model)["samples_10"].log == pytest.approx(-2 * (np.log(2) + log_share(model, 10)))


def test_updates_are_those_of_the_recorded_study():
    assert updates("rnn") == {"updates_10": 32.0, "updates_20": 126.0, "updates_40": np.inf}
    assert updates("a file") == {}
