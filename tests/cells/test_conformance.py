"""What every cell owes the engine."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, CASES, WITHOUT_GRADIENTS, Case, D, Run, T, random_run
from tests.reference import complex_step
from vanishgrad.cells import Outer
from vanishgrad.cells.gate_products import NARROW
from vanishgrad.cells.linearisation import with_input_weights

ROUNDOFF = 1e-13
"""A few hundred units: sums of a dozen products of numbers of order 1."""
WIDTHS = [1, NARROW, NARROW + 1]

every_cell = pytest.mark.parametrize("case", [*CASES, *WITHOUT_GRADIENTS], ids=lambda case: case.name)
every_trained_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
own_and_shared_weights = pytest.mark.parametrize("trials", [BATCH, 1], ids=["own", "shared"])


def jacobian(run: Run, t: int, b: int) -> np.ndarray:
    """J_t of sequence b, by complex steps of the reference."""
    step = run.sequence(b)
    return complex_step(lambda s: step(t, run.xs[b, t - 1], s), run.trajectory.states[t - 1, b])


def input_jacobian(run: Run, t: int, b: int) -> np.ndarray:
    step = run.sequence(b)
    return complex_step(lambda x: step(t, x, run.trajectory.states[t - 1, b]), run.xs[b, t - 1])


@every_cell
@own_and_shared_weights
def test_forward_step_is_the_formula(case: Case, trials: int) -> None:
    run = random_run(case, trials)
    for b in range(BATCH):
        for t in range(1, T + 1):
            expected = run.sequence(b)(t, run.xs[b, t - 1], run.trajectory.states[t - 1, b])
            np.testing.assert_allclose(run.trajectory.states[t, b], expected, rtol=0, atol=ROUNDOFF)


@every_cell
@own_and_shared_weights
def test_dense_jacobian_equals_the_complex_step(case: Case, trials: int) -> None:
    run = random_run(case, trials)
    for t in (1, T):
        expected = np.stack([jacobian(run, t, b) for b in range(BATCH)])
        np.testing.assert_allclose(run.linearisation.dense(t), expected, rtol=0, atol=ROUNDOFF)


@every_cell
@own_and_shared_weights
@pytest.mark.parametrize("width", WIDTHS)
def test_products_equal_those_with_the_complex_step(case: Case, trials: int, width: int) -> None:
    run, rng = random_run(case, trials), np.random.default_rng(2)
    m = run.cell.state_size
    J, B = (np.stack([each(run, T, b) for b in range(BATCH)]) for each in (jacobian, input_jacobian))
    rows, columns = rng.standard_normal((BATCH, width, m)), rng.standard_normal((BATCH, m, width))
    inputs = rng.standard_normal((BATCH, D, width))
    cotangent, tangent, of_input = np.empty_like(rows), np.empty_like(columns), np.empty((BATCH, width, D))
    through_input = np.empty_like(columns)
    linearisation = run.linearisation
    linearisation.cotangent(T, rows, cotangent)
    linearisation.tangent(T, columns, tangent)
    linearisation.input_cotangent(T, rows, of_input)
    linearisation.input_tangent(T, inputs, through_input)
    np.testing.assert_allclose(cotangent, rows @ J, rtol=0, atol=10 * ROUNDOFF)
    np.testing.assert_allclose(tangent, J @ columns, rtol=0, atol=10 * ROUNDOFF)
    np.testing.assert_allclose(of_input, rows @ B, rtol=0, atol=10 * ROUNDOFF)
    np.testing.assert_allclose(through_input, B @ inputs, rtol=0, atol=10 * ROUNDOFF)


@every_cell
def test_operands_are_left_alone_and_buffers_are_not_remembered(case: Case) -> None:
    run, rng = random_run(case), np.random.default_rng(3)
    rows = rng.standard_normal((BATCH, 4, run.cell.state_size))
    kept, first, second = rows.copy(), np.full_like(rows, np.nan), np.full_like(rows, np.inf)
    linearisation = run.linearisation
    linearisation.cotangent(T, rows, first)
    linearisation.cotangent(1, rows, np.empty_like(rows))
    linearisation.cotangent(T, rows, second)
    np.testing.assert_array_equal(rows, kept)
    np.testing.assert_array_equal(first, second)


@every_cell
def test_a_stretch_is_linearised_like_the_whole(case: Case) -> None:
    run = random_run(case)
    stretch = run.cell.linearise(run.trajectory, 2, 4)
    for t in (3, 4):
        np.testing.assert_array_equal(stretch.dense(t), run.linearisation.dense(t))


@every_trained_cell
def test_weight_gradient_norm_equals_the_complex_step(case: Case) -> None:
    run, t = random_run(case), 3
    w = np.random.default_rng(4).standard_normal((BATCH, run.cell.state_size))
    for b, found in enumerate(run.linearisation.weight_gradient_norm(t, w)):
        step, x, s = run.sequence(b), run.xs[b, t - 1], run.trajectory.states[t - 1, b]
        name = "W_hh" if "W_hh" in step.tensors else "b"
        gradient = complex_step(lambda W: w[b] @ step(t, x, s, **{name: W}), step.tensors[name])  # noqa: B023
        assert found == pytest.approx(np.linalg.norm(gradient), rel=ROUNDOFF)


@every_trained_cell
def test_weight_gradient_equals_the_complex_step_for_every_tensor(case: Case) -> None:
    run, t = random_run(case), 3
    w = np.random.default_rng(4).standard_normal((BATCH, run.cell.state_size))
    lowest = (term._replace(tensor=term.tensor.removeprefix("0.")) for term in run.linearisation.weight_gradient(t, w))
    terms = with_input_weights(tuple(lowest), run.xs[:, t - 1])
    for b in range(BATCH):
        step, x, s = run.sequence(b), run.xs[b, t - 1], run.trajectory.states[t - 1, b]
        for name, tensor in step.tensors.items():
            gradient = complex_step(lambda W: w[b] @ step(t, x, s, **{name: W}), tensor)  # noqa: B023
            rows = [each for each in terms if each.tensor.rpartition(".")[2] == name]
            if name == ABOVE:
                continue
            found = np.concatenate([dense(each, b) for each in rows])
            expected = gradient.reshape(tensor.shape)
            np.testing.assert_allclose(found, expected if tensor.ndim < 3 else expected[t - 1], atol=10 * ROUNDOFF)


ABOVE = "W_hx_above"
"""A stack's weights between its layers: their operand is what the layer below puts out."""


