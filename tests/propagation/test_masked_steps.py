"""A masked step hands the state on: J_t = I, no input. Against a loop by hand with complex steps, and the loop without."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cells.cases import BATCH, CASES, Case, Run, T, random_run
from tests.reference import complex_step
from vanishgrad.cells import GRU, LSTM, StoredTrajectory
from vanishgrad.cells.masked_steps import step_marks
from vanishgrad.curves.gates import gates
from vanishgrad.curves.measure import measure
from vanishgrad.curves.request import EVERYTHING
from vanishgrad.propagation.products.detours import detour_products
from vanishgrad.propagation.products.total_derivative import total_products
from vanishgrad.propagation.run import run
from vanishgrad.propagation.weight_gradient import OneSequence, contributions

TAKEN = np.array([[1, 1, 0, 0, 1, 1], [0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0]], dtype=bool)
"""Masked in the middle, at the left and at the right."""
ROUNDOFF = 1e-12
"""A few thousand units: products of six factors of order 1, and the matrix-free engine's 1e-12."""

every_cell = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
tied_layers = pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in ("rnn-untied", "stack")], ids=lambda case: case.name
)


def masked(case: Case) -> Run:
    whole = random_run(case)
    path = run(whole.cell, whole.xs, whole.trajectory.states[0], step_marks(TAKEN))
    return Run(whole.case, whole.tensors, whole.cell, whole.xs, path)


def through(found: Run, b: int, xs: np.ndarray, s: np.ndarray, k: int = 0, **moved: np.ndarray) -> np.ndarray:
    """s_T from s_k, the mask as an if."""
    step = found.sequence(b)
    for t in range(k + 1, T + 1):
        if TAKEN[b, t - 1]:
            s = step(t, xs[t - 1], s, **moved)
    return s


def by_hand(found: Run, b: int, k: int) -> np.ndarray:
    """∂s_T/∂s_k."""
    return complex_step(lambda s: through(found, b, found.xs[b], s, k), found.trajectory.states[k, b])


def input_by_hand(found: Run, b: int, k: int) -> np.ndarray:
    """∂s_T/∂x_k."""

    def last(x: np.ndarray) -> np.ndarray:
        xs = found.xs[b].astype(complex)
        xs[k - 1] = x
        return through(found, b, xs, found.trajectory.states[0, b])

    return complex_step(last, found.xs[b, k - 1])


@every_cell
def test_states_are_those_of_a_loop_that_skips_the_step(case: Case) -> None:
    found = masked(case)
    for b in range(BATCH):
        expected = through(found, b, found.xs[b], found.trajectory.states[0, b])
        np.testing.assert_allclose(found.trajectory.states[-1, b], expected, rtol=0, atol=ROUNDOFF)


@every_cell
def test_every_curve_is_that_of_the_loop_by_every_engine(case: Case) -> None:
    found = masked(case)
    loss, lengths = np.eye(BATCH, found.cell.parts[0].size), np.full(BATCH, T)
    expected = norms_by_hand(found)
    for engine, tolerance in (("dense", ROUNDOFF), ("adaptive", ROUNDOFF), ("matrix-free", 1e-10)):
        curves = measure(found.cell, found.trajectory, lengths, loss, 1e-3, EVERYTHING, engine).curves
        for name, norms in expected.items():
            mine = np.exp(curves[name].log_norm)
            some = ~np.isnan(mine)
            assert some[:, [0, -1]].all()
            np.testing.assert_allclose(
                mine[some], norms[some], rtol=tolerance, atol=tolerance, err_msg=f"{engine} {name}"
            )


def norms_by_hand(found: Run) -> dict[str, np.ndarray]:
    """‖·‖₂ by curve, (B, lags)."""
    span, h = found.cell.slices, found.cell.slices[found.cell.parts[0].name]
    blocks = {"state": (slice(None), slice(None)), "output": (h, slice(None))}
    blocks |= {name: (span[to], span[of]) for name, (to, of) in found.cell.curves.items()}
    states = [[by_hand(found, b, T - lag) for lag in range(T + 1)] for b in range(BATCH)]
    inputs = [[input_by_hand(found, b, T - lag)[h] for lag in range(T)] for b in range(BATCH)]
    of_blocks = {
        name: np.array([[np.linalg.norm(P[block], 2) for P in row] for row in states]) for name, block in blocks.items()
    }
    return {**of_blocks, "input": np.array([[np.linalg.norm(P, 2) for P in row] for row in inputs])}


