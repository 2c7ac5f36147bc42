"""`vanishgrad verify` catches a wrong Jacobian and says so with status 3."""

from __future__ import annotations

import json
import re

import numpy as np

from tests.weights.test_keras_masks import FILE
from vanishgrad.cells.lstm import LSTMLinearisation
from vanishgrad.cells.masked_steps import MaskedLinearisation
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


def test_masked_steps_hand_the_state_on(run, tmp_path):
    """Of two sequences the first is verified; its first, an inner and its last steps are masked."""
    path = str(tmp_path / "mask.npy")
    taken = np.ones((2, 12), int)
    taken[0, [0, 4, 5, 11]] = 0
    np.save(path, taken)
    outcome = run("verify", *CELLS, "--hidden", "4", "--mask", path, "--burn-in", "2")
    assert outcome.status == 0, outcome.out
    assert outcome.out.count("ok   a masked step hands the state on, and J_t is I") == len(CELLS)
    request = json.loads(run("verify", "rnn", "--mask", path, "--json").out)["request"]
    assert (request["mask"], request["steps"]) == (path, 12)


def test_a_file_behind_mask_zero_is_verified_with_its_masked_steps(run, tmp_path):
    ids = np.array([[0, 3, 4, 0, 0, 5, 1, 0]])
    np.save(tmp_path / "ids.npy", ids)
    outcome = run("verify", FILE, "--embedding", "words", "--input", str(tmp_path / "ids.npy"))
    assert outcome.status == 0
    assert "a masked step hands the state on" in outcome.out


def test_a_masked_step_that_is_taken_is_caught(run, tmp_path, monkeypatch):
    np.save(tmp_path / "mask.npy", np.arange(12)[None] % 3 > 0)
    monkeypatch.setattr(MaskedLinearisation, "dense", lambda self, t: self._steps.dense(t))
    outcome = run("verify", "gru", "--hidden", "4", "--mask", str(tmp_path / "mask.npy"))
    assert outcome.status == 3
    assert re.search(r"FAIL a masked step hands the state on", outcome.out)
