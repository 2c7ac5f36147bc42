"""What the sections directions and lyapunov say, in words, tables, CSV and pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from vanishgrad.errors import VanishgradError
from vanishgrad.questions.explain.directions.report import directions_passage, directions_series
from vanishgrad.questions.explain.document import ExplainDocument, explanation
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.lyapunov.report import lyapunov_passage, lyapunov_series
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.questions.plot.render import available_kinds, draw
from vanishgrad.reports.documents.model import ModelDocument

SECTIONS = ("directions", "lyapunov")


@lru_cache
def document(source: str, **options: Any) -> ExplainDocument:
    defaults = {"hidden": 5, "steps": 20, "trials": 2, "lyapunov_steps": 40, "only": SECTIONS}
    return explanation(explain(ExplainRequest(source, **{**defaults, **options})))


def model(source: str, **options: Any) -> ModelDocument:
    (found,) = document(source, **options).models
    return found


def said(source: str, **options: Any) -> str:
    found = model(source, **options)
    passages = (
        directions_passage(found.sections["directions"], found),
        lyapunov_passage(found.sections["lyapunov"], found),
    )
    return "\n".join(sentence for passage in passages for sentence in passage.sentences)


def test_an_lstm_is_told_by_its_cell():
    text = said("lstm")
    assert "at lag 20 the best direction of the cell is multiplied by 10" in text
    assert "of 5 directions" in text
    assert "(first trial) starts in c" in text
    assert ", τ " in text
    assert "estimated error of log₁₀ σ" in text
    assert "in the long run every direction shrinks" in text


def test_what_is_lost_exactly_is_said_to_be():
    text = said("rnn@identity:activation=linear,gain=1e-300", steps=3)
    assert "at lag 3 the best direction of the state is multiplied by 10⁻⁹⁰⁰·⁰" in text
    text = said("rnn@identity:gain=0")
    assert "at lag 20 every direction of the state is lost exactly" in text
    assert "every direction is lost exactly" in text.splitlines()[-1]


def test_chaos_is_counted():
    chaotic = {"hidden": 30, "input": "zeros", "initial": "normal", "exponents": 30, "lyapunov_steps": 200}
    text = said("rnn@gaussian:gain=4", **chaotic)
    assert "directions grow: chaos, gradients explode" in text
    assert "Kaplan–Yorke dimension" in text
    assert "check: the exponents sum to the mean of ln|det J_t|" in text
    text = said("rnn@gaussian:gain=4", **{**chaotic, "exponents": 2})
    assert "at least 2 directions grow" in text
    assert "needs more exponents: try a larger --exponents" in text


def test_an_isometry_is_neither_shrinking_nor_growing():
    found = model("rnn@orthogonal:activation=linear", exponents=5).sections["lyapunov"]
    assert found.exponents.mean == pytest.approx([0] * 5, abs=1e-12)
    assert found.kaplan_yorke_dimension is None or found.kaplan_yorke_dimension <= 5


def test_csv_has_every_number():
    found = model("lstm")
    names = [name for name, _, _ in directions_series(found.sections["directions"])]
    assert names.count("state.lag_10.log10_sigma_median") == 10
    assert names.count("cell.lag_20.log10_sigma_high") == 5
    assert names.count("cell.effective_rank") == 3
    rows = list(lyapunov_series(found.sections["lyapunov"]))
    assert [i for name, i, _ in rows if name == "error"] == list(range(10))
    assert max(steps for name, steps, _ in rows if name == "history.0") == 40


@pytest.mark.parametrize("kind", SECTIONS)
@pytest.mark.parametrize("source", ["lstm", "rnn@identity:gain=0", "rnn:hidden=1", "rnn:activation=relu"])
def test_pictures_of_what_is_kept_and_of_what_is_lost(kind, source):
    figure = draw(document(source), kind)
    panels = len(model(source).sections["directions"].blocks) if kind == "directions" else 1
    assert len(figure.axes) == panels


def test_the_pictures_need_their_sections():
    assert {"directions", "lyapunov"} <= set(available_kinds(document("gru")))
    only = document("gru", only=("lyapunov",))
    assert "directions" not in available_kinds(only)
    with pytest.raises(VanishgradError, match="expected the directions of vanishgrad explain"):
        draw(only, "directions")