@tied_layers
def test_gradient_by_the_weights_is_that_of_the_loop(case: Case) -> None:
    found = masked(case)
    size = found.cell.parts[0].size
    g = np.random.default_rng(5).standard_normal((T, size))
    for b in range(BATCH):
        pieces = []
        for name in found.cell.tensors:

            def loss(tensor: np.ndarray) -> np.ndarray:
                s, total, step = found.trajectory.states[0, b], 0j, found.sequence(b)  # noqa: B023
                for t in range(1, T + 1):
                    if TAKEN[b, t - 1]:  # noqa: B023
                        s = step(t, found.xs[b, t - 1], s, **{name: tensor})  # noqa: B023
                    total = total + g[t - 1] @ s[:size]
                return total

            pieces.append(complex_step(loss, found.sequence(b).tensors[name]).ravel())
        path = found.trajectory.among(slice(b, b + 1))
        whole = contributions(OneSequence(found.cell.trial(b), path, found.xs[b]), g).whole
        np.testing.assert_allclose(np.ldexp(whole.values, whole.exponent), np.concatenate(pieces), rtol=0, atol=1e-11)


def shorter(found: Run, b: int) -> StoredTrajectory:
    """The run along the steps that are taken, nothing between them."""
    return run(found.cell.trial(b), found.xs[b : b + 1, TAKEN[b]], found.trajectory.states[0, b : b + 1])


GATED = [case for case in CASES if case.name in ("lstm", "peephole", "projected", "gru-after", "mgu-before-old-tanh")]


@pytest.mark.parametrize("case", GATED, ids=lambda case: case.name)
def test_paths_and_total_derivatives_are_those_of_the_shorter_sequence(case: Case) -> None:
    """At a lag l of the padded sequence, those of the lag that counts only steps that are taken."""
    found = masked(case)
    for b in range(BATCH):
        cell, path = found.cell.trial(b), found.trajectory.among(slice(b, b + 1))
        for products, values in ((detour_products, _paths), (total_products, _totals)):
            padded, short = (
                [values(each) for each in products(cell, run_, 1) or ()] for run_ in (path, shorter(found, b))
            )
            for lag, of_lag in enumerate(padded):
                count = int(TAKEN[b, T - lag :].sum())
                if count < len(short):
                    np.testing.assert_allclose(of_lag, short[count], rtol=0, atol=ROUNDOFF)


def _value(term: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return term[0][0] * np.exp(term[1][0])


def _paths(product) -> np.ndarray:
    return np.stack([_value(each) for each in (*product.counts.values(), *product.gates.values())])


def _totals(product) -> np.ndarray:
    return np.stack([_value(product.total), _value(product.four_term)])


def test_gates_are_counted_at_steps_that_are_taken() -> None:
    found = masked(next(case for case in CASES if case.name == "lstm"))
    by_hand = np.concatenate([found.cell.trial(b).gate_values(shorter(found, b))["forget"][:, 0] for b in range(BATCH)])
    assert gates(found.cell, found.trajectory, 0).gates["forget"].mean == pytest.approx(by_hand.mean(), rel=1e-13)


def test_a_product_beyond_the_range_of_floats_is_that_of_the_shorter_sequence() -> None:
    """f = σ(-500): three steps that are taken multiply ∂c_T/∂c_0 by about e^-1500, and two masked ones by 1."""
    rng, n = np.random.default_rng(0), 3
    b = np.repeat([0.0, -500.0, 0.0, 0.0], n)
    cell = LSTM(rng.standard_normal((4 * n, n)) * 0.1, rng.standard_normal((4 * n, 2)), b)
    xs, taken = rng.standard_normal((1, 5, 2)), np.array([[1, 0, 1, 0, 1]], dtype=bool)
    start = np.zeros((1, 2 * n))
    runs = run(cell, xs, start, step_marks(taken)), run(cell, xs[:, taken[0]], start)
    padded, short = (
        measure(cell, path, np.array([path.steps]), None, 1e-3, EVERYTHING, "dense").curves for path in runs
    )
    assert padded["conveyor"].log_norm[0, -1] < -1400
    for name in ("state", "cell", "conveyor"):
        assert padded[name].log_norm[0, -1] == pytest.approx(short[name].log_norm[0, -1], rel=1e-12)


def test_a_saturated_state_stands_beside_its_candidate_across_a_masked_step() -> None:
    """h and n̂ both round to 1: h - n̂ is kept by a recurrence from the last step that was taken."""
    rng, n = np.random.default_rng(0), 3
    b = np.repeat([0.0, -1.0, 30.0], n)
    cell = GRU(rng.standard_normal((3 * n, n)), rng.standard_normal((3 * n, 2)), b)
    xs, taken = rng.standard_normal((1, 9, 2)), np.array([[0, 1, 1, 1, 0, 0, 1, 0, 1]], dtype=bool)
    start = np.full((1, n), 0.5)
    runs = run(cell, xs, start, step_marks(taken)), run(cell, xs[:, taken[0]], start)
    padded, short = (
        measure(cell, path, np.array([path.steps]), None, 1e-3, EVERYTHING, "dense").curves for path in runs
    )
    for lag, count in enumerate(np.cumsum(taken[0][::-1]), 1):
        assert padded["state"].log_norm[0, lag] == pytest.approx(short["state"].log_norm[0, count], rel=1e-12)
