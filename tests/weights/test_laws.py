"""Random laws: moments, orthogonality, biases, and streams that make every comparison a paired one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from vanishgrad.cells import GRU, LSTM, RNN
from vanishgrad.cells.registry import CELLS
from vanishgrad.random_streams import Role, stream
from vanishgrad.weights.laws import Weights, draw
from vanishgrad.weights.model_string import parse

N, D, STEPS, TRIALS = 32, 16, 50, 6
EVERY = [row.name for row in CELLS.values() if "pytorch" in row.laws]
LIMIT = 1e-4
"""A goodness-of-fit test of a fixed draw: right laws fail it once in ten thousand."""


def drawn(label: str, trials: int = TRIALS, seed: int = 0, dtype: str = "float64", hidden: int = N) -> Weights:
    return draw(parse(label).resolved(hidden, STEPS), D, STEPS, trials, seed, dtype)


def gate(tensor: np.ndarray, place: int, n: int = N) -> np.ndarray:
    return tensor[:, place * n : (place + 1) * n]


def uniform(values: np.ndarray, limit: float) -> bool:
    return stats.kstest(values.ravel(), stats.uniform(-limit, 2 * limit).cdf).pvalue > LIMIT


def normal(values: np.ndarray, std: float) -> bool:
    return stats.kstest(values.ravel(), stats.norm(0, std).cdf).pvalue > LIMIT


@pytest.mark.parametrize("cell", EVERY)
def test_shapes(cell: str) -> None:
    g, weights = len(CELLS[cell].gates), drawn(cell)
    assert weights.weight_hh.shape == (TRIALS, g * N, N)
    assert weights.weight_ih.shape == (TRIALS, g * N, D)
    assert weights.bias_ih.shape == weights.bias_hh.shape == (TRIALS, g * N)


@pytest.mark.parametrize("cell", EVERY)
def test_pytorch_is_uniform_in_one_over_root_n(cell: str) -> None:
    weights = drawn(f"{cell}@pytorch")
    for tensor in (weights.weight_hh, weights.weight_ih, weights.bias_ih, weights.bias_hh):
        assert uniform(tensor, N**-0.5)


@pytest.mark.parametrize("cell", EVERY)
def test_keras_is_one_orthogonal_kernel_and_glorot(cell: str) -> None:
    g, weights = len(CELLS[cell].gates), drawn(f"{cell}@keras")
    for kernel in weights.weight_hh:
        np.testing.assert_allclose(kernel.T @ kernel, np.eye(N), rtol=0, atol=1e-13)
    gains = [np.linalg.norm(gate(weights.weight_hh, j)) / math.sqrt(TRIALS * N) for j in range(g)]
    np.testing.assert_allclose(gains, 1 / math.sqrt(g), rtol=0.05)
    assert uniform(weights.weight_ih, math.sqrt(6 / (D + g * N)))
    bias = weights.bias_ih + weights.bias_hh
    expected = np.zeros((TRIALS, g * N))
    if cell in ("lstm", "peephole"):
        expected[:, N : 2 * N] = 1
    np.testing.assert_array_equal(bias, expected)


@pytest.mark.parametrize("gain", [1.0, 0.3])
@pytest.mark.parametrize("cell", EVERY)
def test_gaussian(cell: str, gain: float) -> None:
    weights = drawn(f"{cell}@gaussian:gain={gain}")
    assert normal(weights.weight_hh, gain / math.sqrt(N))
    assert normal(weights.weight_ih, 1 / math.sqrt(D))
    assert not weights.bias_ih.any()
    assert not weights.bias_hh.any()


@pytest.mark.parametrize("gain", [1.0, 0.3])
@pytest.mark.parametrize("cell", EVERY)
def test_orthogonal_gate_by_gate(cell: str, gain: float) -> None:
    weights = drawn(f"{cell}@orthogonal:gain={gain}")
    gates = np.stack([gate(weights.weight_hh, j) for j in range(len(CELLS[cell].gates))])
    np.testing.assert_allclose(np.swapaxes(gates, -1, -2) @ gates, np.broadcast_to(gain**2 * np.eye(N), gates.shape),
                               rtol=0, atol=1e-13)  # fmt: skip
    assert uniform(weights.weight_ih, N**-0.5)
    assert not weights.bias_ih.any()


def test_orthogonal_is_haar() -> None:
    """Without the signs of R's diagonal, QR gives eigenvalues that shun 1: E tr Q = 0 and E (tr Q)² = 1 for Haar."""
    traces = np.trace(drawn("rnn@orthogonal:hidden=3", trials=4000).weight_hh, axis1=1, axis2=2)
    assert traces.mean() == pytest.approx(0, abs=4 / math.sqrt(4000))
    assert (traces**2).mean() == pytest.approx(1, abs=4 * math.sqrt(2 / 4000))


