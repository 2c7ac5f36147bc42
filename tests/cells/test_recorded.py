"""Recorded cell: replaying an LSTM's own Jacobians gives the LSTM's curves; along its run it is the run."""

from __future__ import annotations

import numpy as np
import pytest

from vanishgrad.cells import LSTM
from vanishgrad.cells.recorded import Recorded
from vanishgrad.curves.jacobian_check import STEP, complex_step
from vanishgrad.curves.measure import measure
from vanishgrad.errors import VanishgradError
from vanishgrad.propagation.run import run

N, WIDTH, BATCH, STEPS = 4, 3, 2, 11
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def both():
    """An LSTM and the replay of its run, each with its trajectory."""
    rng = np.random.default_rng(0)
    lstm = LSTM(rng.standard_normal((4 * N, N)), rng.standard_normal((4 * N, WIDTH)), rng.standard_normal(4 * N))
    xs = rng.standard_normal((BATCH, STEPS, WIDTH))
    path = run(lstm, xs, rng.standard_normal((BATCH, 2 * N)))
    steps = lstm.linearise(path, 0, STEPS)
    J = np.stack([steps.dense(t) for t in range(1, STEPS + 1)], axis=1)
    J_x = np.empty((BATCH, STEPS, 2 * N, WIDTH))
    for t in range(1, STEPS + 1):
        steps.input_tangent(t, np.broadcast_to(np.eye(WIDTH), (BATCH, WIDTH, WIDTH)), J_x[:, t - 1])
    replay = Recorded(J, J_x, np.swapaxes(path.states, 0, 1), xs, (N, N))
    return (lstm, path), (replay, run(replay, xs, path.states[0]))


def test_along_the_run_its_states_are_the_recorded_ones(both) -> None:
    (_, path), (_, replayed) = both
    assert np.array_equal(path.states, replayed.states)


@pytest.mark.parametrize("engine", ["dense", "adaptive", "matrix-free"])
def test_every_curve_but_the_conveyor_is_the_cells_own(both, engine: str) -> None:
    curves = [measure(cell, path, np.full(BATCH, STEPS), None, 1e-3, engine=engine).curves for cell, path in both]
    assert set(curves[0]) - set(curves[1]) == {"conveyor"}
    for name, norms in curves[1].items():
        measured = np.isfinite(norms.log_norm) & np.isfinite(curves[0][name].log_norm)
        assert measured[:, -1].all()
        assert norms.log_norm[measured] == pytest.approx(curves[0][name].log_norm[measured], abs=1e-8)


@pytest.mark.parametrize("t", [1, STEPS])
def test_its_jacobian_is_the_complex_step_of_the_cell(both, t: int) -> None:
    (lstm, _), (replay, path) = both
    V = np.random.default_rng(t).standard_normal((BATCH, 2 * N, 1))
    out, x = np.empty_like(V), replay.inputs[:, t - 1 : t]
    replay.linearise(path, t - 1, t).tangent(t, V, out)
    assert out[..., 0] == pytest.approx(complex_step(lstm, t, x, path.states[t - 1], V[..., 0], STEP), rel=ROUNDING)


def test_a_part_of_its_steps_is_the_same_replay(both) -> None:
    _, (replay, replayed) = both
    later = replay.between(3, 9)
    path = run(later, replay.inputs[:, 3:9], replay.states[:, 3])
    assert later.steps == 6 and np.array_equal(path.states, replayed.states[3:10])


@pytest.mark.parametrize(
    "change",
    [
        {"jacobians": np.zeros((1, 2, 3, 4))},
        {"jacobians": np.zeros((2, 4, 4))},
        {"states": np.zeros((1, 2, 4))},
        {"inputs": np.zeros((1, 2, 4))},
        {"sizes": (3,)},
        {"sizes": (4, 0)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change) -> None:
    arrays = {
        "jacobians": np.zeros((1, 2, 4, 4)),
        "input_jacobians": np.zeros((1, 2, 4, 3)),
        "states": np.zeros((1, 3, 4)),
        "inputs": np.zeros((1, 2, 3)),
    }
    Recorded(**arrays)
    with pytest.raises(VanishgradError, match="expected Jacobians"):
        Recorded(**{**arrays, **change})
