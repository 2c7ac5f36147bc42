"""`vanishgrad verify` catches a wrong Jacobian and says so with status 3."""

from __future__ import annotations

import re

from vanishgrad.cells.lstm import LSTMLinearisation
from vanishgrad.cells.registry import CELLS
from vanishgrad.weights.model_string import parse


def test_every_line_passes(run):
    outcome = run("verify")
    assert outcome.status == 0
    passed = re.findall(r"^  ok  .*", outcome.out, re.MULTILINE)
    models = re.findall(r"^\S+$", outcome.out, re.MULTILINE)
    assert {parse(model).cell for model in models} == set(CELLS)
    assert len(passed) >= 4 * len(models)
    assert outcome.out.endswith(f"\n{len(passed)} passed, 0 failed\n")


def test_a_dropped_path_is_caught(run, monkeypatch):
    """The common error: the LSTM's Jacobian without the path from h to h through the output gate."""
    whole = LSTMLinearisation.dense

    def dropped(self, t):
        J = whole(self, t)
        J[:, : self._n, : self._n] = 0
        return J

    monkeypatch.setattr(LSTMLinearisation, "dense", dropped)
    outcome = run("verify", "lstm")
    assert outcome.status == 3
    assert re.search(r"FAIL J_t equals the complex step", outcome.out)