def dense(outer: Outer, b: int) -> np.ndarray:
    return outer.cotangent[b] if outer.operand is None else np.outer(outer.cotangent[b], outer.operand[b])


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "stack"], ids=lambda case: case.name)
def test_having_other_tensors_leaves_the_cell_itself_alone(case: Case) -> None:
    cell = random_run(case).cell
    kept, other = cell.b.copy(), cell.with_weights(b=cell.b + 1)
    np.testing.assert_array_equal(cell.b, kept)
    np.testing.assert_array_equal(other.b, kept + 1)
    assert other.W_hh is cell.W_hh


@every_cell
def test_float32_stays_float32(case: Case) -> None:
    run = random_run(case, dtype="float32")
    rows = np.ones((BATCH, 2, run.cell.state_size), dtype=np.float32)
    linearisation = run.linearisation
    found = [run.trajectory.states, run.trajectory.records, linearisation.dense(T), linearisation.conveyor(T)]
    found += [linearisation.weight_gradient_norm(T, rows[:, 0])] if run.cell.has_weights else []
    assert {each.dtype for each in found if each is not None} == {np.dtype("float32")}
    np.testing.assert_allclose(linearisation.dense(1), random_run(case).linearisation.dense(1), rtol=0, atol=1e-4)


@every_cell
def test_one_trial_alone_is_that_trial(case: Case) -> None:
    run = random_run(case)
    alone = run.cell.trial(1)
    advanced, _ = alone.advance(1, alone.input_preactivation(run.xs[1:2])[0], run.trajectory.states[0, 1:2])
    assert alone.trials == 1
    np.testing.assert_allclose(advanced, run.trajectory.states[1, 1:2], rtol=0, atol=ROUNDOFF)


@every_cell
def test_parts_fill_the_state_hidden_first(case: Case) -> None:
    cell = random_run(case).cell
    assert cell.parts[0].name == "h"
    assert sum(part.size for part in cell.parts) == cell.state_size
    assert [cell.slices[part.name] for part in cell.parts][-1].stop == cell.state_size
    assert all(name in cell.slices for pair in cell.curves.values() for name in pair)
