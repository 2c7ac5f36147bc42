"""Numbers at the edges of floating point are right: every curve, every lag, every engine, against mpmath."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from mpmath import mp

from tests import reference
from tests.cells.cases import BY_NAME
from tests.engine import trajectory
from tests.fuzz.judge import judged
from tests.fuzz.models import CELLS, KINDS, OTHERS, draw, draw_other
from tests.fuzz.multiple_precision import jacobians, log_norms
from vanishgrad.cells import GRU, LSTM, RNN
from vanishgrad.curves.measure import measure
from vanishgrad.propagation.either_range import EitherRange
from vanishgrad.propagation.singular_values import lanczos, largest

SEEDS = {
    f"{name}, {title}": cell + len(CELLS) * kind for cell, name in enumerate(CELLS) for kind, title in enumerate(KINDS)
}
"""One of every kind of every cell; ``python -m tests.fuzz --minutes 10`` tries more."""
LESS_EXACT_ONCE = {
    "mgu whose candidates saturate": 54,
    "gru that switches": 80,
    "relu whose states grow to 4e12": 1373,
    "gru whose candidate comes back to a state that stayed": 7310055,
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [pytest.param(seed, id=name) for name, seed in (SEEDS | LESS_EXACT_ONCE).items()])
def test_every_number_is_right(seed: int) -> None:
    count, faults = judged(draw(seed))
    assert count > 0
    assert not faults


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(len(OTHERS)), ids=OTHERS)
def test_every_number_of_every_other_cell_is_right(seed: int) -> None:
    count, faults = judged(draw_other(seed + len(OTHERS) * (1 + seed % (len(KINDS) - 1))))
    assert count > 0
    assert not faults


@pytest.mark.parametrize("name", ["ligru", "mingru", "minlstm"])
def test_a_state_that_comes_to_a_candidate_that_stays_keeps_its_distance(name: str) -> None:
    """x reaches h by the gates alone, through h - n̂, which falls below the rounding of both: `input` is 1e-20."""
    rng, case = np.random.default_rng(0), BY_NAME[name]
    tensors = {key: rng.normal(0, 0.6, shape) for key, shape in case.shapes.items()}
    cell = case.cell(**{key: each[None] for key, each in tensors.items()})
    for key in tensors.keys() & {"W_hh", "W_hx"}:
        tensors[key][cell.rows("n")] = 0
    tensors["b"][cell.rows("n")] = np.abs(tensors["b"][cell.rows("n")])
    cell = case.cell(**{key: each[None] for key, each in tensors.items()})
    xs = rng.normal(0, 1, (1, 150, tensors["W_hx"].shape[-1]))
    path, hidden = trajectory(cell, xs), slice(0, cell.hidden_size)
    with mp.workdps(60):
        by_state, by_input, _ = jacobians(partial(case.step, **tensors), xs[0], path.states[:, 0])
        right = log_norms(by_state, by_input, {}, hidden)["input"]
    found = measure(cell, path, np.array([150]), None, 1e-3).curves["input"].log_norm[0]
    assert right[0] < np.log(1e-18)
    assert found == pytest.approx(right, rel=1e-11)


def test_the_judge_sees_a_rounding_of_1e_9(monkeypatch) -> None:
    """A judge that could not tell would let everything pass."""
    cotangent = EitherRange.cotangent

    def off(self: EitherRange, t: int, W: object, out: object) -> None:
        cotangent(self, t, W, out)
        out[...] = out * (1 + 1e-9)

    monkeypatch.setattr(EitherRange, "cotangent", off)
    checked, faults = judged(draw(0))
    assert len(faults) > checked / 2
    assert all(np.isfinite(fault.right) for fault in faults)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dense", "adaptive"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "n"), [("lstm", 40), ("lstm", 100), ("gru_after", 64), ("rnn", 128)])
def test_norms_that_lanczos_takes_are_right(
    name: str, n: int, dtype: type, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models too large for multiple precision: products of the plain formula's complex steps in long double.

    Lanczos stops where the square of σ is right to `VALUE_ERROR`.
    """
    calls, steps = list[int](), 40
    counted = largest.leading_ritz
    monkeypatch.setattr(largest, "leading_ritz", lambda *given: calls.append(1) or counted(*given))
    rng, gates = np.random.default_rng(n), {"lstm": 4, "gru_after": 3, "rnn": 1}[name]
    tensors = {
        "W_hh": rng.normal(0, 1.1 / np.sqrt(n), (gates * n, n)), "W_hx": rng.normal(0, 1, (gates * n, 2)),
        "b": rng.normal(0, 1, gates * n), **({"b_hn": rng.normal(0, 0.5, n)} if name == "gru_after" else {}),
    }  # fmt: skip
    tensors = {key: each.astype(dtype).astype(float) for key, each in tensors.items()}
    step = partial(getattr(reference, name), **tensors)
    cell = {"lstm": LSTM, "gru_after": GRU, "rnn": RNN}[name](*(each.astype(dtype) for each in tensors.values()))
    xs = rng.normal(0, 1, (1, steps, 2)).astype(dtype)
    path = trajectory(cell, xs)
    P, logs = np.eye(cell.state_size, dtype=np.longdouble), [0.0]
    for t in range(steps, 0, -1):
        s, x = path.states[t - 1, 0].astype(float), xs[0, t - 1].astype(float)
        moved = [step(t, x, s + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(s))]
        P = P @ np.array(moved).T.astype(np.longdouble)
        logs.append(float(np.log(np.linalg.norm((P / np.abs(P).max()).astype(float), 2)) + np.log(np.abs(P).max())))
    found = measure(cell, path, np.array([steps]), None, 1e-3, engine=engine)
    allowed = (
        lanczos.VALUE_ERROR
        + found.engine.error_bound
        + 64 * np.finfo(dtype).eps * np.sqrt(n * (1 + np.arange(steps + 1)))
    )
    assert calls
    assert np.all(np.abs(found.curves["state"].log_norm[0] - logs) < allowed)
