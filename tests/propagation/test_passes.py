"""Fused passes against the pass through the linearisation, which the complex step judges, and in their own limits."""

from __future__ import annotations

import tracemalloc

import mpmath as mp
import numpy as np
import pytest

from vanishgrad.cells import GRU, LSTM
from vanishgrad.cells.activations import RELU
from vanishgrad.propagation.passes import fused as fused_module
from vanishgrad.propagation.passes import loops
from vanishgrad.propagation.passes.fused import FusedPass
from vanishgrad.propagation.passes.selection import StepwisePass, training_pass
from vanishgrad.weights.laws import draw
from vanishgrad.weights.model_string import parse

SETS, EACH, T, D, N, OUTPUTS = 3, 4, 9, 2, 5, 3
ROUNDOFF = 1e-13
"""Relative; of a few hundred products of numbers of order 1, with outputs of gates good to 1e-16."""
fused = pytest.mark.parametrize("label", ["rnn", "rnn:activation=sigmoid", "lstm:forget_bias=3", "gru"])


def interpreted(dtype: np.dtype) -> loops.Compiler:
    """The passes as they stand, so that Python runs what Numba compiles."""
    tanh = {"float32": loops.tanh_32, "float64": loops.tanh_64}[dtype.name]
    return loops.Compiler(tanh, dtype.type(0.5), lambda loop: loop)


@pytest.fixture(params=["numpy", "loops"])
def engine(request, monkeypatch):
    monkeypatch.setattr(fused_module, "compiler", interpreted if request.param == "loops" else lambda dtype: None)


def drawn(label: str, dtype: str = "float64", n: int = N):
    spec = parse(label).resolved(n, T)
    cell = draw(spec, D, T, SETS, 1, dtype).cell(spec)
    if isinstance(cell, GRU):
        cell.b_hn = np.random.default_rng(2).standard_normal(cell.b_hn.shape).astype(dtype)
    return cell


def gradients(through, cell, dtype: str = "float64", **options):
    rng = np.random.default_rng(3)
    xs = rng.standard_normal((SETS * EACH, T, D)).astype(dtype)
    g = rng.standard_normal((OUTPUTS, SETS * EACH, cell.hidden_size)).astype(dtype)
    through.forward(cell, xs)
    return through.backward(g, **options)


@fused
@pytest.mark.parametrize(
    "options",
    [{}, {"truncation": 2}, {"truncation": 4}, {"only": np.arange(SETS * EACH) % T + 1}],
    ids=["whole", "cut-2", "cut-4", "keys"],
)
def test_the_gradient_is_the_linearisations(engine, label, options):
    cell = drawn(label)
    found = gradients(training_pass(cell, T, SETS * EACH), cell, **options)
    expected = gradients(StepwisePass(), cell, **options)
    assert set(found) == set(expected) == set(cell.tensors)
    for name, gradient in expected.items():
        assert np.linalg.norm(found[name] - gradient) <= ROUNDOFF * np.linalg.norm(gradient), name


@fused
def test_the_hidden_states_are_the_linearisations(engine, label):
    cell, passes = drawn(label), (training_pass(drawn(label), T, SETS * EACH), StepwisePass())
    for each in passes:
        gradients(each, cell)
    np.testing.assert_allclose(passes[0].hidden(T), passes[1].hidden(T), rtol=0, atol=1e-15 * T)


@fused
def test_buffers_keep_nothing_of_the_update_before(engine, label):
    cell, through = drawn(label), training_pass(drawn(label), T, SETS * EACH)
    first = gradients(through, cell)
    gradients(through, cell.with_tensors(lambda tensor: 3 * tensor), truncation=2)
    for name, gradient in gradients(through, cell).items():
        np.testing.assert_array_equal(gradient, first[name])


@fused
def test_gates_that_are_shut_or_open_for_good_overflow_nothing(engine, label):
    cell = drawn(label, "float32").with_tensors(lambda tensor: 1e4 * tensor)
    for gradient in gradients(training_pass(cell, T, SETS * EACH), cell, "float32").values():
        assert np.isfinite(gradient).all()


@fused
def test_single_precision_stays_single(engine, label):
    cell = drawn(label, "float32")
    exact = gradients(StepwisePass(), drawn(label))
    for name, gradient in gradients(training_pass(cell, T, SETS * EACH), cell, "float32").items():
        assert gradient.dtype == np.float32
        assert np.linalg.norm(gradient - exact[name]) <= 1e-5 * np.linalg.norm(exact[name])


@fused
def test_memory_is_within_twice_the_trajectorys(label):
    cell, steps, batch = drawn(label, "float32", 32), 80, SETS * 64
    numbers = (steps + 1) * cell.state_size + steps * cell.record_size
    xs, g = np.zeros((batch, steps, D), np.float32), np.ones((1, batch, 32), np.float32)
    gradients(training_pass(cell, T, SETS * EACH), cell, "float32")  # what is compiled is compiled now
    tracemalloc.start()
    through = training_pass(cell, steps, batch)
    through.forward(cell, xs)
    through.backward(g)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * batch * numbers * 4


@pytest.mark.parametrize("label", ["gru:reset=before", "mgu", "lstm:activation=relu"])
def test_other_cells_go_through_their_linearisation(label):
    assert isinstance(training_pass(drawn(label), T, SETS * EACH), StepwisePass)


def test_another_cell_activation_has_no_fused_pass():
    cell = drawn("lstm")
    assert isinstance(cell, LSTM)
    assert isinstance(training_pass(cell, T, SETS * EACH), FusedPass)
    cell.cell_activation = RELU
    assert isinstance(training_pass(cell, T, SETS * EACH), StepwisePass)


@pytest.mark.parametrize(("tanh", "dtype", "units"), [(loops.tanh_32, np.float32, 3), (loops.tanh_64, np.float64, 2)])
def test_the_loops_tanh_is_good_to_units_in_the_last_place_of_one(tanh, dtype, units):
    for a in np.concatenate([np.linspace(-750, 750, 101), np.linspace(-9.5, 9.5, 601), [-np.inf, np.inf, 0]]).astype(
        dtype
    ):
        value = tanh(dtype(a))
        assert abs(mp.mpf(float(value)) - mp.tanh(mp.mpf(float(a)))) <= units * np.finfo(dtype).eps
        assert -1 <= value <= 1
    assert np.isnan(tanh(dtype(np.nan)))


@pytest.mark.slow
@fused
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_loops_are_the_interpreted_ones(label, dtype, monkeypatch):
    pytest.importorskip("numba", reason="needs Numba: pip install vanishgrad[fast]")
    cell = drawn(label, dtype)
    compiled = gradients(training_pass(cell, T, SETS * EACH), cell, dtype)
    monkeypatch.setattr(fused_module, "compiler", interpreted)
    for name, gradient in gradients(training_pass(cell, T, SETS * EACH), cell, dtype).items():
        assert np.linalg.norm(compiled[name] - gradient) <= 1e3 * np.finfo(dtype).eps * np.linalg.norm(gradient)
