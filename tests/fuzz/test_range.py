"""Numbers at the edges of floating point are right: every curve, every lag, every engine, against mpmath."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fuzz.judge import judged
from tests.fuzz.models import CELLS, KINDS, OTHERS, draw, draw_other
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
