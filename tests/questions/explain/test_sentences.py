"""What an explanation says, from documents with known numbers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from vanishgrad.questions.explain.document import explanation
from vanishgrad.questions.explain.explain import explain
from vanishgrad.questions.explain.map.report import MapDocument
from vanishgrad.questions.explain.map.report import sentence as map_sentence
from vanishgrad.questions.explain.paths.report import CarriedDocument, PathsDocument, SharesDocument, paths_passage
from vanishgrad.questions.explain.paths.report import sentence as paths_sentence
from vanishgrad.questions.explain.request import ExplainRequest
from vanishgrad.reports.documents.curve import BandDocument


def band(values):
    return BandDocument(median=values, mean=values, low=values, high=values)


def carried(share, log10=-1.0):
    shares = [1.0, share]
    return CarriedDocument(log10_norm=band([0.0, log10]), share=SharesDocument(mean=shares, low=shares, high=shares))


def paths(conveyor, f, i, g):
    gates = {"i": carried(i), "f": carried(f), "g": carried(g)}
    return PathsDocument(curve="cell", detours={"0": carried(conveyor)}, gates=gates, sentence="")


MODEL = SimpleNamespace(curves={"cell": SimpleNamespace(horizon=1, log10_norm=band([0.0, -33.2]))})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (paths(0.03, 0.9, 0.05, 0.02), "at lag 1 the conveyor carries 3.0 % of ∂c_T/∂c_k; the rest returns through U_f (90 %; 5.0 % through U_i, 2.0 % through U_g)"),
        (paths(1.0, 0.001, -0.001, 0.0), "at lag 1 the conveyor carries 100 % of ∂c_T/∂c_k: there is hardly another path"),
        (paths(4e32, -4e32, 0.0, 0.0), "at lag 1 the conveyor alone would be 10^-1.0, of which the detours leave 10^-33.2: the paths cancel"),
        (paths(None, None, 0.0, 0.0), "at lag 1 the conveyor alone would be 10^-1.0, of which the detours leave 10^-33.2: the paths cancel"),
    ],
)  # fmt: skip
def test_which_way_the_gradient_takes(found, said):
    assert paths_sentence(found, MODEL) == said


def a_map(rows, times=None, tokens=None):
    return MapDocument(trial=0, times=times or list(range(len(rows))), log10_norm=rows, tokens=tokens, sentence="")


def test_where_it_dies():
    rows = [[0.0], [-1.0, 0.0], [-3.0, -2.0, 0.0], [-6.0, -5.0, -3.5, 0.0]]
    assert map_sentence(a_map(rows, tokens=["a", "b", "c"]), 1e-2) == (
        "back from step 3 ('c') less than 1/100 is left at step 2 ('b'), 1 step before; from others it takes 1 to 2 steps; "
        "it shrinks most from step 3 ('c') to 2, to 0.000316 of what it was"
    )


def test_where_it_does_not_die():
    assert map_sentence(a_map([[0.0], [-1.0, 0.0]], times=[0, 40]), 1e-2) == (
        "back from step 40 the gradient reaches step 0: 10⁻¹·⁰ is left"
    )


def test_an_exact_zero_is_said():
    assert "shrinks most from step 2 to 1, to nothing of what it was" in map_sentence(
        a_map([[0.0], [-1.0, 0.0], [None, None, 0.0]]), 1e-2
    )


def test_the_unanswered_question_why_a_keras_lstm_forgets_within_20_steps():
    """Forget bias 1: the conveyor loses σ(1) = 0.731 a step, and 1.9e-3 = 10^-2.7 is left after 20."""
    request = ExplainRequest("lstm@keras", input="white:0.1", only=("paths",))
    (model,) = explanation(explain(request)).models
    said = " ".join(paths_passage(model.sections["paths"], model).sentences)
    assert "the conveyor alone multiplies the gradient by 0.73 a step, 10⁻²·⁷ in 20 steps" in said
    assert "its forget gates average 0.73 = σ(1.00)" in said
