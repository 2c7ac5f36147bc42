"""Numbers at the edges of floating point are right: every curve, every lag, every engine, against mpmath."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fuzz.judge import judged
from tests.fuzz.models import CELLS, KINDS, draw
from vanishgrad.propagation.either_range import EitherRange

ROUNDS = 2


def seeds_of(cell: int, kind: int) -> list[int]:
    return [cell + len(CELLS) * (kind + len(KINDS) * i) for i in range(ROUNDS)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
@pytest.mark.parametrize("cell", range(len(CELLS)), ids=CELLS)
def test_every_number_is_right(cell: int, kind: int, record_property) -> None:
    counts, faults = zip(*(judged(draw(seed)) for seed in seeds_of(cell, kind)), strict=True)
    record_property("numbers", sum(counts))
    print(f"{sum(counts)} numbers checked")
    assert sum(counts) > 0
    assert not [fault for each in faults for fault in each]


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