@pytest.mark.parametrize("cell", EVERY)
def test_identity(cell: str) -> None:
    weights = drawn(f"{cell}@identity:gain=2")
    for j in range(len(CELLS[cell].gates)):
        np.testing.assert_array_equal(gate(weights.weight_hh, j), np.broadcast_to(2 * np.eye(N), (TRIALS, N, N)))


@pytest.mark.parametrize(("cell", "keep"), [("lstm", 1), ("gru", 1)])
def test_chrono_is_the_logarithm_of_a_uniform(cell: str, keep: int) -> None:
    weights, plain = drawn(f"{cell}@chrono:chrono_max=30"), drawn(cell)
    total = weights.bias_ih + weights.bias_hh
    steps = np.exp(gate(total, keep))
    assert steps.min() >= 1
    assert steps.max() <= 29
    assert stats.kstest(steps.ravel(), stats.uniform(1, 28).cdf).pvalue > LIMIT
    others = [j for j in range(len(CELLS[cell].gates)) if j != keep]
    if cell == "lstm":
        np.testing.assert_array_equal(gate(total, 0), -gate(total, 1))
        others.remove(0)
    for j in others:
        np.testing.assert_array_equal(gate(weights.bias_ih, j), gate(plain.bias_ih, j))
        np.testing.assert_array_equal(gate(weights.bias_hh, j), gate(plain.bias_hh, j))


@pytest.mark.parametrize(("length", "exact"), [(10, 0.16244721), (100, 0.14964755), (1000, 0.14860877)])
def test_chrono_keeps_what_its_formula_says(length: int, exact: float) -> None:
    """E σ(b)^T for e^b ~ U[1, T - 1] is near E₂(1) = 0.1485: by quadrature, and by the law's own draws."""
    u = np.linspace(1, length - 1, 400_001)
    assert np.trapezoid((u / (1 + u)) ** length, u) / (length - 2) == pytest.approx(exact, abs=5e-9)
    b = gate(drawn(f"lstm@chrono:chrono_max={length}", trials=400).bias_ih, 1)
    kept = special.expit(b) ** length
    assert kept.mean() == pytest.approx(exact, abs=4 * kept.std() / math.sqrt(kept.size))


@pytest.mark.parametrize("label", ["lstm", "lstm@keras", "lstm@gaussian", "gru", "gru@identity"])
def test_forget_bias_is_the_total_of_the_keep_gate(label: str) -> None:
    weights, plain = drawn(f"{label}:forget_bias=2.5"), drawn(label)
    total = weights.bias_ih + weights.bias_hh
    np.testing.assert_array_equal(gate(total, 1), 2.5)
    for j in set(range(len(CELLS[parse(label).cell].gates))) - {1}:
        np.testing.assert_array_equal(gate(total, j), gate(plain.bias_ih + plain.bias_hh, j))


