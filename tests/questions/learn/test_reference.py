"""The edges of the prototype's table (PyTorch, n = 32, batch 64, Adam 3e-3, clip 1, at most 1500 updates)."""

from __future__ import annotations

import pytest

from tests.questions.learn.small import learned

pytestmark = pytest.mark.slow
AS_THERE = {"hidden": 32, "batch": 64, "updates": 1500, "lr": 3e-3, "seeds": 2, "dtype": "float32", "snapshots": False}


@pytest.mark.parametrize(("label", "gap"), [("lstm", 40), ("rnn", 160)])
def test_what_failed_there_fails_here(label, gap):
    (found,) = learned(models=(label,), gaps=(gap,), **AS_THERE).models[0].gaps
    assert found.solved == 0


@pytest.mark.parametrize(
    ("label", "gap", "least", "most"),
    [("lstm@chrono", 160, 42, 220), ("rnn", 10, 11, 56), ("lstm", 10, 16, 84), ("rnn@orthogonal", 20, 6, 30)],
)
def test_what_was_learned_there_is_learned_here_in_about_as_many_updates(label, gap, least, most):
    """Within half the fewest and twice the most updates of the three seeds there."""
    (found,) = learned(models=(label,), gaps=(gap,), **AS_THERE).models[0].gaps
    assert found.solved == 2 and least <= found.median <= most
