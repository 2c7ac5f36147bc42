"""A Keras layer behind an Embedding that masks id 0, beside JAX's autodiff through Keras's own layer and mask."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vanishgrad
from vanishgrad.errors import VanishgradError
from vanishgrad.formal_answer import AnswerRequest
from vanishgrad.formal_answer.subjects import runs

FIXTURES = Path(__file__).parent / "fixtures"
FILE = str(FIXTURES / "masked.keras")
JUDGED = json.loads((FIXTURES / "masked_keras.json").read_text())
ROUNDOFFS = 2**10 * np.finfo(float).eps
"""Products of eight 8 × 8 matrices, and as much again in JAX's."""


@pytest.mark.parametrize("b", range(len(JUDGED["ids"])))
def test_curves_through_masked_steps_are_those_of_the_framework(b: int) -> None:
    ids, judged = np.array(JUDGED["ids"][b]), JUDGED["sequences"][b]
    report = vanishgrad.analyze(FILE, embedding="words", input=ids)
    (model,) = json.loads(report.to_json())["models"]
    curves = {name: model["curves"][name]["log10_norm"]["median"] for name in ("output", "input")}
    assert 10 ** curves["output"][-1] == pytest.approx(judged["output"], rel=1e-11)
    norms = [0.0 if each is None else 10**each for each in curves["input"]]
    np.testing.assert_allclose(norms, judged["input"], rtol=1e-11, atol=ROUNDOFFS)
    assert model["masked_steps"] == np.sum(ids == 0)


def test_noise_is_not_masked_and_the_note_says_what_masks() -> None:
    (model,) = json.loads(vanishgrad.analyze(FILE, steps=5).to_json())["models"]
    assert "masked_steps" not in model
    assert any("mask_zero stands before it" in note and "--mask FILE" in note for note in model["notes"])


@pytest.mark.parametrize("options", [{}, {"input": "white", "steps": 5}, {"claim": "lower"}])
def test_a_layer_behind_a_mask_is_not_certified(options: dict[str, object], tmp_path: Path) -> None:
    """With every step masked J = I: a bound that falls with the lag would be false."""
    with pytest.raises(VanishgradError, match="expected a layer that takes every step to certify, got memory behind"):
        vanishgrad.certify(FILE, output=str(tmp_path / "certificate.json"), **options)
    assert not list(tmp_path.iterdir())


def test_an_answer_with_masked_steps_is_refused() -> None:
    ids = np.array([1, 2, 0, 3, 4, 5, 1, 2, 3, 4])
    with pytest.raises(VanishgradError, match="expected no masked steps for an answer, got 1 of"):
        list(runs(AnswerRequest(models=(FILE,), embedding="words", input=ids)))