@pytest.mark.parametrize(("keep", "sign"), [("new", -1), ("old", 1)])
def test_the_bias_of_a_gate_that_writes_is_negative_where_much_is_kept(keep: str, sign: int) -> None:
    """mgu: f keeps for keep=old; for keep=new it writes, and what is kept is σ(-a)."""
    forget, chrono = drawn(f"mgu:forget_bias=2.5,keep={keep}"), drawn(f"mgu@chrono:keep={keep}")
    np.testing.assert_array_equal(gate(forget.bias_ih + forget.bias_hh, 0), sign * 2.5)
    assert (sign * gate(chrono.bias_ih + chrono.bias_hh, 0)).min() >= 0
    np.testing.assert_array_equal(gate(chrono.bias_ih, 1), gate(drawn("mgu").bias_ih, 1))


@pytest.mark.parametrize(
    "other", ["lstm:forget_bias=1", "lstm@chrono", "lstm:activation=relu", "lstm@chrono:chrono_max=9"]
)
def test_variants_of_a_model_share_every_draw_that_they_have_in_common(other: str) -> None:
    plain, variant = drawn("lstm"), drawn(other)
    np.testing.assert_array_equal(plain.weight_hh, variant.weight_hh)
    np.testing.assert_array_equal(plain.weight_ih, variant.weight_ih)
    np.testing.assert_array_equal(gate(plain.bias_ih, 2), gate(variant.bias_ih, 2))


@pytest.mark.parametrize("label", ["rnn", "lstm@chrono", "gru@keras", "rnn@gaussian:untied=true"])
def test_more_trials_change_no_number(label: str) -> None:
    few, many = drawn(label, trials=2), drawn(label, trials=5)
    for name in ("weight_hh", "weight_ih", "bias_ih", "bias_hh"):
        np.testing.assert_array_equal(getattr(many, name)[:2], getattr(few, name))


def test_trials_seeds_cells_and_roles_have_streams_of_their_own() -> None:
    keys = list(product((0, 1), Role, (0, 1), (row.stream for row in CELLS.values())))
    firsts = {stream(*key).standard_normal() for key in keys}
    assert len(firsts) == len(keys)
    assert stream(3, Role.INPUT, 1).standard_normal() == stream(3, Role.INPUT, 1).standard_normal()


def test_untied_has_a_fresh_matrix_for_every_step() -> None:
    weights = drawn("rnn@gaussian:untied=true,gain=2")
    assert weights.weight_hh.shape == (TRIALS, STEPS, N, N)
    assert normal(weights.weight_hh[:1], 2 / math.sqrt(N))
    assert len({matrix.tobytes() for matrix in weights.weight_hh[0]}) == STEPS


@pytest.mark.parametrize("label", ["rnn", "lstm@chrono", "gru@keras"])
def test_float32_is_drawn_in_float64_and_rounded_once(label: str) -> None:
    double, single = drawn(label), drawn(label, dtype="float32")
    for name in ("weight_hh", "weight_ih", "bias_ih", "bias_hh"):
        np.testing.assert_array_equal(getattr(single, name), getattr(double, name).astype(np.float32))


@pytest.mark.parametrize(
    ("label", "kind"),
    [("rnn:activation=relu", RNN), ("lstm", LSTM), ("gru:reset=before", GRU), ("gru", GRU)],
)
def test_the_cell_has_these_weights(label: str, kind: type) -> None:
    spec, weights = parse(label).resolved(N, STEPS), drawn(label)
    cell = weights.cell(spec)
    assert type(cell) is kind
    assert cell.activation.name == spec.keys["activation"]
    np.testing.assert_array_equal(cell.W_hh, weights.weight_hh)
    np.testing.assert_array_equal(cell.W_hx, weights.weight_ih)
    if kind is GRU:
        assert cell.reset == spec.keys["reset"]
        np.testing.assert_array_equal(cell.b_hn, gate(weights.bias_hh, 2))
        np.testing.assert_array_equal(gate(cell.b, 2), gate(weights.bias_ih, 2))
        np.testing.assert_array_equal(gate(cell.b, 1), gate(weights.bias_ih + weights.bias_hh, 1))
    else:
        np.testing.assert_array_equal(cell.b, weights.bias_ih + weights.bias_hh)
