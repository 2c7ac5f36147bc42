"""Numbers at the edges of floating point are right: every curve, every lag, every engine, against mpmath."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from mpmath import mp

from tests.cells.cases import BY_NAME
from tests.engine import trajectory
from tests.fuzz.judge import judged
from tests.fuzz.models import CELLS, KINDS, OTHERS, draw, draw_other
from tests.fuzz.multiple_precision import jacobians, log_norms
from vanishgrad.curves.measure import measure
from vanishgrad.propagation.either_range import EitherRange

SEEDS = {
    f"{name}, {title}": cell + len(CELLS) * kind for cell, name in enumerate(CELLS) for kind, title in enumerate(KINDS)
}
"""One of every kind of every cell; ``python -m tests.fuzz --minutes 10`` tries more."""
LESS_EXACT_ONCE = {
    "mgu whose candidates saturate": 54,
    "gru that switches": 80,
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
